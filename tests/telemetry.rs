//! What is said about decisions, and how often.

#![cfg(test)]

mod once;

use jwt_rbac::decision::{Decision, Verdict, decide};
use jwt_rbac::document::{DecisionLog, Document};
use jwt_rbac::mask;
use jwt_rbac::refusal::Refusal;
use jwt_rbac::request::{Header, Request};
use jwt_rbac::telemetry::{LineLimits, claim_states, is_logged, line, summary};
use jwt_rbac::worker::Worker;
use serde_json::{Value, json};

use once::{compile, decide_once};

const NOW: u64 = 1_800_000_000;

fn value() -> Value {
    let jwks: Value = serde_json::from_str(include_str!("../testdata/jwks.json")).unwrap();
    json!({
        "jwtRules": [
            {"name": "a", "issuer": "https://a.test", "audiences": ["me"], "jwks": jwks},
        ],
        "routes": [
            {"name": "reviews", "paths": ["/reviews"],
             "permissions": {"allOf": ["read", "list"], "anyOf": ["x", "y"]}},
            {"name": "tenant", "paths": ["/t/{t}"], "claims": [{"claim": "[org][t]", "pathVariable": "t"}]},
        ],
    })
}

fn document() -> Document {
    compile(&value())
}

fn token(claims: &Value) -> String {
    let key = include_bytes!("../testdata/keys/rs256.pem");
    let key = jsonwebtoken::EncodingKey::from_rsa_pem(key).unwrap();
    let header = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::RS256);
    jsonwebtoken::encode(&header, claims, &key).unwrap()
}

fn line_about(path: &str, token: Option<&str>, suppressed: u64) -> Value {
    let document = document();
    let credential = token.map(|token| format!("Bearer {token}"));
    let mut headers: Vec<Header<'_>> = vec![
        (b":method", b"GET"),
        (b":path", path.as_bytes()),
        (b":authority", b"me.test"),
        (b"x-request-id", b"id-1"),
    ];
    headers.extend(credential.as_ref().map(|value| (&b"authorization"[..], value.as_bytes())));
    let request = Request::read(&headers).unwrap();
    let line = line(&decide_once(&document, &request, NOW), &document, &request, suppressed);
    assert!(!line.contains('\n'), "{line}");
    if let Some(token) = token {
        assert!(!line.contains(token.rsplit('.').next().unwrap()), "a signature is in {line}");
    }
    serde_json::from_str(&line).unwrap()
}

#[test]
fn a_missing_permission_is_named() {
    let claims = json!({
        "iss": "https://a.test", "aud": "me", "sub": "joe", "exp": NOW, "permissions": ["read"],
        "secret": "not for logs",
    });
    let expected = json!({
        "jwt_rbac": "deny",
        "status": 403,
        "reason": "permission_missing",
        "rule": "reviews",
        "provider": "a",
        "subject": "joe",
        "required": ["read", "list"],
        "required_any": ["x", "y"],
        "missing": ["list", "x", "y"],
        "method": "GET",
        "host": "me.test",
        "path": "/reviews",
        "request_id": "id-1",
        "remedy": Refusal::PermissionMissing.remedy(),
    });
    assert_eq!(line_about("/reviews?q=secret", Some(&token(&claims)), 0), expected);
}

#[test]
fn a_claim_is_named_but_not_its_value() {
    let claims =
        json!({"iss": "https://a.test", "aud": "me", "exp": NOW, "org": {"t": "not for logs"}});
    let line = line_about("/t/acme", Some(&token(&claims)), 0);
    assert_eq!((&line["reason"], &line["claim"]), (&json!("claim_mismatch"), &json!("[org][t]")));
    assert!(!line.to_string().contains("not for logs"));
}

#[test]
fn claims_that_the_document_names_are_shown_if_they_are_verified() {
    let mut value = value();
    value["logClaims"] = json!(["tenant", "[org][id]", "scope", "absent"]);
    let document = compile(&value);
    let mut claims = json!({
        "iss": "https://a.test", "aud": "me", "exp": NOW, "scope": "read:a read:b",
        "tenant": "a\r\nb \"c\"", "org": {"id": 7, "secret": "not for logs"},
    });
    let expected = json!({"tenant": "a\r\nb \"c\"", "[org][id]": "7", "scope": "read:a,read:b"});
    let states = [("tenant", "a__b__c_"), ("org.id", "7"), ("scope", "read:a,read:b")]
        .map(|(name, text)| (format!("jwt_rbac_claim.{name}"), text.to_owned()));
    let mut worker = Worker::new(&document);
    let mut told = |claims: &Value| {
        let credential = format!("Bearer {}", token(claims));
        let headers: [Header<'_>; 4] = [
            (b":authority", b"me.test"),
            (b":method", b"GET"),
            (b":path", b"/reviews"),
            (b"authorization", credential.as_bytes()),
        ];
        let request = Request::read(&headers).unwrap();
        let decision = decide(&document, &mut worker, &request, NOW);
        let states = claim_states(&decision, &document);
        let states: Vec<_> =
            states.map(|(name, text)| (name.to_owned(), text.into_owned())).collect();
        let line: Value = serde_json::from_str(&line(&decision, &document, &request, 0)).unwrap();
        (line["claims"].clone(), states)
    };
    // The second time the token is in the cache.
    for _ in 0..2 {
        assert_eq!(told(&claims), (expected.clone(), states.to_vec()));
    }
    claims["aud"] = "somebody else".into();
    assert_eq!(told(&claims), (Value::Null, Vec::new()), "of a refused token nothing is shown");
}

#[test]
fn what_nobody_verified_is_called_so() {
    let claims = json!({"iss": "https://b.test", "sub": "mallory", "aud": "me", "exp": NOW});
    let line = line_about("/reviews", Some(&token(&claims)), 0);
    assert_eq!(line["unverified"], json!({"issuer": "https://b.test", "subject": "mallory"}));
    assert_eq!((line.get("subject"), line.get("provider")), (None, None));
    assert!(line_about("/reviews", Some("opaque-token"), 0).get("unverified").is_none());
}

#[test]
fn clients_can_neither_break_nor_stretch_a_line() {
    let path = format!("/a\n\"\u{1b}[31m{}", "é".repeat(200));
    let line = line_about(&path, None, 7);
    let shown_path = line["path"].as_str().unwrap();
    assert!(shown_path.starts_with("/a\n\"\u{1b}[31m") && shown_path.len() <= mask::MAX_SHOWN + 8);
    assert_eq!(line["suppressed"], 7);
    assert_eq!(mask::shown(b"\xff\xfe", &[]), "\u{fffd}\u{fffd}");
    let text = "a\u{85}\u{2028}\u{202e}b".as_bytes();
    assert_eq!(mask::shown(text, &[]), "a\u{fffd}\u{fffd}\u{fffd}b");
}

#[test]
fn what_looks_like_a_token_is_left_out() {
    let token = token(&json!({"iss": "https://a.test"}));
    let line = line_about(&format!("/a;access_token={token}"), None, 0);
    assert_eq!(line["path"], "/a;access_token=…");
    let line = line_about("/a/opaque-token/b", Some("opaque-token"), 0);
    assert_eq!(line["path"], "/a/…/b", "whatever a location holds is a secret");
}

#[test]
fn access_logs_get_four_words() {
    let document = document();
    let claims = json!({"iss": "https://a.test", "aud": "me", "exp": NOW, "sub": "a\r\nb"});
    let credential = format!("Bearer {}", token(&claims));
    let headers: [Header<'_>; 4] = [
        (b":authority", b"me.test"),
        (b":method", b"GET"),
        (b":path", b"/reviews"),
        (b"authorization", credential.as_bytes()),
    ];
    let decision = decide_once(&document, &Request::read(&headers).unwrap(), NOW);
    assert_eq!(summary(&decision), "deny permission_missing reviews a__b");
    let unknown = Decision::deny(Refusal::DocumentMissing);
    assert_eq!(summary(&unknown), "deny document_missing - -");
}

#[test]
fn ten_lines_a_second_of_each_kind() {
    let mut budgets = LineLimits::default();
    let mut granted = |refusal: Refusal, now, asked| -> Vec<u64> {
        let verdict = Verdict::Deny(refusal.into());
        (0..asked).filter_map(|_| budgets.take(&verdict, now)).collect()
    };
    assert_eq!(granted(Refusal::RouteDenied, 1, 25), [0; 10]);
    assert_eq!(granted(Refusal::SignatureInvalid, 1, 1), [0], "a flood hides no other kind");
    let next = granted(Refusal::IdentityMissing, 2, 2);
    assert_eq!(next, [15, 0]);
}

#[test]
fn decisions_are_logged_as_the_document_says() {
    let deny = Decision::deny(Refusal::RouteDenied);
    for (log, expected) in
        [(DecisionLog::All, true), (DecisionLog::Denials, true), (DecisionLog::Off, false)]
    {
        assert_eq!(is_logged(log, &deny), expected);
    }
}
