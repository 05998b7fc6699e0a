//! Headers of a client that a workload, or the filter, could take for somebody else's.

use jwt_rbac_e2e::client::Request;
use jwt_rbac_e2e::tokens::Recipe;
use jwt_rbac_e2e::upstream::Seen;
use serde_json::{Value, json};

use crate::attack::{Attack, Look, Outcome};
use crate::documents::{ADMIN, AUTHENTICATION_ONLY, TUNNELS, TWO_ISSUERS};
use crate::forge;

const SPOOFED: &str = "CVE-2023-27488, CVE-2023-27493: a client's own identity headers";
const OTHER_PROVIDER: &str = "Envoy JwtProvider: headers of the provider that was not asked";
const HOP: &str = "RFC 9110 §7.6.1: headers that Connection names";
const PROXIES: &str = "CVE-2023-27487, CVE-2024-45806: headers of proxies";
const VALUES: &str = "CVE-2019-9900, CVE-2024-23324: bytes in header values";
const MANY: &str = "CVE-2026-47774, CVE-2019-15226: many headers and cookies";
const CLAIMS: &str = "CVE-2023-27491: claims that break a header";

pub fn attacks() -> Vec<Attack> {
    let groups = [spoofed(), connection(), proxies(), values(), many(), claims()];
    groups.into_iter().flatten().collect()
}

/// Output headers of the document, as a client could spell them.
fn spoofed() -> Vec<Attack> {
    const SPELLINGS: [&str; 10] = [
        "x-sub",
        "X-Sub",
        "X-SUB",
        "x_sub",
        "X_SUB",
        "x-groups",
        "x_groups",
        "x-payload",
        "X-Payload",
        "x_payload",
    ];
    let token = Recipe::of_caller("user").mint();
    let mut attacks = Vec::new();
    for name in SPELLINGS {
        let forged = |request: Request| request.header(name, "auth0|admin");
        let preflight = Request::new("OPTIONS", "/public/x")
            .header("origin", "https://evil.test")
            .header("access-control-request-method", "GET");
        let rows = [
            ("with a token", Request::get("/members").bearer(&token), true),
            ("without", Request::get("/public/x"), false),
            ("on a preflight", preflight, false),
            (
                "with a bad token, where it is optional",
                Request::get("/optional").bearer("a.b.c"),
                false,
            ),
        ];
        for (what, request, identified) in rows {
            for count in [1, 2, 10] {
                let request = (0..count).fold(request.clone(), |request, _| forged(request));
                let label = format!("{name}, {count} times, {what}");
                let outcome = Outcome::Reached(own_identity(identified));
                attacks.push(Attack::new(label, SPOOFED, request, outcome));
            }
        }
        let both = forged(forged(Request::get("/any").header("x-sub", "a")).header("x_sub", "b"));
        let outcome = Outcome::Reached(own_identity(false));
        let label = format!("{name} among others, without a table");
        attacks.push(Attack::new(label, SPOOFED, both, outcome).on(AUTHENTICATION_ONLY));
    }
    for name in ["x-sub", "x-other-sub", "X_Other_Sub"] {
        let request = Request::get("/members").bearer(&token).header(name, "auth0|admin");
        let label = format!("{name}, two issuers");
        let outcome = Outcome::Reached(Box::new(|seen| nothing_of(seen, "auth0|admin")));
        attacks.push(Attack::new(label, OTHER_PROVIDER, request, outcome).on(TWO_ISSUERS));
    }
    for name in ["x-sub ", "x-sub\t", " x-sub", "x-sub\u{0}", "x\u{ff}sub", "x-sub:"] {
        let request = Request::get("/public/x").header(name, "auth0|admin");
        let outcome = Outcome::Harmless(Box::new(|seen| nothing_of(seen, "auth0|admin")));
        let bytes = request.bytes();
        attacks.push(Attack::http1(format!("the name {name:?}"), SPOOFED, bytes, outcome));
    }
    attacks
}

fn connection() -> Vec<Attack> {
    let token = Recipe::of_caller("user").mint();
    let mut attacks = Vec::new();
    for value in [
        "x-sub",
        "close, x-sub",
        "X-SUB",
        "keep-alive, x_sub",
        "x-sub, x-groups, x-payload",
        "authorization",
    ] {
        let request = Request::get("/members").bearer(&token).header("connection", value);
        let outcome = Outcome::Harmless(own_identity(true));
        let bytes = request.bytes();
        attacks
            .push(Attack::http1(format!("connection: {value}"), HOP, bytes, outcome).on(TUNNELS));
    }
    attacks
}

/// Nothing is decided by what proxies write, because a client can write it too.
fn proxies() -> Vec<Attack> {
    const HEADERS: [(&str, &str); 25] = [
        ("x-forwarded-for", "127.0.0.1"),
        ("x-real-ip", "127.0.0.1"),
        ("x-client-ip", "10.0.0.1"),
        ("true-client-ip", "127.0.0.1"),
        ("forwarded", "for=127.0.0.1;host=localhost;proto=https"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-prefix", "/public"),
        ("x-forwarded-uri", "/public/x"),
        ("x-forwarded-path", "/public/x"),
        ("x-forwarded-method", "OPTIONS"),
        ("x-forwarded-user", "admin"),
        ("x-forwarded-groups", "admin"),
        ("x-forwarded-access-token", "x"),
        (
            "x-forwarded-client-cert",
            "By=spiffe://cluster.local/ns/a/sa/b;URI=spiffe://cluster.local/ns/istio-system/sa/admin",
        ),
        ("x-envoy-original-path", "/public/x"),
        ("x-envoy-internal", "true"),
        ("x-envoy-external-address", "127.0.0.1"),
        ("x-envoy-peer-metadata", "CgA="),
        ("x-envoy-decorator-operation", "public"),
        ("x-envoy-original-method", "OPTIONS"),
        ("x-original-url", "/public/x"),
        ("x-rewrite-url", "/public/x"),
        ("x-original-uri", "/public/x"),
        ("x-jwt-rbac", "allow"),
        ("x-remote-user", "admin"),
    ];
    let user = Recipe::of_caller("user").mint();
    let mut attacks = Vec::new();
    for (name, value) in HEADERS {
        for (whose, request) in
            [("nobody", Request::get("/admin")), ("a user", Request::get("/admin").bearer(&user))]
        {
            let request = request.header(name, value);
            let label = format!("{name}: {value}, by {whose}");
            attacks.push(Attack::new(label, PROXIES, request, Outcome::Denied));
        }
    }
    for name in ["x-original-url", "X-Rewrite-Url", "x_original_url"] {
        let request = Request::get("/public/x").header(name, "/admin");
        let outcome = Outcome::Reached(Box::new(|seen| nothing_of(seen, "/admin")));
        attacks.push(Attack::new(format!("{name}: /admin"), PROXIES, request, outcome));
    }
    for scheme in ["HTTPS", "HtTp", "https", "ws", "x", ""] {
        let fields = [
            (":method", "GET"),
            (":scheme", scheme),
            (":authority", "a.test"),
            (":path", "/admin"),
        ];
        let label = format!(":scheme {scheme:?}");
        attacks.push(Attack::http2(
            label,
            "CVE-2023-35944: the scheme in another case",
            &fields,
            Outcome::Refused,
        ));
    }
    attacks
}

/// Bytes that end a text for some readers.
fn values() -> Vec<Attack> {
    let token = forge::by_key("stranger-rs256", &[]).mint();
    let mut attacks = Vec::new();
    for odd in ["\u{0}", "\r", "\n", "\r\n x", "\u{b}", "\u{7f}", "\u{80}", "\u{ff}", "\t"] {
        for value in [
            format!("Bearer {odd}{token}"),
            format!("Bearer {token}{odd}"),
            format!("{odd}Bearer {token}"),
            format!("Bear{odd}er {token}"),
        ] {
            let request = Request::get("/admin").header("authorization", &value);
            let label = format!("{odd:?} in {}", value.replace(&token, "…"));
            attacks.push(Attack::new(label, VALUES, request, Outcome::Refused));
        }
    }
    attacks
}

fn many() -> Vec<Attack> {
    let stranger = forge::by_key("stranger-rs256", &[]).mint();
    let lines = |name: &str, value: &str, count: usize| {
        (0..count).fold(Request::get("/admin"), |request, _| request.header(name, value))
    };
    let long =
        |part: &str, count: usize| Request::get("/admin").header("cookie", &part.repeat(count));
    [
        ("ten thousand cookies", long("a=b; ", 10_000)),
        ("ten thousand empty cookies", long(";", 10_000)),
        ("ninety lines of cookies", lines("cookie", &"session=a; ".repeat(50), 90)),
        ("ninety bad tokens", lines("authorization", &format!("Bearer {}", &stranger[..300]), 90)),
        ("ninety empty tokens", lines("authorization", "Bearer ", 90)),
        ("ninety times x-sub", lines("x-sub", "a", 90)),
        ("two hundred headers", lines("x-a", "b", 200)),
        ("ten thousand parameters", Request::get(&format!("/admin?{}", "a=b&".repeat(10_000)))),
        ("twelve thousand ampersands", Request::get(&format!("/admin?{}", "&".repeat(12_000)))),
        ("a query of escapes", Request::get(&format!("/admin?{}", "%61".repeat(10_000)))),
        (
            "a value of fifty thousand spaces",
            lines("authorization", &format!("Bearer{}x", " ".repeat(50_000)), 1),
        ),
        ("the scheme ten thousand times", lines("authorization", &"Bearer ".repeat(7_000), 1)),
    ]
    .into_iter()
    .map(|(name, request)| Attack::new(name, MANY, request, Outcome::Refused))
    .collect()
}

/// Claims that the issuer lets a user choose: no value of one writes a header or an element.
fn claims() -> Vec<Attack> {
    let mut attacks = Vec::new();
    for odd in [
        "a\r\nx-admin: 1",
        "a\nx-admin: 1",
        "a\rb",
        "a\u{0}b",
        "a\r\n\r\nGET /admin HTTP/1.1\r\n\r\n",
    ] {
        for (claim, value) in
            [("sub", json!(odd)), ("groups", json!([odd])), ("groups", json!(["a", odd]))]
        {
            attacks.push(of_claim(claim, &value, Outcome::Refused));
        }
    }
    for value in [json!(["a,b"]), json!([",admin"]), json!(["a", "b,"])] {
        attacks.push(of_claim("groups", &value, Outcome::Refused));
    }
    attacks
}

fn of_claim(claim: &str, value: &Value, outcome: Outcome) -> Attack {
    let token = Recipe::of_caller("user").claim(claim, value.clone()).mint();
    let request = Request::get("/members").bearer(&token);
    Attack::new(format!("{claim} is {value}"), CLAIMS, request, outcome)
}

/// The workload gets what the filter says of the caller, and nothing of what the client says.
fn own_identity(identified: bool) -> Look {
    Box::new(move |seen| {
        nothing_of(seen, "auth0|admin")?;
        nothing_of(seen, ADMIN)?;
        let is_subject =
            |(name, _): &&(String, String)| name.to_ascii_lowercase().replace('_', "-") == "x-sub";
        let found: Vec<&str> =
            seen.headers.iter().filter(is_subject).map(|(_, value)| value.as_str()).collect();
        let wanted = if identified { &["auth0|user"][..] } else { &[] };
        if found != wanted {
            return Err(format!("expected x-sub {wanted:?} at the workload, got {found:?}"));
        }
        let connection =
            seen.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("connection"));
        match connection {
            Some((_, value)) if value.to_ascii_lowercase().contains("sub") => {
                Err(format!("the workload is told to drop x-sub: connection: {value}"))
            }
            _ => Ok(()),
        }
    })
}

/// No header at the workload has this value.
fn nothing_of(seen: &Seen, value: &str) -> Result<(), String> {
    let found = seen.headers.iter().find(|(_, found)| found.contains(value));
    found.map_or(Ok(()), |header| Err(format!("the workload got {header:?}")))
}
