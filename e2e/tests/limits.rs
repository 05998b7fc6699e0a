//! What is large, odd or hostile: a thousand routes, headers that are no text, tokens that are too
//! long, bytes that are no tokens. The VM of the worker has to survive all of it.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use jwt_rbac_e2e::artifacts;
use jwt_rbac_e2e::client::{Request, Response, exchange};
use jwt_rbac_e2e::envoy::Envoy;
use jwt_rbac_e2e::filters;
use jwt_rbac_e2e::garbage::Garbage;
use jwt_rbac_e2e::listener::{DETAILS_HEADER, listener, ours, with_header_limit};
use jwt_rbac_e2e::native;
use jwt_rbac_e2e::tokens::{self, Recipe};
use jwt_rbac_e2e::twin::Outcome;
use jwt_rbac_e2e::upstream::Seen;
use jwt_rbac_e2e::wire;
use serde_json::{Value, json};

const FORM: &str =
    "Jwt is not in the form of Header.Payload.Signature with two dots and 3 sections";

#[test]
fn a_thousand_routes() {
    let routes: Vec<Value> = (0..1000)
        .map(|i| {
            json!({
                "name": format!("svc{i}"),
                "paths": [format!("/svc{i}/items/{{id}}")],
                "permissions": [format!("read:svc{i}")],
            })
        })
        .collect();
    let document = document(&json!(routes));
    let native = native::filters(&document).expect("the pair has words for it");
    let listeners = [ours("ours", &document), listener("native", &native)];
    let envoy = Envoy::before_upstream(&listeners, None);
    let token = Recipe::of_caller("user").claim("permissions", json!(["read:svc0", "read:svc999"]));
    let token = token.mint();
    for (path, status, reason) in [
        ("/svc0/items/1", 200, ""),
        ("/svc999/items/1", 200, ""),
        ("/svc500/items/1", 403, "[svc500]{permission_missing}"),
        ("/svc1000/items/1", 403, "[none]{route_unmatched}"),
        ("/svc0/items", 403, "[none]{route_unmatched}"),
        ("/svc0/items/1/2", 403, "[none]{route_unmatched}"),
    ] {
        let request = Request::get(path).bearer(&token);
        let response = send(&request, envoy.address("ours"));
        assert_eq!(response.status, status, "{path}");
        let details = response.header(DETAILS_HEADER).unwrap_or_default();
        assert!(details.ends_with(reason), "{path}: {details}");
        let theirs = send(&request, envoy.address("native"));
        assert_eq!(Outcome::of(&response), Outcome::of(&theirs), "{path}");
    }
    assert_alive(&envoy, "ours");
}

#[test]
fn tokens_within_the_limits_of_the_document_and_just_beyond() {
    let with = |limits: &Value| {
        let mut document = document(&json!([{"paths": ["/{**}"], "permissions": ["p0"]}]));
        document["tokenLimits"] = limits.clone();
        document
    };
    let limits = json!({"depth": 3, "members": 40, "permissions": 20});
    let envoy = Envoy::before_upstream(&[ours("own", &with(&limits))], None);
    let permissions = |count: usize| (0..count).map(|number| format!("p{number}")).collect();
    let with_members = |count: usize| {
        let members = (0..count).map(|number| (number.to_string(), json!(number)));
        Value::Object(members.collect())
    };
    let nested = |depth: usize| (1..depth).fold(json!(7), |inner, _| json!([inner]));
    let base = |count: usize| Recipe::of_caller("user").claim("permissions", permissions(count));
    for (recipe, status, remedy) in [
        (base(20), 200, ""),
        (base(21), 401, "tokenLimits.permissions"),
        (base(1).claim("deep", nested(3)), 200, ""),
        (base(1).claim("deep", nested(4)), 401, "tokenLimits.depth"),
        (base(1).claim("more", with_members(30)), 200, ""),
        (base(1).claim("more", with_members(40)), 401, "tokenLimits.members"),
    ] {
        let response = send(&Request::get("/a").bearer(&recipe.mint()), envoy.address("own"));
        assert_eq!(response.status, status, "{remedy}");
        assert!(status == 200 || envoy.log().contains(remedy), "{remedy}: {}", envoy.log());
    }
    assert_alive(&envoy, "own");
}

#[test]
fn header_values_that_are_no_text() {
    let envoy = Envoy::before_upstream(&[ours("ours", &public())], None);
    let address = envoy.address("ours");
    let all: String = (0x80..=0xff).map(char::from).collect();
    for value in ["\u{ff}", "caf\u{e9}", &all] {
        for name in ["x-bytes", "authorization", "cookie"] {
            let response = send(&Request::get("/").header(name, value), address);
            assert_eq!(response.status, 200, "{name}: {value:?}");
            let seen = Seen::of(&response).expect("the workload answered");
            let pair = (name.to_owned(), value.to_owned());
            assert!(seen.headers.contains(&pair), "{:?} lacks {pair:?}", seen.headers);
        }
        let response = send(&Request::get("/").bearer(value), address);
        assert_eq!((response.status, response.text().as_str()), (401, FORM), "{value:?}");
    }
    assert_alive(&envoy, "ours");
}

#[test]
fn header_names_that_are_no_text() {
    let envoy = Envoy::before_upstream(&[ours("ours", &public())], None);
    for name in ["x-\u{ff}", "caf\u{e9}", "x y", "x\u{0}y"] {
        let response = send(&Request::get("/").header(name, "value"), envoy.address("ours"));
        assert_eq!(response.status, 400, "{name:?} is refused by Envoy itself");
    }
    assert_alive(&envoy, "ours");
}

#[test]
fn tokens_that_are_too_long() {
    let filter = filters::jwt_rbac("ours", &public(), &artifacts::wasm().unwrap());
    let envoy = Envoy::before_upstream(&[with_header_limit("ours", &[filter], 96)], None);
    let recipe = |length| Recipe::of_caller("user").claim("padding", json!("x".repeat(length)));
    for (length, status) in [(10 << 10, 200), (22 << 10, 200), (32 << 10, 401), (48 << 10, 401)] {
        let request = Request::get("/").bearer(&recipe(length).mint());
        let response = send(&request, envoy.address("ours"));
        assert_eq!(response.status, status, "{length} bytes of payload");
        if status == 401 {
            assert_eq!(response.text(), FORM);
        }
    }
    assert_alive(&envoy, "ours");
}

/// To the byte, above and below the default.
#[test]
fn a_document_says_how_long_a_token_may_be() {
    const SIZES: [(&str, usize); 3] = [("2Ki", 2 << 10), ("4Ki", 4 << 10), ("64Ki", 64 << 10)];
    let listeners = SIZES.map(|(size, _)| {
        let mut document = public();
        document["maxTokenSize"] = size.into();
        let filter = filters::jwt_rbac(size, &document, &artifacts::wasm().unwrap());
        with_header_limit(size, &[filter], 96)
    });
    let envoy = Envoy::before_upstream(&listeners, None);
    let padded = |length: usize| {
        Recipe::of_caller("user").claim("padding", json!("x".repeat(length))).mint()
    };
    for (size, limit) in SIZES {
        // Three bytes of a payload are four of a token.
        let length = (limit - padded(0).len()) / 4 * 3;
        let tokens = (length - 3..length + 3).map(padded);
        let longest = tokens.filter(|token| token.len() <= limit).max_by_key(String::len);
        let longest = longest.expect("a token that is short enough");
        assert!(limit - longest.len() <= 2, "{size}: {}", longest.len());
        let too_long = padded(length + 3);
        for (token, status) in [(&longest, 200), (&too_long, 401)] {
            let response = send(&Request::get("/").bearer(token), envoy.address(size));
            assert_eq!(response.status, status, "{size}, {} bytes", token.len());
        }
        assert_alive(&envoy, size);
    }
}

#[test]
fn tokens_that_are_too_deep() {
    let envoy = Envoy::before_upstream(&[ours("ours", &public())], None);
    let nested = |depth: usize| (0..depth).fold(json!(1), |inner, _| json!([inner]));
    // The claims themselves are the first level.
    for (depth, status) in [(1, 200), (31, 200), (32, 401), (500, 401)] {
        let token = Recipe::of_caller("user").claim("deep", nested(depth)).mint();
        let response = send(&Request::get("/").bearer(&token), envoy.address("ours"));
        assert_eq!(response.status, status, "{depth} levels: {}", response.text());
    }
    assert_alive(&envoy, "ours");
}

#[test]
fn tokens_that_hold_too_much() {
    let envoy = Envoy::before_upstream(&[ours("ours", &public())], None);
    let list = |count: usize| json!((0..count).map(|i| format!("p{i}")).collect::<Vec<_>>());
    let object = |count: usize| {
        let members = (0..count).map(|i| (format!("m{i}"), json!(0)));
        Value::Object(members.collect())
    };
    for (name, value, status) in [
        ("permissions", list(1000), 200),
        ("permissions", list(1001), 401),
        ("other", list(1001), 200),
        ("object", object(900), 200),
        ("object", object(1001), 401),
    ] {
        let token = Recipe::of_caller("user").claim(name, value).mint();
        let response = send(&Request::get("/").bearer(&token), envoy.address("ours"));
        assert_eq!(response.status, status, "{name}, {} bytes: {}", token.len(), response.text());
    }
    assert_alive(&envoy, "ours");
}

#[test]
fn many_headers_and_cookies() {
    let envoy = Envoy::before_upstream(&[ours("ours", &public())], None);
    let mut request = Request::get("/");
    for i in 0..90 {
        request = request.header(&format!("x-header-{i}"), &"v".repeat(100));
    }
    request = request.header("cookie", &"a=b; ".repeat(4000));
    assert_eq!(send(&request, envoy.address("ours")).status, 200);
    let parameters = "access_token=&".repeat(2000);
    let response = send(&Request::get(&format!("/?{parameters}")), envoy.address("ours"));
    assert_eq!(response.status, 200, "what is empty is no token");
    for (parameters, text) in [
        ("access_token=x&".repeat(2000), FORM),
        (format!("{}access_token=y", "access_token=x&".repeat(2000)), "Found multiple Jwt tokens"),
    ] {
        let response = send(&Request::get(&format!("/?{parameters}")), envoy.address("ours"));
        assert_eq!((response.status, response.text().as_str()), (401, text));
    }
    let deep = "/a".repeat(10_000);
    assert_eq!(send(&Request::get(&deep), envoy.address("ours")).status, 200);
    assert_alive(&envoy, "ours");
}

/// Envoy answers with 400 what is no HTTP; what it lets through is refused here, or is no token.
#[test]
fn garbage_for_three_seconds() {
    let envoy = Envoy::before_upstream(&[ours("ours", &public())], None);
    let address = envoy.address("ours");
    let good = Recipe::of_caller("user").mint().into_bytes();
    let mut garbage = Garbage::new();
    let end = Instant::now() + Duration::from_secs(3);
    let mut sent = 0;
    while sent < 10_000 && Instant::now() < end {
        let token = if sent % 2 == 0 { garbage.bytes() } else { garbage.damaged(&good) };
        let head = ["GET / HTTP/1.1\r\nhost: a\r\nauthorization: Bearer ", "GET /?access_token="];
        let tail = ["\r\n\r\n", " HTTP/1.1\r\nhost: a\r\n\r\n"];
        let place = garbage.below(2);
        let bytes = [head[place].as_bytes(), &token, tail[place].as_bytes()].concat();
        // A peer that hangs up on such bytes is right, too.
        if let Ok(response) = exchange(address, &bytes, false) {
            let shown = wire::text(&bytes);
            assert!(response.status < 500, "{shown:?}: {response:?}");
        }
        sent += 1;
    }
    println!("{sent} requests");
    assert_alive(&envoy, "ours");
}

/// A document whose routes are all public, so that nothing but the token decides.
fn public() -> Value {
    document(&json!([{"paths": ["/{**}"], "access": "PUBLIC"}]))
}

fn document(routes: &Value) -> Value {
    json!({
        "jwtRules": [tokens::provider()],
        "routes": routes,
    })
}

fn send(request: &Request, address: SocketAddr) -> Response {
    request.send(address).unwrap_or_else(|error| panic!("{request:?}: {error}"))
}

/// A VM that trapped answers 503 and says so; one that was replaced since is counted.
fn assert_alive(envoy: &Envoy, name: &str) {
    let request = Request::get("/alive");
    let status = send(&request, envoy.address(name)).status;
    assert!([200, 403].contains(&status), "{status}\n{}", envoy.log_tail());
    for stat in ["vm_reload_success", "vm_reload_failure", "vm_reload_backoff"] {
        assert_eq!(envoy.stat(&format!("wasm.{name}.{stat}")), 0, "{}", envoy.log_tail());
    }
    let log = envoy.log();
    let traps: Vec<&str> = log.lines().filter(|line| line.contains("[critical]")).collect();
    assert!(traps.is_empty(), "{traps:?}");
}
