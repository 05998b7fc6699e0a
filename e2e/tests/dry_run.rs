//! Dry runs: what would be denied reaches the workload as the client sent it, cleaned, and the log,
//! the counters and the access log say what would have happened.

use std::thread;

use jwt_rbac::forward::OVERRIDES;
use jwt_rbac_e2e::artifacts;
use jwt_rbac_e2e::client::{Request, Response};
use jwt_rbac_e2e::decision_log::{DecisionLog, PACE};
use jwt_rbac_e2e::envoy::Envoy;
use jwt_rbac_e2e::filters;
use jwt_rbac_e2e::listener::{DETAILS_HEADER, with_tunnels};
use jwt_rbac_e2e::tokens::Recipe;
use jwt_rbac_e2e::twin::Outcome;
use jwt_rbac_e2e::upstream::Seen;
use serde_json::{Value, json};

/// What clients must not send: output headers and tokens under other names, and overrides.
const CLEANED: [(&str, &str); 6] = [
    ("x-sub", "admin"),
    ("X_Sub", "admin"),
    ("x-payload", "e30"),
    ("X_PAYLOAD", "e30"),
    ("x_token", "forged"),
    ("X-Orders", "forged"),
];

/// A request that only a dry run lets continue, and the refusal.
struct Trial {
    request: Request,
    reason: &'static str,
    rule: Option<&'static str>,
}

#[test]
fn a_document_that_is_tried_denies_nothing() {
    let envoy = start(&document(|document| document["dryRun"] = true.into()));
    let trials = trials().into_iter().chain(of_tokens()).chain([of_output()]);
    assert_would_be_denied(&envoy, trials.collect(), true);
    assert_shape_is_checked(&envoy);
}

#[test]
fn a_route_that_is_tried_denies_nothing_that_it_asks() {
    let envoy = start(&document(|document| {
        for route in document["routes"].as_array_mut().unwrap() {
            route["dryRun"] = true.into();
        }
    }));
    let (of_routes, of_table): (Vec<Trial>, _) =
        trials().into_iter().partition(|trial| trial.rule.is_some());
    assert_would_be_denied(&envoy, of_routes, false);
    // All else is denied as without: by the table, of tokens, and of what no header can hold.
    for trial in of_table.into_iter().chain(of_tokens()).chain([of_output()]) {
        assert_denied_as_ever(&envoy, &trial.request);
    }
    assert_shape_is_checked(&envoy);
}

#[test]
fn a_route_that_is_tried_is_alone_in_that() {
    let envoy = start(&document(|document| document["routes"][0]["dryRun"] = true.into()));
    let token = Recipe::of_caller("user").mint();
    for (path, status) in [("/members", 200), ("/closed", 403), ("/nowhere", 403)] {
        assert_eq!(send(&envoy, &Request::get(path).bearer(&token)).status, status, "{path}");
    }
}

#[test]
fn tokens_are_refused_while_the_rest_is_tried() {
    let envoy = start(&document(|document| {
        document["dryRun"] = true.into();
        document["dryRunTokens"] = false.into();
    }));
    assert_would_be_denied(&envoy, trials(), true);
    for trial in of_tokens() {
        assert_denied_as_ever(&envoy, &trial.request);
    }
    assert_shape_is_checked(&envoy);
}

/// What the document allows keeps its token, so that a workload which reads it does not notice the
/// trial; the headers are written as ever.
#[test]
fn what_is_allowed_anyway_keeps_its_token() {
    let envoy = start(&document(|document| {
        document["dryRun"] = true.into();
        document["jwtRules"][0]["fromCookies"] = json!(["session"]);
    }));
    let token = Recipe::of_caller("user").claim("permissions", json!(["see:members"])).mint();
    let values = |seen: &Seen, name: &str| -> Vec<String> {
        let named = seen.headers.iter().filter(|header| header.0.replace('_', "-") == name);
        named.map(|header| header.1.clone()).collect()
    };
    let bearer = format!("Bearer {token}");
    let in_query = format!("/members?a=%7e&access_token={token}&&b");
    let in_cookie = format!("a=1; session={token}");
    let requests = [
        Request::get("/members").bearer(&token),
        Request::get(&in_query),
        Request::get("/members").header("cookie", &in_cookie),
        Request::get("/members").header("x-token", &token),
        Request::get(&in_query).bearer(&token).header("cookie", &in_cookie),
    ];
    let count = requests.len();
    for (number, request) in requests.into_iter().enumerate() {
        let response = send(&envoy, &dirty(request.clone()));
        let seen = Seen::of(&response).unwrap();
        assert_eq!(values(&seen, "x-sub"), ["auth0|user"], "{number}");
        assert_eq!(values(&seen, "x-orders"), [""; 0], "{number}");
        // The underscore of the forged `x_token` of `dirty` makes it another header.
        for (name, sent) in
            [("authorization", &bearer), ("cookie", &in_cookie), ("x-token", &token)]
        {
            let is_sent = request.headers.iter().any(|header| header.0 == name);
            let expected = if is_sent { vec![sent.clone()] } else { Vec::new() };
            assert_eq!(values(&seen, name), expected, "{number}: {name}");
        }
        assert_eq!(seen.path, request.target, "{number}");
    }
    assert_eq!(envoy.stat("wasmcustom.jwt_rbac_allowed"), count as u64);
}

/// Sends each and checks what reached the workload, with its token or without, what was logged and what was
/// counted.
fn assert_would_be_denied(envoy: &Envoy, trials: Vec<Trial>, keeps_token: bool) {
    let mut log = DecisionLog::of(envoy);
    for Trial { request, reason, rule } in trials {
        let counter = format!("wasmcustom.jwt_rbac_would_deny_{reason}");
        let count = envoy.stat(&counter);
        thread::sleep(PACE);
        let response = send(envoy, &dirty(request.clone()));
        assert_eq!(response.status, 200, "{reason}: {}", response.text());
        let plain = request.send(envoy.address("unfiltered")).expect("an answer");
        if keeps_token {
            assert_eq!(seen(&response), seen(&plain), "{reason}");
        } else {
            // All tokens begin with the base64url of `{"`.
            let text = format!("{:?}", seen(&response));
            assert!(!text.contains("eyJ"), "{reason}: {text}");
        }
        assert_eq!(envoy.stat(&counter), count + 1, "{reason}");
        let line = log.read_one();
        let words = [&line["jwt_rbac"], &line["reason"], &line["rule"], &line["status"]];
        assert_eq!(json!(words), json!(["would_deny", reason, rule, null]));
        assert!(line["remedy"].is_string(), "{line}");
    }
    assert_eq!(envoy.stat("wasmcustom.jwt_rbac_allowed"), 0);
}

/// No route and no token can change these.
fn assert_shape_is_checked(envoy: &Envoy) {
    let request = Request::new("CONNECT", "a.test:443").header("host", "a.test:443");
    let response = send(envoy, &request);
    assert_eq!((response.status, response.text().as_str()), (403, "RBAC: access denied"));
    let details = "rbac_access_denied_matched_policy[none]{connect_refused}";
    assert_eq!(response.header(DETAILS_HEADER).as_deref(), Some(details));
}

fn assert_denied_as_ever(envoy: &Envoy, request: &Request) {
    let got = send(envoy, request);
    let wanted = request.send(envoy.address("enforced")).expect("an answer");
    assert!(matches!(wanted.status, 401 | 403), "{request:?}: {wanted:?}");
    assert_eq!(Outcome::of(&got), Outcome::of(&wanted), "{request:?}");
}

/// Refusals by the table (without a rule) and by what routes ask.
fn trials() -> Vec<Trial> {
    let token = Recipe::of_caller("user").mint();
    let get = |path: &str| Request::get(path).bearer(&token);
    let trial = |request, reason, rule| Trial { request, reason, rule };
    vec![
        trial(get("/members?a=%41&access=1"), "permission_missing", Some("members")),
        trial(Request::get("/members"), "identity_missing", Some("members")),
        trial(
            Request::get(&format!("/members?access_token={token}&b")),
            "permission_missing",
            Some("members"),
        ),
        trial(get("/tenants/acme"), "claim_mismatch", Some("tenants")),
        trial(get("/closed"), "route_denied", Some("closed")),
        trial(get("/nowhere"), "route_unmatched", None),
        trial(get("/members/../closed"), "path_ambiguous", None),
        trial(Request::new("PUT", "/members").bearer(&token), "method_not_allowed", None),
    ]
}

fn of_tokens() -> Vec<Trial> {
    let recipe = || Recipe::of_caller("user");
    let token = recipe().mint();
    let expired = recipe().claim("exp", json!("now-3600")).mint();
    let forged = recipe().claim("iss", json!("https://evil.test/")).mint();
    let get = |token: &str| Request::get("/members").bearer(token);
    let trial = |request, reason| Trial { request, reason, rule: Some("members") };
    vec![
        trial(get(&expired), "expired"),
        trial(get(&forged), "issuer_unknown"),
        trial(get("garbage"), "token_form"),
        trial(get(&token).header("x-token", &expired), "token_multiple"),
        trial(Request::get(&format!("/members?access_token={expired}&b")), "expired"),
    ]
}

fn of_output() -> Trial {
    let token = Recipe::of_caller("user").claim("permissions", json!(["see:members"]));
    let token = token.claim("sub", json!("a\nb")).mint();
    let request = Request::get("/members").bearer(&token);
    Trial { request, reason: "header_unwritable", rule: Some("members") }
}

fn dirty(request: Request) -> Request {
    let overrides = OVERRIDES.iter().map(|name| (*name, "DELETE"));
    let shouted = ("X_HTTP_Method_Override", "DELETE");
    let headers = CLEANED.into_iter().chain(overrides).chain([shouted]);
    headers.fold(request, |request, (name, value)| request.header(name, value))
}

fn seen(response: &Response) -> Seen {
    let mut seen = Seen::of(response).unwrap_or_else(|| panic!("not the workload: {response:?}"));
    seen.headers.retain(|(name, _)| !name.starts_with("x-envoy-"));
    seen
}

fn document(change: impl FnOnce(&mut Value)) -> Value {
    let mut document = json!({
        "jwtRules": [{
            "issuer": "https://tenant.auth0.com/",
            "audiences": ["https://bookinfo.io"],
            "jwks": artifacts::jwks(),
            "fromHeaders": [{"name": "authorization", "prefix": "Bearer "}, {"name": "x-token"}],
            "fromParams": ["access_token"],
            "outputPayloadToHeader": "x-payload",
            "outputClaimToHeaders": [
                {"header": "x-sub", "claim": "sub"},
                {"header": "x-orders", "claim": "orders"},
            ],
        }],
        "routes": [
            {"name": "members", "paths": ["/members"], "methods": ["GET"],
             "permissions": ["see:members"]},
            {"name": "tenants", "paths": ["/tenants/{t}"],
             "claims": [{"claim": "tenant", "pathVariable": "t"}]},
            {"name": "closed", "paths": ["/closed"], "access": "DENIED"},
        ],
    });
    change(&mut document);
    document
}

/// The document, beside it the same without dry run, and no filter at all.
fn start(tried: &Value) -> Envoy {
    let filter = |name, document| filters::jwt_rbac(name, document, &artifacts::wasm().unwrap());
    let listeners = [
        with_tunnels("ours", &[filter("ours", tried)]),
        with_tunnels("enforced", &[filter("enforced", &document(|_| ()))]),
        with_tunnels("unfiltered", &[]),
    ];
    Envoy::before_upstream(&listeners, None)
}

fn send(envoy: &Envoy, request: &Request) -> Response {
    envoy.answer("ours", request)
}
