//! The VM of the worker traps in mid-flight, by a module that does so when it is asked to: in every
//! other respect it is the filter. Envoy refuses all requests then, until it has a new VM.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use jwt_rbac_e2e::client::Request;
use jwt_rbac_e2e::envoy::Envoy;
use jwt_rbac_e2e::{filters, listener, package};
use serde_json::json;

use crate::{document, good_token};

/// The two strategies of Istio that are fit for a filter like this, in Envoy's words.
const CLOSED: &str = "FAIL_CLOSED";
const RELOAD: &str = "FAIL_RELOAD";

/// Why the VM is lost; the first again, because it is another VM then.
const FAULTS: [&str; 5] = ["trap", "memory", "stack", "tick", "trap"];

#[test]
fn nobody_gets_in_when_the_vm_is_lost() {
    let envoy = start(CLOSED);
    lose_vm(&envoy, CLOSED, "trap");
    check_nobody_gets_in(&envoy, CLOSED, Duration::from_secs(2));
    assert_eq!(envoy.answer(CLOSED, &good()).status, 503, "no new VM without a new configuration");
}

#[test]
fn nobody_gets_in_when_a_vm_takes_its_place() {
    let envoy = start(RELOAD);
    for fault in FAULTS {
        lose_vm(&envoy, RELOAD, fault);
        check_nobody_gets_in(&envoy, RELOAD, Duration::from_millis(100));
        check_it_comes_back(&envoy, RELOAD);
        check_nobody_gets_in(&envoy, RELOAD, Duration::ZERO);
    }
}

/// A request whose body is still on its way when the VM is lost.
#[test]
fn a_request_in_flight_gets_no_answer_of_another() {
    let envoy = start(RELOAD);
    let open = |token: Option<&str>| {
        let mut stream = TcpStream::connect(envoy.address(RELOAD)).expect("Envoy listens");
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a time-out");
        let token = token.map_or_else(String::new, |it| format!("authorization: Bearer {it}\r\n"));
        let head = format!(
            "POST /members HTTP/1.1\r\nhost: a.test\r\nconnection: close\r\n{token}\
             content-length: 4\r\n\r\nab"
        );
        stream.write_all(head.as_bytes()).expect("Envoy reads");
        stream
    };
    let (anonymous, identified) = (open(None), open(Some(&good_token())));
    // Both have been judged when a request after them has been.
    assert_eq!(envoy.answer(RELOAD, &good()).status, 200);
    lose_vm(&envoy, RELOAD, "trap");
    for (mut stream, may_pass) in [(anonymous, false), (identified, true)] {
        // Envoy may have closed the connection.
        let _ = stream.write_all(b"cd");
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer);
        assert!(may_pass || !answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    check_nobody_gets_in(&envoy, RELOAD, Duration::ZERO);
}

/// An Envoy with one listener, which has the name of its strategy.
fn start(policy: &str) -> Envoy {
    let module = package::module_with("jwt-rbac-filter", "faults").unwrap();
    let routes = json!([
        {"name": "members", "paths": ["/members"], "access": "AUTHENTICATED"},
        {"name": "closed", "paths": ["/closed"], "access": "DENIED"},
    ]);
    let mut filter = filters::jwt_rbac(policy, &document(&routes), &module);
    filter["typed_config"]["config"]["failure_policy"] = policy.into();
    let envoy = Envoy::before_upstream(&[listener::listener(policy, &[filter])], None);
    assert_eq!(envoy.answer(policy, &good()).status, 200);
    assert_eq!(envoy.answer(policy, &Request::get("/members")).status, 403);
    envoy
}

/// Loses the VM, and waits until it is lost.
fn lose_vm(envoy: &Envoy, name: &str, fault: &str) {
    let before = envoy.traps().len();
    let request = Request::get("/closed").header("x-test-fault", fault);
    let status = request.send(envoy.address(name)).map(|response| response.status);
    // The request that asks for a fault in a tick is answered before.
    let wanted = if fault == "tick" { 403 } else { 503 };
    assert!(matches!(status, Ok(status) if status == wanted), "{name}, {fault}: {status:?}");
    let end = Instant::now() + Duration::from_secs(10);
    while envoy.traps().len() == before {
        assert!(Instant::now() < end, "{name}: the VM goes on:\n{}", envoy.log_tail());
        thread::sleep(Duration::from_millis(10));
    }
}

/// Asks for what nobody may have without a token, for so long.
fn check_nobody_gets_in(envoy: &Envoy, name: &str, duration: Duration) {
    let end = Instant::now() + duration;
    loop {
        for request in [
            Request::get("/members"),
            Request::get("/closed").bearer(&good_token()),
            Request::get("/members").bearer("a.b.c"),
        ] {
            let status = envoy.answer(name, &request).status;
            assert!([401, 403, 503].contains(&status), "{name}: {status}: {request:?}");
        }
        if Instant::now() >= end {
            return;
        }
    }
}

/// Envoy makes a new VM a second after the old one was lost, when the next request comes.
fn check_it_comes_back(envoy: &Envoy, name: &str) {
    let end = Instant::now() + Duration::from_secs(20);
    while envoy.answer(name, &good()).status != 200 {
        assert!(Instant::now() < end, "{name}: no new VM:\n{}", envoy.log_tail());
        check_nobody_gets_in(envoy, name, Duration::ZERO);
        thread::sleep(Duration::from_millis(50));
    }
}

fn good() -> Request {
    Request::get("/members").bearer(&good_token())
}
