//! Signatures checked by the RustCrypto crates, for hosts without cryptography of their own: the
//! command line tool, tests and fuzzers.

use p256::ecdsa;
use rsa::pkcs1v15;
use rsa::signature::Verifier as _;
use sha2::{Sha256, Sha384, Sha512};

use super::{PreparedKey, SignatureVerifier};
use crate::authn::algorithm::Algorithm;
use crate::authn::jwk::PublicKey;

/// Checks signatures in this process.
#[derive(Clone, Copy, Debug)]
pub struct RustCrypto;

impl SignatureVerifier for RustCrypto {
    fn prepare(&self, key: &PublicKey, algorithm: Algorithm) -> Option<Box<dyn PreparedKey>> {
        Some(match (key, algorithm) {
            (PublicKey::P256(key), Algorithm::Es256) => {
                Box::new(Ecdsa(ecdsa::VerifyingKey::from(key)))
            }
            (PublicKey::Rsa(key), Algorithm::Rs256) => {
                Box::new(RsaPkcs1Sha256(pkcs1v15::VerifyingKey::new(key.clone())))
            }
            (PublicKey::Rsa(key), Algorithm::Rs384) => {
                Box::new(RsaPkcs1Sha384(pkcs1v15::VerifyingKey::new(key.clone())))
            }
            (PublicKey::Rsa(key), Algorithm::Rs512) => {
                Box::new(RsaPkcs1Sha512(pkcs1v15::VerifyingKey::new(key.clone())))
            }
            _ => return None,
        })
    }
}

/// A key whose signatures have the fixed length of RFC 7518 §3.4 or RFC 8017 §8.2.2; any other
/// length fails to convert.
macro_rules! prepared_keys {
    ($($name:ident($key:ty, $signature:ty);)+) => {$(
        struct $name($key);

        impl PreparedKey for $name {
            fn verify(&self, signed: &[u8], signature: &[u8]) -> bool {
                <$signature>::try_from(signature)
                    .is_ok_and(|signature| self.0.verify(signed, &signature).is_ok())
            }
        }
    )+};
}

prepared_keys! {
    Ecdsa(ecdsa::VerifyingKey, ecdsa::Signature);
    RsaPkcs1Sha256(pkcs1v15::VerifyingKey<Sha256>, pkcs1v15::Signature);
    RsaPkcs1Sha384(pkcs1v15::VerifyingKey<Sha384>, pkcs1v15::Signature);
    RsaPkcs1Sha512(pkcs1v15::VerifyingKey<Sha512>, pkcs1v15::Signature);
}
