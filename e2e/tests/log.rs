//! The decision log under attack and in daily use: no flood hides what matters, no token gets into it,
//! and each line says what its refusal is about.

use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jwt_rbac_e2e::client::Request;
use jwt_rbac_e2e::decision_log::{DecisionLog, PACE, document};
use jwt_rbac_e2e::envoy::Envoy;
use jwt_rbac_e2e::listener::ours;
use jwt_rbac_e2e::tokens::{self, Recipe};
use serde_json::{Value, json};

/// More than a plugin writes of one kind in one second.
const FLOOD: usize = 12;

#[test]
fn a_flood_hides_nothing_of_another_kind_or_plugin() {
    let mut tried = document("DENIALS");
    tried["dryRun"] = true.into();
    let listeners = [
        ours("ours", &document("DENIALS")),
        ours("other", &document("DENIALS")),
        ours("tried", &tried),
        ours("all", &document("ALL")),
    ];
    let envoy = Envoy::before_upstream(&listeners, None);
    let recipe = || Recipe::of_caller("user");
    let public = |token: &Recipe| Request::get("/public").bearer(&token.mint());
    let forged = public(&Recipe { tamper: Some("signature".to_owned()), ..recipe() });
    let expired = public(&recipe().claim("exp", json!("now-3600")));
    let foreign = public(&recipe().claim("iss", json!("https://evil.test/")));
    let audience = public(&recipe().claim("aud", json!("x")));
    let garbage = Request::get("/public").bearer("garbage");
    let closed = Request::get("/closed");
    let allowed = Request::get("/public");
    let deny = |reason| ("deny", Some(reason));
    for (flood_at, flood, at, request, told) in [
        ("ours", &closed, "ours", &forged, deny("signature_invalid")),
        ("ours", &closed, "ours", &expired, deny("expired")),
        ("ours", &closed, "ours", &foreign, deny("issuer_unknown")),
        ("ours", &closed, "ours", &audience, deny("audience_not_allowed")),
        ("ours", &closed, "ours", &garbage, deny("token_form")),
        ("ours", &garbage, "ours", &closed, deny("route_denied")),
        ("ours", &closed, "other", &closed, deny("route_denied")),
        ("ours", &garbage, "other", &forged, deny("signature_invalid")),
        ("ours", &closed, "tried", &closed, ("would_deny", Some("route_denied"))),
        ("ours", &garbage, "tried", &forged, ("would_deny", Some("signature_invalid"))),
        ("tried", &closed, "ours", &closed, deny("route_denied")),
        ("all", &allowed, "all", &closed, deny("route_denied")),
        ("all", &closed, "all", &allowed, ("allow", None)),
    ] {
        wait_for_a_second();
        let mut log = DecisionLog::of(&envoy);
        let start = second();
        for _ in 0..FLOOD {
            envoy.answer(flood_at, flood);
        }
        envoy.answer(at, request);
        assert_eq!(second(), start, "the flood took longer than a second");
        let lines = log.read();
        let case = format!("{flood_at} {} before {at} {told:?}", flood.target);
        assert_eq!(lines.len(), 11, "{case}: {lines:#?}");
        let last = &lines[10];
        assert_eq!(
            (last["jwt_rbac"].as_str(), last["reason"].as_str()),
            (Some(told.0), told.1),
            "{case}"
        );
    }
}

/// However its header is spaced, and wherever it stands.
#[test]
fn no_token_is_in_the_log() {
    let mut secret = document("ALL");
    secret["jwtRules"][0]["fromCookies"] = json!(["session"]);
    secret["jwtRules"][0]["fromHeaders"] = json!([{"name": "authorization", "prefix": "Bearer "}]);
    let envoy = Envoy::before_upstream(&[ours("ours", &secret)], None);
    let mut log = DecisionLog::of(&envoy);
    for header in [
        r#"{"alg":"RS256"}"#,
        r#"{ "alg":"RS256"}"#,
        "{\n  \"alg\":\"RS256\"\n}",
        "{\r\n\"alg\":\"RS256\"}",
        "{\t\"alg\":\"RS256\"}",
        " {\"alg\":\"RS256\"}",
        "\n\n{ \"typ\":\"JWT\",\"alg\":\"RS256\"}",
    ] {
        let token = Recipe { raw_header: Some(header.to_owned()), ..Recipe::of_caller("user") };
        let token = token.mint();
        let carrying =
            |claim: &str, value: &str| Recipe::of_caller("user").claim(claim, value.into());
        let public = |recipe: &Recipe| Request::get("/public").bearer(&recipe.mint());
        let mut with_key_id = Recipe::of_caller("user");
        with_key_id.header.insert("kid".to_owned(), token.clone().into());
        for (request, place, shown) in [
            (Request::get(&format!("/closed/{token}/b")), "/path", "/closed/…/b"),
            (Request::get(&format!("/x{token}")), "/path", "/x…"),
            (Request::get("/closed").header("x-request-id", &token), "/request_id", "…"),
            (
                Request::get("/closed").header("x-request-id", &format!("id={token}; x")),
                "/request_id",
                "id=…; x",
            ),
            (public(&carrying("sub", &token)), "/subject", "…"),
            (public(&carrying("sub", &format!("a {token} b"))), "/subject", "a … b"),
            (
                public(&carrying("iss", &format!("https://{token}/"))),
                "/unverified/issuer",
                "https://…/",
            ),
            (public(&carrying("aud", &token)), "/unverified/audiences/0", "…"),
            (public(&with_key_id), "/unverified/key_id", "…"),
        ] {
            thread::sleep(PACE);
            envoy.answer("ours", &request);
            let line = log.read_one();
            let got = line.pointer(place).and_then(Value::as_str);
            assert_eq!(got, Some(shown), "{header:?} {place}: {line}");
            assert_none_of(&token, &line);
        }
    }
    // What stands in a location is a secret though it is no token.
    let opaque = "0f8fad5b-d9cb-469f-a165-70867728950e";
    let closed = |path: &str| Request::get(&format!("/closed{path}"));
    for (request, place, shown) in [
        (
            closed(&format!("/{opaque}/b")).header("cookie", &format!("session={opaque}")),
            "/path",
            "/closed/…/b",
        ),
        (closed(&format!("/{opaque}/b")).bearer(opaque), "/path", "/closed/…/b"),
        (
            closed("")
                .header("authorization", &format!("x Bearer {opaque}"))
                .header("x-request-id", opaque),
            "/request_id",
            "…",
        ),
        (
            closed("").bearer(&opaque.repeat(90)).header("x-request-id", &opaque.repeat(90)),
            "/request_id",
            "…",
        ),
    ] {
        thread::sleep(PACE);
        envoy.answer("ours", &request);
        let line = log.read_one();
        assert_eq!(line.pointer(place).and_then(Value::as_str), Some(shown), "{line}");
        assert_none_of(opaque, &line);
    }
}

#[test]
fn a_line_says_what_its_refusal_is_about() {
    let envoy = Envoy::before_upstream(&[ours("ours", &detailed())], None);
    let mut log = DecisionLog::of(&envoy);
    for (request, reason, told) in refused() {
        thread::sleep(PACE);
        envoy.answer("ours", &request);
        let line = log.read_one();
        assert_eq!(line["reason"], reason, "{line}");
        let mut told = told;
        // The key that signed is known in every refused token.
        let wanted = told.get_mut("unverified").and_then(Value::as_object_mut);
        if let (Some(wanted), Some(key_id)) = (wanted, line["unverified"].get("key_id")) {
            wanted.entry("key_id").or_insert_with(|| key_id.clone());
        }
        for (name, wanted) in told.as_object().expect("an object") {
            assert_eq!(&line[name], wanted, "{name} of {line}");
        }
    }
}

/// Requests, the reasons for which they are refused, and what the lines say of them.
fn refused() -> Vec<(Request, &'static str, Value)> {
    let other = || recipe().claim("iss", json!("https://other.example.com"));
    let mut unknown_key = recipe();
    unknown_key.header.insert("kid".to_owned(), "rotated-2".into());
    let tenant = "https://tenant.auth0.com/";
    vec![
        (
            ask("/public", &other()),
            "required_claim_missing",
            json!({"claim": "token_use", "provider": "other"}),
        ),
        (
            ask("/public", &other().claim("token_use", json!("access"))),
            "required_claim_missing",
            json!({"claim": "[org][id]", "provider": "other"}),
        ),
        (
            ask("/public", &recipe().claim("aud", json!(["x", "y"]))),
            "audience_not_allowed",
            json!({"provider": tenant, "unverified": {"issuer": tenant, "subject": "auth0|user", "audiences": ["x", "y"]}}),
        ),
        (
            ask("/public", &recipe().claim("sub", json!("a\nb"))),
            "header_unwritable",
            json!({"header": "x-sub"}),
        ),
        (
            ask("/public", &recipe().claim("nick", json!("a\u{0}"))),
            "header_unwritable",
            json!({"header": "x-nick"}),
        ),
        (
            ask("/public", &recipe().claim("groups", json!(["a,b"]))),
            "header_unwritable",
            json!({"header": "x-groups"}),
        ),
        (
            Request::new("DELETE", "/item/1"),
            "method_not_allowed",
            json!({"routes": ["read", "write"]}),
        ),
        (
            Request::new("POST", "/item/1?x=y"),
            "method_not_allowed",
            json!({"routes": ["read", "write"]}),
        ),
        (ask("/tenants/acme", &recipe()), "claim_mismatch", json!({"claim": "plan"})),
        (
            ask(
                "/tenants/acme",
                &recipe().claim("plan", json!("gold")).claim("org", json!({"tenant": "x"})),
            ),
            "claim_mismatch",
            json!({"claim": "[org][tenant]"}),
        ),
        (
            ask(
                "/mine",
                &other().claim("token_use", json!("access")).claim("org", json!({"id": 7})),
            ),
            "issuer_not_allowed",
            json!({"issuers": [tenant], "provider": "other"}),
        ),
        (
            ask("/item/1", &recipe()),
            "permission_missing",
            json!({"required": ["item:read"], "missing": ["item:read"]}),
        ),
        (
            ask("/either", &recipe()),
            "permission_missing",
            json!({"required_any": ["a", "b"], "missing": ["a", "b"]}),
        ),
        (
            ask("/public", &unknown_key),
            "key_unknown",
            json!({"provider": tenant, "unverified": {"issuer": tenant, "subject": "auth0|user", "key_id": "rotated-2"}}),
        ),
        (
            ask("/public", &recipe().claim("iss", json!("https://evil.test/"))),
            "issuer_unknown",
            json!({"unverified": {"issuer": "https://evil.test/", "subject": "auth0|user"}}),
        ),
    ]
}

#[test]
fn a_line_says_which_headers_were_not_written() {
    let envoy = Envoy::before_upstream(&[ours("ours", &detailed())], None);
    let mut log = DecisionLog::of(&envoy);
    for (request, told) in [
        (ask("/public", &recipe()), json!(["x-nick", "x-groups"])),
        (ask("/public", &recipe().claim("nick", json!("joe"))), json!(["x-groups"])),
        (ask("/public", &recipe().claim("nick", json!(""))), json!(["x-nick", "x-groups"])),
        (
            ask("/public", &recipe().claim("nick", json!("joe")).claim("groups", json!([]))),
            json!(["x-groups"]),
        ),
        (
            ask("/public", &recipe().claim("sub", Value::Null)),
            json!(["x-sub", "x-nick", "x-groups"]),
        ),
        (
            ask("/public", &recipe().claim("nick", json!("joe")).claim("groups", json!(["a"]))),
            Value::Null,
        ),
        (Request::get("/public"), Value::Null),
    ] {
        thread::sleep(PACE);
        assert_eq!(envoy.answer("ours", &request).status, 200);
        let line = log.read_one();
        assert_eq!((&line["jwt_rbac"], &line["not_written"]), (&json!("allow"), &told), "{line}");
    }
}

/// A document with something to say of each refusal.
fn detailed() -> Value {
    let mut detailed = json!({
        "jwtRules": [
            tokens::provider(),
            {"issuer": "https://other.example.com", "name": "other", "anyAudience": true,
             "jwks": tokens::provider()["jwks"],
             "requiredClaims": [{"claim": "token_use", "values": ["access"]}, {"claim": "[org][id]"}]},
        ],
        "routes": [
            {"name": "read", "paths": ["/item/{id}"], "methods": ["GET"], "permissions": ["item:read"]},
            {"name": "write", "paths": ["/item/{x}"], "methods": ["PUT"], "permissions": {"allOf": ["item:write", "item:read"]}},
            {"name": "either", "paths": ["/either"], "permissions": {"anyOf": ["a", "b"]}},
            {"name": "tenant", "paths": ["/tenants/{tenant}"],
             "claims": [{"claim": "plan", "values": ["gold"]}, {"claim": "[org][tenant]", "pathVariable": "tenant"}]},
            {"name": "mine", "paths": ["/mine"], "issuers": ["https://tenant.auth0.com/"]},
            {"name": "public", "paths": ["/public"], "access": "PUBLIC"},
        ],
        "decisionLog": "ALL",
    });
    detailed["jwtRules"][0]["outputClaimToHeaders"] = json!([
        {"header": "x-sub", "claim": "sub"},
        {"header": "x-nick", "claim": "nick"},
        {"header": "x-groups", "claim": "groups", "format": "LIST"},
    ]);
    detailed
}

fn recipe() -> Recipe {
    Recipe::of_caller("user")
}

fn ask(path: &str, recipe: &Recipe) -> Request {
    Request::get(path).bearer(&recipe.mint())
}

/// No run of the token's own characters that means something is shown.
fn assert_none_of(token: &str, line: &Value) {
    let shown = line.to_string();
    let window = token.as_bytes().windows(12);
    let leaked: Vec<_> =
        window.map(String::from_utf8_lossy).filter(|part| shown.contains(&**part)).collect();
    assert!(leaked.is_empty(), "{leaked:?} in {line}");
}

fn second() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is past 1970").as_secs()
}

/// Waits until a second begins.
fn wait_for_a_second() {
    let start = second();
    while second() == start {
        thread::sleep(Duration::from_millis(5));
    }
}
