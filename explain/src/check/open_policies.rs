//! Whether `authorizationPolicies` let callers pass who have no token.

use serde_json::Value as Json;

/// Why requests without a token pass whatever they ask for, in words; `None` where policies ask for
/// something, be it the workload that calls.
pub(super) fn why(policies: &[Json]) -> Option<String> {
    let in_force = |action: &'static str| {
        policies.iter().filter(move |policy| {
            policy["dryRun"] != true && policy["action"].as_str().unwrap_or("ALLOW") == action
        })
    };
    if in_force("DENY").any(reads_token) {
        return None;
    }
    if in_force("ALLOW").next().is_none() {
        return Some("no policy with `action: ALLOW` is in force".to_owned());
    }
    let name = in_force("ALLOW").find(|policy| rules(policy).any(is_empty))?["name"].as_str();
    Some(format!("a rule of `{}` matches every request", name.unwrap_or_default()))
}

fn rules(policy: &Json) -> impl Iterator<Item = &Json> {
    policy["rules"].as_array().into_iter().flatten()
}

/// Whether a rule asks for nothing.
fn is_empty(rule: &Json) -> bool {
    rule.as_object().is_some_and(serde_json::Map::is_empty)
}

fn reads_token(policy: &Json) -> bool {
    rules(policy).any(|rule| {
        let sources = rule["from"].as_array().into_iter().flatten();
        let mut sources = sources.filter_map(|from| from["source"].as_object());
        let mut keys = rule["when"].as_array().into_iter().flatten();
        sources.any(|source| {
            source.contains_key("requestPrincipals") || source.contains_key("notRequestPrincipals")
        }) || keys
            .any(|when| when["key"].as_str().is_some_and(|key| key.starts_with("request.auth.")))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn policies_are_open_where_none_asks_for_anything() {
        let delete = json!({"to": [{"operation": {"methods": ["DELETE"]}}]});
        let peer = json!({"from": [{"source": {"principals": ["a/b"]}}]});
        let anonymous = json!({"from": [{"source": {"notRequestPrincipals": ["*"]}}]});
        let group = json!({"when": [{"key": "request.auth.claims[groups]", "notValues": ["a"]}]});
        for (policies, is_open) in [
            (json!([{"name": "a", "action": "DENY", "rules": [delete]}]), true),
            (json!([{"name": "a", "action": "AUDIT", "rules": [{}]}]), true),
            (json!([{"name": "a", "rules": [peer], "dryRun": true}]), true),
            (json!([{"name": "a", "rules": [{}]}]), true),
            (json!([{"name": "a", "rules": [peer, {}]}]), true),
            (json!([{"name": "a", "rules": [peer]}]), false),
            (json!([{"name": "a", "rules": []}]), false),
            (json!([{"name": "a", "action": "DENY", "rules": [anonymous]}]), false),
            (
                json!([{"name": "a", "rules": [{}]}, {"name": "b", "action": "DENY", "rules": [group]}]),
                false,
            ),
        ] {
            let found = why(policies.as_array().unwrap());
            assert_eq!(found.is_some(), is_open, "{policies}: {found:?}");
        }
    }
}
