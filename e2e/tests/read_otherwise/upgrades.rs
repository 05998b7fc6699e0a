//! WebSocket: a header that `Connection` names is for the next hop alone (RFC 9110 §7.6.1), and a
//! workload may drop it. A client must not name those that the filter sets.

use jwt_rbac_e2e::client::{self, Request};
use jwt_rbac_e2e::tokens::{self, Recipe};
use jwt_rbac_e2e::upstream::Seen;
use serde_json::{Value, json};

use crate::Checks;

pub const LISTENER: &str = "upgrades";
const SUBJECT: &str = "auth0|user";

pub fn document() -> Value {
    let mut provider = tokens::provider();
    provider["outputClaimToHeaders"] = json!([{"header": "x-sub", "claim": "sub"}]);
    json!({
        "jwtRules": [provider],
        "routes": [
            {"name": "chat", "paths": ["/chat"], "access": "AUTHENTICATED"},
            {"name": "public", "paths": ["/public"], "access": "PUBLIC"},
        ],
    })
}

#[test]
fn a_websocket_can_not_have_our_headers_dropped() {
    let token = Recipe::of_caller("user").mint();
    let mut checks = Checks::start();
    for connection in [
        &["Upgrade"][..],
        &["keep-alive, Upgrade"],
        &["upgrade, x-sub"],
        &["Upgrade, X-Sub"],
        &["upgrade,x-sub"],
        &["upgrade ,\tx-sub"],
        &["x-sub, upgrade"],
        &["upgrade, x_sub"],
        &["upgrade, x-sub, x-sub"],
        &["upgrade, x-sub, x-other"],
        &["upgrade", "x-sub"],
        &["x-sub", "upgrade"],
    ] {
        let handshake = connection
            .iter()
            .fold(Request::get("/chat"), |request, value| request.header("connection", value))
            .header("upgrade", "websocket")
            .header("x-sub", "auth0|admin")
            .bearer(&token);
        if let Err(failure) = expect(&checks, &handshake, 101, &[SUBJECT]) {
            checks.failures.push(format!("connection: {connection:?}: {failure}"));
        }
    }
    checks.report();
}

#[test]
fn nor_can_any_other_request() {
    let token = Recipe::of_caller("user").mint();
    let mut checks = Checks::start();
    for connection in ["x-sub", "close, x-sub", "keep-alive, X-Sub", "te, x-sub"] {
        let request = Request::get("/chat").header("connection", connection).bearer(&token);
        if let Err(failure) = expect(&checks, &request, 200, &[SUBJECT]) {
            checks.failures.push(format!("connection: {connection}: {failure}"));
        }
    }
    checks.report();
}

#[test]
fn an_anonymous_websocket_has_none_of_our_headers() {
    let request = Request::get("/public")
        .header("connection", "upgrade, x-sub")
        .header("upgrade", "websocket")
        .header("x-sub", "auth0|admin");
    assert_eq!(expect(&Checks::start(), &request, 101, &[]), Ok(()));
}

/// Whether the workload got these values of our header, and nothing that has it dropped.
fn expect(checks: &Checks, request: &Request, status: u16, wanted: &[&str]) -> Result<(), String> {
    let address = checks.envoy.address(LISTENER);
    let answer = match status {
        101 => client::open(address, &request.bytes()).map(|(response, _)| response),
        _ => request.send(address),
    };
    let response = answer.map_err(|error| format!("expected {status}, got {error}"))?;
    let seen = Seen::of(&response).filter(|_| response.status == status);
    let seen = seen.ok_or_else(|| format!("expected {status}, got {}", response.status))?;
    let values = |wanted: &str| -> Vec<&str> {
        let named = seen.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case(wanted));
        named.map(|(_, value)| value.as_str()).collect()
    };
    let subjects = values("x-sub");
    if subjects != wanted {
        return Err(format!("expected x-sub {wanted:?} at the workload, got {subjects:?}"));
    }
    let connection = values("connection").join(",").to_ascii_lowercase().replace('_', "-");
    // A header that is not there can't be dropped.
    if !wanted.is_empty() && connection.contains("x-sub") {
        return Err(format!(
            "expected a connection without x-sub at the workload, got {connection}"
        ));
    }
    Ok(())
}
