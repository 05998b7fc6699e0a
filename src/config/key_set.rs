//! `jwks`: the inline key set of a provider (RFC 7517 §5).

use std::collections::HashMap;
use std::mem::Discriminant;

use serde_json::Value;

use super::problem::{Place, Problems};
use crate::authn::algorithm::Algorithm;
use crate::authn::jwk::{Jwk, JwkError, VerificationKey};
use crate::authn::keys::{CHECK_BUDGET, cost_in_envoy};
use crate::json;

/// Bounds on a key set that is written as a string.
const LIMITS: json::Limits = json::Limits { depth: 32, members: 10_000 };

/// What the manifests of this project hold where a key set belongs.
pub const PLACEHOLDER: &str = "REPLACE_WITH_THE_KEY_SET_OF_YOUR_ISSUER";

/// The usable keys of a key set, written as a string, as in Istio, or as the object itself.
/// `allowed` are the algorithms that the provider lists.
pub fn compile(
    place: &Place,
    jwks: Value,
    allowed: Option<&[Algorithm]>,
    problems: &mut Problems,
) -> Option<Vec<Jwk>> {
    let set = match jwks {
        Value::String(text) if text == PLACEHOLDER => {
            problems.error(
                place.clone(),
                "found the placeholder: put the key set of your issuer here, the JSON that its \
                 `jwks_uri` serves (Auth0: https://TENANT/.well-known/jwks.json)",
            );
            return None;
        }
        Value::String(text) => json::parse(text.as_bytes(), LIMITS)
            .map(Value::from)
            .map_err(|error| format!("expected a key set: {error}")),
        object => Ok(object),
    };
    let mut set = problems.check(place, set)?;
    let place = place.field("keys");
    let Some(Value::Array(keys)) = set.get_mut("keys").map(Value::take) else {
        problems.error(place, "expected a list of keys (RFC 7517 §5)");
        return None;
    };
    let is_secret = |key: &&Value| key.get("kty").is_some_and(|kind| kind == "oct");
    if keys.iter().any(|key| is_secret(&key)) && !keys.iter().all(|key| is_secret(&key)) {
        // A verifier that can be talked into using a public key as a secret is the oldest hole of
        // JWT libraries (RFC 8725 §2.1); sets that hold both kinds are a mistake or a trap.
        problems.error(place, "found secrets (`oct`) beside public keys, expected one kind");
        return None;
    }
    let mut usable = Vec::new();
    let mut skipped = String::new();
    for (index, key) in keys.iter().enumerate() {
        let place = place.index(index);
        match usable_key(key, allowed) {
            Ok(key) => {
                if key.holds_private_key {
                    problems.warn(
                        place,
                        "holds the private key `d`: whoever reads this can mint tokens",
                    );
                }
                usable.push(key);
            }
            Err(JwkError { member, message }) => {
                let place = if member.is_empty() { place } else { place.field(member) };
                skipped = format!("{skipped}; {place}: {message}");
                problems.warn(place, format!("key skipped: {message}"));
            }
        }
    }
    if usable.is_empty() {
        problems.error(place, format!("found no usable key among {}{skipped}", keys.len()));
        return None;
    }
    check_ambiguity(&place, &usable, problems)?;
    Some(usable)
}

/// A key, with those of its algorithms that the provider lists. Where it lists none, every
/// algorithm is meant but those of secrets: whoever shares a secret must have meant to.
fn usable_key(key: &Value, allowed: Option<&[Algorithm]>) -> Result<Jwk, JwkError> {
    let mut key = Jwk::parse(key)?;
    match allowed {
        Some(allowed) => key.algorithms.retain(|algorithm| allowed.contains(algorithm)),
        None if matches!(key.key, VerificationKey::Secret(_)) => key.algorithms.clear(),
        None => {}
    }
    if key.algorithms.is_empty() {
        let message = match (allowed, &key.key) {
            (None, VerificationKey::Secret(_)) => {
                "found a secret, expected `algorithms` to list what it is for, such as `HS256`"
            }
            _ => "found a key for none of the `algorithms`",
        };
        return Err(JwkError { member: "", message: message.to_owned() });
    }
    Ok(key)
}

/// A token is checked with every key that has its key id, so their number is bounded.
fn check_ambiguity(place: &Place, keys: &[Jwk], problems: &mut Problems) -> Option<()> {
    let mut costs: HashMap<(Option<&str>, Discriminant<VerificationKey>), usize> = HashMap::new();
    for key in keys {
        // The cheapest algorithm: a key without `alg` may be meant for that one alone.
        let cost = key.algorithms.iter().copied().map(cost_in_envoy).min().unwrap_or_default();
        let kind = std::mem::discriminant(&key.key);
        let sum = costs.entry((key.id.as_deref(), kind)).or_default();
        *sum = sum.saturating_add(cost);
        if *sum > CHECK_BUDGET {
            let id = key.id.as_deref().unwrap_or("(none)");
            let most = CHECK_BUDGET.checked_div(cost).unwrap_or_default();
            let message = format!(
                "found too many keys of one kind with the `kid` {id}, expected at most {most}: \
                 every one of them would be tried"
            );
            problems.error(place.clone(), message);
            return None;
        }
    }
    Some(())
}
