//! What a claim must be in a policy. Beside the patterns of Istio it can be compared as a number or a
//! boolean, with all values of a list, and with what the request says.

use serde_json::Value;

use super::pattern::Pattern;
use crate::authz::counterpart::Counterpart;
use crate::authz::regex::Regex;
use crate::authz::work::Work;
use crate::query::Unclear;
use crate::request::Request;
use crate::scalar::{self, Scalar, Scalars};

/// A test of a claim that the token has.
#[derive(Clone, Debug, PartialEq)]
pub enum ClaimTest {
    /// A list that has every one of these.
    All(ClaimValues),
    /// What the request has in a header or in its query.
    Equals(Counterpart),
    /// One of these, or a list that has one.
    One(ClaimValues),
    /// Anything but null.
    Present,
    /// A text that is like this, or a list that has one.
    Regex(Regex),
}

/// A value that a claim, or an element of a list, can have.
#[derive(Clone, Debug, PartialEq)]
pub enum ClaimValue {
    /// A text like this. Numbers, booleans, objects and null match no pattern (Istio's
    /// `MetadataListValueMatcherForJWTClaims`).
    Text(Pattern),
    /// This number or boolean.
    Typed(Scalar),
}

impl ClaimTest {
    pub(super) fn passes(&self, claim: &Value, request: &Request<'_>) -> Result<bool, Unclear> {
        match self {
            Self::All(values) => values.all_are_in(claim, request.work()),
            Self::Equals(counterpart) => counterpart.equals(claim, request),
            Self::One(values) => values.one_is_in(claim, request.work()),
            Self::Present => Ok(!claim.is_null()),
            Self::Regex(regex) => {
                regex.matches_any(scalar::texts(claim).map(str::as_bytes), request.work())
            }
        }
    }
}

/// Several such values. Those that are exact are looked up; patterns are gone through for each text.
#[derive(Clone, Debug, PartialEq)]
pub struct ClaimValues {
    all: Vec<ClaimValue>,
    exact: Scalars,
    patterns: Vec<Pattern>,
}

impl From<Vec<ClaimValue>> for ClaimValues {
    fn from(all: Vec<ClaimValue>) -> Self {
        let (mut exact, mut patterns) = (Vec::new(), Vec::new());
        for value in &all {
            match value {
                ClaimValue::Text(Pattern::Exact(text)) => exact.push(Scalar::Text(text.clone())),
                ClaimValue::Text(pattern) => patterns.push(pattern.clone()),
                ClaimValue::Typed(scalar) => exact.push(scalar.clone()),
            }
        }
        Self { all, exact: exact.into(), patterns }
    }
}

impl ClaimValues {
    /// All of them, as they were written.
    #[must_use]
    pub fn all(&self) -> &[ClaimValue] {
        &self.all
    }

    fn one_is_in(&self, claim: &Value, work: &Work) -> Result<bool, Unclear> {
        if self.exact.one_is_in(claim) {
            return Ok(true);
        }
        self.take(claim, work)?;
        Ok(self.patterns.iter().any(|pattern| is_like(claim, pattern)))
    }

    fn all_are_in(&self, claim: &Value, work: &Work) -> Result<bool, Unclear> {
        if !self.exact.all_are_in(claim) {
            return Ok(false);
        }
        self.take(claim, work)?;
        Ok(self.patterns.iter().all(|pattern| is_like(claim, pattern)))
    }

    /// Takes what it costs to compare a claim with the patterns; two comparisons are about one step.
    fn take(&self, claim: &Value, work: &Work) -> Result<(), Unclear> {
        let elements = scalar::elements(claim).len();
        work.take(elements.saturating_mul(self.patterns.len()) / 2)
    }
}

/// Whether a text of a claim is like this.
fn is_like(claim: &Value, pattern: &Pattern) -> bool {
    scalar::texts(claim).any(|text| pattern.matches(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::request::Header;

    fn passes(test: &ClaimTest, claim: &Value) -> bool {
        let headers: &[Header<'_>] = &[(b":method", b"GET"), (b":path", b"/")];
        test.passes(claim, &Request::read(headers).unwrap()).unwrap()
    }

    #[test]
    fn patterns_are_for_texts_and_the_rest_is_typed() {
        let text = |text| ClaimValue::Text(Pattern::parse(text));
        let typed = |value: Value| ClaimValue::Typed(Scalar::new(&value).unwrap());
        let one = ClaimTest::One(vec![text("a*"), typed(json!(7)), typed(json!(true))].into());
        let all = ClaimTest::All(vec![text("a*"), typed(json!(7))].into());
        for (claim, expected) in [
            (json!("abc"), [true, false]),
            (json!(["x", "a"]), [true, false]),
            (json!(["a", 7.0]), [true, true]),
            (json!(7), [true, false]),
            (json!("7"), [false, false]),
            (json!(true), [true, false]),
            (json!("true"), [false, false]),
            (json!({"a": 7}), [false, false]),
            (json!(null), [false, false]),
        ] {
            assert_eq!([&one, &all].map(|test| passes(test, &claim)), expected, "{claim}");
        }
    }

    #[test]
    fn presence_is_of_any_type_but_null() {
        for (claim, expected) in [(json!(""), true), (json!({}), true), (json!(null), false)] {
            assert_eq!(passes(&ClaimTest::Present, &claim), expected, "{claim}");
        }
        let regex = ClaimTest::Regex(Regex::parse("[0-9]+").unwrap());
        for (claim, expected) in
            [(json!("12"), true), (json!(["x", "1"]), true), (json!(12), false)]
        {
            assert_eq!(passes(&regex, &claim), expected, "{claim}");
        }
    }
}
