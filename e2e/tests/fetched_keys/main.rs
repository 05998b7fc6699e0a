//! Keys that each worker fetches from a real server over HTTP, through Envoy's clusters.

mod failures;
mod first;
mod rotation;
mod tls;

use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use jwt_rbac_e2e::artifacts;
use jwt_rbac_e2e::bootstrap::bootstrap;
use jwt_rbac_e2e::client::Request;
use jwt_rbac_e2e::envoy::Envoy;
use jwt_rbac_e2e::key_server::{self, CLUSTER, KeyServer};
use jwt_rbac_e2e::listener::ours;
use jwt_rbac_e2e::tokens::Recipe;
use jwt_rbac_e2e::upstream::Upstream;
use serde_json::{Value, json};

/// A document whose keys come from that cluster.
fn document() -> Value {
    json!({
        "jwtRules": [key_server::rule()],
        "routes": [
            {"paths": ["/public"], "access": "PUBLIC"},
            {"paths": ["/{**}"], "permissions": ["read:book-details"]},
        ],
    })
}

/// The published key set of the tests, with keys of these ids alone, if any are named.
fn keys(ids: &[&str]) -> Value {
    let mut set: Value = serde_json::from_str(&artifacts::jwks()).expect("a key set");
    let keys = set["keys"].as_array_mut().expect("a list");
    keys.retain(|key| ids.is_empty() || ids.iter().any(|id| key["kid"] == *id));
    assert!(ids.len() <= keys.len(), "{ids:?}");
    set
}

/// A token that is signed with a key of the tests.
fn token(key: &str) -> String {
    Recipe { key: key.to_owned(), ..Recipe::of_caller("user") }.mint()
}

/// An Envoy with these documents and the key server's cluster.
fn envoy(documents: &[(&str, &Value)], server: &KeyServer) -> Envoy {
    let listeners: Vec<_> = documents.iter().map(|(name, document)| ours(name, document)).collect();
    let upstream = Upstream::start().address;
    start(&listeners, vec![server.cluster(CLUSTER)], upstream)
}

/// An Envoy with these listeners, and these clusters beside the workload's.
fn start(listeners: &[Value], further: Vec<Value>, upstream: SocketAddr) -> Envoy {
    let mut bootstrap = bootstrap(upstream, listeners, None);
    let clusters = bootstrap["static_resources"]["clusters"].as_array_mut().expect("a list");
    clusters.extend(further);
    let started = artifacts::envoy().and_then(|binary| Envoy::start(&binary, &bootstrap));
    started.unwrap_or_else(|error| panic!("{error}"))
}

fn get(envoy: &Envoy, listener: &str, token: &str) -> (u16, String) {
    let response = envoy.answer(listener, &Request::get("/").bearer(token));
    (response.status, response.text())
}

fn status(envoy: &Envoy, token: &str) -> u16 {
    get(envoy, "ours", token).0
}

/// Waits until something is so, at most for a while.
fn eventually(what: &str, holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(25), "{what}");
        thread::sleep(Duration::from_millis(50));
    }
}

fn stat(envoy: &Envoy, name: &str) -> u64 {
    envoy.stat(&format!("wasmcustom.jwt_rbac_{name}"))
}
