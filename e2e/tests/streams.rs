//! Requests that become streams: WebSocket and CONNECT. They are judged once, at their headers.

use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use jwt_rbac_e2e::artifacts;
use jwt_rbac_e2e::client::{self, Request, Response};
use jwt_rbac_e2e::envoy::Envoy;
use jwt_rbac_e2e::filters;
use jwt_rbac_e2e::listener::{DETAILS_HEADER, with_tunnels};
use jwt_rbac_e2e::native;
use jwt_rbac_e2e::tokens::{self, Recipe};
use jwt_rbac_e2e::twin::Outcome;
use jwt_rbac_e2e::upstream::Seen;
use serde_json::{Value, json};

#[test]
fn a_websocket_is_judged_at_its_handshake() {
    let envoy = start(&table());
    let good = Recipe::of_caller("user").mint();
    let expired = Recipe::of_caller("user").claim("exp", json!("now-3600")).mint();
    let without = Recipe::of_caller("moderator").mint();
    for (path, token, status, details) in [
        ("/chat", Some(&good), 101, ""),
        ("/public", None, 101, ""),
        ("/chat", None, 403, "[chat]{identity_missing}"),
        ("/chat", Some(&without), 403, "[chat]{permission_missing}"),
        ("/chat", Some(&expired), 401, "{Jwt_is_expired}"),
        ("/public", Some(&expired), 401, "{Jwt_is_expired}"),
        ("/other", Some(&good), 403, "[none]{route_unmatched}"),
    ] {
        let mut request = handshake(path);
        if let Some(token) = token {
            request = request.bearer(token);
        }
        let response = judged(&envoy, &request);
        assert_eq!(response.status, status, "{path}: {response:?}");
        let found = response.header(DETAILS_HEADER).unwrap_or_default();
        assert!(found.ends_with(details), "{path}: {found}");
    }
}

#[test]
fn a_websocket_carries_both_directions_without_its_token() {
    let envoy = start(&table());
    let token = Recipe::of_caller("user").mint();
    let in_header = handshake("/chat").bearer(&token);
    // A browser can set no header of a handshake.
    let in_query = handshake(&format!("/chat?access_token={token}&room=7"));
    for (request, path) in [(in_header, "/chat"), (in_query, "/chat?room=7")] {
        let response = echoed(envoy.address("ours"), &request);
        assert_eq!(response.status, 101);
        let seen = Seen::of(&response).expect("the workload opened the tunnel");
        assert_eq!(seen.path, path);
        assert!(seen.headers.iter().all(|(name, _)| name != "authorization"), "{seen:?}");
    }
}

/// A proxy in the workload drops what `connection` names (RFC 9110 §7.6.1).
#[test]
fn a_client_does_not_name_our_headers_in_connection() {
    let mut document = table();
    document["jwtRules"][0]["outputClaimToHeaders"] =
        json!([{"header": "x-sub", "claim": "sub"}, {"header": "x-tenant", "claim": "tenant"}]);
    let envoy = start(&document);
    let token = Recipe::of_caller("user").mint();
    for (sent, kept) in [
        ("upgrade, x-sub", "upgrade"),
        ("X-Sub,Upgrade", "Upgrade"),
        ("upgrade,x_sub , x-tenant", "upgrade"),
        ("upgrade, authorization", "upgrade"),
        ("x-sub, upgrade, x-other", "upgrade, x-other"),
        ("upgrade", "upgrade"),
    ] {
        let request = Request::get("/chat")
            .bearer(&token)
            .header("connection", sent)
            .header("upgrade", "websocket")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
        let response = echoed(envoy.address("ours"), &request);
        assert_eq!(response.status, 101, "{sent}");
        let seen = Seen::of(&response).expect("the workload opened the tunnel");
        let value = |name: &str| {
            let named = seen.headers.iter().filter(|header| header.0.eq_ignore_ascii_case(name));
            named.map(|header| header.1.as_str()).collect::<Vec<_>>()
        };
        assert_eq!(value("connection"), [kept], "{sent}");
        assert_eq!(value("x-sub"), ["auth0|user"], "{sent}");
    }
}

#[test]
fn a_websocket_outlives_its_token() {
    let mut document = table();
    document["jwtRules"][0]["clockSkew"] = "0s".into();
    let envoy = start(&document);
    let end = tokens::now() + 2;
    let token = Recipe::of_caller("user").claim("exp", json!(end)).mint();
    let request = handshake("/chat").bearer(&token);
    let (response, mut tunnel) =
        client::open(envoy.address("ours"), &request.bytes()).expect("an answer");
    assert_eq!(response.status, 101);
    while tokens::now() <= end {
        thread::sleep(Duration::from_millis(50));
    }
    tunnel.get_mut().write_all(b"later").expect("the tunnel is open");
    let mut back = [0; 5];
    tunnel.read_exact(&mut back).expect("the tunnel is open");
    assert_eq!(&back, b"later");
    assert_eq!(echoed(envoy.address("ours"), &request).status, 401, "a new one is not opened");
}

#[test]
fn connect_has_no_path_that_a_table_could_match() {
    let mut open = table();
    open["unmatchedRoutes"] = "ALLOW".into();
    for document in [table(), open] {
        let envoy = start(&document);
        let token = Recipe::of_caller("user").mint();
        for request in [connect(), connect().bearer(&token), connect().bearer("garbage")] {
            let response = request.send(envoy.address("ours")).expect("an answer");
            assert_eq!(response.status, 403, "{response:?}");
            assert_eq!(response.text(), "RBAC: access denied");
            let details = "rbac_access_denied_matched_policy[none]{connect_refused}";
            assert_eq!(response.header(DETAILS_HEADER).as_deref(), Some(details));
        }
    }
}

#[test]
fn connect_passes_where_there_is_no_table() {
    let document = json!({"jwtRules": table()["jwtRules"]});
    let envoy = start(&document);
    let token = Recipe::of_caller("user").mint();
    for request in [connect(), connect().bearer(&token)] {
        let response = echoed(envoy.address("ours"), &request);
        assert_eq!(response.status, 200, "{response:?}");
        let seen = Seen::of(&response).expect("the workload opened the tunnel");
        assert!(seen.headers.iter().all(|(name, _)| name != "authorization"), "{seen:?}");
    }
    // The native filter has a rule for the prefix `/` and finds no path to match it: it verifies
    // nothing, and the workload gets whatever token there is.
    let expired = Recipe::of_caller("user").claim("exp", json!(1)).mint();
    for token in ["garbage", expired.as_str()] {
        let request = connect().bearer(token);
        let response = request.send(envoy.address("ours")).expect("an answer");
        assert_eq!(response.status, 401, "{response:?}");
        // As Envoy's `buildOriginalUri`: without a path there is no URI to name.
        let challenge = "Bearer realm=\"\", error=\"invalid_token\"";
        assert_eq!(response.header("www-authenticate").as_deref(), Some(challenge));
        assert_eq!(echoed(envoy.address("native"), &request).status, 200);
    }
}

fn table() -> Value {
    json!({
        "jwtRules": [tokens::provider()],
        "routes": [
            {"name": "chat", "paths": ["/chat"], "methods": ["GET"], "permissions": ["read:book-details"]},
            {"name": "public", "paths": ["/public"], "access": "PUBLIC"},
        ],
    })
}

/// An Envoy with the filter, and the native pair where it has words for the document.
fn start(document: &Value) -> Envoy {
    let module = artifacts::wasm().unwrap();
    let mut listeners = vec![with_tunnels("ours", &[filters::jwt_rbac("ours", document, &module)])];
    if let Ok(native) = native::filters(document) {
        listeners.push(with_tunnels("native", &native));
    }
    Envoy::before_upstream(&listeners, None)
}

/// The answer of the filter, which is that of the native pair.
fn judged(envoy: &Envoy, request: &Request) -> Response {
    let [ours, theirs] = ["ours", "native"].map(|name| {
        let answer = client::open(envoy.address(name), &request.bytes());
        let (response, mut reader) = answer.unwrap_or_else(|error| panic!("{name}: {error}"));
        let is_open = matches!(response.status, 101 | 200);
        let body = response.head.read_body(&mut reader, false);
        let body = if is_open { Vec::new() } else { body.expect("a body") };
        Response { body, ..response }
    });
    assert_eq!(Outcome::of(&ours), Outcome::of(&theirs), "{request:?}");
    ours
}

/// Opens a tunnel and sends something through it, if it opens.
fn echoed(address: SocketAddr, request: &Request) -> Response {
    let (response, mut tunnel) = client::open(address, &request.bytes()).expect("an answer");
    if matches!(response.status, 101 | 200) {
        tunnel.get_mut().write_all(b"ping").expect("the tunnel is open");
        let mut back = [0; 4];
        tunnel.read_exact(&mut back).expect("the tunnel is open");
        assert_eq!(&back, b"ping");
    }
    response
}

fn handshake(target: &str) -> Request {
    Request::get(target)
        .header("connection", "Upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-version", "13")
        .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
}

fn connect() -> Request {
    Request::new("CONNECT", "target.test:443").header("host", "target.test:443")
}
