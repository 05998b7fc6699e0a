//! The keys of one provider and which of them may check a token.

use super::algorithm::Algorithm;
use super::jwk::Jwk;
use super::jws::UntrustedToken;
use super::signature::{Prepared, PreparedKey, SignatureVerifier};
use crate::refusal::Refusal;

/// How much checking one request may cause: eight signatures that Envoy checks, or two that the
/// filter checks itself.
pub const CHECK_BUDGET: usize = 8;
/// What a check that the filter does itself counts as.
const COST_IN_WASM: usize = 4;

/// The size of an Ed25519 signature (RFC 8032 §5.1.6).
const ED25519_SIGNATURE: usize = 64;

/// Prepared keys, by key id and algorithm.
pub struct Keys(Vec<Key>);

struct Key {
    id: Option<String>,
    algorithm: Algorithm,
    prepared: Box<dyn PreparedKey>,
    /// What one check takes of [`CHECK_BUDGET`].
    cost: usize,
}

/// What a check of this algorithm costs where Envoy does all that it can.
#[must_use]
pub fn cost_in_envoy(algorithm: Algorithm) -> usize {
    cost(!algorithm.is_known_to_envoy())
}

fn cost(is_in_wasm: bool) -> usize {
    if is_in_wasm { COST_IN_WASM } else { 1 }
}

impl Keys {
    /// Prepares each key for each of its algorithms.
    #[must_use]
    pub fn prepare(keys: &[Jwk], verifier: &dyn SignatureVerifier) -> Self {
        let mut prepared_keys = Vec::new();
        for Jwk { id, key, algorithms, .. } in keys {
            for &algorithm in algorithms {
                let prepared = verifier.prepare(key, algorithm);
                prepared_keys.extend(prepared.map(|Prepared { key, is_in_wasm }| Key {
                    id: id.clone(),
                    algorithm,
                    prepared: key,
                    cost: cost(is_in_wasm),
                }));
            }
        }
        Self(prepared_keys)
    }

    /// Checks the signature of a token. A token that names a key id is checked with the keys of
    /// that id, else with those without id; one that names none, with all that fit its algorithm.
    /// The key chooses the algorithm, the token may only agree (RFC 8725 §3.1).
    ///
    /// `budget` counts down over all providers that a request tries, from [`CHECK_BUDGET`].
    ///
    /// # Errors
    /// [`Refusal::KeyUnknown`], [`Refusal::SignatureLength`], [`Refusal::KeyAmbiguous`] or
    /// [`Refusal::SignatureInvalid`].
    pub fn verify(&self, token: &UntrustedToken<'_>, budget: &mut usize) -> Result<(), Refusal> {
        let algorithm = token.header.algorithm;
        let candidates = || self.candidates(algorithm, token.header.key_id.as_deref());
        if candidates().next().is_none() {
            return Err(Refusal::KeyUnknown);
        }
        if algorithm == Algorithm::EdDsa && token.signature.len() != ED25519_SIGNATURE {
            return Err(Refusal::SignatureLength);
        }
        let cost = candidates().fold(0, |cost: usize, key| cost.saturating_add(key.cost));
        *budget = budget.checked_sub(cost).ok_or(Refusal::KeyAmbiguous)?;
        let verified = candidates().any(|key| key.prepared.verify(token.signed, &token.signature));
        if verified { Ok(()) } else { Err(Refusal::SignatureInvalid) }
    }

    fn candidates(&self, algorithm: Algorithm, id: Option<&str>) -> impl Iterator<Item = &Key> {
        let fitting = || self.0.iter().filter(move |key| key.algorithm == algorithm);
        let is_named = id.is_some() && fitting().any(|key| key.id.as_deref() == id);
        fitting().filter(move |key| match (id, is_named) {
            (None, _) => true,
            (Some(_), true) => key.id.as_deref() == id,
            (Some(_), false) => key.id.is_none(),
        })
    }
}

#[cfg(test)]
mod tests;
