//! Vectors checked with the verifier that runs outside of Envoy.

#![allow(
    dead_code,
    clippy::expect_used,
    reason = "tests share this module, and a panic fails a test"
)]

use jwt_rbac::authn::algorithm::Algorithm;
use jwt_rbac::authn::jwk::Jwk;
use jwt_rbac::authn::signature::SignatureVerifier as _;
use jwt_rbac::authn::signature::rustcrypto::RustCrypto;

use crate::vectors::{Expected, Vector};

/// Fails unless each vector has the verdict that is expected.
pub fn check(vectors: &[Vector]) {
    let wrong = |vector: &&Vector| verdict(vector) != vector.expected;
    let wrong: Vec<_> = vectors.iter().filter(wrong).map(|vector| &vector.name).collect();
    assert!(wrong.is_empty(), "{} of {}: {wrong:#?}", wrong.len(), vectors.len());
}

/// What comes of a vector.
pub fn verdict(vector: &Vector) -> Expected {
    let algorithm = Algorithm::from_name(vector.algorithm).expect("a name that we know");
    let Ok(jwk) = Jwk::parse(&vector.jwk, Some(Algorithm::ALL)) else {
        return Expected::KeyRefused;
    };
    let prepared = RustCrypto.prepare(&jwk.key, algorithm).expect("the key is for the algorithm");
    if prepared.key.verify(&vector.signed, &vector.signature) {
        Expected::Verified
    } else {
        Expected::Refused
    }
}
