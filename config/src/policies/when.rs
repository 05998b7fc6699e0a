//! An entry of `when`: an attribute, and what it must be. `values` and `notValues` are Istio's, the
//! others are what Istio can't say.

use serde_json::Value;

use super::attribute::{Attribute, Context};
use crate::fault::{Fault, Found};
use crate::operands;
use crate::place::Place;
use crate::problem::Problems;
use crate::schema::When;
use jwt_rbac::authz::policies::claim_test::{ClaimTest, ClaimValue, ClaimValues};
use jwt_rbac::authz::policies::condition::{Condition, Test};
use jwt_rbac::authz::policies::pattern::Pattern;
use jwt_rbac::authz::policies::text_test::TextTest;
use jwt_rbac::scalar::Scalar;

/// The conditions of an entry; all of them must hold.
#[inline(never)]
pub fn conditions(place: &Place, when: When, context: &mut Context<'_>) -> Vec<Condition> {
    let attribute = Attribute::of_key(&when.key, context.authenticator);
    let Some(attribute) = context.problems.check(&place.field("key"), attribute) else {
        return Vec::new();
    };
    let errors = context.problems.errors.len();
    let mut conditions = Vec::new();
    for (name, values, negated) in
        [("values", when.values, false), ("notValues", when.not_values, true)]
    {
        if let Some(values) = values {
            let test = one_of(&place.field(name), values, &attribute, context);
            conditions.push(Condition { test, negated });
        }
    }
    let claim = match attribute {
        Attribute::Claim(claim) => Some(claim),
        _ => None,
    };
    let mut claim_tests = Vec::new();
    for (name, is_there) in [
        ("allValues", when.all_values.is_some()),
        ("header", when.header.is_some()),
        ("queryParameter", when.query_parameter.is_some()),
    ] {
        if is_there && claim.is_none() {
            let why = ", expected `request.auth.claims[…]`";
            context.problems.error(place.field(name), beside("a `key` that is no claim", why));
        }
    }
    if let Some(values) = when.all_values {
        let place = place.field("allValues");
        claim_tests.push(ClaimTest::All(claim_values(&place, &values, context.problems)));
    }
    let (header, parameter) = (when.header.as_deref(), when.query_parameter.as_deref());
    let counterparts = operands::counterparts(place, header, parameter, context.problems);
    claim_tests.extend(counterparts.into_iter().map(ClaimTest::Equals));
    if let Some(claim) = claim {
        let condition = |test| Condition { test: Test::Claim(claim, test), negated: false };
        conditions.extend(claim_tests.into_iter().map(condition));
    }
    if let Some(is_present) = when.present {
        let test = text_test(
            &place.field("present"),
            &attribute,
            (ClaimTest::Present, TextTest::present()),
            context.problems,
        );
        conditions.extend(test.map(|test| Condition { test, negated: !is_present }));
    }
    if let Some(pattern) = when.regex
        && let Some(regex) = operands::regex(place, &pattern, context.problems)
    {
        let tests = (ClaimTest::Regex(regex.clone()), TextTest::Regex(regex));
        let test = text_test(&place.field("regex"), &attribute, tests, context.problems);
        conditions.extend(test.map(|test| Condition { test, negated: false }));
    }
    if conditions.is_empty() && context.problems.errors.len() == errors {
        let expected = "at least one of `values`, `notValues`, `allValues`, `present`, `regex`, \
                        `header` and `queryParameter`";
        context.problems.error(place.clone(), Fault::expected(expected));
    }
    conditions
}

/// The test of `values` and `notValues`.
#[inline(never)]
fn one_of(
    place: &Place,
    values: Vec<Value>,
    attribute: &Attribute,
    context: &mut Context<'_>,
) -> Test {
    if let Attribute::Claim(claim) = attribute {
        let values = claim_values(place, &values, context.problems);
        return Test::Claim(*claim, ClaimTest::One(values));
    }
    let mut texts = Vec::new();
    for (index, value) in values.into_iter().enumerate() {
        match value {
            Value::String(text) => texts.push(text),
            other => {
                let fault = Fault::found(Found::Value(other), "a string");
                context.problems.error(place.index(index), fault);
                // Keeps the places of the others.
                texts.push("*".to_owned());
            }
        }
    }
    crate::checks::check_strings(place, &texts, context.problems);
    attribute.test(place, &texts, context)
}

/// Patterns, numbers and booleans that a claim is compared with.
#[inline(never)]
fn claim_values(place: &Place, values: &[Value], problems: &mut Problems) -> ClaimValues {
    if values.is_empty() {
        problems.error(place.clone(), Fault::EmptyList { expected: "at least one entry" });
    }
    let value = |(index, value): (usize, &Value)| {
        let found = match (value, Scalar::new(value)) {
            (Value::String(text), _) if text.is_empty() => Err(Fault::EmptyText),
            (Value::String(text), _) => Ok(ClaimValue::Text(Pattern::parse(text))),
            (_, Some(scalar)) => Ok(ClaimValue::Typed(scalar)),
            (other, None) => {
                let found = Found::Value(other.clone());
                Err(Fault::found(found, "a string, a number or a boolean"))
            }
        };
        problems.check(&place.index(index), found)
    };
    values.iter().enumerate().filter_map(value).collect::<Vec<_>>().into()
}

/// The test of the attribute, where it is a claim, a header or a parameter of the query.
fn text_test(
    place: &Place,
    attribute: &Attribute,
    (of_claim, of_text): (ClaimTest, TextTest),
    problems: &mut Problems,
) -> Option<Test> {
    match attribute {
        Attribute::Claim(claim) => Some(Test::Claim(*claim, of_claim)),
        Attribute::Header(name) => Some(Test::Header(name.clone(), of_text)),
        Attribute::Parameter(name) => Some(Test::Parameter(name.clone(), of_text)),
        _ => {
            let with = "a `key` that is no claim, header or query parameter";
            problems.error(place.clone(), beside(with, ", expected `values` or `notValues`"));
            None
        }
    }
}

fn beside(with: &'static str, why: &'static str) -> Fault {
    Fault::Conflict { found: "", with, why }
}
