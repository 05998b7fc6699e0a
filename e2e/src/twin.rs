//! Whether our answer is the native pair's: the parts of an answer that a client or a workload
//! can tell apart.

use crate::client::Response;
use crate::listener::DETAILS_HEADER;
use crate::upstream::Seen;

/// What is compared of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    status: u16,
    challenge: Option<String>,
    content_type: Option<String>,
    grpc: [Option<String>; 2],
    details: String,
    end: End,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum End {
    /// A local reply with this body.
    Local(String),
    /// The workload got this: request line and headers, sorted, because filters may add a header
    /// at any place.
    Workload(String, Vec<(String, String)>),
}

impl Outcome {
    /// The compared parts of a response.
    pub fn of(response: &Response) -> Self {
        let end = match Seen::of(response) {
            None => End::Local(response.text()),
            Some(seen) => {
                let line = format!("{} {}", seen.method, seen.path);
                let mut headers: Vec<_> =
                    seen.headers.into_iter().filter(|(name, _)| !varies(name)).collect();
                headers.sort();
                End::Workload(line, headers)
            }
        };
        Self {
            status: response.status,
            challenge: response.header("www-authenticate"),
            content_type: response.header("content-type"),
            grpc: [response.header("grpc-status"), response.header("grpc-message")],
            details: details(response),
            end,
        }
    }
}

/// Whether Envoy writes a header that differs from request to request.
fn varies(name: &str) -> bool {
    name == "x-request-id" || name.starts_with("x-envoy-") || name.starts_with("x-forwarded-")
}

/// The details without the name of the policy and the reason: the pair numbers its policies, and
/// knows no reason.
fn details(response: &Response) -> String {
    let details = response.header(DETAILS_HEADER).unwrap_or_default();
    match details.split_once('[') {
        Some(("rbac_access_denied_matched_policy", _)) => "rbac_access_denied".to_owned(),
        _ => details,
    }
}
