//! A request as lines, asked about.

use jwt_rbac::decision::{Decision, decide};
use jwt_rbac::document::Document;
use jwt_rbac::request::{Header, Request};
use jwt_rbac::response;
use jwt_rbac::telemetry;
use jwt_rbac::worker::Worker;

use crate::policy::NOW;

/// A GET request for this target with these further lines.
pub fn get<'a>(target: &'a [u8], lines: &[Header<'a>]) -> Vec<Header<'a>> {
    let mut all: Vec<Header<'a>> = vec![
        (b":method", b"GET"),
        (b":path", target),
        (b":authority", b"bookinfo.test"),
        (b":scheme", b"http"),
    ];
    all.extend_from_slice(lines);
    all
}

/// Decides about the request of these lines, and no more: many can be tried. `None` for lines that are
/// no request.
pub fn decided<'d, T>(
    document: &'d Document,
    worker: &mut Worker,
    lines: &[Header<'_>],
    see: impl FnOnce(&Decision<'d, '_>) -> T,
) -> Option<T> {
    let request = Request::read(lines).ok()?;
    Some(see(&decide(document, worker, &request, NOW)))
}

/// Decides about the request of these lines as the filter does, writes what the filter would write,
/// and hands it over. `None` for lines that are no request.
pub fn ask<'d, T>(
    document: &'d Document,
    worker: &mut Worker,
    lines: &[Header<'_>],
    see: impl FnOnce(&Request<'_>, &Decision<'d, '_>) -> T,
) -> Option<T> {
    let request = Request::read(lines).ok()?;
    let decision = decide(document, worker, &request, NOW);
    if let Some(refusal) = decision.verdict.refusal() {
        let reply = response::local_reply(refusal, &decision, Some(document), Some(&request));
        assert!((400..500).contains(&reply.status), "{reply:?}");
        for (name, value) in &reply.headers {
            let breaks = |byte: &u8| matches!(byte, b'\r' | b'\n' | 0);
            assert!(!value.iter().any(breaks), "{name}: {value:?}");
        }
    }
    let line = telemetry::line(&decision, document, &request, 0);
    assert!(!line.bytes().any(|byte| byte < b' '), "a line of the log breaks: {line:?}");
    assert!(serde_json::from_str::<serde_json::Value>(&line).is_ok(), "no JSON: {line}");
    let summary = telemetry::summary(&decision);
    let ends = |byte: u8| byte < b' ' || matches!(byte, b'"' | 0x7f);
    let words = summary.split(' ').count();
    assert!(words == 4 && !summary.bytes().any(ends), "a field of an access log ends: {summary:?}");
    Some(see(&request, &decision))
}
