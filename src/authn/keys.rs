//! The keys of one provider and which of them may check a token.

use super::algorithm::Algorithm;
use super::jwk::Jwk;
use super::jws::UntrustedToken;
use super::price::{Budget, Price};
use super::signature::{Prepared, PreparedKey, SignatureVerifier};
use crate::refusal::Refusal;

/// The size of an Ed25519 signature (RFC 8032 §5.1.6).
const ED25519_SIGNATURE: usize = 64;

/// Prepared keys, by key id and algorithm.
pub struct Keys(Vec<Key>);

struct Key {
    id: Option<String>,
    /// The only issuer whose tokens it signs, if the key says so.
    issuer: Option<String>,
    algorithm: Algorithm,
    prepared: Box<dyn PreparedKey>,
    price: Price,
}

impl Keys {
    /// Prepares each key for each of its algorithms.
    #[inline(never)]
    #[must_use]
    pub fn prepare(keys: &[Jwk], verifier: &mut dyn SignatureVerifier) -> Self {
        let mut prepared_keys = Vec::new();
        for Jwk { id, issuer, key, algorithms } in keys {
            for &algorithm in algorithms {
                let prepared = verifier.prepare(key, algorithm);
                prepared_keys.extend(prepared.map(|Prepared { key: prepared, checked_by }| Key {
                    id: id.clone(),
                    issuer: issuer.clone(),
                    algorithm,
                    prepared,
                    price: Price::new(key, algorithm, checked_by),
                }));
            }
        }
        Self(prepared_keys)
    }

    /// The id of each key, with an algorithm that it checks.
    pub fn names(&self) -> impl Iterator<Item = (Option<&str>, Algorithm)> {
        self.0.iter().map(|key| (key.id.as_deref(), key.algorithm))
    }

    /// Checks the signature of a token. A token that names a key id is checked with the keys of
    /// that id, else with those without id; one that names none, with all that fit its algorithm.
    /// The key chooses the algorithm, the token may only agree (RFC 8725 §3.1).
    ///
    /// With an `issuer`, a key that names another one does not fit.
    ///
    /// Of the keys that fit, those are tried that `budget` pays for; it counts down over all
    /// providers that a request tries.
    ///
    /// # Errors
    /// [`Refusal::KeyUnknown`], [`Refusal::SignatureLength`], [`Refusal::KeyAmbiguous`] or
    /// [`Refusal::SignatureInvalid`].
    pub fn verify(
        &self,
        token: &UntrustedToken<'_>,
        issuer: Option<&str>,
        budget: &mut Budget,
    ) -> Result<(), Refusal> {
        let algorithm = token.header.algorithm;
        let mut refusal = Refusal::KeyUnknown;
        for key in self.candidates(algorithm, token.header.key_id.as_deref()) {
            if issuer.is_some() && key.issuer.is_some() && key.issuer.as_deref() != issuer {
                continue;
            }
            if algorithm == Algorithm::EdDsa && token.signature.len() != ED25519_SIGNATURE {
                return Err(Refusal::SignatureLength);
            }
            if !budget.pay(key.price, token.signed.len()) {
                refusal = Refusal::KeyAmbiguous;
            } else if key.prepared.verify(token.signed, &token.signature) {
                return Ok(());
            } else if refusal == Refusal::KeyUnknown {
                refusal = Refusal::SignatureInvalid;
            }
        }
        Err(refusal)
    }

    /// Whether one of the keys has this key id.
    #[must_use]
    pub fn know(&self, id: Option<&str>) -> bool {
        id.is_some() && self.0.iter().any(|key| key.id.as_deref() == id)
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
