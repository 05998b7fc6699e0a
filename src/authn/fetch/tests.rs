use serde_json::json;

use super::*;
use crate::authn::refresh::Availability;

const TIMING: Timing = Timing { interval: 1_200_000, timeout: 5_000, stale_if_error: None };
const ALL: &[u8] = include_bytes!("../../../testdata/jwks-all.json");
const ONE: &[u8] = include_bytes!("../../../testdata/jwks-stranger.json");

fn fetch(address: Address) -> Fetch {
    let endpoint = Endpoint { address, cluster: None, allows_insecure: false };
    Fetch::new(endpoint, 0)
}

fn of_url() -> Fetch {
    fetch(Address::KeySet(HttpUrl::parse("https://a.example/jwks").unwrap()))
}

fn answer(fetch: &mut Fetch, status: u16, body: &[u8]) -> Result<Outcome, FetchFailure> {
    fetch.start(TIMING, 1);
    fetch.end(Ok(Answer { status, cache_control: None, body }), TIMING, 2, 0)
}

#[test]
fn other_keys_are_another_generation_and_the_same_are_not() {
    let mut fetch = of_url();
    assert_eq!(answer(&mut fetch, 200, ALL), Ok(Outcome::NewKeys));
    assert_eq!(answer(&mut fetch, 200, ALL), Ok(Outcome::SameKeys));
    assert_eq!(fetch.fetched(TIMING, 3).generation, 1);
    assert_eq!(answer(&mut fetch, 200, ONE), Ok(Outcome::NewKeys));
    assert_eq!(fetch.fetched(TIMING, 3).generation, 2);
}

#[test]
fn what_fails_keeps_the_last_good_keys() {
    let mut fetch = of_url();
    answer(&mut fetch, 200, ALL).unwrap();
    for (status, body, cause) in [
        (500, ALL, "status"),
        (503, ALL, "unreachable"),
        (302, ALL, "status"),
        (204, b"", "status"),
        (200, b"", "body"),
        (200, b"<html>", "body"),
        (200, b"[]", "body"),
        (200, b"{\"keys\": []}", "keys"),
    ] {
        let failure = answer(&mut fetch, status, body).unwrap_err();
        assert_eq!(failure.cause(), cause, "{failure}");
        assert!(FetchFailure::CAUSES.contains(&failure.cause()));
        let fetched = fetch.fetched(TIMING, 3);
        assert_eq!((fetched.availability, fetched.generation), (Availability::Ready, 1));
        assert_eq!(fetched.key_set, FetchedKeySet::parse(ALL).ok().as_ref());
    }
}

#[test]
fn the_call_names_the_cluster_of_istio_or_of_the_document() {
    let call = of_url().start(TIMING, 0);
    assert_eq!(call.cluster, "outbound|443||a.example");
    assert_eq!((call.url.to_string().as_str(), call.timeout), ("https://a.example/jwks", 5_000));
    let address = Address::KeySet(HttpUrl::parse("https://a.example/jwks").unwrap());
    let cluster = Some("keys".to_owned());
    let mut named = Fetch::new(Endpoint { address, cluster, allows_insecure: false }, 0);
    assert_eq!(named.start(TIMING, 0).cluster, "keys");
}

#[test]
fn discovery_leads_to_the_keys() {
    let issuer = "https://issuer.example/tenant/";
    let mut fetch = fetch(Address::of_issuer(issuer).unwrap());
    let first = fetch.start(TIMING, 0);
    assert_eq!(
        first.url.to_string(),
        "https://issuer.example/tenant/.well-known/openid-configuration"
    );
    let document = json!({"issuer": issuer, "jwks_uri": "https://keys.example/jwks"}).to_string();
    let Ok(Outcome::Discovered(second)) = answer(&mut fetch, 200, document.as_bytes()) else {
        panic!("discovered")
    };
    assert_eq!(second.cluster, "outbound|443||keys.example");
    let end = |fetch: &mut Fetch, body| {
        fetch.end(Ok(Answer { status: 200, cache_control: None, body }), TIMING, 3, 0)
    };
    assert_eq!(end(&mut fetch, ALL), Ok(Outcome::NewKeys));
    // The next fetch goes there; only after a failure the issuer is asked again.
    assert_eq!(fetch.start(TIMING, 4), second);
    assert!(end(&mut fetch, b"gone").is_err());
    assert_eq!(fetch.start(TIMING, 5), first);
}

#[test]
fn a_discovery_document_must_be_of_the_issuer() {
    let issuer = "https://issuer.example";
    let uri = "https://keys.example/";
    for (document, error) in [
        (json!({"issuer": "https://issuer.example/", "jwks_uri": uri}), DiscoveryError::Issuer),
        (json!({"jwks_uri": uri}), DiscoveryError::Issuer),
        (json!({"issuer": issuer}), DiscoveryError::KeySetUri),
        (json!({"issuer": issuer, "jwks_uri": 7}), DiscoveryError::KeySetUri),
        (json!({"issuer": issuer, "jwks_uri": "/jwks"}), DiscoveryError::Url(HttpUrlError::Scheme)),
        (json!({"issuer": issuer, "jwks_uri": "http://k.example/"}), DiscoveryError::Insecure),
    ] {
        let mut fetch = fetch(Address::of_issuer(issuer).unwrap());
        let found = answer(&mut fetch, 200, document.to_string().as_bytes());
        assert_eq!(found, Err(FetchFailure::Discovery(error)), "{document}");
    }
}

#[test]
fn max_age_is_read() {
    for (value, expected) in [
        ("max-age=60", Some(60_000)),
        ("public, Max-Age=\"60\", immutable", Some(60_000)),
        ("s-maxage=60", None),
        ("no-store", None),
        ("max-age=-1", None),
        ("max-age=x, max-age=60", None),
        ("", None),
    ] {
        assert_eq!(max_age(value.as_bytes()), expected, "{value}");
    }
    assert_eq!(max_age(b"\xff, max-age=1"), Some(1_000));
}
