//! Whether a response is the one that its case asks for.

use crate::cases::Case;
use crate::client::{Request, Response};
use crate::listener::DETAILS_HEADER;
use crate::upstream::Seen;

/// What is wrong with the response, a sentence each.
pub fn failures(case: &Case, request: &Request, response: &Response) -> Vec<String> {
    let mut failures = Vec::new();
    let mut expect = |what: &str, wanted: String, got: String| {
        if wanted != got {
            failures.push(format!("{what}: expected {wanted}, got {got}"));
        }
    };
    expect("status", case.status.to_string(), response.status.to_string());
    if let Some(body) = &case.body {
        expect("body", format!("{body:?}"), format!("{:?}", shortened(&response.text())));
    }
    if let Some(challenge) = &case.challenge {
        let authority = request.authority();
        let wanted = challenge.as_ref().map(|text| text.replace("{authority}", authority));
        let got = response.header("www-authenticate");
        expect("challenge", format!("{wanted:?}"), format!("{got:?}"));
    }
    let details = response.header(DETAILS_HEADER).unwrap_or_default();
    if let Some(wanted) = &case.details {
        expect("details", wanted.clone(), details.clone());
    }
    if let Some(slug) = &case.reason {
        let got = details.strip_prefix("rbac_access_denied_matched_policy[");
        let got = got.and_then(|rest| rest.split_once(']')).map(|(_, slug)| slug);
        let got = got.map_or_else(|| format!("details {details:?}"), str::to_owned);
        expect("reason", format!("{{{slug}}}"), got);
    }
    if let Some(status) = case.grpc_status {
        let got = response.header("grpc-status").unwrap_or_default();
        expect("grpc-status", status.to_string(), got);
    }
    match (Seen::of(response), &case.upstream) {
        (Some(seen), Some(wanted)) => {
            for (name, values) in &wanted.0 {
                let got = seen_values(&seen, name);
                expect(&format!("upstream {name}"), format!("{values:?}"), format!("{got:?}"));
            }
        }
        (Some(_), None) => {}
        (None, wanted) => {
            let reached = case.status == 200 && case.grpc_status.is_none();
            if reached || wanted.is_some() {
                expect("workload", "reached".to_owned(), "not reached".to_owned());
            }
        }
    }
    failures
}

/// The values under a name in any of its spellings, or of `:method` and `:path`.
fn seen_values(seen: &Seen, name: &str) -> Vec<String> {
    match name {
        ":method" => return vec![seen.method.clone()],
        ":path" => return vec![seen.path.clone()],
        _ => {}
    }
    let wanted = spelled(name);
    let headers = seen.headers.iter().filter(|(name, _)| spelled(name) == wanted);
    headers.map(|(_, value)| value.clone()).collect()
}

/// `X_Sub`, `x-sub` and `X-SUB` are one header to most workloads.
fn spelled(name: &str) -> String {
    name.to_ascii_lowercase().replace('_', "-")
}

/// A short text of a response for a table of failures.
pub fn summary(response: &Response) -> String {
    let end = match Seen::of(response) {
        Some(seen) => {
            let headers: Vec<String> = seen
                .headers
                .iter()
                .map(|(name, value)| format!("{name}: {}", shortened(value)))
                .collect();
            format!("upstream {} {} {headers:?}", seen.method, shortened(&seen.path))
        }
        None => format!("{:?}", shortened(&response.text())),
    };
    let mut words = vec![response.status.to_string(), end];
    for name in ["www-authenticate", DETAILS_HEADER, "grpc-status"] {
        words.extend(response.header(name).map(|value| format!("{name} [{value}]")));
    }
    words.join(" ")
}

/// A token in full says nothing to a reader.
fn shortened(text: &str) -> String {
    const LONGEST: usize = 120;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
