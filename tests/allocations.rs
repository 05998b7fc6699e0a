//! How often memory is asked for while a request is decided whose token was seen before: no more
//! than is needed, because nearly every request pays for it.
#![allow(unsafe_code, reason = "what counts allocations is an allocator")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use jsonwebtoken::{Algorithm, EncodingKey, Header as TokenHeader};
use jwt_rbac::authn::signature::rustcrypto::RustCrypto;
use jwt_rbac::decision::{self, Verdict};
use jwt_rbac::forward::{self, HeaderChange};
use jwt_rbac::request::{Header, Request};
use jwt_rbac::worker::Worker;
use serde_json::{Value, json};

const NOW: u64 = 1_800_000_000;

/// The segments of the path, and the changes of the headers. The filter needs three more: for the
/// headers as Envoy hands them over, for their lines, and for the context of the SDK.
const ALLOCATIONS: usize = 2;

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: `System` does all of the work.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.set(COUNT.get().wrapping_add(1));
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        COUNT.set(COUNT.get().wrapping_add(1));
        // SAFETY: the caller keeps the contract of `realloc`.
        unsafe { System.realloc(memory, layout, size) }
    }
}

#[test]
fn a_token_that_was_seen_before_takes_two() {
    let jwks: Value = serde_json::from_str(include_str!("../testdata/jwks.json")).unwrap();
    let key_id = jwks["keys"].as_array().unwrap().iter().find(|key| key["alg"] == "RS256");
    let key_id = key_id.unwrap()["kid"].as_str().map(str::to_owned);
    let claims = json!({
        "iss": "https://a.test", "aud": "me", "sub": "joe", "exp": NOW + 60,
        "permissions": ["read:reviews"],
    });
    let key = EncodingKey::from_rsa_pem(include_bytes!("../testdata/keys/rs256.pem")).unwrap();
    let header = TokenHeader { kid: key_id, ..TokenHeader::new(Algorithm::RS256) };
    let token = jsonwebtoken::encode(&header, &claims, &key).unwrap();
    let routes: Vec<_> = (0..1_000)
        .map(|number| json!({"paths": [format!("/v1/reviews-{number}/{{id}}")], "permissions": ["read:reviews"]}))
        .collect();
    let document = json!({
        "jwtRules": [{"issuer": "https://a.test", "audiences": ["me"], "jwks": jwks}],
        "routes": routes,
    });
    let (document, _) = jwt_rbac_config::compile(document.to_string().as_bytes(), &mut RustCrypto)
        .map_err(|it| it.errors)
        .unwrap();
    let credential = format!("Bearer {token}");
    let headers: &[Header<'_>] = &[
        (b":method", b"GET"),
        (b":path", b"/v1/reviews-500/1"),
        (b":authority", b"a.test"),
        (b"accept", b"*/*"),
        (b"authorization", credential.as_bytes()),
    ];
    let mut worker = Worker::new(&document);
    let mut counts = Vec::new();
    for _ in 0..3 {
        let before = COUNT.get();
        let request = Request::read(headers).unwrap();
        let decision = decision::decide(&document, &mut worker, &request, NOW);
        let Verdict::Allow(permit) = &decision.verdict else { panic!("{decision:?}") };
        let changes = forward::changes(&document, &request, permit);
        counts.push(COUNT.get() - before);
        assert_eq!(changes, [HeaderChange::Remove(b"authorization")]);
    }
    assert!(counts[0] > ALLOCATIONS, "{counts:?}");
    assert_eq!(counts[1..], [ALLOCATIONS; 2]);
}
