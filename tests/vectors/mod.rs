//! Signatures that others made, and what must come of each: those of Wycheproof, and the examples
//! of the RFCs. The tests of this directory give them to the verifier outside of Envoy, those of
//! `e2e/vectors` to the one in it.

#![allow(
    dead_code,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "several tests share this module, each uses a part of it, and a panic fails a test"
)]

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

pub mod rfc;
pub mod wycheproof;

/// One signature.
#[derive(Clone, Debug)]
pub struct Vector {
    /// Where it comes from; the first word is the set.
    pub name: String,
    /// The key, with `alg`.
    pub jwk: Value,
    /// The `alg` of a token with this signature.
    pub algorithm: &'static str,
    /// What is signed.
    pub signed: Vec<u8>,
    /// The signature as it stands in a token, decoded.
    pub signature: Vec<u8>,
    /// What must come of it.
    pub expected: Expected,
}

/// What comes of a vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// The signature is one of this key.
    Verified,
    /// It is not.
    Refused,
    /// The key is none that we take, whatever the signature.
    KeyRefused,
}

impl Vector {
    /// The set that it belongs to.
    pub fn set(&self) -> &str {
        self.name.split(' ').next().unwrap_or_default()
    }
}

/// All of them.
pub fn all() -> Vec<Vector> {
    [wycheproof::all(), rfc::all(), rfc::resized()].concat()
}

/// Unpadded base64url.
fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
