//! What a key server answers: the first line of the input is its `cache-control`, the rest the body. It is
//! read as a key set and as a discovery document.

use jwt_rbac::authn::fetch::{Answer, Fetch, Outcome};
use jwt_rbac::authn::http_url::HttpUrl;
use jwt_rbac::authn::jwk::VerificationKey;
use jwt_rbac::authn::key_source::{Address, Endpoint, Timing};
use jwt_rbac::authn::refresh::Availability;
use serde_json::Value;

/// Twenty minutes, five seconds, for ever.
const TIMING: Timing = Timing { interval: 1_200_000, timeout: 5_000, stale_if_error: None };
const ISSUER: &str = "https://tenant.auth0.com/";
const NOW: u64 = 1_000_000;

/// Fails if this answer is taken and should not be.
pub fn check(input: &[u8]) {
    let end = input.iter().position(|&byte| byte == b'\n').unwrap_or(input.len());
    let body = input.get(end + 1..).unwrap_or_default();
    let answer = Answer { status: 200, cache_control: Some(&input[..end]), body };
    check_key_set(answer);
    check_discovery(answer);
    let refused = Answer { status: 302, ..answer };
    let outcome = fetch(&address_of_key_set()).end(Ok(refused), TIMING, NOW, 7);
    assert!(outcome.is_err(), "a redirect is taken for keys");
}

fn check_key_set(answer: Answer<'_>) {
    let mut fetch = fetch(&address_of_key_set());
    let outcome = fetch.end(Ok(answer), TIMING, NOW, 7);
    let fetched = fetch.fetched(TIMING, NOW);
    let Ok(outcome) = outcome else {
        assert!(fetched.key_set.is_none() && fetched.availability == Availability::Unavailable);
        return;
    };
    assert_eq!(outcome, Outcome::NewKeys);
    assert_eq!(fetched.availability, Availability::Ready);
    let set = fetched.key_set.expect("new keys");
    let (usable, skipped) = set.keys(None);
    assert!(usable.len() + skipped.len() <= 100, "too many keys");
    let is_secret = |key: &VerificationKey| matches!(key, VerificationKey::Secret(_));
    assert!(!usable.iter().any(|key| is_secret(&key.key)), "a published secret is taken");
    let theirs: Value = serde_json::from_slice(answer.body).expect("a set that is taken is JSON");
    for (number, key) in theirs["keys"].as_array().expect("keys").iter().enumerate() {
        let is_skipped = skipped.iter().any(|(index, _)| *index == number);
        assert!(key.get("d").is_none() || is_skipped, "a private key is taken: {key}");
    }
    let before = format!("{set:?}");
    // Nobody fetches keys that no request asks for.
    fetch.refresh_mut().need(TIMING, NOW);
    let due = fetch.refresh().due(TIMING, NOW).expect("another fetch is due");
    assert!((NOW + 1..=NOW + TIMING.interval * 2).contains(&due), "due at {due}");
    // What comes next does not take the keys away.
    fetch.start(TIMING, NOW + 1);
    let next = Answer { body: b"<html>", ..answer };
    assert!(fetch.end(Ok(next), TIMING, NOW + 2, 7).is_err());
    let kept = fetch.fetched(TIMING, NOW + 2).key_set.expect("the keys of before");
    assert_eq!(format!("{kept:?}"), before);
}

fn check_discovery(answer: Answer<'_>) {
    let mut fetch = fetch(&Address::of_issuer(ISSUER).expect("a URL"));
    let Ok(outcome) = fetch.end(Ok(answer), TIMING, NOW, 7) else { return };
    let Outcome::Discovered(call) = outcome else { panic!("keys of a discovery document") };
    let document: Value = serde_json::from_slice(answer.body).expect("what is taken is JSON");
    assert_eq!(document["issuer"], ISSUER);
    let url = call.url.to_string();
    assert!(url.starts_with("https://"), "{url}");
    assert!(!url.bytes().any(|byte| byte <= b' ' || byte == 0x7f), "{url:?}");
}

fn fetch(address: &Address) -> Fetch {
    let endpoint = Endpoint { address: address.clone(), cluster: None, allows_insecure: false };
    let mut fetch = Fetch::new(endpoint, 0);
    fetch.start(TIMING, NOW - 1);
    fetch
}

fn address_of_key_set() -> Address {
    Address::KeySet(HttpUrl::parse("https://tenant.auth0.com/jwks").expect("a URL"))
}
