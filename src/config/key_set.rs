//! `jwks`: the inline key set of a provider (RFC 7517 §5).

use std::collections::HashMap;
use std::mem::Discriminant;

use serde_json::Value;

use super::problem::{Place, Problems};
use crate::authn::jwk::{Jwk, PublicKey};
use crate::authn::keys::MAX_CHECKS;
use crate::json;

/// Bounds on a key set that is written as a string.
const LIMITS: json::Limits = json::Limits {
    depth: 32,
    members: 10_000,
};

/// What the manifests of this project hold where a key set belongs.
pub const PLACEHOLDER: &str = "REPLACE_WITH_THE_KEY_SET_OF_YOUR_ISSUER";

/// The usable keys of a key set, written as a string, as in Istio, or as the object itself.
pub fn compile(place: &Place, jwks: Value, problems: &mut Problems) -> Option<Vec<Jwk>> {
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
            .map_err(|error| format!("expected a key set: {error}")),
        object => Ok(object),
    };
    let mut set = problems.check(place, set)?;
    let place = place.field("keys");
    let Some(Value::Array(keys)) = set.get_mut("keys").map(Value::take) else {
        problems.error(place, "expected a list of keys (RFC 7517 §5)");
        return None;
    };
    let mut usable = Vec::new();
    for (index, key) in keys.iter().enumerate() {
        match Jwk::parse(key) {
            Ok(key) => usable.push(key),
            Err(error) => {
                let place = place.index(index);
                let place = if error.member.is_empty() {
                    place
                } else {
                    place.field(error.member)
                };
                problems.warn(place, format!("key skipped: {}", error.message));
            }
        }
    }
    if usable.is_empty() {
        problems.error(place, no_usable_key(&keys));
        return None;
    }
    check_ambiguity(&place, &usable, problems)?;
    Some(usable)
}

/// Says for each key why it is not usable: the warnings are not shown where the document is refused.
fn no_usable_key(keys: &[Value]) -> String {
    let reasons = keys.iter().enumerate().filter_map(|(index, key)| {
        let error = Jwk::parse(key).err()?;
        Some(format!(
            "; keys[{index}].{}: {}",
            error.member, error.message
        ))
    });
    format!(
        "found no usable key among {}{}",
        keys.len(),
        reasons.collect::<String>()
    )
}

/// A token is checked with every key that has its key id, so their number is bounded.
fn check_ambiguity(place: &Place, keys: &[Jwk], problems: &mut Problems) -> Option<()> {
    let mut counts: HashMap<(Option<&str>, Discriminant<PublicKey>), usize> = HashMap::new();
    for key in keys {
        let family = std::mem::discriminant(&key.public_key);
        let count = counts.entry((key.key_id.as_deref(), family)).or_default();
        *count = count.saturating_add(1);
        if *count == MAX_CHECKS.saturating_add(1) {
            let key_id = key.key_id.as_deref().unwrap_or("(none)");
            problems.error(
                place.clone(),
                format!("found more than {MAX_CHECKS} keys of one kind with the `kid` {key_id}"),
            );
            return None;
        }
    }
    Some(())
}
