//! The local reply to a denied request, byte for byte as Envoy's native filters send it.

use crate::authn::locate::{self, Location};
use crate::decision::Denial;
use crate::refusal::Refusal;
use crate::request::Request;

/// How much of the path a challenge shows (`kMaxPathLength` in Envoy's `jwt_authn` filter).
const MAX_REALM_PATH: usize = 256;

/// A response that Envoy sends for us. The host adds `content-type: text/plain` and the length, and
/// turns it into a gRPC status where the request is gRPC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalReply {
    /// HTTP status.
    pub status: u16,
    /// `%RESPONSE_CODE_DETAILS%` of access logs.
    pub details: String,
    /// `www-authenticate`, where there is a challenge (RFC 6750 §3).
    pub challenge: Option<Vec<u8>>,
    /// The text that the client reads.
    pub body: &'static str,
}

/// The reply to a denied request. `locations` are those where tokens are looked for.
#[must_use]
pub fn local_reply(
    denial: &Denial<'_>,
    request: Option<&Request<'_>>,
    locations: &[Location],
) -> LocalReply {
    let Denial { refusal, rule } = denial;
    let is_about_token = refusal.is_about_token();
    LocalReply {
        status: refusal.status(),
        details: if is_about_token {
            token_details(*refusal)
        } else {
            let rule = rule.unwrap_or("none");
            format!("rbac_access_denied_matched_policy[{rule}]{{{}}}", refusal.slug())
        },
        challenge: request.filter(|_| is_about_token).map(|request| challenge(request, locations)),
        body: refusal.text(),
    }
}

/// As in `generateRcDetails` of Envoy's `jwt_authn` filter.
fn token_details(refusal: Refusal) -> String {
    format!("jwt_authn_access_denied{{{}}}", refusal.text().replace(' ', "_"))
}

/// The challenge of Envoy's `jwt_authn` filter. Its realm is the URI of the request, here without
/// the query where that holds a token: a log of responses is no place for one.
fn challenge(request: &Request<'_>, locations: &[Location]) -> Vec<u8> {
    let target = request.target.unwrap_or_default();
    let shown = if holds_token(request, locations) { request.path() } else { target };
    let shown = shown.get(..MAX_REALM_PATH).unwrap_or(shown);
    [
        b"Bearer realm=\"",
        request.scheme,
        b"://",
        request.authority,
        shown,
        b"\", error=\"invalid_token\"",
    ]
    .concat()
}

fn holds_token(request: &Request<'_>, locations: &[Location]) -> bool {
    let mut parameters = request.query().map(locate::parameters).into_iter().flatten();
    parameters.any(|(name, _)| locate::is_token_parameter(name, locations))
}
