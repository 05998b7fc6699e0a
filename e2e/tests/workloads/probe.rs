//! Sends what a row says and looks for it at the workload.

use jwt_rbac_e2e::client::Request;
use jwt_rbac_e2e::envoy::Envoy;
use jwt_rbac_e2e::other_names::Sent;
use jwt_rbac_e2e::sent::{cookies, query, send};
use jwt_rbac_e2e::upstream::Seen;

use crate::places::{Caller, Place};

/// The header that nobody removes.
const KEPT: (&str, &str) = ("x-kept", "1");

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Refused,
    Removed,
    Passed,
    /// None of these: what reached the workload or the client.
    Other(String),
}

/// Sends it and looks for it at the workload.
pub fn outcome(envoy: &Envoy, place: Place, sent: &Sent) -> Outcome {
    let (request, body) = sent.request("GET", place.path);
    let request = place.caller.identified(request.header(KEPT.0, KEPT.1));
    let response = send(envoy.address(place.listener), &request, &body);
    let response = response.unwrap_or_else(|error| panic!("{request:?}: {error}"));
    let Some(seen) = Seen::of(&response) else {
        return match (response.status, response.text()) {
            (400 | 403, _) => Outcome::Refused,
            (_, text) if text == "RBAC: access denied" => Outcome::Refused,
            (status, text) => Outcome::Other(format!("{status} {text}")),
        };
    };
    let subject = if place.caller == Caller::Anonymous { "" } else { "auth0|user" };
    let is_whole = header(&seen, "x-sub") == subject && header(&seen, KEPT.0) == KEPT.1;
    let [with, without] = [passed(sent, &request), removed(sent, place.path)];
    match there(sent, &seen) {
        found if is_whole && with.contains(&found) => Outcome::Passed,
        found if is_whole && without.contains(&found) => Outcome::Removed,
        _ => Outcome::Other(format!("{seen:?}")),
    }
}

/// The part of a request where a workload would find it.
fn there(sent: &Sent, seen: &Seen) -> String {
    match sent {
        Sent::Header(name, _) => header(seen, name),
        Sent::Parameter(_) => seen.path.clone(),
        Sent::Form(_) => header(seen, "content-length"),
        Sent::Target(..) => format!("{} {}", seen.method, seen.path),
    }
}

/// What that part is when the filter has left it alone.
fn passed(sent: &Sent, request: &Request) -> Vec<String> {
    match sent {
        Sent::Header(name, value) if name == "cookie" => vec![cookies(value)],
        Sent::Header(_, value) => vec![value.clone()],
        Sent::Parameter(_) => vec![request.target.clone()],
        Sent::Form(text) => vec![text.len().to_string()],
        Sent::Target(method, path) => vec![format!("{method} {path}")],
    }
}

/// What it is when nothing is removed but what was sent.
fn removed(sent: &Sent, path: &str) -> Vec<String> {
    match sent {
        // White space may count as a part of the cookie before it.
        Sent::Header(name, _) if name == "cookie" => {
            ["a=1; b=2", "a=1; c=1; b=2", "a=1; $Version=1; b=2"].map(str::to_owned).to_vec()
        }
        Sent::Header(name, value) if name == "connection" => {
            let kept = value.split(", ").filter(|name| *name == "upgrade");
            vec![kept.collect::<String>()]
        }
        Sent::Header(..) => vec![String::new()],
        Sent::Parameter(text) => match text.split_once(';') {
            Some((before, _)) => vec![query(path, before)],
            None => vec![format!("{path}?a=1&b=%41")],
        },
        Sent::Form(_) | Sent::Target(..) => Vec::new(),
    }
}

/// The values of exactly this name, joined.
fn header(seen: &Seen, name: &str) -> String {
    let named = seen.headers.iter().filter(|header| header.0.eq_ignore_ascii_case(name));
    named.map(|header| header.1.as_str()).collect::<Vec<_>>().join("; ")
}
