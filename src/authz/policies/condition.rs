//! One condition of a rule: an attribute of the request, and what it must or must not be.

use super::address::IpBlock;
use super::claim_test::ClaimTest;
use super::path::PathPattern;
use super::pattern::Pattern;
use super::peer::PeerPattern;
use super::request_principal::RequestPrincipal;
use super::subject::Subject;
use super::text_test::TextTest;
use crate::authn::identity::ClaimId;
use crate::query::{ParameterName, Unclear};

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
    /// A claim of the verified token.
    Claim(ClaimId, ClaimTest),
    /// A header, by its name in lower case; each of its lines on its own.
    Header(String, TextTest),
    /// `:authority`, with its port.
    Host(Vec<Pattern>),
    /// The address that the client has called.
    LocalIp(Vec<IpBlock>),
    /// The method.
    Method(Vec<Pattern>),
    /// A parameter of the query.
    Parameter(ParameterName, TextTest),
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
    /// Whether it holds; `if_unclear` for what can be read in more than one way, so that such a request
    /// is denied under each action.
    #[must_use]
    pub fn holds(&self, subject: &Subject<'_, '_>, if_unclear: bool) -> bool {
        match self.test.passes(subject) {
            Ok(passes) => passes != self.negated,
            Err(Unclear) => if_unclear,
        }
    }

    /// What it takes to know, to be asked in this order: what the request says, what the token says,
    /// and what the host has to be called for.
    pub(super) fn cost(&self) -> u8 {
        match self.test {
            Test::Method(_) | Test::Host(_) | Test::Path(_) => 0,
            Test::Header(..) | Test::Parameter(..) => 1,
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
    fn passes(&self, subject: &Subject<'_, '_>) -> Result<bool, Unclear> {
        let request = subject.request;
        Ok(match self {
            Self::Claim(claim, test) => {
                let claim = subject.identity.and_then(|identity| identity.claim(*claim));
                return claim.map_or(Ok(false), |claim| test.passes(claim, request));
            }
            // White space around a value is not part of it (RFC 9110 §5.5). Envoy takes it off over
            // HTTP/1.1; over HTTP/2 it leaves it to the workload, and its own RBAC is got past with it.
            Self::Header(name, test) => {
                let values = request.values(name).map(<[u8]>::trim_ascii);
                return test.passes(values, request.work());
            }
            Self::Parameter(name, test) => {
                let value = request.parameters().value(name)?;
                return test.passes(value.iter().map(String::as_bytes), request.work());
            }
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
        })
    }
}
