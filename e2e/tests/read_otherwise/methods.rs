//! Methods: HTTP/2 lets lower case through, and many workloads read it in upper case.

use jwt_rbac_e2e::client::Request;
use jwt_rbac_e2e::protocol::Protocol;
use jwt_rbac_e2e::tokens;
use serde_json::{Value, json};

use crate::Checks;
use crate::Outcome::{self, Denied, Reached};

/// Methods with a letter in lower case. Over HTTP/1.1 Envoy knows no such method.
const MALFORMED: [&str; 14] = [
    "delete", "Delete", "DELETe", "dELETE", "put", "get", "Get", "gET", "head", "post", "options",
    "m-search", "connect", "X-custom",
];

pub fn documents() -> Vec<(&'static str, Value)> {
    let items = "/item/{id}";
    vec![
        (
            "methods",
            json!({
                "jwtRules": [tokens::provider()],
                "routes": [
                    {"name": "change", "paths": [items], "methods": ["DELETE", "PUT"],
                     "permissions": ["change:items"]},
                    {"name": "items", "paths": [items], "access": "PUBLIC"},
                    {"name": "closed", "paths": ["/closed"], "access": "DENIED"},
                ],
            }),
        ),
        (
            "methods-unmatched",
            json!({
                "routes": [{"name": "closed", "paths": ["/closed"], "access": "DENIED"}],
                "unmatchedRoutes": "ALLOW",
            }),
        ),
        ("methods-without-routes", json!({"jwtRules": [tokens::provider()]})),
    ]
}

#[test]
fn a_method_with_a_lower_case_letter_is_denied() {
    let mut checks = Checks::start();
    for (listener, path) in [
        ("methods", "/item/1"),
        ("methods", "/closed"),
        ("methods", "/nowhere"),
        ("methods-unmatched", "/item/1"),
        ("methods-unmatched", "/closed"),
    ] {
        for method in MALFORMED {
            let request = Request::new(method, path);
            for protocol in Protocol::ALL {
                let denied = Denied("[none]{method_malformed}");
                expect(&mut checks, protocol, listener, &request, denied);
            }
        }
    }
    checks.report();
}

#[test]
fn the_same_method_in_upper_case_is_judged_by_its_route() {
    let mut checks = Checks::start();
    for (method, outcome) in [
        ("DELETE", Denied("[change]{identity_missing}")),
        ("PUT", Denied("[change]{identity_missing}")),
        ("GET", Reached),
        ("HEAD", Reached),
        ("POST", Reached),
        ("PROPFIND", Reached),
    ] {
        checks.expect("methods", &Request::new(method, "/item/1"), outcome);
    }
    checks.report();
}

/// Where nothing depends on the method, it is the workload's business.
#[test]
fn without_routes_every_method_passes() {
    let mut checks = Checks::start();
    for method in MALFORMED {
        let request = Request::new(method, "/item/1");
        expect(&mut checks, Protocol::Http2, "methods-without-routes", &request, Reached);
    }
    checks.report();
}

/// The workload gets the method as it was sent.
fn expect(
    checks: &mut Checks,
    protocol: Protocol,
    listener: &str,
    request: &Request,
    outcome: Outcome,
) {
    checks.check(protocol, listener, request, |answer| match outcome.expect(answer)? {
        Some(seen) if seen.method != request.method => Err(format!("got {}", seen.method)),
        _ => Ok(()),
    });
}
