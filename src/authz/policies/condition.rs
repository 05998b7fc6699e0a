//! One condition of a rule: an attribute of the request, and what it must or must not be.

use serde_json::Value;

use super::address::IpBlock;
use super::path::PathPattern;
use super::pattern::Pattern;
use super::peer::PeerPattern;
use super::request_principal::RequestPrincipal;
use super::subject::Subject;
use crate::authn::identity::ClaimId;

/// A test, or its opposite (`notPaths`, `notValues`). An attribute that the request lacks passes no
/// test, so it passes the opposite of each, as in Istio.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// The test.
    pub test: Test,
    /// Whether it must fail.
    pub negated: bool,
}

/// Whether an attribute is one of these.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// A claim of the verified token: a string, or a list that has one.
    Claim(ClaimId, Vec<Pattern>),
    /// A header, by its name in lower case; each of its lines on its own.
    Header(String, Vec<Pattern>),
    /// `:authority`, with its port.
    Host(Vec<Pattern>),
    /// The address that the client has called.
    LocalIp(Vec<IpBlock>),
    /// The method.
    Method(Vec<Pattern>),
    /// The path without the query.
    Path(Vec<PathPattern>),
    /// The workload that calls.
    Peer(Vec<PeerPattern>),
    /// The port that the client has called.
    Port(Vec<u16>),
    /// The address of the client.
    RemoteIp(Vec<IpBlock>),
    /// Issuer and subject of the verified token.
    RequestPrincipal(Vec<RequestPrincipal>),
    /// The server name of the TLS handshake.
    ServerName(Vec<Pattern>),
}

impl Condition {
    pub(super) fn holds(&self, subject: &Subject<'_, '_>) -> bool {
        self.test.passes(subject) != self.negated
    }

    /// What it takes to know, to be asked in this order: what the request says, what the token says,
    /// and what the host has to be called for.
    pub(super) fn cost(&self) -> u8 {
        match self.test {
            Test::Method(_) | Test::Host(_) | Test::Path(_) => 0,
            Test::Header(..) => 1,
            Test::Claim(..) | Test::RequestPrincipal(_) => 2,
            Test::LocalIp(_)
            | Test::Peer(_)
            | Test::Port(_)
            | Test::RemoteIp(_)
            | Test::ServerName(_) => 3,
        }
    }

    /// Whether it is about the token.
    #[must_use]
    pub fn reads_token(&self) -> bool {
        matches!(self.test, Test::Claim(..) | Test::RequestPrincipal(_))
    }
}

impl Test {
    fn passes(&self, subject: &Subject<'_, '_>) -> bool {
        let request = subject.request;
        match self {
            Self::Claim(claim, patterns) => subject
                .identity
                .and_then(|identity| identity.claim(*claim))
                .is_some_and(|claim| matches_claim(patterns, claim)),
            // White space around a value is not part of it (RFC 9110 §5.5). Envoy takes it off over
            // HTTP/1.1; over HTTP/2 it leaves it to the workload, and its own RBAC is got past with it.
            Self::Header(name, patterns) => request
                .values(name)
                .map(<[u8]>::trim_ascii)
                .any(|value| patterns.iter().any(|pattern| pattern.matches_header(value))),
            Self::Host(patterns) => request
                .values(":authority")
                .any(|host| patterns.iter().any(|pattern| pattern.matches_host(host))),
            Self::LocalIp(blocks) => subject
                .local_address()
                .is_some_and(|address| blocks.iter().any(|block| block.contains(address.ip()))),
            Self::Method(patterns) => {
                patterns.iter().any(|pattern| pattern.matches_header(request.method))
            }
            Self::Path(patterns) => patterns.iter().any(|pattern| pattern.matches(subject.path)),
            Self::Peer(patterns) => subject
                .peer()
                .is_some_and(|peer| patterns.iter().any(|pattern| pattern.matches(peer))),
            Self::Port(ports) => {
                subject.local_address().is_some_and(|address| ports.contains(&address.port()))
            }
            Self::RemoteIp(blocks) => subject
                .remote_ip()
                .is_some_and(|address| blocks.iter().any(|block| block.contains(address))),
            Self::RequestPrincipal(patterns) => subject.identity.is_some_and(|identity| {
                match (identity.issuer.as_deref(), identity.subject.as_deref()) {
                    (Some(issuer), Some(sub)) => {
                        patterns.iter().any(|pattern| pattern.matches(issuer, sub))
                    }
                    _ => false,
                }
            }),
            Self::ServerName(patterns) => subject
                .server_name()
                .is_some_and(|name| patterns.iter().any(|pattern| pattern.matches(name))),
        }
    }
}

/// Numbers, booleans, objects and null match no pattern (Istio's
/// `MetadataListValueMatcherForJWTClaims`).
fn matches_claim(patterns: &[Pattern], claim: &Value) -> bool {
    let elements = match claim {
        Value::Array(elements) => elements.as_slice(),
        claim => std::slice::from_ref(claim),
    };
    let texts = elements.iter().filter_map(Value::as_str);
    let matches = |text: &str| patterns.iter().any(|pattern| pattern.matches(text.as_bytes()));
    texts.into_iter().any(matches)
}
