//! The keys of one provider and which of them may check a token.

use super::algorithm::Algorithm;
use super::jwk::Jwk;
use super::jws::UntrustedToken;
use super::signature::{PreparedKey, SignatureVerifier};
use crate::refusal::Refusal;

/// How many signatures are checked for one request at most.
pub const MAX_CHECKS: usize = 8;

/// Prepared keys, by key id and algorithm.
pub struct Keys(Vec<Key>);

struct Key {
    id: Option<String>,
    algorithm: Algorithm,
    prepared: Box<dyn PreparedKey>,
}

impl Keys {
    /// Prepares each key for each of its algorithms.
    #[must_use]
    pub fn prepare(keys: &[Jwk], verifier: &dyn SignatureVerifier) -> Self {
        let mut prepared_keys = Vec::new();
        for key in keys {
            for &algorithm in &key.algorithms {
                if let Some(prepared) = verifier.prepare(&key.public_key, algorithm) {
                    let id = key.key_id.clone();
                    prepared_keys.push(Key {
                        id,
                        algorithm,
                        prepared,
                    });
                }
            }
        }
        Self(prepared_keys)
    }

    /// Checks the signature of a token. A token that names a key id is checked with the keys of
    /// that id, else with those without id; one that names none, with all that fit its algorithm.
    /// The key chooses the algorithm, the token may only agree (RFC 8725 §3.1).
    ///
    /// `checks_left` counts down over all providers that a request tries.
    ///
    /// # Errors
    /// [`Refusal::KeyUnknown`], [`Refusal::KeyAmbiguous`] or [`Refusal::SignatureInvalid`].
    pub fn verify(
        &self,
        token: &UntrustedToken<'_>,
        checks_left: &mut usize,
    ) -> Result<(), Refusal> {
        let fitting = |key: &&Key| key.algorithm == token.header.algorithm;
        let named = |id: Option<&str>| -> Vec<&Key> {
            self.0
                .iter()
                .filter(fitting)
                .filter(|key| key.id.as_deref() == id)
                .collect()
        };
        let candidates = match token.header.key_id.as_deref() {
            None => self.0.iter().filter(fitting).collect(),
            id => {
                let with_id = named(id);
                if with_id.is_empty() {
                    named(None)
                } else {
                    with_id
                }
            }
        };
        if candidates.is_empty() {
            return Err(Refusal::KeyUnknown);
        }
        *checks_left = checks_left
            .checked_sub(candidates.len())
            .ok_or(Refusal::KeyAmbiguous)?;
        let verified = candidates
            .iter()
            .any(|key| key.prepared.verify(token.signed, &token.signature));
        if verified {
            Ok(())
        } else {
            Err(Refusal::SignatureInvalid)
        }
    }
}

#[cfg(test)]
mod tests;
