//! `claims` of a route: from the schema to [`ClaimRule`]s.

use serde_json::Value;

use super::fault::{Fault, Found};
use super::place::Place;
use super::problem::Problems;
use super::schema;
use super::shape::{self, Entries};
use jwt_rbac::authn::Authenticator;
use jwt_rbac::authn::claim_path::ClaimPath;
use jwt_rbac::authz::requirement::{ClaimRule, Operator};
use jwt_rbac::scalar::Scalar;

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
    if operators.is_empty() {
        let fault = Fault::expected("`values`, `notValues`, `allValues` or `pathVariable`");
        problems.error(place.clone(), fault);
    }
    operators
}

/// The values of a list that has some.
pub fn scalars(place: &Place, values: &[Value], problems: &mut Problems) -> Vec<Scalar> {
    if values.is_empty() {
        problems.error(place.clone(), Fault::EmptyList { expected: "a value" });
    }
    let scalar = |(index, value): (usize, &Value)| {
        let found = || Found::Value(value.clone());
        let fault = || Fault::found(found(), "a string, a number or a boolean");
        problems.check(&place.index(index), Scalar::new(value).ok_or_else(fault))
    };
    values.iter().enumerate().filter_map(scalar).collect()
}
