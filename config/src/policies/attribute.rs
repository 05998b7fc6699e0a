//! The attributes that a policy can name, as fields or as keys of `when`, and what its values mean.

use super::NO_DIRECT_PEER;
use crate::fault::Fault;
use crate::place::Place;
use crate::problem::Problems;
use jwt_rbac::authn::Authenticator;
use jwt_rbac::authn::claim_path::ClaimPath;
use jwt_rbac::authn::identity::ClaimId;
use jwt_rbac::authz::policies::address::IpBlock;
use jwt_rbac::authz::policies::claim_test::{ClaimTest, ClaimValue};
use jwt_rbac::authz::policies::condition::Test;
use jwt_rbac::authz::policies::path::PathPattern;
use jwt_rbac::authz::policies::pattern::Pattern;
use jwt_rbac::authz::policies::peer::PeerPattern;
use jwt_rbac::authz::policies::request_principal::RequestPrincipal;
use jwt_rbac::authz::policies::text_test::TextTest;
use jwt_rbac::query::ParameterName;

/// The trust domain that stands for the mesh's own, whatever that is (Istio's
/// `constants.DefaultClusterLocalDomain`).
const LOCAL: &str = "cluster.local";
/// What `when` can ask for.
const KEYS: &str = "`request.headers[…]`, `request.query[…]`, `request.auth.principal`, `request.auth.audiences`, \
                    `request.auth.presenter`, `request.auth.claims[…]`, `source.principal`, \
                    `source.namespace`, `source.serviceAccount`, `source.trustDomain`, `remote.ip`, \
                    `destination.ip`, `destination.port` or `connection.sni`";

/// What values are compiled with.
pub struct Context<'c> {
    /// The mesh's own, then its aliases.
    pub trust_domains: Option<&'c [String]>,
    /// That of the policy.
    pub namespace: Option<&'c str>,
    pub authenticator: &'c mut Authenticator,
    pub problems: &'c mut Problems,
}

/// An attribute of a request.
#[derive(Clone, Debug)]
pub enum Attribute {
    Claim(ClaimId),
    Header(String),
    Host,
    LocalIp,
    Method,
    Namespace,
    Parameter(ParameterName),
    Path,
    Port,
    Principal,
    RemoteIp,
    RequestPrincipal,
    ServerName,
    ServiceAccount,
    TrustDomain,
}

impl Attribute {
    /// What a key of `when` names.
    #[inline(never)]
    pub fn of_key(key: &str, authenticator: &mut Authenticator) -> Result<Self, Fault> {
        let mut top_level = |name: &str| {
            let claim = ClaimPath::of_policy(&["[", name, "]"].concat());
            claim.map(|claim| Self::Claim(authenticator.name_claim(claim)))
        };
        let found = match key {
            "connection.sni" => Some(Self::ServerName),
            "destination.ip" => Some(Self::LocalIp),
            "destination.port" => Some(Self::Port),
            "remote.ip" => Some(Self::RemoteIp),
            "request.auth.audiences" => top_level("aud"),
            "request.auth.presenter" => top_level("azp"),
            "request.auth.principal" => Some(Self::RequestPrincipal),
            "source.namespace" => Some(Self::Namespace),
            "source.principal" => Some(Self::Principal),
            "source.serviceAccount" => Some(Self::ServiceAccount),
            "source.trustDomain" => Some(Self::TrustDomain),
            "source.ip" => return Err(Fault::unsuitable(key, NO_DIRECT_PEER)),
            _ if key.starts_with("experimental.") => {
                let why = "which reads dynamic metadata, whose types Envoy does not tell a Wasm filter: \
                           keep the rule in an AuthorizationPolicy of Istio, beside the filter";
                return Err(Fault::unsuitable(key, why));
            }
            _ => {
                let claim = key.strip_prefix("request.auth.claims").and_then(ClaimPath::of_policy);
                match claim {
                    Some(claim) => Some(Self::Claim(authenticator.name_claim(claim))),
                    None => match in_brackets(key, "request.query") {
                        Some(name) => Some(Self::Parameter(ParameterName::new(name))),
                        None => header(key).map(Self::Header),
                    },
                }
            }
        };
        found.ok_or_else(|| Fault::text(key, KEYS))
    }

    /// The test for these values; a value that is wrong becomes an error.
    #[inline(never)]
    pub fn test(&self, place: &Place, values: &[String], context: &mut Context<'_>) -> Test {
        let patterns = || values.iter().map(|value| Pattern::parse(value)).collect::<Vec<_>>();
        match self {
            Self::Claim(claim) => Test::Claim(
                *claim,
                ClaimTest::One(
                    patterns().into_iter().map(ClaimValue::Text).collect::<Vec<_>>().into(),
                ),
            ),
            Self::Header(name) => Test::Header(name.clone(), TextTest::One(patterns())),
            Self::Host => Test::Host(patterns()),
            Self::LocalIp => Test::LocalIp(blocks(place, values, context.problems)),
            Self::Method => Test::Method(patterns()),
            Self::Namespace => {
                Test::Peer(values.iter().map(|value| PeerPattern::namespace(value)).collect())
            }
            Self::Parameter(name) => Test::Parameter(name.clone(), TextTest::One(patterns())),
            Self::Path => {
                let paths = values.iter().enumerate().filter_map(|(index, value)| {
                    let path = PathPattern::parse(value);
                    let path = path.map_err(Fault::PolicyPath);
                    context.problems.check(&place.index(index), path)
                });
                Test::Path(paths.collect())
            }
            Self::Port => Test::Port(ports(place, values, context.problems)),
            Self::Principal => Test::Peer(principals(place, values, context)),
            Self::RemoteIp => Test::RemoteIp(blocks(place, values, context.problems)),
            Self::RequestPrincipal => {
                let values = values.iter().map(|value| RequestPrincipal::parse(value));
                Test::RequestPrincipal(values.collect())
            }
            Self::ServerName => Test::ServerName(patterns()),
            Self::ServiceAccount => Test::Peer(service_accounts(place, values, context)),
            Self::TrustDomain => Test::Peer(trust_domains(place, values, context.problems)),
        }
    }
}

/// `request.headers[name]`; Envoy keeps `host` as `:authority`.
fn header(key: &str) -> Option<String> {
    Some(match in_brackets(key, "request.headers")?.to_ascii_lowercase() {
        name if name == "host" => ":authority".to_owned(),
        name => name,
    })
}

/// The name in `prefix[name]`.
fn in_brackets<'k>(key: &'k str, prefix: &str) -> Option<&'k str> {
    let name = key.strip_prefix(prefix)?.strip_prefix('[')?.strip_suffix(']')?;
    Some(name).filter(|name| !name.is_empty())
}

fn blocks(place: &Place, values: &[String], problems: &mut Problems) -> Vec<IpBlock> {
    let block = |(index, value): (usize, &String)| {
        let expected = "an address such as `10.0.0.1`, or a block such as `10.0.0.0/8`";
        let block = IpBlock::parse(value).ok_or_else(|| Fault::text(value, expected));
        problems.check(&place.index(index), block)
    };
    values.iter().enumerate().filter_map(block).collect()
}

fn ports(place: &Place, values: &[String], problems: &mut Problems) -> Vec<u16> {
    let port = |(index, value): (usize, &String)| {
        let is_number = value.bytes().all(|byte| byte.is_ascii_digit());
        let port = value.parse().ok().filter(|_| is_number);
        let port = port.ok_or_else(|| Fault::text(value, "a port: 0 to 65535"));
        problems.check(&place.index(index), port)
    };
    values.iter().enumerate().filter_map(port).collect()
}

/// A principal that names a trust domain of the mesh means the others too (Istio's
/// `pilot/pkg/security/trustdomain`).
fn principals(place: &Place, values: &[String], context: &mut Context<'_>) -> Vec<PeerPattern> {
    let mut patterns = Vec::new();
    for (index, value) in values.iter().enumerate() {
        let mut add = |text: &str| {
            let pattern = PeerPattern::Principal(Pattern::parse(text));
            if !patterns.contains(&pattern) {
                patterns.push(pattern);
            }
        };
        let named = value.split_once('/').filter(|(_, rest)| rest.split('/').count() == 4);
        match (named, context.trust_domains) {
            (None, _) => add(value),
            (Some((domain, _)), None) if domain.starts_with('*') => add(value),
            (Some((domain, _)), None) => {
                let expected =
                    "`trustDomains` of the document, the mesh's own first, because this names one";
                context.problems.error(place.index(index), Fault::text(domain, expected));
            }
            (Some((domain, rest)), Some(known)) => {
                let is_meant = |it: &String| {
                    let suffix = domain.strip_prefix('*').filter(|suffix| !suffix.is_empty());
                    it == domain || suffix.is_some_and(|suffix| it.ends_with(suffix))
                };
                if domain != LOCAL && !known.iter().any(is_meant) {
                    add(value);
                    continue;
                }
                for other in known {
                    if is_meant(other) {
                        add(value);
                    } else {
                        add(&[other, "/", rest].concat());
                    }
                }
            }
        }
    }
    patterns
}

fn service_accounts(
    place: &Place,
    values: &[String],
    context: &mut Context<'_>,
) -> Vec<PeerPattern> {
    let account = |(index, value): (usize, &String)| {
        let parts = match value.split_once('/') {
            Some((namespace, name)) => Ok((namespace, name)),
            None => {
                context.namespace.map(|namespace| (namespace, value.as_str())).ok_or_else(|| {
                    Fault::text(
                        value,
                        "`namespace` of the policy, or `<namespace>/<service account>`",
                    )
                })
            }
        };
        let is_wrong = |text: &str| text.is_empty() || text.contains(['*', '/']);
        let account = parts.and_then(|(namespace, name)| {
            if is_wrong(namespace) || is_wrong(name) {
                return Err(Fault::text(value, "`<namespace>/<service account>`, without `*`"));
            }
            let (namespace, name) = (namespace.to_owned(), name.to_owned());
            Ok(PeerPattern::ServiceAccount { namespace, name })
        });
        context.problems.check(&place.index(index), account)
    };
    values.iter().enumerate().filter_map(account).collect()
}

fn trust_domains(place: &Place, values: &[String], problems: &mut Problems) -> Vec<PeerPattern> {
    let domain = |(index, value): (usize, &String)| {
        let stars = value.matches('*').count();
        let is_at_end = value.starts_with('*') || value.ends_with('*');
        let domain = if value.contains('/') || stars > 1 || (stars == 1 && !is_at_end) {
            Err(Fault::text(value, "a trust domain, with at most one `*`, at its start or end"))
        } else {
            Ok(PeerPattern::TrustDomain(Pattern::parse(value)))
        };
        problems.check(&place.index(index), domain)
    };
    values.iter().enumerate().filter_map(domain).collect()
}
