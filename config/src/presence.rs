//! `presence: REQUIRED`: the tokens of several entries in one request must not meet there.

use std::sync::Arc;

use super::fault::Fault;
use super::place::Place;
use super::problem::Problems;
use jwt_rbac::authn::locate::Location;
use jwt_rbac::authn::provider::Presence;
use jwt_rbac::header_names;

/// How many tokens a request can be asked for.
const MAX_REQUIRED: usize = 8;

/// What of an entry meets others.
pub struct Rule {
    /// Its place.
    pub place: Place,
    /// Whether a request needs its token.
    pub presence: Presence,
    /// Where its token is looked for.
    pub locations: Vec<Location>,
    /// The headers that it writes.
    pub outputs: Vec<Arc<str>>,
}

/// Checks every entry that requires a token against all others.
#[inline(never)]
pub fn check(rules: &[Rule], problems: &mut Problems) {
    let required = rules.iter().filter(|rule| rule.presence == Presence::Required);
    if let Some(rule) = required.clone().nth(MAX_REQUIRED) {
        let limit = MAX_REQUIRED;
        let fault = Fault::TooMany { found: None, of: "entries with `REQUIRED`", limit };
        return problems.error(rule.place.field("presence"), fault);
    }
    for rule in required {
        for other in rules.iter().filter(|other| other.place != rule.place) {
            let location = rule.locations.iter().find(|location| {
                other.locations.iter().any(|other| is_same_place(location, other))
            });
            let (does, name) = match location {
                Some(Location::Cookie(name)) => ("looks in the cookie", name.clone()),
                Some(Location::Header(name, _)) => ("looks in the header", name.clone()),
                Some(Location::Parameter(name)) => ("looks in the parameter", name.clone()),
                None => match shared_output(rule, other) {
                    Some(header) => ("writes the header", header.to_string()),
                    None => continue,
                },
            };
            let fault = Fault::SharedToken { does, name, other: other.place.clone() };
            problems.error(rule.place.field("presence"), fault);
        }
    }
}

/// Whether tokens at two locations are in one header, cookie or parameter.
fn is_same_place(one: &Location, other: &Location) -> bool {
    match (one, other) {
        (Location::Header(one, _), Location::Header(other, _)) => is_same_header(one, other),
        (one, other) => one == other,
    }
}

fn shared_output<'r>(one: &'r Rule, other: &Rule) -> Option<&'r Arc<str>> {
    let is_written = |name: &&Arc<str>| other.outputs.iter().any(|it| is_same_header(it, name));
    one.outputs.iter().find(is_written)
}

fn is_same_header(one: &str, other: &str) -> bool {
    header_names::normal(one) == header_names::normal(other)
}
