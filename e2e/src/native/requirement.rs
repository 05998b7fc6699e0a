//! What a route requires of a token, as an RBAC principal over the metadata that `jwt_authn` left.

use serde_json::{Value, json};

use super::{list, only_known, permission_claims, strings};

/// The key below which `jwt_authn` leaves the claims for `rbac`, as istiod names it.
pub(super) const PAYLOAD: &str = "payload";

/// The principal of a route: anybody for a PUBLIC one, else everything that the route asks for.
pub(super) fn principal(route: &Value, rules: &[Value]) -> Result<Value, String> {
    if route["access"] == "PUBLIC" {
        return Ok(json!({"any": true}));
    }
    // An identity; Istio's way to say it is the issuer beside the subject.
    let mut all = vec![metadata("iss", &json!({"present_match": true}))];
    let issuers = strings(route, "issuers");
    if !issuers.is_empty() {
        all.push(one_of(issuers.iter().map(|issuer| contains("iss", issuer))));
    }
    let wanted = &route["permissions"];
    let granted = |name: &String| permission(name, rules);
    all.extend(names(wanted, "allOf").iter().map(granted));
    let alternatives = strings(wanted, "anyOf");
    if !alternatives.is_empty() {
        all.push(one_of(alternatives.iter().map(granted)));
    }
    for entry in list(route, "claims") {
        all.push(claim(&entry)?);
    }
    Ok(json!({"and_ids": {"ids": all}}))
}

/// A list is one permission, or all of what `allOf` names.
fn names(wanted: &Value, field: &str) -> Vec<String> {
    if wanted.is_array() {
        return strings(&json!({"list": wanted}), "list");
    }
    strings(wanted, field)
}

/// A permission is granted by a permission claim, or by a role that is mapped to it.
fn permission(name: &str, rules: &[Value]) -> Value {
    let mut ways = Vec::new();
    for rule in rules {
        let mut grants: Vec<Value> =
            permission_claims(rule).iter().map(|claim| contains(claim, name)).collect();
        for (role, permissions) in rule["rolePermissions"].as_object().into_iter().flatten() {
            if strings(&json!({"list": permissions}), "list").iter().any(|one| one == name) {
                let claims = strings(rule, "roleClaims");
                grants.extend(claims.iter().map(|claim| contains(claim, role)));
            }
        }
        let way = one_of(grants);
        // With several providers, what one of them maps applies to its own tokens alone.
        ways.push(match (rules.len(), rule["issuer"].as_str()) {
            (2.., Some(issuer)) => json!({"and_ids": {"ids": [contains("iss", issuer), way]}}),
            _ => way,
        });
    }
    one_of(ways)
}

fn claim(entry: &Value) -> Result<Value, String> {
    only_known(entry, "a claim condition", &["claim", "values"])?;
    let name = entry["claim"].as_str().unwrap_or_default();
    let values = list(entry, "values");
    let mut ways = Vec::new();
    for value in &values {
        let value = value.as_str().ok_or_else(|| format!("the pair compares no {value}"))?;
        ways.push(contains(name, value));
    }
    Ok(one_of(ways))
}

/// The claim is this string or a list that holds it: Istio's matcher for `request.auth.claims`.
fn contains(claim: &str, value: &str) -> Value {
    let exact = json!({"string_match": {"exact": value}});
    metadata(
        claim,
        &json!({"or_match": {"value_matchers": [{"list_match": {"one_of": exact}}, exact]}}),
    )
}

fn metadata(claim: &str, value: &Value) -> Value {
    let mut path = vec![json!({"key": PAYLOAD})];
    path.extend(claim_path(claim).into_iter().map(|key| json!({"key": key})));
    json!({"metadata": {"filter": "envoy.filters.http.jwt_authn", "path": path, "value": value}})
}

/// `[a][b]` walks into objects; anything else is one literal name.
fn claim_path(claim: &str) -> Vec<&str> {
    let inner = claim.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    inner.map_or_else(|| vec![claim], |inner| inner.split("][").collect())
}

fn one_of(ids: impl IntoIterator<Item = Value>) -> Value {
    json!({"or_ids": {"ids": ids.into_iter().collect::<Vec<_>>()}})
}
