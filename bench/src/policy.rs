//! The policy that every listener enforces: the API of a shop, one issuer, one route for each
//! resource and a permission for each kind of resource. It says nothing that has a default.

use serde_json::{Value, json};

/// Issuer and audience of all tokens.
pub const ISSUER: &str = "https://tenant.auth0.com/";
/// See [`ISSUER`].
pub const AUDIENCE: &str = "https://shop.example.com";

/// A route that anybody may use, in the documents of [`with_public_route`].
pub const PUBLIC_PATH: &str = "/health";

const KINDS: [&str; 10] = [
    "accounts",
    "baskets",
    "catalogs",
    "invoices",
    "orders",
    "payments",
    "profiles",
    "reviews",
    "shipments",
    "vouchers",
];

/// Which kinds every caller may read; each has five permissions.
const GRANTED: std::ops::Range<usize> = 2..7;
/// The place of a granted kind, in the middle of ten routes.
const MIDDLE: usize = 5;
/// The place of a kind that nobody may read.
const FORBIDDEN: usize = 8;

/// The document with this many routes.
pub fn document(count: usize, key_set: &str) -> Value {
    let routes: Vec<Value> = (0..count).map(route).collect();
    json!({
        "jwtRules": [{"issuer": ISSUER, "audiences": [AUDIENCE], "jwks": key_set}],
        "routes": routes,
    })
}

/// The same API as this many policies of Istio, one for each resource, in place of routes.
pub fn with_policies(count: usize, key_set: &str) -> Value {
    let mut document = document(0, key_set);
    document.as_object_mut().expect("a document").remove("routes");
    document["authorizationPolicies"] = (0..count).map(policy).collect();
    document
}

/// The same with [`PUBLIC_PATH`] as its last route.
pub fn with_public_route(mut document: Value) -> Value {
    let routes = document["routes"].as_array_mut().expect("a list of routes");
    routes.push(json!({"paths": [PUBLIC_PATH], "access": "PUBLIC"}));
    document
}

/// The path of the route in the middle of this many. Every caller may read it.
pub fn permitted_path(routes: usize) -> String {
    // Of a thousand routes, 500 is in the middle; the kind in the middle is that of route 505.
    path(routes / 2 / KINDS.len() * KINDS.len() + MIDDLE, "4711")
}

/// A path that no caller has the permission for.
pub fn forbidden_path() -> String {
    path(FORBIDDEN, "4711")
}

/// The permissions of every caller.
pub fn granted_permissions() -> Vec<String> {
    GRANTED.map(permission).collect()
}

fn route(number: usize) -> Value {
    json!({
        "paths": [path(number, "{id}")],
        "methods": ["GET"],
        "permissions": [permission(number)],
    })
}

fn policy(number: usize) -> Value {
    json!({
        "name": format!("resource-{number}"),
        "namespace": "shop",
        "action": "ALLOW",
        "rules": [{
            "to": [{"operation": {"methods": ["GET"], "paths": [path(number, "*")]}}],
            "when": [{"key": "request.auth.claims[permissions]", "values": [permission(number)]}],
        }],
    })
}

fn path(number: usize, item: &str) -> String {
    format!("/v1/{}-{number:04}/{item}", KINDS[number % KINDS.len()])
}

fn permission(number: usize) -> String {
    format!("read:{}", KINDS[number % KINDS.len()])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn permission_of(document: &Value, path: &str) -> String {
        let template = path.replace("4711", "{id}");
        let routes = document["routes"].as_array().unwrap();
        let route = routes.iter().find(|route| route["paths"][0] == template.as_str()).expect(path);
        route["permissions"][0].as_str().unwrap().to_owned()
    }

    #[test]
    fn callers_may_read_the_middle_of_every_table() {
        for (routes, path) in [(10, "/v1/payments-0005/4711"), (1000, "/v1/payments-0505/4711")] {
            assert_eq!(permitted_path(routes), path);
        }
        for routes in [10, 100, 1000, 10_000] {
            let document = document(routes, "");
            let permission = permission_of(&document, &permitted_path(routes));
            assert!(granted_permissions().contains(&permission));
            let permission = permission_of(&document, &forbidden_path());
            assert!(!granted_permissions().contains(&permission));
        }
    }

    #[test]
    fn ten_thousand_routes_fit_into_a_document() {
        assert!(document(10_000, &jwt_rbac_e2e::artifacts::jwks()).to_string().len() < 1 << 20);
    }
}
