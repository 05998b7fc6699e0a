use super::*;
use crate::authn::http_url::HttpUrl;
use crate::authn::key_source::{Address, Endpoint, FetchedFrom, Timing};
use crate::authn::signature::rustcrypto::RustCrypto;

const ALL: &[u8] = include_bytes!("../../../testdata/jwks-all.json");

fn source(until_fetched: Option<Keys>) -> KeySource {
    let address = Address::KeySet(HttpUrl::parse("https://a.example/").unwrap());
    let endpoint = Endpoint { address, cluster: None, allows_insecure: false };
    let timing = Timing { interval: 1, timeout: 1, stale_if_error: None };
    KeySource::Fetched { from: FetchedFrom { endpoint, timing }, until_fetched }
}

fn update(keys: &mut FetchedKeys, availability: Availability, generation: u32) -> bool {
    let key_set = FetchedKeySet::parse(ALL).unwrap();
    let key_set = Some(&key_set).filter(|_| generation > 0);
    let fetched = Fetched { availability, key_set, generation };
    keys.update(0, fetched, None, &mut RustCrypto).is_some()
}

#[test]
fn keys_are_pending_then_there_and_changes_are_seen() {
    let source = source(None);
    let mut keys = FetchedKeys::new([&source].into_iter());
    assert_eq!(keys.keys(0, &source).err(), Some(NoKeys::Pending));
    let before = keys.generation();
    assert!(update(&mut keys, Availability::Ready, 1));
    assert!(keys.keys(0, &source).is_ok());
    let first = keys.generation();
    assert_ne!(before, first);
    // The same again is no change.
    assert!(!update(&mut keys, Availability::Ready, 1));
    assert_eq!(keys.generation(), first);
    assert!(update(&mut keys, Availability::Ready, 2));
    assert_ne!(keys.generation(), first);
    let second = keys.generation();
    update(&mut keys, Availability::Unavailable, 2);
    assert_eq!(keys.keys(0, &source).err(), Some(NoKeys::Unavailable));
    assert_ne!(keys.generation(), second);
}

#[test]
fn keys_of_the_document_count_until_some_were_fetched() {
    let inline = Keys::prepare(&[], &mut RustCrypto);
    let source = source(Some(inline));
    let mut keys = FetchedKeys::new([&source].into_iter());
    for availability in [Availability::Pending, Availability::Unavailable] {
        assert!(!update(&mut keys, availability, 0));
        assert!(keys.keys(0, &source).is_ok());
    }
    assert!(update(&mut keys, Availability::Ready, 1));
    assert!(
        keys.keys(0, &source)
            .is_ok_and(|keys| keys.know(Some("_I6wvLze6J8C2C3dhSTHiGEeYGMy7MAeZioktmZChIA")))
    );
    // Not again when they are too old.
    update(&mut keys, Availability::Unavailable, 1);
    assert_eq!(keys.keys(0, &source).err(), Some(NoKeys::Unavailable));
}

#[test]
fn misses_are_told_once() {
    let source = source(None);
    let mut keys = FetchedKeys::new([&source, &source].into_iter());
    assert!(keys.take_misses().is_empty());
    keys.miss(1);
    keys.miss(1);
    assert_eq!(keys.take_misses(), [1]);
    assert!(keys.take_misses().is_empty());
}
