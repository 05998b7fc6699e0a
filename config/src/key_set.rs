//! `jwks`: the inline key set of a provider (RFC 7517 §5).

use serde_json::Value;

use super::fault::Fault;
use super::fault::key_set::KeySetFault;
use super::place::Place;
use super::problem::Problems;
use jwt_rbac::authn::algorithm::Algorithm;
use jwt_rbac::authn::jwk::Jwk;
use jwt_rbac::authn::key_set::{LIMITS, is_secret, never_tried};
use jwt_rbac::json;

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
            problems.error(place.clone(), KeySetFault::Placeholder.into());
            return None;
        }
        Value::String(text) => {
            json::parse(text.as_bytes(), LIMITS).map(Value::from).map_err(KeySetFault::Json)
        }
        object => Ok(object),
    };
    let mut set = problems.check(place, set)?;
    let place = place.field("keys");
    let Some(Value::Array(keys)) = set.get_mut("keys").map(Value::take) else {
        problems.error(place, Fault::expected("a list of keys (RFC 7517 §5)"));
        return None;
    };
    if keys.iter().any(is_secret) && !keys.iter().all(is_secret) {
        // A verifier that can be talked into using a public key as a secret is the oldest hole of
        // JWT libraries (RFC 8725 §2.1); sets that hold both kinds are a mistake or a trap.
        let (found, with) = ("secrets (`oct`)", "public keys");
        problems.error(place, Fault::Conflict { found, with, why: ", expected one kind" });
        return None;
    }
    let mut usable = Vec::new();
    let mut skipped = Vec::new();
    let errors_before = problems.errors.len();
    for (index, key) in keys.iter().enumerate() {
        let place = place.index(index);
        match Jwk::parse(key, allowed) {
            Ok(key) => usable.push(key),
            Err(error) => {
                let is_of_key = error.member.is_empty();
                let place = if is_of_key { place } else { place.field(error.member) };
                if error.is_private() {
                    problems.error(place, KeySetFault::Key(error).into());
                    continue;
                }
                problems.warn(place.clone(), KeySetFault::Skipped(error.clone()).into());
                skipped.push((place, error));
            }
        }
    }
    if problems.errors.len() > errors_before {
        return None;
    }
    if usable.is_empty() {
        problems.error(place, KeySetFault::NoneUsable(skipped).into());
        return None;
    }
    check_ambiguity(&place, &usable, problems);
    Some(usable)
}

/// A token is checked with the keys that have its key id, as many as the budget of a request pays for.
fn check_ambiguity(place: &Place, keys: &[Jwk], problems: &mut Problems) {
    for (id, count) in never_tried(keys) {
        let fault = KeySetFault::NeverTried { id: id.map(str::to_owned), count };
        problems.warn(place.clone(), fault.into());
    }
}
