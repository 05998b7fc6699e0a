//! `claims` of a route: from the schema to [`ClaimRule`]s.

use serde_json::Value;

use super::fault::{Fault, Found};
use super::operands;
use super::place::Place;
use super::problem::Problems;
use super::schema;
use super::shape::{self, Entries};
use jwt_rbac::authn::Authenticator;
use jwt_rbac::authn::claim_path::ClaimPath;
use jwt_rbac::authz::requirement::{ClaimRule, Operator};
use jwt_rbac::scalar::{Scalar, Scalars};

/// Compiles every entry that is well-formed. Beside them, the names of the path variables that they
/// compare with, by number.
#[inline(never)]
pub fn compile(
    place: &Place,
    rules: Entries<schema::ClaimRule>,
    authenticator: &mut Authenticator,
    problems: &mut Problems,
) -> (Vec<ClaimRule>, Vec<String>) {
    if rules.is_empty() {
        problems.error(place.clone(), Fault::EmptyList { expected: "`{claim: …, values: […]}`" });
    }
    let (mut compiled, mut variables) = (Vec::new(), Vec::new());
    for (place, rule) in shape::decode_all(place, rules, problems) {
        let claim = problems.check(&place.field("claim"), ClaimPath::parse(&rule.claim));
        let operators = operators(&place, rule, &mut variables, problems);
        let Some(claim) = claim else { continue };
        let claim = authenticator.name_claim(claim);
        compiled.extend(operators.into_iter().map(|operator| ClaimRule { claim, operator }));
    }
    (compiled, variables)
}

#[inline(never)]
fn operators(
    place: &Place,
    rule: schema::ClaimRule,
    variables: &mut Vec<String>,
    problems: &mut Problems,
) -> Vec<Operator> {
    let mut operators = Vec::new();
    if let Some(values) = rule.values {
        operators.push(Operator::Values(scalars(&place.field("values"), &values, problems)));
    }
    if let Some(values) = rule.not_values {
        operators.push(Operator::NotValues(scalars(&place.field("notValues"), &values, problems)));
    }
    if let Some(values) = rule.all_values {
        operators.push(Operator::AllValues(scalars(&place.field("allValues"), &values, problems)));
    }
    if let Some(variable) = rule.path_variable {
        let known = variables.iter().position(|known| *known == variable);
        operators.push(Operator::PathVariable(known.unwrap_or(variables.len())));
        if known.is_none() {
            variables.push(variable);
        }
    }
    let (header, parameter) = (rule.header.as_deref(), rule.query_parameter.as_deref());
    let counterparts = operands::counterparts(place, header, parameter, problems);
    operators.extend(counterparts.into_iter().map(Operator::Equals));
    for (name, text, operator) in [
        ("prefix", rule.prefix, Operator::Prefix as fn(String) -> Operator),
        ("suffix", rule.suffix, Operator::Suffix),
    ] {
        if text.as_deref() == Some("") {
            problems.error(place.field(name), Fault::EmptyText);
        }
        operators.extend(text.map(operator));
    }
    if let Some(pattern) = rule.regex {
        let regex = operands::regex(place, &pattern, problems);
        // What can't be compiled must not look like an entry without an operator.
        operators.push(regex.map_or(Operator::Present(false), Operator::Regex));
    }
    if let Some(is_present) = rule.present {
        if !is_present && !operators.is_empty() {
            let with = "another operator, which a claim that is not there fails";
            let fault = Fault::Conflict { found: "`false`", with, why: "" };
            problems.error(place.field("present"), fault);
        }
        operators.push(Operator::Present(is_present));
    }
    if operators.is_empty() {
        let expected = "an operator: `values`, `notValues`, `allValues`, `present`, `prefix`, `suffix`, \
                        `regex`, `pathVariable`, `header` or `queryParameter`";
        problems.error(place.clone(), Fault::expected(expected));
    }
    operators
}

/// The values of a list that has some.
pub fn scalars(place: &Place, values: &[Value], problems: &mut Problems) -> Scalars {
    if values.is_empty() {
        problems.error(place.clone(), Fault::EmptyList { expected: "a value" });
    }
    let scalar = |(index, value): (usize, &Value)| {
        let found = || Found::Value(value.clone());
        let fault = || Fault::found(found(), "a string, a number or a boolean");
        problems.check(&place.index(index), Scalar::new(value).ok_or_else(fault))
    };
    values.iter().enumerate().filter_map(scalar).collect::<Vec<_>>().into()
}
