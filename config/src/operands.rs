//! What the operators of claims take, in `claims` of a route and in `when` of a policy alike.

use super::checks;
use super::fault::Fault;
use super::place::Place;
use super::problem::Problems;
use jwt_rbac::authz::counterpart::{Counterpart, HeaderName};
use jwt_rbac::authz::regex::Regex;
use jwt_rbac::query::ParameterName;

/// `regex`
#[inline(never)]
pub fn regex(place: &Place, pattern: &str, problems: &mut Problems) -> Option<Regex> {
    problems.check(&place.field("regex"), Regex::parse(pattern).map_err(Fault::Regex))
}

/// `header` and `queryParameter`, of which both may be there.
#[inline(never)]
pub fn counterparts(
    place: &Place,
    header: Option<&str>,
    parameter: Option<&str>,
    problems: &mut Problems,
) -> Vec<Counterpart> {
    let mut counterparts = Vec::new();
    if let Some(name) = header {
        if !checks::is_header_name(name) {
            let fault = Fault::text(name, "the name of a header, such as `x-tenant`");
            problems.error(place.field("header"), fault);
        }
        let name = match name.to_ascii_lowercase() {
            // Envoy's name for it.
            name if name == "host" => ":authority".to_owned(),
            name => name,
        };
        counterparts.push(Counterpart::Header(HeaderName::new(name)));
    }
    if let Some(name) = parameter {
        if name.is_empty() {
            problems.error(place.field("queryParameter"), Fault::EmptyText);
        }
        counterparts.push(Counterpart::Parameter(ParameterName::new(name)));
    }
    counterparts
}
