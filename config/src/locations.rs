//! `fromHeaders`, `fromParams` and `fromCookies`: where the tokens of a provider are found.

use super::checks;
use super::fault::Fault;
use super::place::Place;
use super::problem::Problems;
use super::schema::{FromHeader, JwtRule};
use super::shape;
use jwt_rbac::authn::credential;
use jwt_rbac::authn::locate::{Location, Prefix};

/// The locations that a rule names, or those of Istio where it names none.
#[inline(never)]
pub fn compile(place: &Place, rule: &mut JwtRule, problems: &mut Problems) -> Vec<Location> {
    if rule.from_headers.is_none() && rule.from_params.is_none() && rule.from_cookies.is_none() {
        return Location::defaults();
    }
    let mut locations = Vec::new();
    if let Some(headers) = rule.from_headers.take() {
        let place = place.field("fromHeaders");
        if headers.is_empty() {
            problems.error(place.clone(), Fault::EmptyList { expected: "`{name: …, prefix: …}`" });
        }
        for (place, header) in shape::decode_all(&place, headers, problems) {
            locations.extend(header_location(&place, &header, problems));
        }
    }
    if let Some(names) = &rule.from_params {
        checks::check_strings(&place.field("fromParams"), names, problems);
        locations.extend(names.iter().cloned().map(Location::Parameter));
    }
    if let Some(names) = &rule.from_cookies {
        let place = place.field("fromCookies");
        checks::check_strings(&place, names, problems);
        for (index, name) in names.iter().enumerate() {
            if !name.is_empty() && !credential::is_scheme(name.as_bytes()) {
                problems.error(place.index(index), Fault::text(name, "the name of a cookie"));
            }
        }
        locations.extend(names.iter().cloned().map(Location::Cookie));
    }
    locations
}

fn header_location(
    place: &Place,
    header: &FromHeader,
    problems: &mut Problems,
) -> Option<Location> {
    if !checks::is_header_name(&header.name) {
        problems.error(place.field("name"), Fault::text(&header.name, "the name of a header"));
        return None;
    }
    // Envoy shows `host` as `:authority`, and cookies have names of their own.
    if ["host", "cookie"].contains(&header.name.to_ascii_lowercase().as_str()) {
        let fault = Fault::unsuitable(&header.name, "which holds no token; see `fromCookies`");
        problems.error(place.field("name"), fault);
        return None;
    }
    let is_word = |prefix: &str| prefix.bytes().all(|byte| byte.is_ascii_alphabetic());
    let prefix = match header.prefix.strip_suffix(' ') {
        // YAML loses the space of an unquoted `Bearer `.
        None if !header.prefix.is_empty() && is_word(&header.prefix) => {
            Prefix::Scheme(header.prefix.to_ascii_lowercase())
        }
        None => Prefix::Literal(header.prefix.clone()),
        Some(scheme) if credential::is_scheme(scheme.as_bytes()) => {
            Prefix::Scheme(scheme.to_ascii_lowercase())
        }
        Some(_) => {
            let expected =
                "an authentication scheme and one space, or a prefix that does not end in a space";
            problems.error(place.field("prefix"), Fault::text(&header.prefix, expected));
            return None;
        }
    };
    Some(Location::Header(header.name.to_ascii_lowercase(), prefix))
}

/// Checks the locations of all rules against each other: what follows a prefix must not depend on
/// which of two is tried first.
#[inline(never)]
pub fn check_overlaps(rules: &[(Place, Vec<Location>)], problems: &mut Problems) {
    let all: Vec<_> = rules
        .iter()
        .flat_map(|(place, locations)| locations.iter().map(move |location| (place, location)))
        .collect();
    for (number, (place, location)) in all.iter().enumerate() {
        let Location::Header(name, prefix) = location else { continue };
        for (other_place, other) in all.iter().take(number) {
            let Location::Header(other_name, other_prefix) = other else { continue };
            if name == other_name && prefix != other_prefix && prefix.overlaps(other_prefix) {
                let (header, other) = (name.clone(), Place::clone(other_place));
                let fault = Fault::SharedLocation { header, other };
                problems.error(place.field("fromHeaders"), fault);
            }
        }
    }
}
