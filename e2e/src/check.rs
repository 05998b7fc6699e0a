//! Whether a response is the one that its case asks for.

use jwt_rbac::refusal::Refusal;

use crate::cases::Case;
use crate::client::{Request, Response};
use crate::listener::DETAILS_HEADER;
use crate::upstream::Seen;

/// The body of a denial that is not about the token.
const ACCESS_DENIED: &str = "RBAC: access denied";

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
    let details = response.header(DETAILS_HEADER).unwrap_or_default();
    let got_challenge = response.header("www-authenticate");
    let authority = request.authority();
    if let Some(challenge) = &case.challenge {
        let wanted = challenge.as_ref().map(|text| text.replace("{authority}", authority));
        expect("challenge", format!("{wanted:?}"), format!("{got_challenge:?}"));
    }
    if let Some(wanted) = &case.details {
        expect("details", wanted.clone(), details.clone());
    }
    let slug = case.reason.as_deref();
    let refusal = slug.map(|slug| refusal(slug).unwrap_or_else(|| panic!("no refusal is {slug}")));
    match refusal {
        None => {}
        Some(refusal) if refusal.text() != ACCESS_DENIED => {
            if case.grpc_status.is_none() {
                expect("status", refusal.status().to_string(), response.status.to_string());
                expect("body", refusal.text().to_owned(), shortened(&response.text()));
            }
            let text = refusal.text().replace(' ', "_");
            expect("details", format!("jwt_authn_access_denied{{{text}}}"), details);
            if case.challenge.is_none() {
                let path = request.target.split('?').next().unwrap_or_default();
                let path: String = path.chars().take(256).collect();
                let start = format!("Bearer realm=\"http://{authority}{path}");
                let got = got_challenge.unwrap_or_default();
                let is_one =
                    got.starts_with(&start) && got.ends_with("\", error=\"invalid_token\"");
                expect("challenge", format!("{start}…"), if is_one { start + "…" } else { got });
            }
        }
        Some(refusal) => {
            let got = details.strip_prefix("rbac_access_denied_matched_policy[");
            let got = got.and_then(|rest| rest.split_once(']')).map(|(_, slug)| slug);
            let got = got.map_or_else(|| format!("details {details:?}"), str::to_owned);
            expect("reason", format!("{{{}}}", refusal.slug()), got);
        }
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

/// Whether the decision code, outside of Envoy, comes to what its case says.
///
/// # Errors
///
/// To what it comes instead.
pub fn decided_as_written(case: &Case, refusal: Option<Refusal>) -> Result<(), String> {
    let target = case.request.split_once(' ').map(|(_, target)| target);
    if case.status == 400 || target.is_none_or(|target| !target.starts_with('/')) {
        // Envoy answers such a request itself, or makes another of it.
        return Ok(());
    }
    let wanted = case.reason.as_deref().and_then(self::refusal);
    let expected = match (wanted, case.grpc_status) {
        (Some(wanted), _) => refusal == Some(wanted),
        (None, Some(_)) => refusal.is_some(),
        // `responses.missingToken` makes a 401 of it.
        (None, None) if refusal == Some(Refusal::PolicyIdentityMissing) => {
            matches!(case.status, 401 | 403)
        }
        (None, None) => refusal.map_or(200, Refusal::status) == case.status,
    };
    if expected { Ok(()) } else { Err(format!("decided otherwise: {refusal:?}")) }
}

/// The refusal with this slug.
pub fn refusal(slug: &str) -> Option<Refusal> {
    Refusal::ALL.iter().copied().find(|refusal| refusal.slug() == slug)
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

/// Cuts a text: a whole token would only make the table hard to read.
fn shortened(text: &str) -> String {
    const LONGEST: usize = 120;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
