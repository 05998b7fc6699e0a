//! Hosts against a router with several virtual hosts: no spelling of the public one may reach the
//! admin's, and no header may name another.

use jwt_rbac_e2e::client::Request;
use jwt_rbac_e2e::tokens;
use jwt_rbac_e2e::upstream::Seen;
use jwt_rbac_e2e::virtual_hosts::{self, Ports, VirtualHost};
use serde_json::{Value, json};

use crate::attack::{Attack, Outcome};
use crate::documents::HOSTS;

const SPELLING: &str = "CVE-2021-39155: hosts in another spelling";
const FORWARDED: &str = "CVE-2024-45806: headers that name another host";
const TWO: &str = "RFC 9112 §3.2: more than one host";

/// The virtual hosts, which are clusters too.
pub const NAMES: [&str; 3] = ["public-host", "admin-host", "any-host"];

/// Headers in which proxies write the host that a client asked for.
const HEADERS: [&str; 9] = [
    "x-forwarded-host",
    "x-original-host",
    "x-host",
    "x-forwarded-server",
    "forwarded",
    "x-envoy-original-host",
    "x-http-host-override",
    "x-rewrite-host",
    "x-envoy-host",
];

const VIRTUAL_HOSTS: [VirtualHost; 3] = [
    VirtualHost { name: NAMES[0], domains: &["public.example.com", "*.public.example.com"] },
    VirtualHost { name: NAMES[1], domains: &["admin.example.com", "[::1]"] },
    VirtualHost { name: NAMES[2], domains: &["*"] },
];

pub fn listener(name: &str) -> Value {
    let document = json!({
        "jwtRules": [tokens::provider()],
        "routes": [
            {"name": "public", "hosts": ["public.example.com", "*.public.example.com"],
                "paths": ["/{**}"], "access": "PUBLIC"},
            {"name": "admin", "hosts": ["admin.example.com", "[::1]"], "paths": ["/{**}"],
                "access": "AUTHENTICATED"},
            {"name": "any", "hosts": ["*"], "paths": ["/{**}"], "access": "AUTHENTICATED"},
        ],
    });
    let ports = Ports { ignored: true, stripped: false };
    virtual_hosts::listener(name, &document, &VIRTUAL_HOSTS, ports)
}

pub fn attacks() -> Vec<Attack> {
    let mut attacks = Vec::new();
    for host in ["public.example.com", "x.public.example.com", "admin.example.com", "[::1]"] {
        for spelled in spellings(host) {
            let request = Request::get("/whose").header("host", &spelled);
            let name = format!("host {spelled:?}");
            attacks.push(Attack::new(name, SPELLING, request, only_public()).on(HOSTS));
            let target = format!("http://{spelled}/whose");
            let request = Request::get(&target).header("host", "public.example.com");
            let name = format!("target {target:?}, host public");
            let bytes = request.bytes();
            attacks.push(Attack::http1(name, TWO, bytes, only_public()).on(HOSTS));
        }
    }
    for header in HEADERS {
        let value =
            if header == "forwarded" { "host=public.example.com" } else { "public.example.com" };
        let request = Request::get("/").header("host", "admin.example.com").header(header, value);
        let name = format!("{header} names the public host");
        attacks.push(Attack::new(name, FORWARDED, request, Outcome::Denied).on(HOSTS));
    }
    let line = "GET / HTTP/1.1\r\n";
    for (name, lines) in [
        ("public, then admin", "host: public.example.com\r\nhost: admin.example.com\r\n"),
        ("admin, then public", "host: admin.example.com\r\nhost: public.example.com\r\n"),
        ("two in one line", "host: public.example.com, admin.example.com\r\n"),
        ("folded", "host: public.example.com\r\n admin.example.com\r\n"),
        ("a space before the colon", "host : public.example.com\r\nhost: admin.example.com\r\n"),
        ("none", ""),
        ("empty", "host:\r\n"),
    ] {
        let bytes = format!("{line}{lines}\r\n");
        let name = format!("two hosts: {name}");
        attacks.push(Attack::http1(name, TWO, bytes, only_public()).on(HOSTS));
    }
    for (authority, host) in [
        ("public.example.com", "admin.example.com"),
        ("admin.example.com", "public.example.com"),
        ("", "public.example.com"),
    ] {
        let fields = [
            (":method", "GET"),
            (":scheme", "http"),
            (":authority", authority),
            (":path", "/whose"),
            ("host", host),
        ];
        let name = format!(":authority {authority:?} and host {host:?}");
        attacks.push(Attack::http2(name, TWO, &fields, only_public()).on(HOSTS));
    }
    attacks
}

fn spellings(host: &str) -> Vec<String> {
    let capitals = host.to_uppercase();
    let mut spellings = vec![host.to_owned(), capitals];
    for (start, end) in [
        ("", "."),
        ("", ".."),
        (".", ""),
        ("", ":80"),
        ("", ":443"),
        ("", ":0"),
        ("", ":080"),
        ("", ":"),
        ("", ":x"),
        ("", ":99999"),
        ("", ":80:80"),
        ("", ".:80"),
        ("a@", ""),
        ("a:b@", ""),
        ("admin.example.com@", ""),
        ("", "@admin.example.com"),
        ("", "%00"),
        ("", "%2e"),
        ("", "%20"),
        ("", "/x"),
        ("", "\\"),
        ("", "#x"),
        ("", "?x"),
        ("admin.example.com,", ""),
        ("", ",admin.example.com"),
        ("", ";x"),
        ("", "\u{ff}"),
        ("[", "]"),
        ("//", ""),
        ("http://", ""),
        ("*.", ""),
    ] {
        spellings.push(format!("{start}{host}{end}"));
    }
    spellings
}

/// Who has no token may reach no workload but the public one.
fn only_public() -> Outcome {
    Outcome::Harmless(Box::new(|seen: &Seen| {
        let hosts: Vec<&str> = seen
            .headers
            .iter()
            .filter(|(name, _)| name.eq_ignore_ascii_case("host"))
            .map(|(_, value)| value.as_str())
            .collect();
        let is_public = |host: &str| {
            let host = host.to_ascii_lowercase();
            let name = host.split(':').next().unwrap_or_default();
            name == "public.example.com" || name.ends_with(".public.example.com")
        };
        match hosts[..] {
            [host] if is_public(host) => Ok(()),
            _ => Err(format!("the workload got the hosts {hosts:?}")),
        }
    }))
}
