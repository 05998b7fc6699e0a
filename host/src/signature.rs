//! Signatures checked by Envoy's own cryptography, and by RustCrypto where Envoy can't or gets a known
//! signature wrong.

use jwt_rbac::authn::algorithm::Algorithm;
use jwt_rbac::authn::jwk::VerificationKey;
use jwt_rbac::authn::price::CheckedBy;
use jwt_rbac::authn::signature::rustcrypto::RustCrypto;
use jwt_rbac::authn::signature::{Prepared, SignatureVerifier};
use jwt_rbac::telemetry;

use crate::envoy_key::EnvoyKey;
use crate::probe;

/// Checks signatures in Envoy as far as Envoy gets a known good and a known bad one right.
#[derive(Debug, Default)]
pub struct Envoy {
    /// What Envoy was tried with so far, and whether it was right.
    probed: Vec<(Algorithm, bool)>,
}

impl SignatureVerifier for Envoy {
    fn prepare(&mut self, key: &VerificationKey, algorithm: Algorithm) -> Option<Prepared> {
        match EnvoyKey::prepare(key, algorithm) {
            Some(key) if self.is_right_about(algorithm) => {
                Some(Prepared { key: Box::new(key), checked_by: CheckedBy::Envoy })
            }
            _ => Some(Prepared {
                checked_by: CheckedBy::Wasm,
                ..RustCrypto.prepare(key, algorithm)?
            }),
        }
    }
}

impl Envoy {
    fn is_right_about(&mut self, algorithm: Algorithm) -> bool {
        let known = self.probed.iter().find(|(known, _)| *known == algorithm).copied();
        if let Some((_, is_right)) = known {
            return is_right;
        }
        let is_right = probe::is_right_about(algorithm);
        if !is_right && self.probed.iter().all(|(_, was_right)| *was_right) {
            let message = format!(
                "`verify_signature` of this Envoy is absent, or wrong about {algorithm}: \
                 signatures are checked in Wasm, which takes many times longer, and tokens with ES384 \
                 and ES512 are refused"
            );
            log::warn!("{}", telemetry::event("host_warning", &[("message", &message)]));
        }
        self.probed.push((algorithm, is_right));
        is_right
    }
}
