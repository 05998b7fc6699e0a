//! What a claim must be in a policy. Beside the patterns of Istio it can be compared as a number or a
//! boolean, with all values of a list, and with what the request says.

use serde_json::Value;

use super::pattern::Pattern;
use crate::authz::counterpart::Counterpart;
use crate::authz::regex::Regex;
use crate::query::Unclear;
use crate::request::Request;
use crate::scalar::{self, Scalar};

/// A test of a claim that the token has.
#[derive(Clone, Debug, PartialEq)]
pub enum ClaimTest {
    /// A list that has every one of these.
    All(Vec<ClaimValue>),
    /// What the request has in a header or in its query.
    Equals(Counterpart),
    /// One of these, or a list that has one.
    One(Vec<ClaimValue>),
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
            Self::All(values) => Ok(values.iter().all(|value| value.is_in(claim))),
            Self::Equals(counterpart) => counterpart.equals(claim, request),
            Self::One(values) => Ok(values.iter().any(|value| value.is_in(claim))),
            Self::Present => Ok(!claim.is_null()),
            Self::Regex(regex) => regex.matches_any(scalar::texts(claim).map(str::as_bytes)),
        }
    }
}

impl ClaimValue {
    fn is_in(&self, claim: &Value) -> bool {
        match self {
            Self::Text(pattern) => {
                scalar::texts(claim).any(|text| pattern.matches(text.as_bytes()))
            }
            Self::Typed(scalar) => scalar.is_in(claim),
        }
    }
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
        let one = ClaimTest::One(vec![text("a*"), typed(json!(7)), typed(json!(true))]);
        let all = ClaimTest::All(vec![text("a*"), typed(json!(7))]);
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
