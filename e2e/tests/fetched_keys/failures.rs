//! What a key server can do wrong: the last good keys stay, and nothing else becomes one.

use std::thread;
use std::time::Duration;

use jwt_rbac_e2e::artifacts;
use jwt_rbac_e2e::decision_log::events;
use jwt_rbac_e2e::key_server::{Behaviour, KeyServer};
use jwt_rbac_e2e::tokens::key_id;
use serde_json::{Value, json};

use crate::{document, envoy, eventually, keys, stat, status, token};

/// Answers that are no key set, and the cause that metrics name.
fn bad_answers() -> Vec<(Behaviour, &'static str)> {
    let location = vec![("location".to_owned(), "http://keys.test/moved".to_owned())];
    let stranger: Value =
        serde_json::from_str(&artifacts::key_set("jwks-stranger.json")).expect("JSON");
    let redirect = Behaviour::Answers {
        status: 302,
        headers: location,
        body: stranger.to_string().into_bytes(),
    };
    let mut private = stranger["keys"][0].clone();
    private["d"] = "AQAB".into();
    let secret = json!({"kty": "oct", "k": "x".repeat(64), "alg": "HS256"});
    let many = vec![stranger["keys"][0].clone(); 200];
    let large = format!("{}{}", stranger, " ".repeat(10 << 20));
    vec![
        (Behaviour::body(500, stranger.to_string().as_bytes()), "status"),
        (Behaviour::body(503, b""), "unreachable"),
        (redirect, "status"),
        (Behaviour::body(204, b""), "status"),
        (Behaviour::body(200, b""), "body"),
        (Behaviour::body(200, b"\x00\xff\x80garbage{{{{"), "body"),
        (Behaviour::body(200, b"<html><body>Sign in</body></html>"), "body"),
        (Behaviour::body(200, b"{\"keys\":{}}"), "body"),
        (Behaviour::serves(&json!({"keys": []})), "keys"),
        (Behaviour::serves(&json!({"keys": [private]})), "keys"),
        (Behaviour::serves(&json!({"keys": [secret]})), "keys"),
        (Behaviour::serves(&json!({"keys": many})), "keys"),
        (Behaviour::body(200, large.as_bytes()), "size"),
        (Behaviour::Closes, "unreachable"),
    ]
}

/// One Envoy for each, at the same time: a refresh takes seconds to come.
#[test]
fn the_last_good_keys_stay_whatever_the_server_answers() {
    let cases: Vec<_> = bad_answers()
        .into_iter()
        .enumerate()
        .map(|(number, (bad, cause))| {
            let name = format!("case{number}");
            (name, KeyServer::start(Behaviour::serves(&keys(&[]))), bad, cause)
        })
        .collect();
    let documents: Vec<_> = cases
        .iter()
        .map(|(name, ..)| {
            let mut document = document();
            document["jwtRules"][0]["jwksCluster"] = name.as_str().into();
            document["jwtRules"][0]["jwksUri"] = format!("http://{name}.test/jwks").into();
            (name.as_str(), document)
        })
        .collect();
    let listeners: Vec<_> = documents
        .iter()
        .map(|(name, document)| jwt_rbac_e2e::listener::ours(name, document))
        .collect();
    let upstream = jwt_rbac_e2e::upstream::Upstream::start();
    let mut bootstrap = jwt_rbac_e2e::bootstrap::bootstrap(upstream.address, &listeners, None);
    let clusters = bootstrap["static_resources"]["clusters"].as_array_mut().expect("a list");
    clusters.extend(cases.iter().map(|(name, server, ..)| server.cluster(name)));
    let started = artifacts::envoy()
        .and_then(|binary| jwt_rbac_e2e::envoy::Envoy::start(&binary, &bootstrap));
    let envoy = started.unwrap_or_else(|error| panic!("{error}"));
    let (good, stranger) = (token("rs256"), token("stranger-rs256"));
    let check = |when: &str| {
        for (name, ..) in &cases {
            assert_eq!(crate::get(&envoy, name, &good).0, 200, "{name} {when}");
            assert_eq!(crate::get(&envoy, name, &stranger).0, 401, "{name} {when}");
        }
    };
    check("before");
    for (_, server, bad, _) in &cases {
        server.behave(bad.clone());
    }
    let mut expected = std::collections::BTreeMap::new();
    for (.., cause) in &cases {
        *expected.entry(*cause).or_insert(0) += 1;
    }
    eventually("each server was asked again", || {
        check("meanwhile");
        let told = events(&envoy.log(), "keys_not_fetched");
        cases.iter().all(|(name, .., cause)| {
            let url = format!("http://{name}.test/jwks");
            let ours: Vec<_> = told.iter().filter(|event| event["url"] == url.as_str()).collect();
            assert!(ours.iter().all(|event| event["cause"] == *cause), "{ours:?}");
            !ours.is_empty()
        })
    });
    check("after");
    for (cause, count) in expected {
        let found = stat(&envoy, &format!("jwks_refresh_failed_{cause}"));
        assert!(found >= count, "{cause}: {found} of {count}");
    }
    assert!(!envoy.log().contains("[critical]"), "{}", envoy.log_tail());
}

#[test]
fn bad_keys_of_a_good_set_are_skipped_and_named() {
    let mut set = keys(&[&key_id("rs256")]);
    let list = set["keys"].as_array_mut().expect("a list");
    let mut private = list[0].clone();
    private["d"] = "AQAB".into();
    list.extend([json!({"kty": "oct", "k": "x".repeat(64)}), private, json!(7)]);
    let server = KeyServer::start(Behaviour::serves(&set));
    let envoy = envoy(&[("ours", &document())], &server);
    assert_eq!(status(&envoy, &token("rs256")), 200);
    let warnings = events(&envoy.log(), "keys_warning");
    let places: std::collections::BTreeSet<_> =
        warnings.iter().filter_map(|event| event["place"].as_str()).collect();
    assert_eq!(places.into_iter().collect::<Vec<_>>(), ["keys[1]", "keys[2]", "keys[3]"]);
}

#[test]
fn keys_can_be_too_old_to_be_used() {
    let server = KeyServer::start(Behaviour::serves(&keys(&[])));
    let mut strict = document();
    strict["jwtRules"][0]["jwksStaleIfError"] = "3s".into();
    let envoy = envoy(&[("ours", &strict), ("lenient", &document())], &server);
    // Both need the same keys, and each says for itself how long they count.
    let good = token("rs256");
    assert_eq!(status(&envoy, &good), 200);
    server.behave(Behaviour::body(500, b""));
    eventually("the keys are too old", || {
        thread::sleep(Duration::from_millis(100));
        crate::get(&envoy, "ours", &good) == (401, "Jwks remote fetch is failed".to_owned())
    });
    assert_eq!(crate::get(&envoy, "lenient", &good).0, 200);
    server.behave(Behaviour::serves(&keys(&[])));
    eventually("it recovers", || status(&envoy, &good) == 200);
}
