//! Before the first fetch has ended, requests wait for it.

use std::io::{BufReader, Write as _};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use jwt_rbac_e2e::artifacts;
use jwt_rbac_e2e::client::Request;
use jwt_rbac_e2e::decision_log::events;
use jwt_rbac_e2e::filters;
use jwt_rbac_e2e::http2;
use jwt_rbac_e2e::key_server::{Behaviour, KeyServer};
use jwt_rbac_e2e::listener::{cluster_with_trailers, with_trailers};
use jwt_rbac_e2e::tokens::key_id;
use jwt_rbac_e2e::upstream::{Seen, Upstream};
use jwt_rbac_e2e::wire::Head;
use serde_json::json;

use crate::{CLUSTER, document, envoy, get, keys, start, stat, status, token};

const FAILED: &str = "Jwks remote fetch is failed";

#[test]
fn keys_are_fetched_before_the_first_request() {
    let server = KeyServer::start(Behaviour::serves(&keys(&[])));
    let envoy = envoy(&[("ours", &document())], &server);
    assert_eq!(status(&envoy, &token("rs256")), 200);
    assert_eq!(status(&envoy, &token("es256")), 200);
    assert_eq!(status(&envoy, &token("stranger-rs256")), 401);
    assert!(server.asked().iter().all(|target| target == "/jwks"));
    assert!(stat(&envoy, "jwks_refreshed") >= 1);
    assert!(stat(&envoy, "jwks_fetched_at") > 1_700_000_000);
    assert_eq!(stat(&envoy, "jwks_sources"), 1);
    let fetched = &events(&envoy.log(), "keys_fetched")[0];
    assert_eq!(fetched["url"], "http://keys.test/jwks", "{fetched}");
}

#[test]
fn requests_wait_and_are_then_decided_like_any_other() {
    let server = KeyServer::start(Behaviour::Late(
        Duration::from_millis(1_500),
        keys(&[]).to_string().into_bytes(),
    ));
    let envoy = envoy(&[("ours", &document())], &server);
    let address = envoy.address("ours");
    let start = Instant::now();
    // What needs no keys does not wait.
    assert_eq!(envoy.answer("ours", &Request::get("/public")).status, 200);
    assert_eq!(envoy.answer("ours", &Request::get("/")).status, 403);
    let malformed = Request::get("/").bearer("garbage");
    assert_eq!(envoy.answer("ours", &malformed).status, 401);
    assert!(start.elapsed() < Duration::from_secs(1));
    let (good, bad) = (token("rs256"), token("stranger-rs256"));
    let waiting: Vec<_> = (0..60)
        .map(|number| {
            let token = if number % 3 == 0 { &bad } else { &good };
            // A body that is longer than one read waits with its request.
            let request = Request::new("POST", "/").bearer(token).body(&"x".repeat(20_000));
            let expected = if number % 3 == 0 { 401 } else { 200 };
            (thread::spawn(move || request.send(address)), expected)
        })
        .collect();
    thread::sleep(Duration::from_millis(400));
    assert_eq!(stat(&envoy, "waiting_requests"), 60);
    for (request, expected) in waiting {
        let response = request.join().expect("a thread").expect("an answer");
        assert_eq!(response.status, expected, "{}", response.text());
        let headers = Seen::of(&response).map(|seen| seen.headers);
        let has_token =
            headers.is_some_and(|it| it.iter().any(|(name, _)| name == "authorization"));
        assert!(!has_token, "the token of a request that waited is removed");
    }
    assert_eq!(stat(&envoy, "waiting_requests"), 0);
    assert_eq!(stat(&envoy, "denied_keys_unavailable"), 0);
    assert_eq!(stat(&envoy, "allowed"), 41);
}

#[test]
fn a_client_that_goes_away_leaves_nothing_behind() {
    let server = KeyServer::start(Behaviour::Late(
        Duration::from_millis(1_500),
        keys(&[]).to_string().into_bytes(),
    ));
    let envoy = envoy(&[("ours", &document())], &server);
    for _ in 0..20 {
        let mut stream = TcpStream::connect(envoy.address("ours")).expect("a connection");
        stream.write_all(&Request::get("/").bearer(&token("rs256")).bytes()).expect("sent");
        thread::sleep(Duration::from_millis(5));
    }
    thread::sleep(Duration::from_millis(200));
    assert_eq!(stat(&envoy, "waiting_requests"), 0);
    assert_eq!(status(&envoy, &token("rs256")), 200);
}

/// Its trailers come while nobody has decided about it yet.
#[test]
fn the_trailers_of_a_request_that_waited_are_cleaned() {
    const TRAILERS: &str = "trailers";
    let late = keys(&[]).to_string().into_bytes();
    let server = KeyServer::start(Behaviour::Late(Duration::from_millis(1_500), late));
    let upstream = Upstream::start().address;
    let mut document = document();
    document["jwtRules"][0]["outputClaimToHeaders"] = json!([{"header": "x-sub", "claim": "sub"}]);
    let filter = filters::jwt_rbac(TRAILERS, &document, &artifacts::wasm().unwrap());
    let envoy = start(
        &[with_trailers(TRAILERS, &[filter], TRAILERS)],
        vec![server.cluster(CLUSTER), cluster_with_trailers(TRAILERS, upstream)],
        upstream,
    );
    let trailers =
        [("x-sub", "admin"), ("X_Sub", "admin"), ("authorization", "Bearer a.b.c"), ("x-sum", "1")];
    let trailers = trailers.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()));
    let asked = |token: &str| {
        let fields = http2::fields_of(&Request::new("POST", "/").bearer(token));
        let body = "x".repeat(10_000);
        let address = envoy.address(TRAILERS);
        http2::exchange_with_trailers(address, &fields, body.as_bytes(), Some(&trailers))
    };
    let (good, bad) = (token("rs256"), token("stranger-rs256"));
    let start = Instant::now();
    let (good, bad) = thread::scope(|scope| {
        let bad = scope.spawn(|| asked(&bad));
        (asked(&good), bad.join().expect("a thread"))
    });
    assert!(start.elapsed() > Duration::from_secs(1), "it has waited");
    assert_eq!(bad.expect("an answer").status, 401);
    let seen = Seen::of(&good.expect("an answer")).expect("the workload answered");
    assert_eq!(seen.trailers, [("x-sum".to_owned(), "1".to_owned())]);
}

#[test]
fn no_request_waits_longer_than_the_timeout() {
    let server = KeyServer::start(Behaviour::Hangs);
    let mut slow = document();
    slow["jwtRules"][0]["timeout"] = "2s".into();
    let envoy = envoy(&[("ours", &slow)], &server);
    let start = Instant::now();
    let (status, text) = get(&envoy, "ours", &token("rs256"));
    assert_eq!((status, text.as_str()), (401, FAILED));
    assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
    // After the first fetch has failed none waits.
    let start = Instant::now();
    assert_eq!(get(&envoy, "ours", &token("rs256")), (401, FAILED.to_owned()));
    assert!(start.elapsed() < Duration::from_millis(900), "{:?}", start.elapsed());
    assert_eq!(stat(&envoy, "denied_keys_unavailable"), 2);
    assert!(stat(&envoy, "jwks_refresh_failed_unreachable") >= 1);
    assert_eq!(stat(&envoy, "jwks_fetched_at"), 0);
    server.behave(Behaviour::serves(&keys(&[])));
    crate::eventually("it recovers", || get(&envoy, "ours", &token("rs256")).0 == 200);
}

#[test]
fn more_requests_than_may_wait_are_refused() {
    let server = KeyServer::start(Behaviour::Hangs);
    let envoy = envoy(&[("ours", &document())], &server);
    let bytes = Request::get("/").bearer(&token("rs256")).bytes();
    let mut connections = Vec::new();
    for _ in 0..1_000 {
        let mut stream = TcpStream::connect(envoy.address("ours")).expect("a connection");
        stream.write_all(&bytes).expect("sent");
        connections.push(stream);
    }
    let start = Instant::now();
    let waits = || stat(&envoy, "waiting_requests") == 1_000;
    crate::eventually("a thousand wait", waits);
    assert_eq!(get(&envoy, "ours", &token("rs256")), (401, FAILED.to_owned()));
    assert!(start.elapsed() < Duration::from_secs(4), "the fetch still ran");
    assert_eq!(envoy.answer("ours", &Request::get("/public")).status, 200);
}

/// Envoy sends replies of one callback one inside the other, which once filled the stack of the VM.
#[test]
fn a_thousand_that_waited_are_all_answered() {
    for (token, expected) in [(token("stranger-rs256"), "401"), (token("rs256"), "200")] {
        let delay = Duration::from_millis(2_500);
        let server = KeyServer::start(Behaviour::Late(delay, keys(&[]).to_string().into_bytes()));
        let envoy = envoy(&[("ours", &document())], &server);
        let bytes = Request::get("/").bearer(&token).bytes();
        let connect = |_| {
            let mut stream = TcpStream::connect(envoy.address("ours")).expect("a connection");
            stream.write_all(&bytes).expect("sent");
            stream
        };
        let connections: Vec<_> = (0..1_000).map(connect).collect();
        crate::eventually("a thousand wait", || stat(&envoy, "waiting_requests") == 1_000);
        let waited = Instant::now();
        for stream in connections {
            let head = Head::read(&mut BufReader::new(stream)).expect("an answer");
            let start = head.expect("an answer").start;
            assert!(start.contains(expected), "{start}, expected {expected}");
        }
        assert!(waited.elapsed() < Duration::from_secs(4), "{:?}", waited.elapsed());
        assert_eq!(envoy.traps(), Vec::<String>::new());
        assert_eq!(stat(&envoy, "waiting_requests"), 0);
    }
}

#[test]
fn inline_keys_count_until_the_first_fetch() {
    let server = KeyServer::start(Behaviour::Hangs);
    let mut both = document();
    both["jwtRules"][0]["timeout"] = "1s".into();
    both["jwtRules"][0]["jwks"] = keys(&[&key_id("rs256")]);
    let envoy = envoy(&[("ours", &both)], &server);
    assert_eq!(status(&envoy, &token("rs256")), 200);
    assert_eq!(status(&envoy, &token("es256")), 401);
    server.behave(Behaviour::serves(&keys(&[&key_id("es256")])));
    crate::eventually("the fetched keys count", || status(&envoy, &token("es256")) == 200);
    assert_eq!(status(&envoy, &token("rs256")), 401);
}

#[test]
fn a_cluster_that_is_not_there_is_named() {
    let server = KeyServer::start(Behaviour::Hangs);
    let mut unknown = document();
    let rule = unknown["jwtRules"][0].as_object_mut().expect("an object");
    rule.remove("jwksCluster");
    rule.insert("jwksUri".to_owned(), json!("https://tenant.auth0.com/.well-known/jwks.json"));
    let envoy = envoy(&[("ours", &unknown)], &server);
    assert_eq!(get(&envoy, "ours", &token("rs256")), (401, FAILED.to_owned()));
    let event = &events(&envoy.log(), "keys_not_fetched")[0];
    assert_eq!(event["message"], "Envoy has no cluster `outbound|443||tenant.auth0.com`");
    assert!(event["remedy"].as_str().is_some_and(|it| it.contains("ServiceEntry")), "{event}");
    assert!(stat(&envoy, "jwks_refresh_failed_cluster") >= 1);
}

#[test]
fn an_issuer_says_where_its_keys_are() {
    let issuer = "https://tenant.auth0.com/";
    let found = json!({"issuer": issuer, "jwks_uri": "http://keys.test/found"});
    let server = KeyServer::start(Behaviour::serves(&found));
    let mut discovering = document();
    let rule = discovering["jwtRules"][0].as_object_mut().expect("an object");
    rule.remove("jwksUri");
    let envoy = envoy(&[("ours", &discovering)], &server);
    // The server answers with the discovery document again: that is no key set.
    assert_eq!(get(&envoy, "ours", &token("rs256")), (401, FAILED.to_owned()));
    assert!(server.asked().contains(&"/.well-known/openid-configuration".to_owned()));
    assert!(server.asked().contains(&"/found".to_owned()));
    assert!(stat(&envoy, "jwks_refresh_failed_body") >= 1);
}
