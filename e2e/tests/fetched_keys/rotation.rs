//! Keys that change while requests run.

use std::thread;
use std::time::{Duration, Instant};

use jwt_rbac_e2e::artifacts;
use jwt_rbac_e2e::bootstrap::bootstrap;
use jwt_rbac_e2e::envoy::Envoy;
use jwt_rbac_e2e::key_server::{Behaviour, KeyServer};
use jwt_rbac_e2e::lds::{ListenerFile, Update};
use jwt_rbac_e2e::listener::ours;
use jwt_rbac_e2e::tokens::key_id;
use jwt_rbac_e2e::upstream::Upstream;
use serde_json::json;

use crate::{CLUSTER, document, envoy, eventually, get, keys, stat, status, token};

#[test]
fn a_new_key_works_and_a_removed_one_stops_cached_tokens_included() {
    let (old, new) = (key_id("rs256"), key_id("es256"));
    let server = KeyServer::start(Behaviour::serves(&keys(&[&old])));
    let envoy = envoy(&[("ours", &document())], &server);
    let (old_token, new_token) = (token("rs256"), token("es256"));
    for _ in 0..3 {
        assert_eq!(status(&envoy, &old_token), 200);
        assert_eq!(status(&envoy, &new_token), 401);
    }
    // Planned: both for a while.
    server.behave(Behaviour::serves(&keys(&[&old, &new])));
    eventually("the new key works", || {
        assert_eq!(status(&envoy, &old_token), 200, "the old key works all the time");
        status(&envoy, &new_token) == 200
    });
    server.behave(Behaviour::serves(&keys(&[&new])));
    eventually("the old key is gone", || {
        assert_eq!(status(&envoy, &new_token), 200, "the new key works all the time");
        status(&envoy, &old_token) == 401
    });
    assert_eq!(status(&envoy, &old_token), 401);
    assert_eq!(stat(&envoy, "jwks_refresh_failed_status"), 0);
}

#[test]
fn plugins_with_one_endpoint_fetch_it_once() {
    let server = KeyServer::start(Behaviour::serves(&keys(&[])));
    let mut other = document();
    other["jwtRules"][0]["audiences"] = json!(["https://other.test"]);
    let mut third = document();
    third["jwtRules"][0]["algorithms"] = json!(["ES256"]);
    let documents = [("ours", &document()), ("other", &other), ("third", &third)];
    let envoy = envoy(&documents, &server);
    thread::sleep(Duration::from_secs(1));
    // One worker, and the VM of Envoy's main thread.
    assert!(server.asked().len() <= 2, "{:?}", server.asked());
    let (rsa, elliptic) = (token("rs256"), token("es256"));
    assert_eq!(status(&envoy, &rsa), 200);
    assert_eq!(get(&envoy, "other", &rsa), (403, "Audiences in Jwt are not allowed".to_owned()));
    assert_eq!(get(&envoy, "third", &rsa).0, 401, "not one of its algorithms");
    assert_eq!(get(&envoy, "third", &elliptic).0, 200);
    // Only the worker that has requests fetches on.
    let before = server.asked().len();
    thread::sleep(Duration::from_secs(11));
    let fetched = server.asked().len() - before;
    assert!((2..=3).contains(&fetched), "{fetched} in two intervals");
}

#[test]
fn a_new_document_has_the_keys_of_the_one_before() {
    let server = KeyServer::start(Behaviour::serves(&keys(&[])));
    let mut file = ListenerFile::create(&[ours("ours", &document())]);
    let mut bootstrap = bootstrap(Upstream::start().address, &[], Some(file.path()));
    let clusters = bootstrap["static_resources"]["clusters"].as_array_mut().expect("a list");
    clusters.push(server.cluster(CLUSTER));
    let started = artifacts::envoy().and_then(|binary| Envoy::start(&binary, &bootstrap));
    let mut envoy = started.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(status(&envoy, &token("rs256")), 200);
    server.behave(Behaviour::Hangs);
    for number in 0..5 {
        let mut next = document();
        next["routes"][0]["paths"] = json!([format!("/public/{number}")]);
        assert_eq!(file.publish(&mut envoy, &[ours("ours", &next)]), Update::Accepted);
        let start = Instant::now();
        assert_eq!(status(&envoy, &token("rs256")), 200, "{number}");
        assert!(start.elapsed() < Duration::from_secs(2), "{number}: {:?}", start.elapsed());
    }
}
