//! A condition of a policy in words: what it asks, and what the request has.

use std::fmt::Display;

use jwt_rbac::authz::counterpart::Counterpart;
use jwt_rbac::authz::policies::claim_test::{ClaimTest, ClaimValue};
use jwt_rbac::authz::policies::condition::{Condition, Test};
use jwt_rbac::authz::policies::subject::Subject;
use jwt_rbac::authz::policies::text_test::TextTest;
use jwt_rbac::query::Unclear;
use jwt_rbac::request::Request;
use jwt_rbac::scalar::Scalar;

use super::permissions::shown;
use crate::policy::Policy;

/// What is said of what no condition can be sure about.
const UNCLEAR: &str = "can be read in more than one way";

/// Such as `the method must be GET or HEAD: it is POST`.
pub fn describe(policy: &Policy, condition: &Condition, subject: &Subject<'_, '_>) -> String {
    let request = subject.request;
    let (attribute, wanted, found) = match &condition.test {
        Test::Claim(id, test) => {
            let name = policy.document.authenticator.claim_name(*id).unwrap_or_default();
            let claim = subject.identity.and_then(|identity| identity.claim(*id));
            (format!("the claim `{name}`"), of_claim(test, request), claim.map(shown))
        }
        Test::Header(name, test) => {
            let values = request.values(name).map(text).collect::<Vec<_>>();
            let found = (!values.is_empty()).then(|| values.join(" and "));
            (format!("the header `{name}`"), of_text(test), found)
        }
        Test::Parameter(name, test) => {
            let found = match request.parameters().value(name) {
                Ok(value) => value.map(|value| text(value.as_bytes())),
                Err(Unclear) => Some(UNCLEAR.to_owned()),
            };
            (format!("the parameter `{}`", name.as_str()), of_text(test), found)
        }
        Test::Host(hosts) => ("the host".into(), any(hosts), Some(text(request.authority))),
        Test::Method(methods) => ("the method".into(), any(methods), Some(text(request.method))),
        Test::Path(paths) => ("the path".into(), any(paths), Some(text(subject.path))),
        Test::LocalIp(blocks) => {
            let found = subject.local_address().map(|it| format!("`{}`", it.ip()));
            ("the address that is called".into(), any(blocks), found)
        }
        Test::Port(ports) => {
            let found = subject.local_address().map(|it| format!("`{}`", it.port()));
            ("the port".into(), any(ports), found)
        }
        Test::RemoteIp(blocks) => {
            let found = subject.remote_ip().map(|it| format!("`{it}`"));
            ("the address of the client".into(), any(blocks), found)
        }
        Test::Peer(peers) => {
            let found = subject.peer().map(|it| format!("`{it}`"));
            ("the calling workload".into(), any(peers), found)
        }
        Test::RequestPrincipal(principals) => {
            let found = subject.identity.and_then(|identity| {
                let (issuer, subject) = (identity.issuer.as_ref()?, identity.subject.as_ref()?);
                Some(format!("`{issuer}/{subject}`"))
            });
            ("the issuer and subject of the token".into(), any(principals), found)
        }
        Test::ServerName(names) => {
            let found = subject.server_name().map(text);
            ("the server name of TLS".into(), any(names), found)
        }
    };
    let must = if condition.negated { "must not be" } else { "must be" };
    let found = match found {
        Some(found) if found == UNCLEAR => format!("it {UNCLEAR}"),
        Some(found) => format!("it is {found}"),
        None => "there is none".to_owned(),
    };
    format!("{attribute} {must} {wanted}: {found}")
}

/// What a claim is compared with, and what the request has there.
pub fn as_in(counterpart: &Counterpart, request: &Request<'_>) -> String {
    let place = match counterpart {
        Counterpart::Header(name) => format!("the header `{}`", name.as_str()),
        Counterpart::Parameter(name) => format!("the parameter `{}`", name.as_str()),
    };
    match counterpart.text(request) {
        Ok(Some(value)) => format!("as {place} ({})", text(value.as_bytes())),
        Ok(None) => format!("as {place}, which is not there"),
        Err(Unclear) => format!("as {place}, which {UNCLEAR}"),
    }
}

/// A value of the document.
pub fn scalar(scalar: &Scalar) -> String {
    match scalar {
        Scalar::Bool(value) => value.to_string(),
        Scalar::Float(value) => value.to_string(),
        Scalar::Integer(value) => value.to_string(),
        Scalar::Text(text) => format!("{text:?}"),
    }
}

fn of_claim(test: &ClaimTest, request: &Request<'_>) -> String {
    let value = |value: &ClaimValue| match value {
        ClaimValue::Text(pattern) => format!("`{pattern}`"),
        ClaimValue::Typed(typed) => scalar(typed),
    };
    let values = |values: &[ClaimValue]| values.iter().map(value).collect::<Vec<_>>();
    match test {
        ClaimTest::All(all) => format!("a list of {}", values(all.all()).join(" and ")),
        ClaimTest::Equals(counterpart) => as_in(counterpart, request),
        ClaimTest::One(one) => values(one.all()).join(" or "),
        ClaimTest::Present => "there".to_owned(),
        ClaimTest::Regex(regex) => format!("like `{regex}`"),
    }
}

fn of_text(test: &TextTest) -> String {
    match test {
        test if *test == TextTest::present() => "there".to_owned(),
        TextTest::One(patterns) => any(patterns),
        TextTest::Regex(regex) => format!("like `{regex}`"),
    }
}

fn any<T: Display>(values: &[T]) -> String {
    values.iter().map(|value| format!("`{value}`")).collect::<Vec<_>>().join(" or ")
}

fn text(bytes: &[u8]) -> String {
    format!("`{}`", String::from_utf8_lossy(bytes).escape_debug())
}
