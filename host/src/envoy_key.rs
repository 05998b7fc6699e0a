//! A key as an argument of Envoy's foreign function `verify_signature` (Envoy 1.30,
//! `source/extensions/common/wasm/foreign.cc`), behind which BoringSSL checks the signature.

use jwt_rbac::authn::algorithm::Algorithm;
use jwt_rbac::authn::elliptic_curve::{Curve, Point};
use jwt_rbac::authn::jwk::VerificationKey;
use jwt_rbac::authn::signature::PreparedKey;
use rsa::pkcs8::der::Encode as _;
use rsa::pkcs8::der::asn1::{BitStringRef, UintRef};
use rsa::pkcs8::spki::{AlgorithmIdentifier, SubjectPublicKeyInfo};
use rsa::pkcs8::{EncodePublicKey as _, ObjectIdentifier};

/// A key, and everything of the call's argument that does not depend on the token.
pub struct EnvoyKey {
    arguments: Vec<u8>,
    /// The size of each half of the signature, where it is one of ECDSA.
    half: Option<usize>,
}

impl EnvoyKey {
    /// `None` where Envoy has no code for the algorithm: `verify_signature` knows neither the PSS
    /// padding nor Ed25519 nor HMAC.
    #[must_use]
    pub fn prepare(key: &VerificationKey, algorithm: Algorithm) -> Option<Self> {
        if !key.algorithms().contains(&algorithm) {
            return None;
        }
        let hash = match algorithm {
            Algorithm::Es256 | Algorithm::Rs256 => "sha256",
            Algorithm::Es384 | Algorithm::Rs384 => "sha384",
            Algorithm::Es512 | Algorithm::Rs512 => "sha512",
            _ => return None,
        };
        let (public_key, half) = match key {
            VerificationKey::EllipticCurve(point) => {
                (point_to_der(point)?, Some(point.curve().field_size()))
            }
            VerificationKey::Rsa(key) => (key.to_public_key_der().ok()?.into_vec(), None),
            VerificationKey::Ed25519(_) | VerificationKey::Secret(_) => return None,
        };
        let mut arguments = Vec::new();
        push_field(&mut arguments, Field::HashFunction, hash.as_bytes());
        push_field(&mut arguments, Field::PublicKey, &public_key);
        Some(Self { arguments, half })
    }
}

/// A point as `SubjectPublicKeyInfo` (RFC 5480 §2).
fn point_to_der(point: &Point) -> Option<Vec<u8>> {
    const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
    let curve = match point.curve() {
        Curve::P256 => ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7"),
        Curve::P384 => ObjectIdentifier::new_unwrap("1.3.132.0.34"),
        Curve::P521 => ObjectIdentifier::new_unwrap("1.3.132.0.35"),
    };
    let info = SubjectPublicKeyInfo {
        algorithm: AlgorithmIdentifier { oid: EC_PUBLIC_KEY, parameters: Some(curve) },
        subject_public_key: BitStringRef::from_bytes(point.uncompressed()).ok()?,
    };
    info.to_der().ok()
}

/// A signature of RFC 7518 §3.4, its two numbers side by side, as the SEQUENCE of RFC 3279 §2.2.3.
fn signature_to_der(signature: &[u8], half: usize) -> Option<Vec<u8>> {
    let (r, s) = signature.split_at_checked(half)?;
    let numbers = [UintRef::new(r).ok()?, UintRef::new(s).ok()?];
    (s.len() == half).then(|| numbers.to_der().ok())?
}

impl PreparedKey for EnvoyKey {
    fn verify(&self, signed: &[u8], signature: &[u8]) -> bool {
        let der;
        let signature = match self.half {
            None => signature,
            Some(half) => match signature_to_der(signature, half) {
                None => return false,
                Some(signature) => {
                    der = signature;
                    &der
                }
            },
        };
        let fields = signature.len().saturating_add(signed.len()).saturating_add(MAX_TAGS);
        let mut arguments = Vec::with_capacity(self.arguments.len().saturating_add(fields));
        arguments.extend_from_slice(&self.arguments);
        push_field(&mut arguments, Field::Signature, signature);
        push_field(&mut arguments, Field::Text, signed);
        // Only the answer that begins with field 1 and the value 1 is a yes
        // (`VerifySignatureResult.result`); a no leaves the field out.
        crate::call_foreign_function("verify_signature", &arguments)
            .is_ok_and(|answer| answer.starts_with(&[0x08, 0x01]))
    }
}

/// An upper bound on the size of the tags and lengths of two fields, in bytes.
const MAX_TAGS: usize = 16;

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
    message.push((field as u8) << 3 | LENGTH_DELIMITED);
    let mut length = bytes.len();
    while length >= 0x80 {
        message.push(length.to_le_bytes()[0] | 0x80);
        length >>= 7;
    }
    message.push(length.to_le_bytes()[0]);
    message.extend_from_slice(bytes);
}
