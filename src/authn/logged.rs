//! `logClaims`: the verified claims that the decision log and access logs show.

use serde_json::Value;

use super::claim_path::ClaimPath;
use crate::{json, mask};

/// A claim that logs show.
#[derive(Debug)]
pub struct LoggedClaim {
    pub(super) path: ClaimPath,
    /// As the document names it.
    name: String,
    /// How access logs ask for it.
    state: String,
}

impl LoggedClaim {
    /// One that is found by this path.
    #[must_use]
    pub fn new(path: ClaimPath) -> Self {
        let name = path.to_string();
        // Envoy's formats end a key at `:` and `)`, and Istio's users can't quote it.
        let is_kept = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        let kept = |name: &str| name.replace(|c| !is_kept(c), "_");
        let state = path.names().iter().map(|name| kept(name)).collect::<Vec<_>>().join(".");
        Self { path, name, state: format!("jwt_rbac_claim.{state}") }
    }

    /// Its name in the decision log.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name of its value in access logs: `%FILTER_STATE(wasm.<name>:PLAIN)%`.
    #[must_use]
    pub fn state(&self) -> &str {
        &self.state
    }
}

/// A claim as logs show it: a list with commas between its elements, an object as JSON, cut and masked
/// like everything that a client wrote. `None` for null and what is empty.
pub(super) fn shown(claim: &Value) -> Option<Box<str>> {
    let text = match claim {
        Value::Null => return None,
        Value::Array(elements) => elements.iter().map(text).collect::<Vec<_>>().join(","),
        other => text(other),
    };
    (!text.is_empty()).then(|| mask::shown(text.as_bytes(), &[]).into())
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => json::written(other),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn claims_are_shown_short_and_without_tokens() {
        for (claim, expected) in [
            (json!("acme"), Some("acme".to_owned())),
            (json!(7), Some("7".to_owned())),
            (json!(true), Some("true".to_owned())),
            (json!(["a", 7, null, ["b"]]), Some("a,7,null,[\"b\"]".to_owned())),
            (json!({"b": 1, "a": "x"}), Some("{\"a\":\"x\",\"b\":1}".to_owned())),
            (json!(null), None),
            (json!(""), None),
            (json!([]), None),
            (json!("eyJhbGciOiJSUzI1NiJ9.e30.c2ln"), Some("…".to_owned())),
            (json!("x".repeat(200)), Some(format!("{}…", "x".repeat(128)))),
            (json!("a\u{2028}b"), Some("a\u{fffd}b".to_owned())),
        ] {
            assert_eq!(shown(&claim).map(String::from), expected, "{claim}");
        }
    }

    #[test]
    fn names_fit_into_formats_of_access_logs() {
        for (name, state) in [
            ("tenant", "jwt_rbac_claim.tenant"),
            ("[org][id]", "jwt_rbac_claim.org.id"),
            ("cognito:groups", "jwt_rbac_claim.cognito_groups"),
            ("https://example.com/a(b)%é", "jwt_rbac_claim.https___example.com_a_b___"),
        ] {
            let claim = LoggedClaim::new(ClaimPath::parse(name).unwrap());
            assert_eq!((claim.state(), claim.name()), (state, name));
        }
    }
}
