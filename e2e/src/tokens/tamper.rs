//! Changes to a token after it was signed.

use serde::Deserialize;

use super::Parts;

/// A change.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tamper {
    /// Another header than the one that was signed.
    Header,
    /// Another payload than the one that was signed.
    Payload,
    /// One byte of the signature is changed.
    Signature,
    /// The last byte of the signature is missing.
    TruncatedSignature,
    /// The signature has one more byte at its end.
    LongerSignature,
    /// The signature of another token by the same key.
    SwappedSignature,
    /// A zero byte before each half of an ECDSA signature.
    PaddedSignature,
    /// An ECDSA signature as ASN.1, which RFC 7518 §3.4 does not allow.
    DerSignature,
    /// The first half of an ECDSA signature is zero.
    ZeroR,
    /// The second half of an ECDSA signature is zero.
    ZeroS,
    /// Both halves are zero (CVE-2022-21449).
    ZeroSignature,
}

impl Tamper {
    /// The change with this name, in lower case with hyphens.
    pub fn named(name: &str) -> Self {
        let harm = serde_json::from_value(name.into());
        harm.unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Changes the token. `sign` signs with its key.
    pub fn apply(self, parts: &mut Parts, sign: &dyn Fn(&Parts) -> Vec<u8>) {
        let signature = &mut parts.signature;
        let middle = signature.len() / 2;
        match self {
            // A space at its end leaves the same JSON in other bytes.
            Self::Header => parts.header.push(b' '),
            Self::Payload => parts.payload.push(b' '),
            Self::Signature => signature[middle] ^= 1,
            Self::TruncatedSignature => drop(signature.pop()),
            Self::LongerSignature => signature.push(0),
            Self::SwappedSignature => {
                let mut other = parts.clone();
                other.payload.push(b' ');
                parts.signature = sign(&other);
            }
            Self::PaddedSignature => {
                signature.insert(middle, 0);
                signature.insert(0, 0);
            }
            Self::DerSignature => *signature = der(signature),
            Self::ZeroR => signature[..middle].fill(0),
            Self::ZeroS => signature[middle..].fill(0),
            Self::ZeroSignature => signature.fill(0),
        }
    }
}

/// Both halves as a SEQUENCE of two INTEGERs (RFC 3279 §2.2.3).
fn der(signature: &[u8]) -> Vec<u8> {
    let (r, s) = signature.split_at(signature.len() / 2);
    let content = [integer(r), integer(s)].concat();
    let length = u8::try_from(content.len()).expect("a signature of P-256 or P-384");
    let mut der = vec![0x30];
    der.extend(if length < 0x80 { vec![length] } else { vec![0x81, length] });
    der.extend(content);
    der
}

fn integer(number: &[u8]) -> Vec<u8> {
    let start = number.iter().position(|byte| *byte != 0).unwrap_or(number.len() - 1);
    let mut number = number[start..].to_vec();
    if number[0] >= 0x80 {
        number.insert(0, 0);
    }
    let length = u8::try_from(number.len()).expect("half a signature");
    [vec![2, length], number].concat()
}
