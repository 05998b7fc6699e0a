//! A request: the first line of the input is its method and target, each further one a header. A
//! line `:name: value` is a pseudo header.

use jwt_rbac::decision::Verdict;
use jwt_rbac::forward::{self, HeaderChange};
use jwt_rbac::request::{Header, Request};
use jwt_rbac::telemetry;
use jwt_rbac::worker::Worker;

use crate::asked;
use crate::policy::{self, FENCE};

/// The headers that only the document writes.
const OUTPUTS: [&[u8]; 4] = [b"x-sub", b"x-groups", b"x-payload", b"x-fence"];

/// Fails if the decision about this request, or what the workload or the log gets of it, is wrong.
pub fn check(input: &[u8]) {
    let input = lowered(input);
    let lines = lines(&input);
    policy::with_document(|document, worker| {
        let fresh = asked::ask(document, &mut Worker::new(document), &lines, |_, decision| {
            (decision.verdict.word(), decision.verdict.refusal())
        });
        let remembered = asked::ask(document, worker, &lines, |request, decision| {
            if let Verdict::Allow(permit) = &decision.verdict {
                let changes = forward::changes(document, request, permit);
                let written = decision.identity.as_ref().and_then(|it| it.outputs.as_ref().ok());
                let written: Vec<Header<'_>> = written
                    .into_iter()
                    .flatten()
                    .map(|(name, value)| (name.as_bytes(), value.as_slice()))
                    .collect();
                check_forwarded(&changed(request.headers(), &changes), &written);
            }
            check_line(request, &telemetry::line(decision, document, request, 0));
            (decision.verdict.word(), decision.verdict.refusal())
        });
        assert_eq!(fresh, remembered, "what a worker remembers has changed the decision");
    });
}

/// The lines as Envoy hands them over.
fn lines(input: &[u8]) -> Vec<Header<'_>> {
    let mut rows = input.split(|&byte| byte == b'\n');
    let first = rows.next().unwrap_or_default();
    let (method, target) = split(first, b" ");
    let mut lines: Vec<Header<'_>> = vec![
        (b":method", method),
        (b":path", target),
        (b":authority", b"bookinfo.test"),
        (b":scheme", b"http"),
    ];
    lines.extend(rows.map(|row| split(row, b": ")).filter(|(name, _)| !name.is_empty()));
    lines
}

fn split<'a>(row: &'a [u8], by: &[u8]) -> Header<'a> {
    match row.windows(by.len()).position(|window| window == by) {
        Some(place) => (&row[..place], &row[place + by.len()..]),
        None => (row, b""),
    }
}

/// The headers after the changes, made as Envoy makes them.
fn changed(headers: &[Header<'_>], changes: &[HeaderChange<'_>]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut headers: Vec<(Vec<u8>, Vec<u8>)> =
        headers.iter().map(|(name, value)| (name.to_vec(), value.to_vec())).collect();
    for change in changes {
        match change {
            HeaderChange::Remove(removed) => headers.retain(|(name, _)| name != removed),
            HeaderChange::Replace(replaced, value) => {
                headers.retain(|(name, _)| name != replaced.as_bytes());
                headers.push((replaced.as_bytes().to_vec(), value.to_vec()));
            }
        }
    }
    headers
}

/// The workload gets our headers once, as we write them, and in no other spelling.
fn check_forwarded(headers: &[(Vec<u8>, Vec<u8>)], written: &[Header<'_>]) {
    for output in OUTPUTS {
        let found: Vec<&(Vec<u8>, Vec<u8>)> = headers
            .iter()
            .filter(|(name, _)| {
                let spelled = name.to_ascii_lowercase();
                let spelled: Vec<u8> =
                    spelled.iter().map(|&byte| if byte == b'_' { b'-' } else { byte }).collect();
                spelled == output
            })
            .collect();
        let wanted = match output {
            b"x-fence" => Some(FENCE.as_bytes()),
            _ => written.iter().find(|(name, _)| *name == output).map(|(_, value)| *value),
        };
        match (&found[..], wanted) {
            ([], None) => {}
            ([(name, value)], Some(wanted)) if name == output && value == wanted => {
                let breaks = |byte: &u8| matches!(byte, b'\r' | b'\n' | 0);
                assert!(!value.iter().any(breaks), "{value:?}");
            }
            _ => panic!("the workload gets {found:?}, expected {wanted:?}"),
        }
    }
}

/// No value of a place for tokens is in the log if it could be a token.
fn check_line(request: &Request<'_>, line: &str) {
    for value in request.values("x-token") {
        let Ok(text) = std::str::from_utf8(value) else { continue };
        let is_token = text.len() > 40 && text.split('.').count() == 3;
        assert!(!(is_token && line.contains(text)), "the log has a token: {line}");
    }
}

/// The input with the names of headers in lower case, as Envoy's codecs hand them over.
fn lowered(input: &[u8]) -> Vec<u8> {
    let mut rows = input.split(|&byte| byte == b'\n');
    let mut lowered = rows.next().unwrap_or_default().to_vec();
    for row in rows {
        let (name, _) = split(row, b": ");
        lowered.push(b'\n');
        lowered.extend(name.to_ascii_lowercase());
        lowered.extend(&row[name.len()..]);
    }
    lowered
}
