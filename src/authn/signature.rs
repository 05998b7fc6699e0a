//! The one seam between the decision and the code that checks signatures: Envoy's own cryptography
//! in the filter, RustCrypto everywhere else.

use super::algorithm::Algorithm;
use super::jwk::VerificationKey;
use super::price::CheckedBy;

mod pss;
pub mod rustcrypto;

/// Checks signatures with keys that it has prepared before.
pub trait SignatureVerifier {
    /// Does all the work that does not depend on the token. `None` where this verifier has no code
    /// for the algorithm, or the key is not of its kind: such tokens are refused.
    fn prepare(&mut self, key: &VerificationKey, algorithm: Algorithm) -> Option<Prepared>;
}

/// A key for one algorithm, and who does the work.
pub struct Prepared {
    /// The key.
    pub key: Box<dyn PreparedKey>,
    /// Where signatures are checked.
    pub checked_by: CheckedBy,
}

/// A key for one algorithm.
pub trait PreparedKey: Send + Sync {
    /// Whether `signature`, as it is in a JSON Web Signature (RFC 7518 §3), is one of `signed`
    /// by this key. Anything that is not a clear yes is `false`.
    fn verify(&self, signed: &[u8], signature: &[u8]) -> bool;
}
