//! Preflights that pass: `corsPreflight: ALLOW` opens no host, path or route that is closed.

use jwt_rbac_e2e::client::Request;
use jwt_rbac_e2e::protocol::Protocol;
use jwt_rbac_e2e::tokens;
use jwt_rbac_e2e::upstream::Seen;
use serde_json::{Value, json};

use crate::Checks;
use crate::Outcome::{Denied, Reached};

pub fn documents() -> Vec<(&'static str, Value)> {
    let mut by_host = routes();
    by_host.push(json!({"name": "wild", "paths": ["/public"], "access": "PUBLIC"}));
    for route in &mut by_host {
        let is_wild = route["name"] == "wild";
        route["hosts"] = json!([if is_wild { "*.example.com" } else { "api.example.com" }]);
    }
    let rules = json!([tokens::provider()]);
    let allow = |routes: Vec<Value>, unmatched: &str| {
        json!({
            "jwtRules": rules,
            "routes": routes,
            "unmatchedRoutes": unmatched,
            "corsPreflight": "ALLOW",
        })
    };
    vec![
        ("preflights", allow(routes(), "DENY")),
        ("preflights-unmatched", allow(routes(), "ALLOW")),
        ("preflights-by-host", allow(by_host, "DENY")),
        ("preflights-authorized", json!({"jwtRules": rules, "routes": routes()})),
    ]
}

fn routes() -> Vec<Value> {
    vec![
        json!({"name": "admin", "paths": ["/admin/{**}"], "access": "DENIED"}),
        json!({"name": "public", "paths": ["/public"], "access": "PUBLIC"}),
        json!({"name": "members", "paths": ["/members/{id}"], "access": "AUTHENTICATED"}),
        json!({"name": "orders", "paths": ["/orders"], "methods": ["GET"], "permissions": ["read:orders"]}),
    ]
}

#[test]
fn a_preflight_passes_where_a_request_could() {
    let mut checks = Checks::start();
    for (path, outcome) in [
        ("/public", Reached),
        ("/public?x=1", Reached),
        ("/members/7", Reached),
        ("/orders", Reached),
        ("/admin/shutdown", Denied("[admin]{route_denied}")),
        ("/admin/a/b?x", Denied("[admin]{route_denied}")),
        ("/admin", Denied("[admin]{route_denied}")),
        ("/admin/", Denied("[admin]{route_denied}")),
        ("/%61dmin/shutdown", Denied("[admin]{route_denied}")),
        ("/nowhere", Denied("[none]{route_unmatched}")),
        ("/members", Denied("[none]{route_unmatched}")),
        ("/ADMIN/shutdown", Denied("[none]{route_unmatched}")),
        ("/public/../admin/x", Denied("[none]{path_ambiguous}")),
        ("/public/..%2fadmin", Denied("[none]{path_ambiguous}")),
        ("//admin/x", Denied("[none]{path_ambiguous}")),
        ("/admin;x/y", Denied("[none]{path_ambiguous}")),
        ("/admin%00", Denied("[none]{path_ambiguous}")),
    ] {
        for request in [preflight(path), preflight(path).body("{\"now\":true}")] {
            checks.expect("preflights", &request, outcome);
        }
    }
    checks.report();
}

#[test]
fn a_preflight_to_no_route_passes_where_such_requests_do() {
    let mut checks = Checks::start();
    for (path, outcome) in [
        ("/nowhere", Reached),
        ("/orders", Reached),
        ("/admin/shutdown", Denied("[admin]{route_denied}")),
        ("/x/../admin", Denied("[none]{path_ambiguous}")),
    ] {
        checks.expect("preflights-unmatched", &preflight(path), outcome);
    }
    checks.report();
}

#[test]
fn a_preflight_is_judged_by_the_routes_of_its_host() {
    let mut checks = Checks::start();
    let unknown = Denied("[none]{host_unknown}");
    for (host, path, outcome) in [
        ("api.example.com", "/public", Reached),
        ("API.example.com:8443", "/members/7", Reached),
        ("www.example.com", "/public", Reached),
        ("api.example.com", "/admin/x", Denied("[admin]{route_denied}")),
        ("www.example.com", "/members/7", Denied("[none]{route_unmatched}")),
        ("other.test", "/public", unknown),
        ("example.com", "/public", unknown),
        ("api.example.com.", "/public", unknown),
        ("www.example.com.", "/public", unknown),
        ("api.example.com:", "/public", unknown),
        ("api.example.com:080", "/public", unknown),
    ] {
        let request = preflight(path).header("host", host);
        checks.expect("preflights-by-host", &request, outcome);
    }
    checks.report();
}

#[test]
fn what_is_no_preflight_is_judged_as_any_request() {
    let origin = |request: Request| request.header("origin", "https://app.example.com");
    let method = |request: Request| request.header("access-control-request-method", "GET");
    let options = |path| Request::new("OPTIONS", path);
    let mut checks = Checks::start();
    for (request, outcome) in [
        (options("/public"), Reached),
        (options("/members/7"), Denied("[members]{identity_missing}")),
        (origin(options("/members/7")), Denied("[members]{identity_missing}")),
        (method(options("/members/7")), Denied("[members]{identity_missing}")),
        (method(options("/members/7")).header("origin", ""), Denied("[members]{identity_missing}")),
        (origin(method(Request::get("/members/7"))), Denied("[members]{identity_missing}")),
        (origin(method(Request::get("/admin/x"))), Denied("[admin]{route_denied}")),
        (options("/orders"), Denied("[none]{method_not_allowed}")),
    ] {
        checks.expect("preflights", &request, outcome);
    }
    checks.report();
}

#[test]
fn a_preflight_in_lower_case_is_none() {
    let mut checks = Checks::start();
    for method in ["options", "Options", "OPTIONs"] {
        let request = Request { method: method.to_owned(), ..preflight("/public") };
        for protocol in Protocol::ALL {
            let outcome = Denied("[none]{method_malformed}");
            checks
                .check(protocol, "preflights", &request, |answer| outcome.expect(answer).map(drop));
        }
    }
    checks.report();
}

#[test]
fn the_token_of_a_preflight_is_removed() {
    let mut checks = Checks::start();
    let no_token = |seen: &Seen| {
        let is_token = |(name, _): &(String, String)| name == "authorization";
        let found = seen.headers.iter().any(is_token) || seen.path.contains("access_token");
        if found { Err(format!("expected no token at the workload, got {seen:?}")) } else { Ok(()) }
    };
    for path in ["/public", "/members/7", "/orders", "/members/7?access_token=x"] {
        let request = preflight(path).bearer("garbage");
        checks.expect_seen("preflights", &request, Reached, no_token);
    }
    checks.report();
}

#[test]
fn by_default_a_preflight_is_authorized() {
    let mut checks = Checks::start();
    for (path, outcome) in [
        ("/public", Reached),
        ("/members/7", Denied("[members]{identity_missing}")),
        ("/admin/shutdown", Denied("[admin]{route_denied}")),
        ("/orders", Denied("[none]{method_not_allowed}")),
        ("/nowhere", Denied("[none]{route_unmatched}")),
    ] {
        checks.expect("preflights-authorized", &preflight(path), outcome);
    }
    checks.report();
}

fn preflight(path: &str) -> Request {
    Request::new("OPTIONS", path)
        .header("origin", "https://app.example.com")
        .header("access-control-request-method", "POST")
}
