//! Replies under every option of `responses`.

#![cfg(test)]

mod once;

use jwt_rbac::document::Document;
use jwt_rbac::refusal::Refusal;
use jwt_rbac::request::{Header, Request};
use jwt_rbac::response::{LocalReply, local_reply};
use serde_json::{Value, json};

use once::{compile, decide_once};

fn document(responses: &Value) -> Document {
    let jwks: Value = serde_json::from_str(include_str!("../testdata/jwks.json")).unwrap();
    compile(&json!({
        "jwtRules": [{"issuer": "https://a.test", "audiences": ["me"], "jwks": jwks}],
        "routes": [
            {"name": "a", "paths": ["/a"], "permissions": {"allOf": ["r:a", "w a"], "anyOf": ["x", "y"]}},
            {"paths": ["/open"], "access": "PUBLIC"},
        ],
        "responses": responses,
    }))
}

/// The reply to a request with these lines beside those of `GET https://me.test/…`.
fn reply_to(responses: &Value, target: &str, lines: &[Header<'_>]) -> LocalReply {
    let document = document(responses);
    let mut headers: Vec<Header<'_>> = vec![
        (b":method", b"GET"),
        (b":scheme", b"https"),
        (b":authority", b"me.test"),
        (b":path", target.as_bytes()),
    ];
    headers.extend(lines);
    let request = Request::read(&headers).unwrap();
    let decision = decide_once(&document, &request, 0);
    let refusal = decision.verdict.refusal().expect("denied");
    local_reply(refusal, &decision, Some(&document), Some(&request))
}

fn header<'r>(reply: &'r LocalReply, name: &str) -> Option<&'r str> {
    let found = reply.headers.iter().find(|(known, _)| *known == name);
    found.map(|(_, value)| std::str::from_utf8(value).unwrap())
}

const BAD_TOKEN: &[Header<'_>] = &[(b"authorization", b"Bearer x")];

#[test]
fn the_default_is_that_of_the_native_filters() {
    let denied = reply_to(&json!({}), "/a", &[]);
    let expected = LocalReply {
        status: 403,
        details: "rbac_access_denied_matched_policy[a]{identity_missing}".into(),
        headers: Vec::new(),
        body: "RBAC: access denied".into(),
    };
    assert_eq!(denied, expected);
    let refused = reply_to(&json!({}), "/open?q", BAD_TOKEN);
    let challenge = "Bearer realm=\"https://me.test/open?q\", error=\"invalid_token\"";
    assert_eq!(header(&refused, "www-authenticate"), Some(challenge));
    assert_eq!((refused.status, refused.headers.len()), (401, 1));
    assert!(refused.details.starts_with("jwt_authn_access_denied{Jwt_is_not_in_the_form_of_"));
}

#[test]
fn the_realm_is_short_and_holds_no_token() {
    let refused = reply_to(&json!({}), "/open?access_token=x&b", &[]);
    let challenge = "Bearer realm=\"https://me.test/open\", error=\"invalid_token\"";
    assert_eq!(header(&refused, "www-authenticate"), Some(challenge));
    let token = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJqb2UifQ.c2ln";
    for (target, shown) in [
        ("/open?;access_token=opaque", "/open"),
        ("/open?x;access%u005ftoken=opaque&b", "/open"),
        (&format!("/open?x={token}&b"), "/open?x="),
    ] {
        let refused = reply_to(&json!({}), target, BAD_TOKEN);
        let challenge = header(&refused, "www-authenticate").unwrap();
        let start = format!("Bearer realm=\"https://me.test{shown}\"");
        assert!(challenge.starts_with(&start), "{target}: {challenge}");
    }
    let long = format!("/open?{}", "q".repeat(300));
    let refused = reply_to(&json!({}), &long, BAD_TOKEN);
    let challenge = header(&refused, "www-authenticate").unwrap();
    assert!(
        challenge.starts_with(&format!("Bearer realm=\"https://me.test{}\"", long.split_at(256).0))
    );
}

#[test]
fn the_realm_is_what_the_client_asked_for() {
    for (path, shown) in [
        ("/before?access_token=x", "/before"),
        ("/before/eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJqb2UifQ.c2ln/after", "/before/"),
    ] {
        let lines: &[Header<'_>] =
            &[(b"authorization", b"Bearer x"), (b"x-envoy-original-path", path.as_bytes())];
        let refused = reply_to(&json!({}), "/open", lines);
        let challenge = format!("Bearer realm=\"https://me.test{shown}\", error=\"invalid_token\"");
        assert_eq!(header(&refused, "www-authenticate"), Some(&*challenge));
    }
}

#[test]
fn a_missing_token_can_be_challenged() {
    let responses = json!({
        "missingToken": {"status": 401},
        "resourceMetadata": "https://me.test/.well-known/oauth-protected-resource",
    });
    let reply = reply_to(&responses, "/a", &[]);
    assert_eq!((reply.status, &*reply.body), (401, "Jwt is missing"));
    assert_eq!(reply.details, "jwt_authn_access_denied{Jwt_is_missing}");
    let challenge = "Bearer realm=\"https://me.test/a\", \
                     resource_metadata=\"https://me.test/.well-known/oauth-protected-resource\"";
    assert_eq!(header(&reply, "www-authenticate"), Some(challenge));
    // What no route has is not about the token.
    assert_eq!(reply_to(&responses, "/b", &[]).status, 403);
}

#[test]
fn a_scope_names_what_is_enough() {
    let responses =
        json!({"missingToken": {"status": 401}, "forbidden": {"insufficientScope": true}});
    let reply = reply_to(&responses, "/a", &[]);
    // `w a` can't be part of a scope.
    let challenge = "Bearer realm=\"https://me.test/a\", scope=\"r:a x\"";
    assert_eq!(header(&reply, "www-authenticate"), Some(challenge));
}

#[test]
fn a_denial_can_be_hidden() {
    let text = reply_to(&json!({"forbidden": {"status": 404}}), "/a", &[]);
    assert_eq!((text.status, &*text.body, text.headers.len()), (404, "", 0));
    let responses = json!({"forbidden": {"status": 404, "format": "PROBLEM_JSON"}});
    let problem = reply_to(&responses, "/a", &[]);
    let expected = json!({"type": "about:blank", "title": "Not Found", "status": 404});
    assert_eq!(serde_json::from_str::<Value>(&problem.body).unwrap(), expected);
}

#[test]
fn bodies_have_forms() {
    let responses = json!({
        "unauthenticated": {"format": "PROBLEM_JSON"},
        "forbidden": {"format": "CUSTOM", "body": "<p>no</p>", "contentType": "text/html"},
    });
    let refused = reply_to(&responses, "/open", BAD_TOKEN);
    let problem: Value = serde_json::from_str(&refused.body).unwrap();
    assert_eq!((&problem["title"], &problem["status"]), (&json!("Unauthorized"), &json!(401)));
    assert_eq!(problem["detail"], refused_text());
    assert_eq!(header(&refused, "content-type"), Some("application/problem+json"));
    let denied = reply_to(&responses, "/a", &[]);
    assert_eq!((&*denied.body, header(&denied, "content-type")), ("<p>no</p>", Some("text/html")));
    let grpc: &[Header<'_>] = &[(b"content-type", b"application/grpc+proto")];
    assert_eq!(reply_to(&responses, "/a", grpc).body, "RBAC: access denied");
}

fn refused_text() -> &'static str {
    Refusal::TokenForm.text()
}

#[test]
fn listed_origins_may_read_the_reply() {
    let responses = json!({"corsOrigins": ["https://app.test"]});
    let reply = reply_to(&responses, "/a", &[(b"origin", b"https://app.test")]);
    assert_eq!(header(&reply, "access-control-allow-origin"), Some("https://app.test"));
    assert_eq!(header(&reply, "vary"), Some("origin"));
    for origin in ["https://app.test:8443", "https://other.test", "null", ""] {
        let reply = reply_to(&responses, "/a", &[(b"origin", origin.as_bytes())]);
        assert_eq!(reply.headers, [("vary", b"origin".to_vec())], "{origin}");
    }
}
