//! A key set (RFC 7517 §5): which of its keys can be used.

use std::fmt;
use std::mem::Discriminant;

use serde_json::Value;

use super::algorithm::Algorithm;
use super::jwk::{Jwk, VerificationKey};
use super::jwk_error::JwkError;
use super::price::{Budget, CheckedBy, Price};
use crate::json::{self, JsonError};

/// Bounds on the text of a key set.
pub const LIMITS: json::Limits = json::Limits { depth: 32, members: 10_000 };
/// The largest key set that is fetched, in bytes.
pub const MAX_SIZE: usize = 1 << 20;
/// How many keys a fetched set can have.
pub const MAX_KEYS: usize = 100;

/// A key set that an issuer publishes.
#[derive(Debug, PartialEq, Eq)]
pub struct FetchedKeySet(Vec<Value>);

/// Why a fetched text is no key set that can be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySetError {
    /// It is not JSON.
    Json(JsonError),
    /// It has no list `keys`.
    Form,
    /// It has more keys than [`MAX_KEYS`].
    TooMany(usize),
    /// No key can be used.
    NoneUsable(usize),
}

impl fmt::Display for KeySetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json(error) => write!(f, "expected a key set: {error}"),
            Self::Form => f.write_str("expected an object with a list `keys` (RFC 7517 §5)"),
            Self::TooMany(count) => write!(f, "found {count} keys, expected at most {MAX_KEYS}"),
            Self::NoneUsable(count) => write!(f, "found no usable key among {count}"),
        }
    }
}

impl std::error::Error for KeySetError {}

impl FetchedKeySet {
    /// Reads a key set that an issuer publishes.
    ///
    /// # Errors
    /// [`KeySetError`] for a set without a key that could verify a token.
    pub fn parse(text: &[u8]) -> Result<Self, KeySetError> {
        let mut set = json::parse(text, LIMITS).map(Value::from).map_err(KeySetError::Json)?;
        let Some(Value::Array(keys)) = set.get_mut("keys").map(Value::take) else {
            return Err(KeySetError::Form);
        };
        if keys.len() > MAX_KEYS {
            return Err(KeySetError::TooMany(keys.len()));
        }
        let set = Self(keys);
        let (usable, _) = set.keys(Some(Algorithm::ALL));
        if usable.is_empty() { Err(KeySetError::NoneUsable(set.0.len())) } else { Ok(set) }
    }

    /// The keys that can be used by a provider that lists these algorithms, or none, and why the others
    /// can't, by their place in the set.
    ///
    /// A secret that is published is none, so `oct` keys are left out (RFC 8725 §2.1), and private keys too.
    #[must_use]
    pub fn keys(&self, allowed: Option<&[Algorithm]>) -> (Vec<Jwk>, Vec<(usize, JwkError)>) {
        let (mut usable, mut skipped) = (Vec::new(), Vec::new());
        for (index, key) in self.0.iter().enumerate() {
            match Jwk::parse_published(key, allowed) {
                Ok(key) => usable.push(key),
                Err(error) => skipped.push((index, error)),
            }
        }
        (usable, skipped)
    }
}

/// Whether a key is a secret that issuer and proxy share.
#[must_use]
pub fn is_secret(key: &Value) -> bool {
    key.get("kty").is_some_and(|kind| kind == "oct")
}

/// The key ids for which there are more keys of one kind than a request may try, and how many of them
/// are never tried on a token that any of the first could have signed.
#[must_use]
pub fn never_tried(keys: &[Jwk]) -> Vec<(Option<&str>, usize)> {
    type Group<'k> = (Option<&'k str>, Discriminant<VerificationKey>);
    let mut groups: Vec<(Group<'_>, Budget, usize)> = Vec::new();
    for key in keys {
        let kind = std::mem::discriminant(&key.key);
        let group = (key.id.as_deref(), kind);
        let known = groups.iter().position(|(known, ..)| *known == group);
        let number = known.unwrap_or_else(|| {
            groups.push((group, Budget::default(), 0));
            groups.len().saturating_sub(1)
        });
        let Some((_, budget, unpaid)) = groups.get_mut(number) else { continue };
        // The cheapest algorithm: a key without `alg` may be meant for that one alone.
        let checked_by = |algorithm: Algorithm| {
            if algorithm.is_known_to_envoy() { CheckedBy::Envoy } else { CheckedBy::Wasm }
        };
        let prices = key.algorithms.iter().map(|it| Price::new(&key.key, *it, checked_by(*it)));
        let is_paid = prices.min_by_key(Price::base).is_none_or(|price| budget.pay(price, 1_024));
        *unpaid = unpaid.saturating_add(usize::from(!is_paid));
    }
    let unpaid = groups.into_iter().filter(|(_, _, unpaid)| *unpaid > 0);
    unpaid.map(|((id, _), _, unpaid)| (id, unpaid)).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ALL: &str = include_str!("../../testdata/jwks-all.json");

    fn all() -> Vec<Value> {
        let set: Value = serde_json::from_str(ALL).unwrap();
        set["keys"].as_array().unwrap().clone()
    }

    fn parse(set: &Value) -> Result<FetchedKeySet, KeySetError> {
        FetchedKeySet::parse(set.to_string().as_bytes())
    }

    #[test]
    fn what_is_no_key_set_is_refused() {
        let error = |text: &str| FetchedKeySet::parse(text.as_bytes()).unwrap_err().to_string();
        for (text, message) in [
            ("", "expected a key set: "),
            ("<html></html>", "expected a key set: "),
            ("{\"keys\":[],\"keys\":[]}", "expected a key set: "),
            ("[]", "expected an object"),
            ("{}", "expected an object"),
            ("{\"keys\":{}}", "expected an object"),
            ("{\"keys\":[]}", "found no usable key among 0"),
            ("{\"keys\":[7]}", "found no usable key among 1"),
        ] {
            assert!(error(text).starts_with(message), "{text}: {}", error(text));
        }
        let key = all().swap_remove(0);
        let keys = |count| json!({"keys": vec![key.clone(); count]});
        assert!(parse(&keys(MAX_KEYS)).is_ok());
        assert_eq!(parse(&keys(MAX_KEYS + 1)), Err(KeySetError::TooMany(MAX_KEYS + 1)));
    }

    #[test]
    fn published_secrets_and_private_keys_are_left_out() {
        let secret = json!({"kty": "oct", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldC0"});
        let mut private = all().swap_remove(0);
        private["d"] = json!("AQAB");
        assert_eq!(parse(&json!({"keys": [secret, private]})), Err(KeySetError::NoneUsable(2)));
        let good = all().swap_remove(0);
        let set = parse(&json!({"keys": [secret, private, good]})).unwrap();
        let (usable, skipped) = set.keys(Some(Algorithm::ALL));
        assert_eq!(usable.len(), 1);
        assert_eq!(skipped.iter().map(|(index, _)| *index).collect::<Vec<_>>(), [0, 1]);
        assert!(skipped[1].1.is_private());
    }

    #[test]
    fn a_provider_gets_the_keys_of_its_algorithms() {
        let set = parse(&json!({"keys": all()})).unwrap();
        let (usable, _) = set.keys(Some(&[Algorithm::EdDsa]));
        assert!(!usable.is_empty());
        assert!(usable.iter().all(|key| key.algorithms == [Algorithm::EdDsa]));
    }
}
