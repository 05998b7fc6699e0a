//! Decisions about whole requests, with tokens that an independent library has signed.

#![cfg(test)]

mod once;

use jsonwebtoken::{Algorithm, EncodingKey, Header as TokenHeader};
use jwt_rbac::authz::Permit;
use jwt_rbac::decision::{Decision, Verdict, decide};
use jwt_rbac::document::Document;
use jwt_rbac::forward::{self, HeaderChange};
use jwt_rbac::refusal::Refusal;
use jwt_rbac::request::{Header, Request};
use jwt_rbac::worker::Worker;
use serde_json::{Value, json};

use once::{compile, decide_once};

const NOW: u64 = 1_800_000_000;

fn rule(issuer: &str) -> Value {
    let jwks: Value = serde_json::from_str(include_str!("../testdata/jwks.json")).unwrap();
    json!({"issuer": issuer, "audiences": ["me"], "jwks": jwks})
}

fn bookinfo_rule() -> Value {
    let mut rule = rule("https://a.test");
    rule["roleClaims"] = json!(["roles"]);
    rule["rolePermissions"] = json!({"moderator": ["read:reviews"]});
    rule["outputClaimToHeaders"] = json!([{"header": "x-sub", "claim": "sub"}]);
    rule
}

fn bookinfo() -> Document {
    compile(&json!({
        "jwtRules": [bookinfo_rule()],
        "routes": [
            {"name": "open", "paths": ["/"], "access": "PUBLIC"},
            {"name": "closed", "paths": ["/closed"], "access": "DENIED"},
            {"name": "reviews", "paths": ["/reviews/{id}"], "methods": ["GET"],
             "permissions": ["read:reviews"]},
            {"name": "tenant", "paths": ["/tenants/{tenant}"],
             "claims": [{"claim": "tenant", "pathVariable": "tenant"}]},
        ],
    }))
}

fn claims() -> Value {
    json!({
        "iss": "https://a.test", "aud": "me", "sub": "joe", "exp": NOW + 60,
        "permissions": ["read:reviews"], "tenant": "acme",
    })
}

/// Signs the claims of [`claims`] with these changes; null removes a claim.
fn token(changes: &Value) -> String {
    let mut claims = claims();
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
            value => claims[name] = value.clone(),
        }
    }
    let key = EncodingKey::from_rsa_pem(include_bytes!("../testdata/keys/rs256.pem")).unwrap();
    jsonwebtoken::encode(&TokenHeader::new(Algorithm::RS256), &claims, &key).unwrap()
}

fn decide_about(
    document: &Document,
    request: (&str, &str),
    token: Option<&str>,
) -> Result<(), (&'static str, Option<String>)> {
    let credential = token.map(|token| format!("Bearer {token}"));
    let mut headers: Vec<Header<'_>> = vec![
        (b":authority", b"me.test"),
        (b":method", request.0.as_bytes()),
        (b":path", request.1.as_bytes()),
    ];
    headers.extend(credential.as_ref().map(|value| (&b"authorization"[..], value.as_bytes())));
    let decision = decide_once(document, &Request::read(&headers).unwrap(), NOW);
    let rule = decision.rule().map(str::to_owned);
    permit(decision).map(|_| ()).map_err(|refusal| (refusal.slug(), rule))
}

/// The permit of a request that is allowed, or why it is denied.
fn permit(decision: Decision<'_, '_>) -> Result<Permit, Refusal> {
    match decision.verdict {
        Verdict::Allow(permit) => Ok(permit),
        Verdict::Deny(denial) => Err(denial.refusal),
        Verdict::WouldDeny(..) | Verdict::Wait => panic!("no dry run, no fetched keys"),
    }
}

fn slug(request: (&str, &str), changes: &Value) -> &'static str {
    let decision = decide_about(&bookinfo(), request, Some(&token(changes)));
    decision.err().map_or("allowed", |(slug, _)| slug)
}

const REVIEWS: (&str, &str) = ("GET", "/reviews/0");

#[test]
fn permissions_open_routes() {
    assert_eq!(slug(REVIEWS, &json!({})), "allowed");
    assert_eq!(slug(REVIEWS, &json!({"permissions": null, "roles": "moderator"})), "allowed");
    assert_eq!(slug(REVIEWS, &json!({"permissions": null})), "permission_missing");
    assert_eq!(slug(REVIEWS, &json!({"permissions": {"read:reviews": true}})), "claim_malformed");
    assert_eq!(slug(("GET", "/closed"), &json!({})), "route_denied");
    assert_eq!(slug(("GET", "/tenants/acme"), &json!({})), "allowed");
    assert_eq!(slug(("GET", "/tenants/other"), &json!({})), "claim_mismatch");
}

#[test]
fn denials_name_the_rule() {
    let document = bookinfo();
    let denied = |request| decide_about(&document, request, None).unwrap_err();
    assert_eq!(denied(REVIEWS), ("identity_missing", Some("reviews".to_owned())));
    assert_eq!(denied(("POST", "/reviews/0")), ("method_not_allowed", None));
    assert_eq!(denied(("GET", "/other")), ("route_unmatched", None));
    assert_eq!(denied(("CONNECT", "/")), ("connect_refused", None));
}

#[test]
fn the_table_denies_before_the_token_is_looked_at() {
    let document = bookinfo();
    assert_eq!(
        decide_about(&document, ("GET", "/other"), Some("x")).unwrap_err().0,
        "route_unmatched"
    );
    assert_eq!(decide_about(&document, ("GET", "/"), Some("x")).unwrap_err().0, "token_form");
    assert_eq!(decide_about(&document, ("GET", "/"), None), Ok(()));
}

#[test]
fn tokens_are_checked_in_order() {
    for (changes, expected) in [
        (json!({"iss": "https://b.test", "exp": 1}), "issuer_unknown"),
        (json!({"iss": null}), "issuer_unknown"),
        (json!({"nbf": NOW + 61, "exp": 1}), "not_yet_valid"),
        (json!({"nbf": NOW + 60}), "allowed"),
        (json!({"exp": NOW - 61, "aud": "you"}), "expired"),
        (json!({"exp": NOW - 60}), "allowed"),
        (json!({"exp": 0}), "expired"),
        (json!({"aud": "you", "exp": null}), "audience_not_allowed"),
        (json!({"aud": null}), "audience_not_allowed"),
        (json!({"aud": ["you", "https://me/"]}), "allowed"),
        (json!({"exp": null}), "expiration_missing"),
    ] {
        assert_eq!(slug(REVIEWS, &changes), expected, "{changes}");
    }
    let mut forged = token(&json!({}));
    forged.replace_range(forged.len() - 8.., "AAAAAAAA");
    let denied = decide_about(&bookinfo(), REVIEWS, Some(&forged)).unwrap_err();
    assert_eq!(denied, ("signature_invalid", Some("reviews".to_owned())));
}

#[test]
fn an_issuer_that_one_rule_names_is_not_accepted_by_another() {
    let mut any_issuer = rule("x");
    any_issuer.as_object_mut().unwrap().remove("issuer");
    let mut named = rule("https://a.test");
    named["audiences"] = json!(["somebody else"]);
    let document = compile(&json!({
        "jwtRules": [any_issuer, named],
        "routes": [{"paths": ["/"], "access": "AUTHENTICATED"}],
    }));
    let decide_with = |changes| decide_about(&document, ("GET", "/"), Some(&token(&changes)));
    assert_eq!(decide_with(json!({})).unwrap_err().0, "audience_not_allowed");
    assert_eq!(decide_with(json!({"iss": "https://c.test"})), Ok(()));
    assert_eq!(decide_with(json!({"iss": null})), Ok(()));
}

#[test]
fn of_several_rules_with_one_issuer_the_first_success_counts() {
    let mut first = rule("https://a.test");
    first["audiences"] = json!(["first"]);
    let document = compile(&json!({
        "jwtRules": [first, rule("https://a.test")],
        "routes": [{"paths": ["/"], "access": "AUTHENTICATED"}],
    }));
    let decide_with = |changes| decide_about(&document, ("GET", "/"), Some(&token(&changes)));
    assert_eq!(decide_with(json!({"aud": "first"})), Ok(()));
    assert_eq!(decide_with(json!({"aud": "me"})), Ok(()));
    assert_eq!(decide_with(json!({"aud": "you"})).unwrap_err().0, "audience_not_allowed");
}

/// The trailers that are removed from the request of these headers.
fn removed_trailers<'a>(
    document: &Document,
    headers: &[Header<'_>],
    trailers: &[Header<'a>],
) -> Vec<&'a [u8]> {
    let request = Request::read(headers).unwrap();
    let permit = permit(decide_once(document, &request, NOW)).unwrap();
    forward::removed_trailers(document, &permit, trailers)
}

/// What the workload receives of a request, as `name: value` lines of what is removed and set.
fn changes(document: &Document, headers: &[Header<'_>]) -> Vec<String> {
    let request = Request::read(headers).unwrap();
    let permit = permit(decide_once(document, &request, NOW)).unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let changes = forward::changes(document, &request, &permit);
    changes
        .iter()
        .map(|change| match change {
            HeaderChange::Remove(name) => format!("-{}", text(name)),
            HeaderChange::Replace(name, value) => format!("{name}: {}", text(value)),
        })
        .collect()
}

#[test]
fn output_headers_of_clients_are_always_removed() {
    let document = bookinfo();
    let forged: [Header<'_>; 3] =
        [(b"x-sub", b"admin"), (b"x_sub", b"admin"), (b"x-http-method-override", b"DELETE")];
    let mut anonymous: Vec<Header<'_>> =
        vec![(b":authority", b"me.test"), (b":method", b"GET"), (b":path", b"/")];
    anonymous.extend(forged);
    let removed = ["-x-sub", "-x_sub", "-x-http-method-override"];
    assert_eq!(changes(&document, &anonymous), removed);

    let credential = format!("Bearer {}", token(&json!({})));
    let mut user: Vec<Header<'_>> =
        vec![(b":authority", b"me.test"), (b":method", b"GET"), (b":path", b"/")];
    user.extend(forged);
    user.push((b"authorization", credential.as_bytes()));
    let expected = [&removed[..], &["-authorization", "x-sub: joe"]].concat();
    assert_eq!(changes(&document, &user), expected);
}

/// Whatever lets a request through, only the filter writes the header of the fence.
#[test]
fn every_request_that_passes_has_the_fence_and_no_client_does() {
    let fenced = |mut value: Value| {
        value["fence"] = json!({"header": "x-fence", "value": "3f9c01d7a2b4e688"});
        compile(&value)
    };
    let table = json!({"routes": [
        {"paths": ["/"], "access": "PUBLIC"},
        {"paths": ["/ignored"], "access": "PUBLIC", "token": "IGNORE"},
    ]});
    let with = |field: &str, value: Value| {
        let mut table = table.clone();
        table[field] = value;
        fenced(table)
    };
    let forged: [Header<'_>; 3] =
        [(b"x-fence", b"3f9c01d7a2b4e688"), (b"x_fence", b"a"), (b"grpc-metadata-x-fence", b"a")];
    let preflight: [Header<'_>; 2] =
        [(b"origin", b"https://app.test"), (b"access-control-request-method", b"GET")];
    for (document, method, path, more) in [
        (fenced(table.clone()), "GET", "/", &[][..]),
        (fenced(table.clone()), "GET", "/ignored", &[][..]),
        (with("corsPreflight", json!("ALLOW")), "OPTIONS", "/", &preflight[..]),
        (with("unmatchedRoutes", json!("ALLOW")), "GET", "/other", &[][..]),
        (fenced(json!({"jwtRules": [rule("https://a.test")]})), "GET", "/", &[][..]),
    ] {
        let mut headers: Vec<Header<'_>> = vec![
            (b":authority", b"me.test"),
            (b":method", method.as_bytes()),
            (b":path", path.as_bytes()),
        ];
        headers.extend(more);
        headers.extend(forged);
        let expected =
            ["-x-fence", "-x_fence", "-grpc-metadata-x-fence", "x-fence: 3f9c01d7a2b4e688"];
        assert_eq!(changes(&document, &headers), expected, "{method} {path}");
        let trailers: [Header<'_>; 2] = [(b"X_Fence", b"a"), (b"x-other", b"b")];
        assert_eq!(removed_trailers(&document, &headers, &trailers), [&b"X_Fence"[..]]);
    }
}

#[test]
fn no_trailer_contradicts_a_header_that_was_compared() {
    let document = compile(&json!({
        "jwtRules": [rule("https://a.test")],
        "routes": [
            {"paths": ["/a"], "claims": [{"claim": "tenant", "header": "x-tenant"}]},
            {"paths": ["/"], "access": "PUBLIC"},
        ],
        "authorizationPolicies": [
            {"name": "a", "action": "DENY", "rules": [
                {"when": [{"key": "request.headers[x-bad]", "values": ["evil"]}]},
            ]},
            {"name": "b", "action": "DENY", "rules": [
                {"when": [{"key": "request.headers[upgrade]", "values": ["tcp"]}]},
            ]},
        ],
    }));
    let connection = |value: &'static [u8]| -> Vec<Header<'static>> {
        vec![
            (b":authority", b"me.test"),
            (b":method", b"GET"),
            (b":path", b"/"),
            (b"connection", value),
        ]
    };
    let headers = connection(b"upgrade, X-Tenant");
    let trailers: [Header<'_>; 3] = [(b"X_Tenant", b"b"), (b"x-bad", b"evil"), (b"x-sum", b"1")];
    assert_eq!(removed_trailers(&document, &headers, &trailers), [&b"X_Tenant"[..], b"x-bad"]);
    assert_eq!(changes(&document, &headers), ["connection: upgrade"]);
    assert_eq!(changes(&document, &connection(b"Upgrade")), [""; 0]);
}

#[test]
fn a_claim_that_no_header_can_hold_denies() {
    assert_eq!(slug(REVIEWS, &json!({"sub": "a\r\nx-admin: 1"})), "header_unwritable");
    assert_eq!(
        slug(REVIEWS, &json!({"sub": "a\0", "permissions": null})),
        "permission_missing",
        "the header is judged last"
    );
}

#[test]
fn preflights_are_anonymous() {
    let preflight = |path: &'static str| -> Vec<Header<'static>> {
        vec![
            (b":authority", b"me.test"),
            (b":method", b"OPTIONS"),
            (b":path", path.as_bytes()),
            (b"origin", b"https://app.test"),
            (b"access-control-request-method", b"GET"),
            (b"authorization", b"Bearer not-a-token"),
        ]
    };
    let decide_about = |document: &Document, path| {
        let headers = preflight(path);
        let request = Request::read(&headers).unwrap();
        permit(decide_once(document, &request, NOW)).map(|_| ())
    };
    let mut table = json!({"routes": [{"paths": ["/a"], "methods": ["GET"], "access": "PUBLIC"}]});
    let authorize = compile(&table);
    assert_eq!(decide_about(&authorize, "/a"), Err(Refusal::MethodNotAllowed));
    table["corsPreflight"] = json!("ALLOW");
    let allow = compile(&table);
    assert_eq!(decide_about(&allow, "/a"), Ok(()));
    assert_eq!(decide_about(&allow, "/b"), Err(Refusal::RouteUnmatched));
    assert_eq!(decide_about(&allow, "//a"), Err(Refusal::PathAmbiguous));
    let document = bookinfo();
    assert_eq!(decide_about(&document, "/"), Ok(()));
    assert_eq!(changes(&document, &preflight("/")), ["-authorization"]);
}

#[test]
fn without_a_table_there_is_only_authentication() {
    let document = compile(&json!({"jwtRules": [rule("https://a.test")]}));
    assert_eq!(decide_about(&document, ("GET", "//a/../b"), None), Ok(()));
    assert_eq!(decide_about(&document, ("GET", "/"), Some("x")).unwrap_err().0, "token_form");
}

#[test]
fn an_empty_table_denies_everything() {
    let document = compile(&json!({"routes": []}));
    assert_eq!(decide_about(&document, ("GET", "/"), None).unwrap_err().0, "route_unmatched");
}

#[test]
fn a_public_route_can_leave_tokens_alone() {
    let route = |token_use: &str| {
        compile(&json!({
            "jwtRules": [rule("https://a.test")],
            "routes": [{"paths": ["/"], "access": "PUBLIC", "token": token_use}],
        }))
    };
    let forwarded = |token_use, credential: &str| {
        let headers: Vec<Header<'_>> = vec![
            (b":authority", b"me.test"),
            (b":method", b"GET"),
            (b":path", b"/"),
            (b"authorization", credential.as_bytes()),
        ];
        changes(&route(token_use), &headers)
    };
    let good = format!("Bearer {}", token(&json!({})));
    assert!(forwarded("IGNORE", "Bearer foreign").is_empty());
    assert!(forwarded("IGNORE", &good).is_empty());
    assert_eq!(forwarded("OPTIONAL", "Bearer foreign"), ["-authorization"]);
    assert_eq!(forwarded("OPTIONAL", &good), ["-authorization"]);
    assert!(forwarded("OPTIONAL", "Basic Og==").is_empty());
    assert_eq!(
        decide_about(&route("STRICT"), ("GET", "/"), Some("foreign")).unwrap_err().0,
        "token_form"
    );
}

/// Decides about one token at several times, with one document and so with one cache.
#[test]
fn a_cached_token_expires() {
    let document = bookinfo();
    let credential = format!("Bearer {}", token(&json!({"nbf": NOW - 10})));
    let headers: Vec<Header<'_>> = vec![
        (b":authority", b"me.test"),
        (b":method", b"GET"),
        (b":path", b"/reviews/0"),
        (b"authorization", credential.as_bytes()),
    ];
    let request = Request::read(&headers).unwrap();
    let mut worker = Worker::new(&document);
    let mut decide_at = |now| permit(decide(&document, &mut worker, &request, now)).map(|_| ());
    assert_eq!(decide_at(NOW), Ok(()));
    assert_eq!(decide_at(NOW + 120), Ok(()));
    assert_eq!(decide_at(NOW + 121), Err(Refusal::Expired));
    assert_eq!(decide_at(NOW - 71), Err(Refusal::NotYetValid));
    assert_eq!(decide_at(NOW), Ok(()));
}

#[test]
fn rules_ask_more_of_tokens() {
    let decide_with = |field: &str, value: Value, changes: &Value| {
        let mut rule = rule("https://a.test");
        rule[field] = value;
        let document = compile(&json!({"jwtRules": [rule]}));
        let decision = decide_about(&document, ("GET", "/"), Some(&token(changes)));
        decision.err().map_or("allowed", |(slug, _)| slug)
    };
    let lifetime = |most| decide_with("maxLifetime", json!(most), &json!({}));
    assert_eq!([lifetime("60s"), lifetime("59s")], ["allowed", "lifetime_too_long"]);
    let types = |types: Value| decide_with("tokenTypes", types, &json!({}));
    assert_eq!(types(json!(["application/JWT"])), "allowed");
    assert_eq!(types(json!(["at+jwt"])), "token_type_not_allowed");
    assert_eq!(decide_with("algorithms", json!(["RS512", "RS256"]), &json!({})), "allowed");
    assert_eq!(decide_with("algorithms", json!(["ES256"]), &json!({})), "algorithm_not_allowed");
    assert_eq!(decide_with("clockSkew", json!("0s"), &json!({"exp": NOW - 1})), "expired");
    assert_eq!(decide_with("requireExpiration", json!(false), &json!({"exp": null})), "allowed");
    let required = json!([{"claim": "token_use", "values": ["access"]}, {"claim": "sub"}]);
    for (changes, expected) in [
        (json!({"token_use": "access"}), "allowed"),
        (json!({"token_use": ["id", "access"]}), "allowed"),
        (json!({"token_use": "id"}), "required_claim_missing"),
        (json!({}), "required_claim_missing"),
        (json!({"token_use": "access", "sub": null}), "required_claim_missing"),
    ] {
        assert_eq!(
            decide_with("requiredClaims", required.clone(), &changes),
            expected,
            "{changes}"
        );
    }
}

#[test]
fn revoked_tokens_are_refused() {
    let document = compile(&json!({
        "jwtRules": [rule("https://a.test")],
        "revoked": {"jti": ["t1"], "issuedBefore": "2027-01-01T00:00:00Z"},
    }));
    let decide_with = |changes| decide_about(&document, ("GET", "/"), Some(&token(&changes)));
    assert_eq!(decide_with(json!({"iat": NOW})), Ok(()));
    assert_eq!(decide_with(json!({"iat": NOW, "jti": "t1"})).unwrap_err().0, "token_revoked");
    assert_eq!(decide_with(json!({})).unwrap_err().0, "token_revoked");
}

/// What becomes of a request under a document that has these members beside its routes.
fn verdict(members: &Value, path: &str, token: Option<&str>) -> &'static str {
    let mut table = json!({
        "jwtRules": [rule("https://a.test")],
        "routes": [
            {"paths": ["/tried"], "permissions": ["write"], "dryRun": true},
            {"paths": ["/closed"], "access": "DENIED", "dryRun": true},
            {"paths": ["/meant"], "permissions": ["write"]},
        ],
    });
    for (name, value) in members.as_object().unwrap() {
        table[name] = value.clone();
    }
    let document = compile(&table);
    let credential = token.map(|token| format!("Bearer {token}"));
    let mut headers: Vec<Header<'_>> =
        vec![(b":authority", b"me.test"), (b":method", b"GET"), (b":path", path.as_bytes())];
    headers.extend(credential.as_ref().map(|value| (&b"authorization"[..], value.as_bytes())));
    let request = Request::read(&headers).unwrap();
    match decide_once(&document, &request, NOW).verdict {
        Verdict::Allow(_) => "allow",
        Verdict::Deny(_) => "deny",
        Verdict::Wait => "wait",
        Verdict::WouldDeny(_, permit) => {
            // The dry run of a route leaves the token of a request to no workload that would not get it.
            let is_cleaned = token.is_some() && members.get("dryRun").is_none();
            let changes = forward::changes(&document, &request, &permit);
            let removed = [HeaderChange::Remove(b"authorization")];
            assert_eq!(changes, if is_cleaned { &removed[..] } else { &[] }, "{path}");
            "would deny"
        }
    }
}

#[test]
fn the_dry_run_of_a_route_is_about_what_the_route_asks() {
    let reader = token(&json!({}));
    for (path, token, expected) in [
        ("/tried", None, "would deny"),
        ("/tried", Some(reader.as_str()), "would deny"),
        ("/tried", Some("bad"), "deny"),
        ("/closed", None, "would deny"),
        ("/closed", Some("bad"), "deny"),
        ("/meant", Some(reader.as_str()), "deny"),
        ("/other", None, "deny"),
    ] {
        assert_eq!(verdict(&json!({}), path, token), expected, "{path} {token:?}");
    }
}

#[test]
fn the_dry_run_of_a_document_is_about_everything_but_shape() {
    let reader = token(&json!({}));
    let dry_run = json!({"dryRun": true});
    let but_tokens = json!({"dryRun": true, "dryRunTokens": false});
    for (path, token, expected, expected_but_tokens) in [
        ("/meant", None, "would deny", "would deny"),
        ("/meant", Some(reader.as_str()), "would deny", "would deny"),
        ("/meant", Some("bad"), "would deny", "deny"),
        ("/other", None, "would deny", "would deny"),
        ("/other", Some("bad"), "would deny", "deny"),
        ("/other", Some(reader.as_str()), "would deny", "would deny"),
        ("//", None, "would deny", "would deny"),
        ("//", Some("bad"), "would deny", "deny"),
    ] {
        assert_eq!(verdict(&dry_run, path, token), expected, "{path} {token:?}");
        assert_eq!(verdict(&but_tokens, path, token), expected_but_tokens, "{path} {token:?}");
    }
    let dry_run = compile(&json!({"routes": [], "dryRun": true}));
    let connect = Request::read(&[(b":method", b"CONNECT")]).unwrap();
    let denied = decide_once(&dry_run, &connect, NOW).verdict;
    assert!(denied.refusal() == Some(Refusal::ConnectRefused));
}

#[test]
fn a_token_header_in_another_spelling_is_removed() {
    let forwarding = |token_use: &str| {
        let mut rule = rule("https://a.test");
        rule["fromHeaders"] = json!([{"name": "x-jwt"}]);
        rule["forwardOriginalToken"] = json!(true);
        compile(&json!({
            "jwtRules": [rule],
            "routes": [{"paths": ["/"], "access": "PUBLIC", "token": token_use}],
        }))
    };
    let good = token(&json!({}));
    let request = |own: &'static [u8]| -> Vec<Header<'_>> {
        vec![
            (b":authority", b"me.test"),
            (b":method", b"GET"),
            (b":path", b"/"),
            (own, good.as_bytes()),
            (b"x_jwt", b"forged"),
        ]
    };
    for own in [&b"x-jwt"[..], b"x-other"] {
        assert_eq!(changes(&forwarding("STRICT"), &request(own)), ["-x_jwt"]);
        assert_eq!(changes(&forwarding("OPTIONAL"), &request(own)), ["-x_jwt"]);
        assert!(changes(&forwarding("IGNORE"), &request(own)).is_empty());
    }
}

/// The first provider of the issuer refuses the token only for now, so it is asked every time.
#[test]
fn the_cache_does_not_choose_the_provider() {
    let mut brief = rule("https://a.test");
    brief["maxLifetime"] = json!("30s");
    brief["outputClaimToHeaders"] = json!([{"header": "x-brief", "claim": "sub"}]);
    let document = compile(&json!({"jwtRules": [brief, rule("https://a.test")]}));
    let credential = format!("Bearer {}", token(&json!({})));
    let headers: Vec<Header<'_>> =
        vec![(b":method", b"GET"), (b":path", b"/"), (b"authorization", credential.as_bytes())];
    let request = Request::read(&headers).unwrap();
    let writes_header = |now| {
        let permit = permit(decide_once(&document, &request, now)).unwrap();
        forward::changes(&document, &request, &permit)
            .iter()
            .any(|change| matches!(change, HeaderChange::Replace("x-brief", _)))
    };
    assert_eq!(
        [writes_header(NOW), writes_header(NOW), writes_header(NOW + 40)],
        [false, false, true]
    );
}

#[test]
fn an_authority_is_a_host() {
    let document = bookinfo();
    for authority in [&b""[..], b"user@me.test", b"me.test@evil.test"] {
        let headers: Vec<Header<'_>> =
            vec![(b":authority", authority), (b":method", b"GET"), (b":path", b"/")];
        let request = Request::read(&headers).unwrap();
        assert_eq!(permit(decide_once(&document, &request, NOW)).err(), Some(Refusal::HostUnknown));
    }
}

#[test]
fn trailers_are_cleaned_too() {
    let mut rule = bookinfo_rule();
    rule["fromHeaders"] = json!([{"name": "authorization", "prefix": "Bearer "}]);
    rule["fromCookies"] = json!(["session"]);
    let document = compile(&json!({
        "jwtRules": [rule],
        "routes": [
            {"paths": ["/"], "access": "PUBLIC"},
            {"paths": ["/hook"], "access": "PUBLIC", "token": "IGNORE"},
        ],
    }));
    let trailers: [Header<'_>; 7] = [
        (b"x_sub", b"admin"),
        (b"grpc-status", b"0"),
        (b"x-sub", b""),
        (b"authorization", b"Bearer a.b.c"),
        (b"X-HTTP-Method-Override", b"DELETE"),
        (b"x-checksum", b"1"),
        (b"cookie", b"session=a.b.c"),
    ];
    let removed = |path: &'static [u8]| {
        let headers: [Header<'_>; 3] =
            [(b":authority", b"me.test"), (b":method", b"GET"), (b":path", path)];
        removed_trailers(&document, &headers, &trailers)
    };
    let always = [&b"x_sub"[..], b"x-sub", b"X-HTTP-Method-Override"];
    let [first, second, last] = always;
    assert_eq!(removed(b"/"), [first, second, b"authorization", last, b"cookie"]);
    assert_eq!(removed(b"/hook"), always);
}
