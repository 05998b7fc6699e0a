//! What a row of the route table asks of an identity.

use serde_json::{Number, Value};

use super::path::Segment;
use crate::authn::grants::Granted;
use crate::authn::provider::{ClaimId, Identity};
use crate::permissions::{PermissionId, PermissionSet};
use crate::refusal::Refusal;

/// What an identity must have. Everything in it must hold; an empty one asks for any verified
/// token.
#[derive(Clone, Debug, Default)]
pub struct Requirement {
    /// One of which must have issued the token; `None` for any.
    pub issuers: Option<Vec<String>>,
    /// All of which must be granted.
    pub all_of: Vec<PermissionId>,
    /// One of which must be granted; `None` for no such demand.
    pub any_of: Option<Vec<PermissionId>>,
    /// All of which must hold.
    pub claims: Vec<ClaimRule>,
}

/// What a claim must be. A claim that is missing, null or an object fails under every operator.
#[derive(Clone, Debug)]
pub struct ClaimRule {
    /// Which claim.
    pub claim: ClaimId,
    /// What it must be.
    pub operator: Operator,
}

/// How a claim is compared.
#[derive(Clone, Debug)]
pub enum Operator {
    /// A list that has every one of these.
    AllValues(Vec<Scalar>),
    /// None of these, and no list that has one of them.
    NotValues(Vec<Scalar>),
    /// What the request's path has at the variable with this number among those of the row.
    PathVariable(usize),
    /// One of these, or a list that has one of them.
    Values(Vec<Scalar>),
}

/// A value that claims are compared with, typed: 7 is not "7", but it is 7.0.
#[derive(Clone, Debug, PartialEq)]
pub enum Scalar {
    /// `true` or `false`
    Bool(bool),
    /// A number that is no integer, or too large to be held as one.
    Float(f64),
    /// A whole number, whether it is written `7` or `7.0`.
    Integer(i128),
    /// Text, compared exactly.
    Text(String),
}

impl Scalar {
    /// The scalar that a JSON value is; `None` for null, lists and objects.
    #[must_use]
    pub fn new(value: &Value) -> Option<Self> {
        match value {
            Value::Bool(value) => Some(Self::Bool(*value)),
            Value::Number(number) => Some(Self::number(number)),
            Value::String(text) => Some(Self::Text(text.clone())),
            Value::Array(_) | Value::Null | Value::Object(_) => None,
        }
    }

    fn number(number: &Number) -> Self {
        if let Some(integer) = number.as_i128() {
            return Self::Integer(integer);
        }
        let float = number.as_f64().unwrap_or(f64::NAN);
        // Doubles of this size are exact as integers.
        if float.fract() == 0.0 && float.abs() < 2_f64.powi(100) {
            #[allow(clippy::cast_possible_truncation, reason = "2^100 fits")]
            return Self::Integer(float as i128);
        }
        Self::Float(float)
    }

    fn equals(&self, value: &Value) -> bool {
        match (self, value) {
            (Self::Text(text), Value::String(value)) => text == value,
            (_, Value::String(_)) => false,
            (scalar, value) => Self::new(value).is_some_and(|value| value == *scalar),
        }
    }
}

impl Requirement {
    /// Whether this identity may do what the row is about, in the order issuer, permissions,
    /// claims. `variables` are the segments that [`Operator::PathVariable`] numbers.
    ///
    /// # Errors
    /// What the identity lacks first.
    pub fn check(&self, identity: &Identity, variables: &[Segment<'_>]) -> Result<(), Refusal> {
        if let Some(issuers) = &self.issuers {
            let issuer = identity.issuer.as_ref().ok_or(Refusal::IssuerNotAllowed)?;
            if !issuers.contains(issuer) {
                return Err(Refusal::IssuerNotAllowed);
            }
        }
        self.check_permissions(&identity.granted)?;
        let holds = |rule: &ClaimRule| {
            identity
                .claim(rule.claim)
                .is_some_and(|claim| rule.operator.holds(claim, variables))
        };
        if self.claims.iter().all(holds) {
            Ok(())
        } else {
            Err(Refusal::ClaimMismatch)
        }
    }

    fn check_permissions(&self, granted: &Granted) -> Result<(), Refusal> {
        if self.all_of.is_empty() && self.any_of.is_none() {
            return Ok(());
        }
        let granted = match granted {
            Granted::Malformed => return Err(Refusal::ClaimMalformed),
            Granted::Set(granted) => granted,
        };
        let has = |id: &PermissionId| PermissionSet::contains(granted, *id);
        let enough = self.all_of.iter().all(has)
            && self
                .any_of
                .as_ref()
                .is_none_or(|any_of| any_of.iter().any(has));
        if enough {
            Ok(())
        } else {
            Err(Refusal::PermissionMissing)
        }
    }
}

impl Operator {
    fn holds(&self, claim: &Value, variables: &[Segment<'_>]) -> bool {
        let has = |value: &Scalar| elements(claim).iter().any(|element| value.equals(element));
        if matches!(claim, Value::Null | Value::Object(_)) {
            return false;
        }
        match self {
            Self::AllValues(values) => values.iter().all(has),
            Self::NotValues(values) => !values.iter().any(has),
            Self::PathVariable(variable) => match variables.get(*variable) {
                Some(Segment::Plain(segment)) => elements(claim)
                    .iter()
                    .any(|element| is_text(element, segment)),
                _ => false,
            },
            Self::Values(values) => values.iter().any(has),
        }
    }
}

/// The elements of a list; of any other value, itself.
fn elements(claim: &Value) -> &[Value] {
    match claim {
        Value::Array(elements) => elements,
        value => std::slice::from_ref(value),
    }
}

/// Whether a claim is this text, or the integer whose decimal text this is.
fn is_text(claim: &Value, text: &str) -> bool {
    match Scalar::new(claim) {
        Some(Scalar::Text(claim)) => claim == text,
        Some(Scalar::Integer(claim)) => claim.to_string() == text,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use serde_json::json;

    use super::*;

    fn scalars(values: &Value) -> Vec<Scalar> {
        values
            .as_array()
            .unwrap()
            .iter()
            .map(|value| Scalar::new(value).unwrap())
            .collect()
    }

    #[test]
    fn values_are_typed() {
        let values = Operator::Values(scalars(&json!([7, "acme", true, 1.5])));
        for (claim, expected) in [
            (json!(7), true),
            (json!(7.0), true),
            (json!("7"), false),
            (json!("acme"), true),
            (json!("Acme"), false),
            (json!(true), true),
            (json!("true"), false),
            (json!(1.5), true),
            (json!(["x", 7]), true),
            (json!([["acme"]]), false),
            (json!([]), false),
            (json!(null), false),
            (json!({"acme": 7}), false),
        ] {
            assert_eq!(values.holds(&claim, &[]), expected, "{claim}");
        }
        let large = Operator::Values(scalars(&json!([9_007_199_254_740_993_u64])));
        assert!(large.holds(&json!(9_007_199_254_740_993_u64), &[]));
        assert!(!large.holds(&json!(9_007_199_254_740_992.0), &[]));
    }

    #[test]
    fn all_and_none() {
        let all = Operator::AllValues(scalars(&json!(["a", "b"])));
        let none = Operator::NotValues(scalars(&json!(["a", "b"])));
        for (claim, has_all, has_none) in [
            (json!(["a", "b", "c"]), true, false),
            (json!(["a"]), false, false),
            (json!("a"), false, false),
            (json!("c"), false, true),
            (json!([]), false, true),
            (json!(null), false, false),
            (json!({}), false, false),
        ] {
            assert_eq!(
                (all.holds(&claim, &[]), none.holds(&claim, &[])),
                (has_all, has_none),
                "{claim}"
            );
        }
    }

    #[test]
    fn path_variables_are_compared_as_text() {
        let operator = Operator::PathVariable(0);
        let segment = |text: &'static str| Segment::Plain(Cow::Borrowed(text));
        for (claim, text, expected) in [
            (json!("acme"), "acme", true),
            (json!(7), "7", true),
            (json!(7.0), "7", true),
            (json!(7), "07", false),
            (json!(7.5), "7.5", false),
            (json!(true), "true", false),
            (json!(["x", "acme", 7]), "7", true),
            (json!({"acme": 1}), "acme", false),
        ] {
            assert_eq!(
                operator.holds(&claim, &[segment(text)]),
                expected,
                "{claim} {text}"
            );
        }
        assert!(!operator.holds(&json!("acme"), &[Segment::Ambiguous]));
        assert!(!operator.holds(&json!("acme"), &[]));
    }
}
