//! `jwks`: the inline key set of a provider (RFC 7517 §5).

use std::collections::HashMap;
use std::mem::Discriminant;

use serde_json::Value;

use super::problem::{Place, Problems};
use jwt_rbac::authn::algorithm::Algorithm;
use jwt_rbac::authn::jwk::{Jwk, JwkError, VerificationKey};
use jwt_rbac::authn::price::{Budget, Place as CheckedIn, Price};
use jwt_rbac::json;

/// Bounds on a key set that is written as a string.
const LIMITS: json::Limits = json::Limits { depth: 32, members: 10_000 };

/// What the manifests of this project hold where a key set belongs.
pub const PLACEHOLDER: &str = "REPLACE_WITH_THE_KEY_SET_OF_YOUR_ISSUER";

/// The usable keys of a key set, written as a string, as in Istio, or as the object itself.
/// `allowed` are the algorithms that the provider lists.
#[inline(never)]
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
    let errors_before = problems.errors.len();
    for (index, key) in keys.iter().enumerate() {
        let place = place.index(index);
        match Jwk::parse(key, allowed) {
            Ok(key) => usable.push(key),
            Err(JwkError { member, message, is_private }) => {
                let place = if member.is_empty() { place } else { place.field(member) };
                if is_private {
                    problems.error(place, message);
                    continue;
                }
                skipped = format!("{skipped}; {place}: {message}");
                problems.warn(place, format!("key skipped: {message}"));
            }
        }
    }
    if problems.errors.len() > errors_before {
        return None;
    }
    if usable.is_empty() {
        problems.error(place, format!("found no usable key among {}{skipped}", keys.len()));
        return None;
    }
    check_ambiguity(&place, &usable, problems);
    Some(usable)
}

/// A token is checked with the keys that have its key id, as many as the budget of a request pays for.
#[inline(never)]
fn check_ambiguity(place: &Place, keys: &[Jwk], problems: &mut Problems) {
    type Group<'k> = (Option<&'k str>, Discriminant<VerificationKey>);
    let mut budgets: HashMap<Group<'_>, (Budget, usize)> = HashMap::new();
    for key in keys {
        let kind = std::mem::discriminant(&key.key);
        let (budget, unpaid) = budgets.entry((key.id.as_deref(), kind)).or_default();
        // The cheapest algorithm: a key without `alg` may be meant for that one alone.
        let place = |algorithm: Algorithm| {
            if algorithm.is_known_to_envoy() { CheckedIn::Envoy } else { CheckedIn::Wasm }
        };
        let prices = key.algorithms.iter().map(|it| Price::new(&key.key, *it, place(*it)));
        let is_paid = prices.min_by_key(Price::base).is_none_or(|price| budget.pay(price, 1_024));
        *unpaid = unpaid.saturating_add(usize::from(!is_paid));
    }
    for key in keys {
        let id = key.id.as_deref();
        let group = (id, std::mem::discriminant(&key.key));
        let Some((_, unpaid @ 1..)) = budgets.remove(&group) else { continue };
        let id = id.map_or_else(|| "no `kid`".to_owned(), |id| format!("the `kid` {id}"));
        let message = format!(
            "found more keys of one kind with {id} than a request may try: the last {unpaid} are \
             never tried on a token that any of the first could have signed"
        );
        problems.warn(place.clone(), message);
    }
}
