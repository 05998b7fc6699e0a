//! What a route asks of an identity.

use serde_json::Value;

use super::counterpart::Counterpart;
use super::path::Segment;
use super::regex::Regex;
use crate::authn::grants::Granted;
use crate::authn::identity::{ClaimId, Identity};
use crate::denial::{Denial, Detail};
use crate::permissions::PermissionId;
use crate::refusal::Refusal;
use crate::request::Request;
use crate::scalar::{self, Scalars};

/// What an identity must have. Everything in it must hold; an empty one asks for any verified
/// token.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Requirement {
    /// One of which must have issued the token; `None` for any.
    pub issuers: Option<Vec<String>>,
    /// All of which must be granted.
    pub all_of: Vec<PermissionId>,
    /// One of which must be granted; `None` for no such demand. Never empty.
    pub any_of: Option<Vec<PermissionId>>,
    /// All of which must hold.
    pub claims: Vec<ClaimRule>,
}

/// What a claim must be. A claim that is missing, null or an object fails under every operator but
/// [`Operator::Present`].
#[derive(Clone, Debug, PartialEq)]
pub struct ClaimRule {
    /// Which claim.
    pub claim: ClaimId,
    /// What it must be.
    pub operator: Operator,
}

/// How a claim is compared.
#[derive(Clone, Debug, PartialEq)]
pub enum Operator {
    /// A list that has every one of these.
    AllValues(Scalars),
    /// What the request has in a header or in its query.
    Equals(Counterpart),
    /// None of these, and no list that has one of them.
    NotValues(Scalars),
    /// What the request's path has at the variable with this number among those of the route.
    PathVariable(usize),
    /// A text that begins with this, or a list that has one.
    Prefix(String),
    /// There, of whatever type but null; or, where this is false, not there.
    Present(bool),
    /// A text that is like this, or a list that has one.
    Regex(Regex),
    /// A text that ends with this, or a list that has one.
    Suffix(String),
    /// One of these, or a list that has one of them.
    Values(Scalars),
}

impl ClaimRule {
    /// Whether the claim of an identity is what it must be. `variables` are the segments that
    /// [`Operator::PathVariable`] numbers.
    #[must_use]
    pub fn holds(
        &self,
        identity: &Identity,
        variables: &[Segment<'_>],
        request: &Request<'_>,
    ) -> bool {
        self.operator.holds(identity.claim(self.claim), variables, request)
    }
}

impl Requirement {
    /// Whether this identity may use the route, in the order issuer, permissions,
    /// claims. `variables` are the segments that [`Operator::PathVariable`] numbers.
    ///
    /// # Errors
    /// A [`Denial`] about what the identity lacks first.
    pub fn check(
        &self,
        identity: &Identity,
        variables: &[Segment<'_>],
        request: &Request<'_>,
    ) -> Result<(), Denial<'_>> {
        if let Some(issuers) = &self.issuers
            && !issuers.iter().any(|issuer| identity.issuer.as_deref() == Some(issuer))
        {
            let detail = Detail::Issuers(issuers);
            return Err(Denial { refusal: Refusal::IssuerNotAllowed, detail });
        }
        self.check_permissions(&identity.granted)?;
        let fails = |rule: &&ClaimRule| !rule.holds(identity, variables, request);
        match self.claims.iter().find(fails) {
            None => Ok(()),
            Some(rule) => {
                let detail = Detail::Claim(rule.claim);
                Err(Denial { refusal: Refusal::ClaimMismatch, detail })
            }
        }
    }

    /// Whether everybody who has what this asks has what `other` asks too.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        let has_any_of = |any_of: &Vec<PermissionId>| {
            let own = self.any_of.as_ref();
            any_of.iter().any(|id| self.all_of.contains(id))
                || own.is_some_and(|own| own.iter().all(|id| any_of.contains(id)))
        };
        let has_issuers = |issuers: &Vec<String>| {
            let own = self.issuers.as_ref();
            own.is_some_and(|own| own.iter().all(|issuer| issuers.contains(issuer)))
        };
        other.issuers.as_ref().is_none_or(has_issuers)
            && other.all_of.iter().all(|id| self.all_of.contains(id))
            && other.any_of.as_ref().is_none_or(has_any_of)
            && other.claims.iter().all(|rule| self.claims.contains(rule))
    }

    fn check_permissions(&self, granted: &Granted) -> Result<(), Refusal> {
        match (self.missing(granted).next(), granted) {
            (None, _) => Ok(()),
            (Some(_), Granted::Set(_)) => Err(Refusal::PermissionMissing),
            (Some(_), Granted::Malformed) => Err(Refusal::ClaimMalformed),
        }
    }

    /// The permissions that an identity lacks; of several that are each enough, all.
    pub fn missing(&self, granted: &Granted) -> impl Iterator<Item = PermissionId> {
        let has =
            move |id: &PermissionId| matches!(granted, Granted::Set(set) if set.contains(*id));
        let any_of = self.any_of.as_deref().unwrap_or_default();
        let of_any = if any_of.iter().any(has) { &[] } else { any_of };
        self.all_of.iter().filter(move |id| !has(id)).chain(of_any).copied()
    }
}

impl Operator {
    fn holds(
        &self,
        claim: Option<&Value>,
        variables: &[Segment<'_>],
        request: &Request<'_>,
    ) -> bool {
        let claim = claim.filter(|claim| !claim.is_null());
        if let Self::Present(wanted) = self {
            return claim.is_some() == *wanted;
        }
        let Some(claim) = claim.filter(|claim| !claim.is_object()) else { return false };
        match self {
            Self::AllValues(values) => values.all_are_in(claim),
            // What can be read in two ways does not hold.
            Self::Equals(counterpart) => counterpart.equals(claim, request).unwrap_or(false),
            Self::NotValues(values) => scalar::is_plain(claim) && !values.one_is_in(claim),
            Self::PathVariable(variable) => match variables.get(*variable) {
                Some(Segment::Plain(segment)) => scalar::has_text(claim, segment),
                _ => false,
            },
            Self::Prefix(prefix) => scalar::texts(claim).any(|text| text.starts_with(prefix)),
            Self::Present(_) => false,
            Self::Regex(regex) => {
                let texts = scalar::texts(claim).map(str::as_bytes);
                regex.matches_any(texts, request.work()).unwrap_or(false)
            }
            Self::Suffix(suffix) => scalar::texts(claim).any(|text| text.ends_with(suffix)),
            Self::Values(values) => values.one_is_in(claim),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use serde_json::json;

    use super::*;
    use crate::query::ParameterName;
    use crate::request::Header;
    use crate::scalar::Scalar;

    fn scalars(values: &Value) -> Scalars {
        let values = values.as_array().unwrap().iter().map(|value| Scalar::new(value).unwrap());
        values.collect::<Vec<_>>().into()
    }

    fn holds(operator: &Operator, claim: &Value, variables: &[Segment<'_>]) -> bool {
        let headers: &[Header<'_>] = &[(b":method", b"GET"), (b":path", b"/?tenant=acme&x=1&x=2")];
        operator.holds(Some(claim), variables, &Request::read(headers).unwrap())
    }

    #[test]
    fn one_all_or_none() {
        let one = Operator::Values(scalars(&json!(["a", "b"])));
        let all = Operator::AllValues(scalars(&json!(["a", "b"])));
        let none = Operator::NotValues(scalars(&json!(["a", "b"])));
        for (claim, expected) in [
            (json!(["a", "b", "c"]), [true, true, false]),
            (json!(["a"]), [true, false, false]),
            (json!("a"), [true, false, false]),
            (json!("c"), [false, false, true]),
            (json!([]), [false, false, true]),
            (json!([["c"]]), [false, false, false]),
            (json!([null]), [false, false, false]),
            (json!([{"x": "a"}]), [false, false, false]),
            (json!(null), [false, false, false]),
            (json!({}), [false, false, false]),
        ] {
            let found = [&one, &all, &none].map(|operator| holds(operator, &claim, &[]));
            assert_eq!(found, expected, "{claim}");
        }
    }

    #[test]
    fn path_variables_are_compared_as_text() {
        let operator = Operator::PathVariable(0);
        let segment = Segment::Plain(Cow::Borrowed("acme"));
        assert!(holds(&operator, &json!(["x", "acme"]), &[segment]));
        assert!(!holds(&operator, &json!("acme"), &[Segment::Ambiguous]));
        assert!(!holds(&operator, &json!("acme"), &[]));
    }

    #[test]
    fn texts_are_compared_with_what_is_like_them() {
        let prefix = Operator::Prefix("team-".to_owned());
        let suffix = Operator::Suffix("-eu".to_owned());
        let regex = Operator::Regex(Regex::parse("team-[0-9]+-(eu|us)").unwrap());
        for (claim, expected) in [
            (json!("team-1-eu"), [true, true, true]),
            (json!(["x", "team-1-us"]), [true, false, true]),
            (json!("team-"), [true, false, false]),
            (json!("x-team-1-eu"), [false, true, false]),
            (json!("Team-1-EU"), [false, false, false]),
            (json!(["team-x", "y-eu"]), [true, true, false]),
            (json!([["team-1-eu"]]), [false, false, false]),
            (json!(7), [false, false, false]),
            (json!(null), [false, false, false]),
            (json!({"team-1-eu": "team-1-eu"}), [false, false, false]),
        ] {
            let found = [&prefix, &suffix, &regex].map(|operator| holds(operator, &claim, &[]));
            assert_eq!(found, expected, "{claim}");
        }
        assert!(!holds(&regex, &json!(["x".repeat(9_000), "team-1-eu"]), &[]));
    }

    #[test]
    fn a_claim_is_present_whatever_its_type() {
        for (claim, is_present) in [
            (json!(""), true),
            (json!(false), true),
            (json!([]), true),
            (json!({}), true),
            (json!(null), false),
        ] {
            assert_eq!(holds(&Operator::Present(true), &claim, &[]), is_present, "{claim}");
            assert_eq!(holds(&Operator::Present(false), &claim, &[]), !is_present, "{claim}");
        }
        let headers: &[Header<'_>] = &[(b":method", b"GET"), (b":path", b"/")];
        let request = Request::read(headers).unwrap();
        assert!(Operator::Present(false).holds(None, &[], &request));
        assert!(!Operator::Present(true).holds(None, &[], &request));
    }

    #[test]
    fn a_claim_is_what_the_request_says_once() {
        let equals = |name| Operator::Equals(Counterpart::Parameter(ParameterName::new(name)));
        assert!(holds(&equals("tenant"), &json!("acme"), &[]));
        assert!(!holds(&equals("tenant"), &json!("other"), &[]));
        assert!(!holds(&equals("other"), &json!("acme"), &[]));
        assert!(!holds(&equals("x"), &json!(["1", "2"]), &[]));
    }
}
