//! `responses`: how a document wants denials to be answered.

use jwt_rbac_e2e::artifacts;
use jwt_rbac_e2e::challenge;
use jwt_rbac_e2e::client::{Request, Response};
use jwt_rbac_e2e::envoy::Envoy;
use jwt_rbac_e2e::listener::{self, DETAILS_HEADER};
use jwt_rbac_e2e::native;
use jwt_rbac_e2e::tokens::Recipe;
use jwt_rbac_e2e::upstream::Seen;
use serde_json::{Value, json};

const METADATA: &str = "https://api.example.com/.well-known/oauth-protected-resource";
const DENIED: &str = "RBAC: access denied";

/// As a client of the Model Context Protocol does it (its specification, "Authorization"), who
/// knows nothing but the address.
#[test]
fn a_client_finds_out_what_token_it_needs() {
    let envoy = start(&json!({
        "missingToken": {"status": 401},
        "forbidden": {"insufficientScope": true},
        "resourceMetadata": METADATA,
    }));
    let request = Request::get("/members");

    let response = send(&envoy, &request);
    assert_eq!(response.status, 401);
    assert_eq!(parameter(&response, "resource_metadata").as_deref(), Some(METADATA));
    assert_eq!(parameter(&response, "error"), None, "a client that sent no token made no error");
    let scope = parameter(&response, "scope").expect("a scope to ask for");

    // The user agrees to less than that.
    let response = send(&envoy, &request.clone().bearer(&with_scope("openid")));
    assert_eq!(response.status, 403);
    assert_eq!(parameter(&response, "error").as_deref(), Some("insufficient_scope"));
    assert_eq!(parameter(&response, "scope"), Some(scope.clone()));
    assert_eq!(parameter(&response, "resource_metadata").as_deref(), Some(METADATA));

    let response = send(&envoy, &request.clone().bearer(&with_scope(&scope)));
    assert_eq!(response.status, 200);
    let reached = Seen::of(&response).expect("the workload answered");
    assert_eq!(reached.path, "/members");

    let expired = Recipe::of_caller("user").claim("exp", json!("now-3600")).mint();
    let response = send(&envoy, &request.bearer(&expired));
    assert_eq!(response.status, 401);
    assert_eq!(parameter(&response, "error").as_deref(), Some("invalid_token"));
    assert_eq!(parameter(&response, "resource_metadata").as_deref(), Some(METADATA));
}

/// The native filter with a requirement that does not allow a token to be missing.
#[test]
fn a_missing_token_is_answered_as_by_the_native_filter() {
    let responses = json!({"missingToken": {"status": 401}});
    let plain = json!({"jwtRules": document(&responses)["jwtRules"]});
    let mut native = native::filters(&plain).expect("the pair has words for it");
    native[0]["typed_config"]["rules"][0]["requires"] = json!({"provider_name": "origins-0"});
    let envoy = Envoy::before_upstream(
        &[ours("ours", &responses), listener::listener("native", &native)],
        None,
    );
    for request in [
        Request::get("/members"),
        Request::get("/members?a=b"),
        Request::get("/members").header("authorization", "Basic dXNlcjpwYXNz"),
        Request::get("/members").header("host", "other.test:8080"),
        Request::new("HEAD", "/members"),
        grpc("/members"),
    ] {
        let [ours, theirs] = ["ours", "native"].map(|listener| {
            let response = envoy.answer(listener, &request);
            let mut headers = response.head.headers.clone();
            headers.retain(|(name, _)| name != "date");
            (response.status, headers, response.text())
        });
        assert_eq!(ours, theirs, "{request:?}");
        assert!(ours.1.iter().any(|(name, _)| name == "www-authenticate"), "{ours:?}");
    }
    // What no token would change is denied as before.
    for path in ["/closed", "/nowhere"] {
        assert_eq!(send(&envoy, &Request::get(path)).status, 403, "{path}");
    }
}

/// The challenge repeats the URL; a client can't add a parameter to it.
#[test]
fn a_client_adds_nothing_to_its_challenge() {
    let envoy = start(&json!({"missingToken": {"status": 401}, "resourceMetadata": METADATA}));
    for (sent, shown) in [
        ("x=\",resource_metadata=\"https://evil/", "x=%22,resource_metadata=%22https://evil/"),
        (
            "x\",error=\"insufficient_scope\",scope=\"admin",
            "x%22,error=%22insufficient_scope%22,scope=%22admin",
        ),
        ("\"", "%22"),
        ("a\\b", "a%5Cb"),
        ("a=\\\"", "a=%5C%22"),
        ("\\\",resource_metadata=\"https://evil/", "%5C%22,resource_metadata=%22https://evil/"),
    ] {
        let response = send(&envoy, &Request::get(&format!("/members?{sent}")));
        assert_eq!(response.status, 401, "{sent}");
        let challenge = format!(
            "Bearer realm=\"http://bookinfo.test/members?{shown}\", resource_metadata=\"{METADATA}\""
        );
        assert_eq!(response.header("www-authenticate"), Some(challenge), "{sent}");
    }
    // A request of HTTP/1.1 can name its target whole.
    let request = Request::get("/members").header("x-envoy-original-path", "/\",scope=\"admin");
    let challenge = send(&envoy, &request).header("www-authenticate").unwrap_or_default();
    assert_eq!(challenge.matches('"').count(), 4, "{challenge}");
}

#[test]
fn what_is_forbidden_can_be_hidden() {
    let envoy = start(&json!({"forbidden": {"status": 404}}));
    let token = Recipe::of_caller("user").mint();
    let mut answers = Vec::new();
    for (request, slug) in [
        (Request::get("/members"), "[members]{identity_missing}"),
        (Request::get("/members").bearer(&token), "[members]{permission_missing}"),
        (Request::get("/closed").bearer(&token), "[closed]{route_denied}"),
        (Request::get("/nowhere").bearer(&token), "[none]{route_unmatched}"),
        (Request::get("/a/../b"), "[none]{path_ambiguous}"),
    ] {
        let response = send(&envoy, &request);
        let details = response.header(DETAILS_HEADER).unwrap();
        assert!(details.ends_with(slug), "{details}");
        assert_eq!((response.status, response.text().as_str()), (404, ""));
        let varies = |name: &str| name == "date" || name == DETAILS_HEADER;
        let mut headers = response.head.headers.clone();
        headers.retain(|(name, _)| !varies(name));
        answers.push(headers);
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "they differ: {answers:#?}");
    let response = send(&envoy, &Request::get("/members").bearer("garbage"));
    assert_eq!(response.status, 401, "a bad token is no secret");
}

#[test]
fn bodies_have_the_form_that_the_document_asks_for() {
    let problems = ours(
        "problems",
        &json!({
            "missingToken": {"status": 401},
            "unauthenticated": {"format": "PROBLEM_JSON"},
            "forbidden": {"format": "PROBLEM_JSON"},
        }),
    );
    let hidden = ours("hidden", &json!({"forbidden": {"format": "PROBLEM_JSON", "status": 404}}));
    let html = "<p>Ask <b>ops</b> & wait: \u{20ac}</p>";
    let custom = ours(
        "custom",
        &json!({
            "unauthenticated": {"format": "CUSTOM", "body": "{\"login\":\"/\"}", "contentType": "application/json"},
            "forbidden": {"format": "CUSTOM", "body": html, "contentType": "text/html; charset=utf-8"},
        }),
    );
    let envoy = Envoy::before_upstream(&[problems, hidden, custom], None);
    let problem = |status: u16, title: &str, detail: &str| {
        json!({"type": "about:blank", "title": title, "status": status, "detail": detail})
            .to_string()
    };
    let without_detail = json!({"type": "about:blank", "title": "Not Found", "status": 404});
    let json = "application/problem+json";
    let form = "Jwt is not in the form of Header.Payload.Signature with two dots and 3 sections";
    let members = || Request::get("/members");
    let closed = || Request::get("/closed");
    for (listener, request, status, content_type, body) in [
        ("problems", members(), 401, json, problem(401, "Unauthorized", "Jwt is missing")),
        ("problems", members().bearer("x"), 401, json, problem(401, "Unauthorized", form)),
        ("problems", closed(), 403, json, problem(403, "Forbidden", DENIED)),
        ("hidden", closed(), 404, json, without_detail.to_string()),
        ("hidden", members().bearer("x"), 401, "text/plain", form.to_owned()),
        ("custom", members().bearer("x"), 401, "application/json", "{\"login\":\"/\"}".to_owned()),
        ("custom", closed(), 403, "text/html; charset=utf-8", html.to_owned()),
    ] {
        let response = envoy.answer(listener, &request);
        assert_eq!(response.status, status, "{request:?}");
        assert_eq!(response.header("content-type").as_deref(), Some(content_type));
        assert_eq!(String::from_utf8_lossy(&response.body), body);
        let length = body.len().to_string();
        assert_eq!(response.header("content-length"), Some(length.clone()));

        let head = envoy.answer(listener, &Request { method: "HEAD".to_owned(), ..request });
        assert_eq!((head.status, head.body.len()), (status, 0));
        assert_eq!(head.header("content-type").as_deref(), Some(content_type));
        assert_eq!(head.header("content-length"), Some(length));
    }
}

/// A gRPC client reads `grpc-message`, which is a sentence whatever bodies look like.
#[test]
fn grpc_gets_a_text() {
    let formatted = |name: &str, format: &Value| {
        let missing = json!({"status": 401});
        ours(
            name,
            &json!({"missingToken": missing, "unauthenticated": format, "forbidden": format}),
        )
    };
    let listeners = [
        formatted("problems", &json!({"format": "PROBLEM_JSON"})),
        formatted("custom", &json!({"format": "CUSTOM", "body": "<p>"})),
        ours("hidden", &json!({"forbidden": {"format": "PROBLEM_JSON", "status": 404}})),
    ];
    let envoy = Envoy::before_upstream(&listeners, None);
    let without = with_scope("openid");
    for (listener, request, status, text) in [
        ("problems", grpc("/members"), "16", "Jwt is missing"),
        ("problems", grpc("/members").bearer(&without), "7", DENIED),
        ("problems", grpc("/closed"), "7", DENIED),
        ("custom", grpc("/members"), "16", "Jwt is missing"),
        ("custom", grpc("/closed"), "7", DENIED),
        // 404 is UNIMPLEMENTED (gRPC, "HTTP to gRPC Status Code Mapping").
        ("hidden", grpc("/closed"), "12", ""),
    ] {
        let response = envoy.answer(listener, &request);
        assert_eq!((response.status, response.body.len()), (200, 0));
        assert_eq!(response.header("content-type").as_deref(), Some("application/grpc"));
        assert_eq!(response.header("grpc-status").as_deref(), Some(status));
        assert_eq!(response.header("grpc-message").unwrap_or_default(), text);
    }
}

#[test]
fn scripts_of_listed_origins_may_read_denials() {
    let envoy = start(&json!({"corsOrigins": ["https://app.example.com"]}));
    let from = |origin: &str| Request::get("/closed").header("origin", origin);
    let listed = "https://app.example.com";
    for request in [from(listed), from(listed).bearer("garbage")] {
        let response = send(&envoy, &request);
        assert!(matches!(response.status, 401 | 403));
        for (name, value) in [
            ("access-control-allow-origin", listed),
            ("access-control-allow-credentials", "true"),
            ("access-control-expose-headers", "www-authenticate"),
            ("vary", "origin"),
        ] {
            assert_eq!(response.header(name).as_deref(), Some(value));
        }
    }
    for origin in ["https://app.example.com.evil.test", "http://app.example.com", "null"] {
        let response = send(&envoy, &from(origin));
        assert_eq!(response.header("access-control-allow-origin"), None, "{origin}");
    }
}

/// A parameter of the challenge.
fn parameter(response: &Response, name: &str) -> Option<String> {
    let challenge = response.header("www-authenticate")?;
    let parameters = challenge::parameters(&challenge).expect("a challenge");
    parameters.into_iter().find_map(|(found, value)| (found == name).then_some(value))
}

fn with_scope(scope: &str) -> String {
    Recipe::of_caller("user").claim("scope", json!(scope)).mint()
}

fn grpc(path: &str) -> Request {
    Request::new("POST", path).header("content-type", "application/grpc").header("te", "trailers")
}

fn document(responses: &Value) -> Value {
    json!({
        "jwtRules": [{
            "issuer": "https://tenant.auth0.com/",
            "audiences": ["https://bookinfo.io"],
            "jwks": artifacts::jwks(),
            "permissionClaims": ["scope"],
        }],
        "routes": [
            {"name": "members", "paths": ["/members"],
             "permissions": {"allOf": ["see:members", "list:members"]}},
            {"name": "closed", "paths": ["/closed"], "access": "DENIED"},
        ],
        "responses": responses,
    })
}

fn start(responses: &Value) -> Envoy {
    Envoy::before_upstream(&[ours("ours", responses)], None)
}

fn ours(name: &str, responses: &Value) -> Value {
    listener::ours(name, &document(responses))
}

fn send(envoy: &Envoy, request: &Request) -> Response {
    envoy.answer("ours", request)
}
