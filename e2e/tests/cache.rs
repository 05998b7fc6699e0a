//! Tokens that were verified before: what is remembered of them never outlives what vouched for it.

use std::thread;
use std::time::Duration;

use jwt_rbac_e2e::artifacts;
use jwt_rbac_e2e::client::Request;
use jwt_rbac_e2e::envoy::Envoy;
use jwt_rbac_e2e::filters;
use jwt_rbac_e2e::lds::{ListenerFile, Update};
use jwt_rbac_e2e::listener::{listener, ours};
use jwt_rbac_e2e::tokens::{self, Recipe};
use serde_json::{Value, json};

#[test]
fn a_token_is_good_as_often_as_it_comes() {
    for cache in [json!("4Mi"), json!("1Ki"), json!(0)] {
        let mut document = document();
        document["tokenCache"] = json!({"maxSize": cache});
        let envoy = Envoy::before_upstream(&[ours("ours", &document)], None);
        let token = Recipe::of_caller("user").mint();
        let other = Recipe::of_caller("moderator").mint();
        for _ in 0..20 {
            assert_eq!(get(&envoy, "ours", &token), 200, "{cache}");
            assert_eq!(get(&envoy, "ours", &other), 403, "{cache}");
        }
    }
}

/// All documents share the VM of the worker: what one has verified is nothing to another.
#[test]
fn documents_share_no_identity() {
    let read = document();
    let mut write = document();
    write["routes"][0]["permissions"] = json!(["write:book-details"]);
    let mut strange = document();
    strange["jwtRules"][0]["jwks"] = strange_keys();
    let mut revoking = document();
    revoking["revoked"] = json!({"sub": ["auth0|user"]});
    let documents = [
        ("read", &read, 200),
        ("write", &write, 403),
        ("strange", &strange, 401),
        ("revoking", &revoking, 401),
    ];
    let mut listeners: Vec<Value> =
        documents.iter().map(|(name, document, _)| ours(name, document)).collect();
    // The same plugin by its name, with another document.
    for (name, document, _) in documents {
        let filter = filters::jwt_rbac("same", document, &artifacts::wasm().unwrap());
        listeners.push(listener(&format!("same-{name}"), &[filter]));
    }
    let envoy = Envoy::before_upstream(&listeners, None);
    for turn in 0..50 {
        let token = Recipe::of_caller("user").claim("turn", json!(turn / 5)).mint();
        for step in 0..documents.len() {
            let (name, _, status) = documents[(turn + step) % documents.len()];
            for listener in [name.to_owned(), format!("same-{name}")] {
                assert_eq!(get(&envoy, &listener, &token), status, "{turn}: {listener}");
            }
        }
    }
}

/// The same token at another place of the request can belong to another provider.
#[test]
fn places_share_no_identity() {
    let mut document = document();
    document["jwtRules"][0]["fromHeaders"] = json!([{"name": "x-first"}]);
    let mut second = document["jwtRules"][0].clone();
    second["fromHeaders"] = json!([{"name": "x-second"}]);
    second["name"] = "second".into();
    second["jwks"] = strange_keys();
    document["jwtRules"].as_array_mut().expect("a list").push(second);
    let envoy = Envoy::before_upstream(&[ours("ours", &document)], None);
    let token = Recipe::of_caller("user").mint();
    for _ in 0..10 {
        for (header, status) in [("x-first", 200), ("x-second", 401)] {
            let response = Request::get("/").header(header, &token).send(envoy.address("ours"));
            assert_eq!(response.expect("an answer").status, status, "{header}");
        }
    }
}

#[test]
fn an_expired_token_is_not_remembered() {
    let mut document = document();
    document["jwtRules"][0]["clockSkew"] = "0s".into();
    let envoy = Envoy::before_upstream(&[ours("ours", &document)], None);
    let end = tokens::now() + 3;
    let token = Recipe::of_caller("user").claim("exp", json!(end)).mint();
    let mut count = 0;
    while tokens::now() < end {
        assert_eq!(get(&envoy, "ours", &token), 200, "{count} requests before");
        count += 1;
        thread::sleep(Duration::from_millis(100));
    }
    while tokens::now() <= end {
        thread::sleep(Duration::from_millis(50));
    }
    assert!(count > 1, "the token was remembered");
    for _ in 0..3 {
        assert_eq!(get(&envoy, "ours", &token), 401);
    }
}

#[test]
fn a_token_can_get_too_old_while_it_is_remembered() {
    let mut document = document();
    document["jwtRules"][0]["clockSkew"] = "0s".into();
    document["jwtRules"][0]["maxLifetime"] = "1h".into();
    let envoy = Envoy::before_upstream(&[ours("ours", &document)], None);
    let start = tokens::now() + 2;
    let not_yet = Recipe::of_caller("user").claim("nbf", json!(start)).mint();
    let too_long = Recipe::of_caller("user").claim("exp", json!(start + 3601)).mint();
    assert_eq!([&not_yet, &too_long].map(|token| get(&envoy, "ours", token)), [401, 401]);
    while tokens::now() <= start {
        thread::sleep(Duration::from_millis(50));
    }
    // A refusal is not remembered either.
    assert_eq!([&not_yet, &too_long].map(|token| get(&envoy, "ours", token)), [200, 200]);
}

#[test]
fn a_new_document_decides_about_remembered_tokens() {
    let good = document();
    let mut other_key = document();
    other_key["jwtRules"][0]["jwks"] = strange_keys();
    let mut other_permission = document();
    other_permission["routes"][0]["permissions"] = json!(["write:book-details"]);
    let mut no_permission_claim = document();
    no_permission_claim["jwtRules"][0]["permissionClaims"] = json!(["scope"]);
    let mut revoked_token = document();
    revoked_token["revoked"] = json!({"jti": ["t1"]});
    let mut revoked_subject = document();
    revoked_subject["revoked"] = json!({"sub": ["auth0|user"]});
    let mut revoked_time = document();
    revoked_time["revoked"] = json!({"issuedBefore": "2100-01-01T00:00:00Z"});
    let mut other_audience = document();
    other_audience["jwtRules"][0]["audiences"] = json!(["other"]);
    let mut other_issuer = document();
    other_issuer["jwtRules"][0]["issuer"] = "https://other.example.com".into();

    let mut file = ListenerFile::create(&[ours("ours", &good)]);
    let mut envoy = Envoy::before_upstream(&[], Some(file.path()));
    let token = Recipe::of_caller("user").claim("jti", json!("t1")).mint();
    for (what, document, status) in [
        ("key", other_key, 401),
        ("permission", other_permission, 403),
        ("permission claim", no_permission_claim, 403),
        ("jti", revoked_token, 401),
        ("sub", revoked_subject, 401),
        ("time", revoked_time, 401),
        ("audience", other_audience, 403),
        ("issuer", other_issuer, 401),
    ] {
        assert_eq!([0; 3].map(|_| get(&envoy, "ours", &token)), [200; 3], "before {what}");
        assert_eq!(file.publish(&mut envoy, &[ours("ours", &document)]), Update::Accepted);
        assert_eq!([0; 3].map(|_| get(&envoy, "ours", &token)), [status; 3], "{what}");
        assert_eq!(file.publish(&mut envoy, &[ours("ours", &good)]), Update::Accepted);
    }
}

/// Three thousand tokens of four kilobytes would take more than what is allowed to be gained.
#[test]
fn many_tokens_take_no_memory_for_good() {
    const TOKENS: usize = 3_000;
    const ALLOWED: u64 = 6 << 20;
    let mut document = document();
    document["jwtRules"][0]["jwks"] = artifacts::key_set("jwks-oct.json").into();
    document["jwtRules"][0]["algorithms"] = json!(["HS256"]);
    let mut small = document.clone();
    small["tokenCache"] = json!({"maxSize": "64Ki"});
    let mut large = document;
    large["tokenCache"] = json!({"maxSize": "64Mi"});
    let listeners = [ours("small", &small), ours("large", &large)];
    let envoy = Envoy::before_upstream(&listeners, None);
    let gained = |listener: &str, count: usize| {
        let before = envoy.resident_memory();
        for number in 0..count {
            let recipe = Recipe {
                algorithm: Some("HS256".to_owned()),
                ..Recipe::of_caller("user").key("hs512").claim("number", json!(number))
            };
            let token = recipe.claim("padding", json!("x".repeat(3_000))).mint();
            assert_eq!(get(&envoy, listener, &token), 200);
        }
        envoy.resident_memory().saturating_sub(before)
    };
    gained("small", TOKENS / 10);
    let bounded = gained("small", TOKENS);
    let unbounded = gained("large", TOKENS);
    println!("{bounded} bytes gained with 64Ki, {unbounded} with 64Mi");
    assert!(bounded < ALLOWED, "{bounded} bytes");
    assert!(unbounded > ALLOWED, "{unbounded} bytes: the test sees nothing");
}

/// What a token takes in memory has little to do with its length: a letter and its quotes and comma
/// become a value, a block of the allocator, and a share of a list that has grown.
#[test]
fn claims_take_no_more_memory_than_was_asked_for() {
    let letters = |count: usize| json!(vec!["x"; count]);
    let shapes: [(&str, &dyn Fn(usize) -> Value); 5] = [
        ("letters", &|_| letters(400)),
        ("letters, more and fewer", &|number| letters(50 + number * 7_919 % 700)),
        ("lists in lists", &|_| json!(vec![json!(["x"]); 200])),
        ("objects", &|_| json!(vec![json!({"a": "x", "b": [1]}); 60])),
        ("long texts", &|_| json!("x".repeat(1_900))),
    ];
    for (size, mebibytes, tokens) in [("16Mi", 16, 900), ("64Mi", 64, 3_200)] {
        // The larger cache takes its time to be filled.
        for (name, shape) in shapes.iter().take(if mebibytes > 16 { 1 } else { shapes.len() }) {
            let gained = gained_by_claims(size, tokens, shape);
            println!("{name}: {} KiB gained with {size}", gained >> 10);
            let allowed = mebibytes << 20;
            assert!(gained <= allowed + allowed / 10, "{name}, {size}: {} KiB", gained >> 10);
            assert!(gained > allowed / 4, "{name}, {size}: {} KiB: it is not filled", gained >> 10);
        }
    }
}

/// How much memory Envoy gains by so many tokens with four claims of this shape, which a route names.
fn gained_by_claims(size: &str, tokens: usize, shape: &dyn Fn(usize) -> Value) -> u64 {
    const CLAIMS: [&str; 4] = ["a", "b", "c", "d"];
    let mut document = document();
    document["jwtRules"][0]["jwks"] = artifacts::key_set("jwks-oct.json").into();
    document["jwtRules"][0]["algorithms"] = json!(["HS256"]);
    let claims = CLAIMS.map(|claim| json!({"claim": claim, "notValues": ["forbidden"]}));
    document["routes"][0]["claims"] = json!(claims);
    let mut filled = document.clone();
    filled["tokenCache"] = json!({"maxSize": size});
    document["tokenCache"] = json!({"maxSize": 0});
    let envoy = Envoy::before_upstream(&[ours("filled", &filled), ours("none", &document)], None);
    let send = |listener: &str, number: usize| {
        let mut recipe = Recipe {
            algorithm: Some("HS256".to_owned()),
            ..Recipe::of_caller("user").key("hs512").claim("number", json!(number))
        };
        for claim in CLAIMS {
            recipe = recipe.claim(claim, shape(number));
        }
        let status = get(&envoy, listener, &recipe.mint());
        assert!([200, 403].contains(&status), "{status}");
    };
    // What a request takes while it is judged is not the cache's.
    (0..200).for_each(|number| send("none", number));
    let before = envoy.resident_memory();
    (0..tokens).for_each(|number| send("filled", number));
    envoy.resident_memory().saturating_sub(before)
}

/// A document that lets `user` read.
fn document() -> Value {
    json!({
        "jwtRules": [tokens::provider()],
        "routes": [{"name": "all", "paths": ["/{**}"], "permissions": ["read:book-details"]}],
    })
}

/// A key set without the key that signs, though under its `kid`.
fn strange_keys() -> Value {
    let own: Value = serde_json::from_str(&artifacts::jwks()).expect("a key set is JSON");
    let mut strange: Value =
        serde_json::from_str(&artifacts::key_set("jwks-stranger.json")).expect("a key set is JSON");
    strange["keys"][0]["kid"] = own["keys"][0]["kid"].clone();
    strange
}

fn get(envoy: &Envoy, listener: &str, token: &str) -> u16 {
    envoy.answer(listener, &Request::get("/").bearer(token)).status
}
