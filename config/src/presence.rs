//! `presence: REQUIRED`: the tokens of several entries in one request must not meet there.

use super::fault::Fault;
use super::place::Place;
use super::problem::Problems;
use jwt_rbac::authn::locate::Location;
use jwt_rbac::authn::provider::{Presence, Provider};
use jwt_rbac::header_names;

/// Checks every entry that requires a token against all others, each with its place and its locations.
#[inline(never)]
pub fn check(rules: &[(Place, Vec<Location>)], providers: &[Provider], problems: &mut Problems) {
    let all = || rules.iter().zip(providers).enumerate();
    let required = all().filter(|(_, (_, provider))| provider.presence == Presence::Required);
    for (number, ((place, locations), provider)) in required {
        for (_, ((other, others), another)) in all().filter(|(other, _)| *other != number) {
            let shared = locations.iter().find(|it| others.iter().any(|other| meet(it, other)));
            let (does, name) = if let Some(location) = shared {
                match location {
                    Location::Cookie(name) => ("looks in the cookie", name.clone()),
                    Location::Header(name, _) => ("looks in the header", name.clone()),
                    Location::Parameter(name) => ("looks in the parameter", name.clone()),
                }
            } else if let Some(header) = shared_output(provider, another) {
                ("writes the header", header)
            } else {
                continue;
            };
            let fault = Fault::SharedToken { does, name, other: other.clone() };
            problems.error(place.field("presence"), fault);
        }
    }
}

/// Whether tokens at two locations are in one header, cookie or parameter.
fn meet(one: &Location, other: &Location) -> bool {
    match (one, other) {
        (Location::Header(one, _), Location::Header(other, _)) => {
            header_names::normal(one) == header_names::normal(other)
        }
        (one, other) => one == other,
    }
}

fn shared_output(one: &Provider, other: &Provider) -> Option<String> {
    let is_written = |name: &str| {
        other.outputs.iter().any(|it| header_names::normal(&it.name) == header_names::normal(name))
    };
    let shared = one.outputs.iter().find(|output| is_written(&output.name));
    shared.map(|output| output.name.to_string())
}
