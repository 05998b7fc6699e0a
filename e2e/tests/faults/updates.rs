//! Documents that come and go while requests are decided.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use jwt_rbac_e2e::client::Request;
use jwt_rbac_e2e::envoy::Envoy;
use jwt_rbac_e2e::lds::{ListenerFile, Update};
use jwt_rbac_e2e::listener;
use jwt_rbac_e2e::tokens::Recipe;
use serde_json::{Value, json};

use crate::{document, good_token};

const NAME: &str = "ours";
/// How many documents are published under load.
const UPDATES: usize = 200;
/// After so many, the memory of a listener that drains beside the one in force is taken.
const WARM_UP: usize = 60;
/// How much memory the other updates may leave, in bytes. A document that stayed would take 60 KiB,
/// its cache of tokens not counted.
const BOUND: u64 = 4 << 20;

/// Every request is judged by one of the documents as a whole: what both of them deny is denied, and
/// what both allow is allowed.
#[test]
fn two_hundred_documents_under_load() {
    let documents = [with_permission("even"), with_permission("odd")];
    let listeners = |number: usize| [serving(&documents[number % 2])];
    let mut file = ListenerFile::create(&listeners(0));
    let mut envoy = Envoy::before_upstream(&[], Some(file.path()));
    let address = envoy.address(NAME);
    let (is_over, asked) = (AtomicBool::new(false), AtomicUsize::new(0));
    let (before, after) = thread::scope(|scope| {
        let askers: Vec<_> =
            (0..2).map(|_| scope.spawn(|| ask_until(address, &is_over, &asked))).collect();
        // Also when an update fails: the scope waits for those who ask.
        let over = Over(&is_over);
        let mut before = 0;
        for number in 1..=UPDATES {
            // One of ten is refused, and the one before it stays.
            if number % 10 == 0 {
                let mut bad = documents[number % 2].clone();
                bad["routes"] = "all".into();
                assert_eq!(file.publish(&mut envoy, &[serving(&bad)]), Update::Rejected);
            }
            assert_eq!(file.publish(&mut envoy, &listeners(number)), Update::Accepted);
            if number == WARM_UP {
                before = settled_memory(&envoy);
            }
        }
        let after = settled_memory(&envoy);
        drop(over);
        for asker in askers {
            asker.join().expect("no wrong decision");
        }
        (before, after)
    });
    assert!(after < before + BOUND, "{before} bytes before, {after} after {UPDATES} updates");
    println!("{} requests, {UPDATES} documents", asked.load(Ordering::Relaxed));
    assert_eq!(envoy.traps(), [""; 0]);
    // The last one is in force.
    let last = Recipe::of_caller("user").claim("permissions", json!(["even"])).mint();
    assert_eq!(envoy.answer(NAME, &Request::get("/changing").bearer(&last)).status, 200);
}

/// A plugin that has counted waits for a tick, in which it hands over what it counted.
#[test]
fn a_plugin_that_goes_while_a_tick_is_due() {
    let stays = listener::ours("stays", &with_permission("even"));
    let goes = listener::ours("goes", &with_permission("odd"));
    let mut file = ListenerFile::create(std::slice::from_ref(&stays));
    let mut envoy = Envoy::before_upstream(&[], Some(file.path()));
    let good = Request::get("/members").bearer(&good_token());
    for _ in 0..10 {
        let both = [stays.clone(), goes.clone()];
        assert_eq!(file.publish(&mut envoy, &both), Update::Accepted);
        assert_eq!(envoy.answer("goes", &good).status, 200);
        assert_eq!(envoy.answer("goes", &Request::get("/members")).status, 403);
        assert_eq!(file.publish(&mut envoy, std::slice::from_ref(&stays)), Update::Accepted);
        assert_eq!(envoy.answer("stays", &good).status, 200);
        assert_eq!(envoy.answer("stays", &Request::get("/members")).status, 403);
    }
    assert_eq!(envoy.traps(), [""; 0]);
    let [allowed, denied] =
        envoy.stats(["wasmcustom.jwt_rbac_allowed", "wasmcustom.jwt_rbac_denied_identity_missing"]);
    assert_eq!((allowed, denied), (20, 20), "what was counted is handed over");
}

fn with_permission(permission: &str) -> Value {
    document(&json!([
        {"name": "members", "paths": ["/members"], "access": "AUTHENTICATED"},
        {"name": "changing", "paths": ["/changing"], "permissions": [permission]},
        {"name": "closed", "paths": ["/closed"], "access": "DENIED"},
        {"name": "public", "paths": ["/public"], "access": "PUBLIC"},
    ]))
}

/// The listener, which is bound once: an update keeps its address.
fn serving(document: &Value) -> Value {
    listener::ours(NAME, document)
}

/// Ends the asking when it is dropped.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn ask_until(address: SocketAddr, is_over: &AtomicBool, asked: &AtomicUsize) {
    let user = good_token();
    let even = Recipe::of_caller("user").claim("permissions", json!(["even"])).mint();
    let stranger = Recipe::of_caller("user").key("stranger-rs256").mint();
    let rows: [(Request, &[u16]); 7] = [
        (Request::get("/members"), &[403]),
        (Request::get("/members").bearer(&user), &[200]),
        (Request::get("/members").bearer(&stranger), &[401]),
        (Request::get("/changing").bearer(&user), &[403]),
        (Request::get("/changing").bearer(&even), &[200, 403]),
        (Request::get("/closed").bearer(&user), &[403]),
        (Request::get("/public"), &[200]),
    ];
    while !is_over.load(Ordering::Relaxed) {
        for (request, allowed) in &rows {
            // A listener that goes may close a connection that it has just taken.
            let Ok(response) = request.send(address) else { continue };
            let status = response.status;
            assert!(allowed.contains(&status), "{status}, expected {allowed:?}: {request:?}");
            asked.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// The memory of Envoy when no listener is draining any more.
fn settled_memory(envoy: &Envoy) -> u64 {
    for _ in 0..100 {
        if envoy.stat("listener_manager.total_listeners_draining") == 0 {
            break;
        }
        thread::sleep(std::time::Duration::from_millis(50));
    }
    envoy.resident_memory()
}
