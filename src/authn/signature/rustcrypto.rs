//! Signatures checked by the RustCrypto crates: everything outside Envoy, and inside what Envoy
//! has no function for.

use ed25519_dalek::VerifyingKey as Ed25519Key;
use hmac::{Hmac, Mac as _};
use rsa::signature::Verifier;
use rsa::{RsaPublicKey, pkcs1v15};
use sha2::{Sha256, Sha384, Sha512};

use super::{Prepared, PreparedKey, SignatureVerifier, pss};
use crate::authn::algorithm::Algorithm;
use crate::authn::elliptic_curve::{Curve, Point};
use crate::authn::jwk::VerificationKey;
use crate::authn::price::CheckedBy;

/// Checks signatures in this process.
#[derive(Clone, Copy, Debug)]
pub struct RustCrypto;

impl SignatureVerifier for RustCrypto {
    fn prepare(&mut self, key: &VerificationKey, algorithm: Algorithm) -> Option<Prepared> {
        let key = match key {
            VerificationKey::Rsa(key) => rsa(key, algorithm),
            VerificationKey::Secret(secret) => hmac(secret, algorithm),
            VerificationKey::Ed25519(key) => prepared(algorithm, Algorithm::EdDsa, *key),
            VerificationKey::EllipticCurve(point) => ecdsa(point, algorithm),
        }?;
        // As in Envoy, so that a document is judged alike everywhere.
        let checked_by =
            if algorithm.is_known_to_envoy() { CheckedBy::Envoy } else { CheckedBy::Wasm };
        Some(Prepared { key, checked_by })
    }
}

fn prepared<K: PreparedKey + 'static>(
    asked: Algorithm,
    provided: Algorithm,
    key: K,
) -> Option<Box<dyn PreparedKey>> {
    (asked == provided).then(|| -> Box<dyn PreparedKey> { Box::new(key) })
}

#[inline(never)]
fn ecdsa(point: &Point, algorithm: Algorithm) -> Option<Box<dyn PreparedKey>> {
    let point_bytes = point.uncompressed();
    match point.curve() {
        Curve::P256 => {
            let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(point_bytes).ok()?;
            prepared(algorithm, Algorithm::Es256, key)
        }
        #[cfg(feature = "p384")]
        Curve::P384 => {
            let key = p384::ecdsa::VerifyingKey::from_sec1_bytes(point_bytes).ok()?;
            prepared(algorithm, Algorithm::Es384, key)
        }
        #[cfg(feature = "p521")]
        Curve::P521 => {
            let key = p521::ecdsa::VerifyingKey::from_sec1_bytes(point_bytes).ok()?;
            prepared(algorithm, Algorithm::Es512, key)
        }
        #[allow(unreachable_patterns, reason = "all are there with all features")]
        _ => None,
    }
}

#[inline(never)]
fn rsa(key: &RsaPublicKey, algorithm: Algorithm) -> Option<Box<dyn PreparedKey>> {
    let key = key.clone();
    Some(match algorithm {
        Algorithm::Rs256 => Box::new(pkcs1v15::VerifyingKey::<Sha256>::new(key)),
        Algorithm::Rs384 => Box::new(pkcs1v15::VerifyingKey::<Sha384>::new(key)),
        Algorithm::Rs512 => Box::new(pkcs1v15::VerifyingKey::<Sha512>::new(key)),
        Algorithm::Ps256 => Box::new(Pss { key, verify: pss::verify::<Sha256> }),
        Algorithm::Ps384 => Box::new(Pss { key, verify: pss::verify::<Sha384> }),
        Algorithm::Ps512 => Box::new(Pss { key, verify: pss::verify::<Sha512> }),
        _ => return None,
    })
}

/// A key for one hash.
struct Pss {
    key: RsaPublicKey,
    verify: fn(&RsaPublicKey, &[u8], &[u8]) -> bool,
}

impl PreparedKey for Pss {
    fn verify(&self, signed: &[u8], signature: &[u8]) -> bool {
        (self.verify)(&self.key, signed, signature)
    }
}

#[inline(never)]
fn hmac(secret: &[u8], algorithm: Algorithm) -> Option<Box<dyn PreparedKey>> {
    Some(match algorithm {
        Algorithm::Hs256 => Box::new(Hmac::<Sha256>::new_from_slice(secret).ok()?),
        Algorithm::Hs384 => Box::new(Hmac::<Sha384>::new_from_slice(secret).ok()?),
        Algorithm::Hs512 => Box::new(Hmac::<Sha512>::new_from_slice(secret).ok()?),
        _ => return None,
    })
}

/// Keys whose signatures have a fixed length (RFC 7518 §3.4, RFC 8017 §8.1.2, §8.2.2): any other
/// length fails to convert or to verify.
macro_rules! prepared_keys {
    ($($key:ty, $signature:ty, $verify:path;)+) => {$(
        impl PreparedKey for $key {
            fn verify(&self, signed: &[u8], signature: &[u8]) -> bool {
                <$signature>::try_from(signature)
                    .is_ok_and(|signature| $verify(self, signed, &signature).is_ok())
            }
        }
    )+};
}

prepared_keys! {
    // RFC 8032 §5.1.7 leaves room for keys and signatures that verify in one library and not in
    // another; `verify_strict` takes none of them.
    Ed25519Key, ed25519_dalek::Signature, Ed25519Key::verify_strict;
    p256::ecdsa::VerifyingKey, p256::ecdsa::Signature, Verifier::verify;
    pkcs1v15::VerifyingKey<Sha256>, pkcs1v15::Signature, Verifier::verify;
    pkcs1v15::VerifyingKey<Sha384>, pkcs1v15::Signature, Verifier::verify;
    pkcs1v15::VerifyingKey<Sha512>, pkcs1v15::Signature, Verifier::verify;
}

#[cfg(feature = "p384")]
prepared_keys! { p384::ecdsa::VerifyingKey, p384::ecdsa::Signature, Verifier::verify; }
#[cfg(feature = "p521")]
prepared_keys! { p521::ecdsa::VerifyingKey, p521::ecdsa::Signature, Verifier::verify; }

macro_rules! prepared_secrets {
    ($($hash:ty;)+) => {$(
        impl PreparedKey for Hmac<$hash> {
            fn verify(&self, signed: &[u8], signature: &[u8]) -> bool {
                // Compares in constant time.
                self.clone().chain_update(signed).verify_slice(signature).is_ok()
            }
        }
    )+};
}

prepared_secrets! { Sha256; Sha384; Sha512; }
