//! The AuthorizationPolicy of a fence as the filter that istiod makes of it.

use serde_json::{Value, json};

use super::{list, strings};
use crate::filters::http;

/// An AuthorizationPolicy that denies by what request headers do not hold
/// (`pilot/pkg/security/authz/builder`).
///
/// # Panics
///
/// When the policy is another one.
pub fn filter(policy: &Value) -> Value {
    let spec = &policy["spec"];
    assert_eq!(spec["action"], "DENY", "{policy}");
    let mut policies = json!({});
    for (index, rule) in list(spec, "rules").iter().enumerate() {
        let conditions: Vec<_> = list(rule, "when").iter().map(condition).collect();
        assert!(!conditions.is_empty(), "{policy}");
        let name = format!("ns[default]-policy[fence]-rule[{index}]");
        policies[name] = json!({
            "permissions": [{"and_rules": {"rules": [{"any": true}]}}],
            "principals": [{"and_ids": {"ids": conditions}}],
        });
    }
    let config = json!({"rules": {"action": "DENY", "policies": policies}});
    http("envoy.filters.http.rbac", "envoy.extensions.filters.http.rbac.v3.RBAC", &config)
}

fn condition(condition: &Value) -> Value {
    let key = condition["key"].as_str().unwrap_or_default();
    let name = key.strip_prefix("request.headers[").and_then(|key| key.strip_suffix(']'));
    let name = name.unwrap_or_else(|| panic!("not about a header: {condition}"));
    let exact = |value: &String| {
        assert!(!value.starts_with('*') && !value.ends_with('*'), "a pattern: {condition}");
        json!({"header": {"name": name, "string_match": {"exact": value}}})
    };
    let values: Vec<_> = strings(condition, "notValues").iter().map(exact).collect();
    assert!(!values.is_empty(), "{condition}");
    json!({"not_id": {"or_ids": {"ids": values}}})
}
