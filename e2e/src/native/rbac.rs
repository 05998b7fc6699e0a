//! The table of routes as an RBAC filter: one ALLOW policy for each route.
//!
//! Policies have no order and no most specific route: what any route allows is allowed.

use serde_json::{Value, json};

use super::requirement::principal;
use super::{only_known, path, strings};
use crate::filters::http;

const ROUTE_FIELDS: &[&str] =
    &["name", "paths", "methods", "hosts", "issuers", "permissions", "claims", "access", "token"];

pub(super) fn filter(routes: &[Value], rules: &[Value]) -> Result<Value, String> {
    let mut policies = json!({});
    for (index, route) in routes.iter().enumerate() {
        only_known(route, "a route", ROUTE_FIELDS)?;
        if route["token"].as_str().is_some_and(|token| token != "STRICT") {
            return Err(format!("the pair can't express token: {}", route["token"]));
        }
        if route["access"] == "DENIED" {
            continue;
        }
        let name = route["name"].as_str().map_or_else(|| format!("routes[{index}]"), str::to_owned);
        policies[name] = json!({
            "permissions": [permission(route)],
            "principals": [principal(route, rules)?],
        });
    }
    let config = json!({"rules": {"action": "ALLOW", "policies": policies}});
    Ok(http("envoy.filters.http.rbac", "envoy.extensions.filters.http.rbac.v3.RBAC", &config))
}

fn permission(route: &Value) -> Value {
    let paths = strings(route, "paths");
    let paths = paths.iter().map(
        |template| json!({"url_path": {"path": {"safe_regex": {"regex": path::path(template)}}}}),
    );
    let mut all = vec![any("or_rules", paths)];
    let hosts = strings(route, "hosts");
    if !hosts.is_empty() {
        let hosts = hosts.iter().map(|host| {
            let pattern = json!({"safe_regex": {"regex": path::host(host)}});
            json!({"header": {"name": ":authority", "string_match": pattern}})
        });
        all.push(any("or_rules", hosts));
    }
    let mut methods = strings(route, "methods");
    if !methods.is_empty() {
        // In the table GET covers HEAD; here it has to be said.
        if methods.iter().any(|method| method == "GET") {
            methods.push("HEAD".to_owned());
        }
        let methods = methods.iter().map(
            |method| json!({"header": {"name": ":method", "string_match": {"exact": method}}}),
        );
        all.push(any("or_rules", methods));
    }
    json!({"and_rules": {"rules": all}})
}

fn any(kind: &str, rules: impl IntoIterator<Item = Value>) -> Value {
    json!({kind: {"rules": rules.into_iter().collect::<Vec<_>>()}})
}
