//! A path, against a table in which everything is open but `/admin` and what is below it.

use jwt_rbac::decision::Verdict;

use crate::asked;
use crate::policy;

/// Fails if this target passes, and a workload could take it for one below `/admin`.
pub fn check(input: &[u8]) {
    let lines = asked::get(input, &[]);
    policy::with_document(|document, worker| {
        asked::decided(document, worker, &lines, |decision| {
            let is_open = decision.rule() == Some("rest");
            if let Verdict::Allow(_) = decision.verdict
                && is_open
                && let Some(reading) = admin_reading(&String::from_utf8_lossy(input))
            {
                panic!("{:?}: {reading}", String::from_utf8_lossy(input));
            }
        })
    });
}

/// How a workload could read this path as the admin's, if it can: each of the steps that some
/// framework takes, or not, in the order in which they are taken.
#[must_use]
pub fn admin_reading(target: &str) -> Option<String> {
    // No step joins letters but decoding.
    let once = decoded(target);
    if ![target, &once, &decoded(&once)].iter().any(|path| path.contains("admin")) {
        return None;
    }
    for choices in 0..1_u32 << 6 {
        let does = |step: u32| choices & 1 << step != 0;
        let mut path = target.split('?').next().unwrap_or_default().to_owned();
        if let Some((_, rest)) = path.split_once("://").filter(|_| !path.starts_with('/')) {
            path = rest.find('/').map_or_else(String::new, |slash| rest[slash..].to_owned());
        }
        if does(0) {
            path = path.split('#').next().unwrap_or_default().to_owned();
        }
        if does(1) {
            path = decoded(&path);
        }
        if does(2) {
            path = decoded(&path);
        }
        if does(3) {
            path = path.replace('\\', "/");
        }
        if does(4) {
            let cut = path.split('/').map(|segment| segment.split(';').next().unwrap_or_default());
            path = cut.collect::<Vec<_>>().join("/");
        }
        path = path.split(['?', '\0']).next().unwrap_or_default().to_owned();
        let resolved = resolved(&path, does(5));
        if resolved.first().is_some_and(|segment| segment == "admin") {
            return Some(format!("{resolved:?} by the steps {choices:06b}"));
        }
    }
    None
}

fn decoded(path: &str) -> String {
    let bytes = path.as_bytes();
    let mut decoded = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let digits = path.get(at + 1..at + 3).filter(|_| bytes[at] == b'%');
        if let Some(byte) = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            decoded.push(byte);
            at += 3;
        } else {
            decoded.push(bytes[at]);
            at += 1;
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

/// The segments after dots are resolved; empty ones are dropped, or count like others.
fn resolved(path: &str, merges: bool) -> Vec<String> {
    let mut segments: Vec<String> = Vec::new();
    for segment in path.split('/').skip(1) {
        match segment {
            "" if merges => {}
            "." => {}
            ".." => drop(segments.pop()),
            _ => segments.push(segment.to_owned()),
        }
    }
    segments
}
