//! Signatures checked by Envoy's own cryptography, BoringSSL, through the foreign function
//! `verify_signature` (Envoy 1.30, `source/extensions/common/wasm/foreign.cc`).

use p256::ecdsa;
use rsa::pkcs8::EncodePublicKey as _;

use crate::authn::algorithm::Algorithm;
use crate::authn::jwk::PublicKey;
use crate::authn::signature::{PreparedKey, SignatureVerifier};

/// Checks signatures in Envoy.
#[derive(Clone, Copy, Debug)]
pub struct Envoy;

impl SignatureVerifier for Envoy {
    fn prepare(&self, key: &PublicKey, algorithm: Algorithm) -> Option<Box<dyn PreparedKey>> {
        let (hash, encoding) = match (key, algorithm) {
            (PublicKey::P256(_), Algorithm::Es256) => ("sha256", Encoding::P256),
            (PublicKey::Rsa(_), Algorithm::Rs256) => ("sha256", Encoding::AsItStands),
            (PublicKey::Rsa(_), Algorithm::Rs384) => ("sha384", Encoding::AsItStands),
            (PublicKey::Rsa(_), Algorithm::Rs512) => ("sha512", Encoding::AsItStands),
            _ => return None,
        };
        let public_key = match key {
            PublicKey::P256(key) => key.to_public_key_der(),
            PublicKey::Rsa(key) => key.to_public_key_der(),
        };
        let mut arguments = Vec::new();
        push_field(&mut arguments, Field::HashFunction, hash.as_bytes());
        push_field(
            &mut arguments,
            Field::PublicKey,
            public_key.ok()?.as_bytes(),
        );
        Some(Box::new(EnvoyKey {
            arguments,
            encoding,
        }))
    }
}

/// A key, and everything of the call's argument that does not depend on the token.
struct EnvoyKey {
    arguments: Vec<u8>,
    encoding: Encoding,
}

/// How Envoy wants the signature.
enum Encoding {
    /// As RFC 7518 §3.3 has it.
    AsItStands,
    /// In DER; RFC 7518 §3.4 has the two numbers side by side.
    P256,
}

impl PreparedKey for EnvoyKey {
    fn verify(&self, signed: &[u8], signature: &[u8]) -> bool {
        let der;
        let signature = match self.encoding {
            Encoding::AsItStands => signature,
            Encoding::P256 => match ecdsa::Signature::from_slice(signature) {
                Ok(signature) => {
                    der = signature.to_der();
                    der.as_bytes()
                }
                Err(_) => return false,
            },
        };
        let mut arguments = self.arguments.clone();
        push_field(&mut arguments, Field::Signature, signature);
        push_field(&mut arguments, Field::Text, signed);
        // Only the answer that begins with field 1 and the value 1 is a yes
        // (`VerifySignatureResult.result`); a no leaves the field out.
        super::call_foreign_function("verify_signature", &arguments)
            .is_ok_and(|answer| answer.starts_with(&[0x08, 0x01]))
    }
}

/// The fields of `VerifySignatureArguments`.
#[derive(Clone, Copy)]
enum Field {
    HashFunction = 1,
    PublicKey = 2,
    Signature = 3,
    Text = 4,
}

/// Appends a field of bytes as protobuf writes it: tag, length, bytes.
fn push_field(message: &mut Vec<u8>, field: Field, bytes: &[u8]) {
    const LENGTH_DELIMITED: u8 = 2;
    message.reserve(bytes.len().saturating_add(8));
    message.push((field as u8) << 3 | LENGTH_DELIMITED);
    let mut length = bytes.len();
    while let Some(more @ 1..) = length.checked_shr(7) {
        message.push(length.to_le_bytes()[0] | 0x80);
        length = more;
    }
    message.push(length.to_le_bytes()[0]);
    message.extend_from_slice(bytes);
}
