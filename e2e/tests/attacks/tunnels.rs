//! What turns a request into something else: upgrades, CONNECT, preflights.

use jwt_rbac_e2e::client::Request;
use jwt_rbac_e2e::tokens::Recipe;
use jwt_rbac_e2e::upstream::Seen;

use crate::attack::{Attack, Outcome};
use crate::documents::TUNNELS;
use crate::forge;

const UPGRADE: &str = "RFC 9110 §7.8, RFC 6455 §4.1: an upgrade is judged like any request";
const CONNECT: &str = "RFC 9110 §9.3.6, RFC 8441: CONNECT has no path of the table";
const PREFLIGHT: &str = "istio#45716, Envoy bypass_cors_preflight: a preflight that is none";

pub fn attacks() -> Vec<Attack> {
    let groups = [upgrades(), connects(), preflights()];
    groups.into_iter().flatten().collect()
}

fn upgrades() -> Vec<Attack> {
    let stranger = forge::by_key("stranger-rs256", &[]).mint();
    let user = Recipe::of_caller("user").mint();
    let mut attacks = Vec::new();
    for protocol in ["websocket", "WebSocket", "h2c", "tcp", "TLS/1.2", "websocket, h2c", "CONNECT"]
    {
        for (who, token) in
            [("nobody", None), ("a stranger", Some(&stranger)), ("a user", Some(&user))]
        {
            for connection in ["upgrade", "Upgrade, HTTP2-Settings", "keep-alive, upgrade"] {
                let mut request = Request::get("/admin")
                    .header("connection", connection)
                    .header("upgrade", protocol)
                    .header("http2-settings", "AAMAAABkAAQCAAAAAAIAAAAA")
                    .header("sec-websocket-version", "13")
                    .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
                if let Some(token) = token {
                    request = request.bearer(token);
                }
                let name = format!("upgrade to {protocol:?} by {who}, {connection}");
                let attack = Attack::http1(name, UPGRADE, request.bytes(), Outcome::Refused);
                attacks.push(attack.on(TUNNELS));
            }
        }
    }
    for protocol in ["websocket", "connect-udp", "x"] {
        let fields = [
            (":method", "CONNECT"),
            (":protocol", protocol),
            (":scheme", "http"),
            (":authority", "a.test"),
            (":path", "/admin"),
        ];
        let name = format!("extended CONNECT for {protocol}");
        attacks.push(Attack::http2(name, UPGRADE, &fields, Outcome::Refused).on(TUNNELS));
    }
    attacks
}

fn connects() -> Vec<Attack> {
    let mut attacks = Vec::new();
    for target in [
        "a.test:443",
        "127.0.0.1:80",
        "[::1]:80",
        "/admin",
        "/public/x",
        "a.test",
        "*",
        "http://a.test/admin",
    ] {
        for end in ["", "connection: close\r\n", "content-length: 0\r\n"] {
            let bytes = format!("CONNECT {target} HTTP/1.1\r\nhost: {target}\r\n{end}\r\n");
            let name = format!("CONNECT {target}, {end:?}");
            attacks.push(Attack::http1(name, CONNECT, bytes, Outcome::Refused).on(TUNNELS));
        }
    }
    for fields in [
        &[(":method", "CONNECT"), (":authority", "a.test:443")][..],
        &[(":method", "CONNECT"), (":authority", "a.test:443"), (":path", "/public/x")],
        &[
            (":method", "CONNECT"),
            (":authority", "a.test:443"),
            (":scheme", "http"),
            (":path", "/public/x"),
        ],
    ] {
        let name = format!("CONNECT with {} fields", fields.len());
        attacks.push(Attack::http2(name, CONNECT, fields, Outcome::Refused).on(TUNNELS));
    }
    attacks
}

fn preflights() -> Vec<Attack> {
    let mut attacks = Vec::new();
    for method in ["GET", "POST", "DELETE", "options", "OPTIONS"] {
        for path in ["/admin", "/closed", "/items/1"] {
            let request = Request::new(method, path)
                .header("origin", "https://evil.test")
                .header("access-control-request-method", "DELETE")
                .header("access-control-request-headers", "authorization");
            // GET of an item is open for everybody.
            let outcome = Outcome::Harmless(Box::new(|seen: &Seen| {
                if seen.method == "GET" && seen.path == "/items/1" {
                    return Ok(());
                }
                Err(format!("the workload got {} {}", seen.method, seen.path))
            }));
            let name = format!("{method} {path} as a preflight");
            attacks.push(Attack::new(name, PREFLIGHT, request, outcome));
        }
    }
    // Where preflights pass, an upgrade that comes with one would be a tunnel.
    for protocol in ["websocket", "WebSocket", "tcp"] {
        let request = Request::new("OPTIONS", "/admin")
            .header("origin", "https://evil.test")
            .header("access-control-request-method", "GET")
            .header("connection", "upgrade")
            .header("upgrade", protocol);
        let name = format!("upgrade to {protocol} as a preflight");
        let attack = Attack::http1(name, PREFLIGHT, request.bytes(), Outcome::Refused);
        attacks.push(attack.on(TUNNELS));
    }
    attacks
}
