//! What `ambiguousPaths: MATCH` opens: an ambiguous segment is never a literal, but it matches variables
//! and rests, so a request for the path of one route can have another route.

use super::fault::Fault;
use super::fault::table::TableFault;
use super::place::Place;
use super::problem::Problems;
use jwt_rbac::authz::hosts::HostPattern;
use jwt_rbac::authz::requirement::Requirement;
use jwt_rbac::authz::routes::{Access, Route};
use jwt_rbac::authz::template::{Part, Template};

/// How many routes one warning names.
const MAX_NAMED: usize = 20;

/// The paths of one route.
pub struct Paths {
    /// Where the route is.
    pub place: Place,
    /// Its hosts; one `None` where routes name no hosts.
    pub hosts: Vec<Option<HostPattern>>,
    /// What they are.
    pub templates: Vec<Template>,
}

/// Refuses public routes that an ambiguous path can have, and names every pair of routes of which the
/// looser one can have an ambiguous spelling of the stricter one's path. `routes` are those of `all`,
/// in the same order.
#[inline(never)]
pub fn check(all: &[Paths], routes: &[Route], problems: &mut Problems) {
    for (paths, route) in all.iter().zip(routes) {
        if !paths.templates.iter().any(is_open) {
            continue;
        }
        if matches!(route.access, Access::Public(_)) {
            let fault = Fault::Conflict {
                found: "a public route with a variable or a rest",
                with: "`ambiguousPaths: MATCH`",
                why: ": `/x/..%2fadmin` would be public; list its paths, or leave `ambiguousPaths` out",
            };
            problems.error(paths.place.clone(), fault);
            continue;
        }
        let is_stricter = |(other, other_route): &(&Paths, &Route)| {
            other.hosts.iter().any(|host| paths.hosts.contains(host))
                && other.templates.iter().any(has_literal)
                && !covers(&route.access, &other_route.access)
        };
        let stricter = all.iter().zip(routes).filter(is_stricter);
        let mut than: Vec<_> = stricter.map(|(_, route)| route.name.clone()).collect();
        if than.is_empty() {
            continue;
        }
        let more = than.len().saturating_sub(MAX_NAMED);
        than.truncate(MAX_NAMED);
        problems.warn(paths.place.clone(), TableFault::AsksLess { than, more }.into());
    }
}

/// Whether a path can have an ambiguous segment.
fn is_open(path: &Template) -> bool {
    path.rest || path.parts.iter().any(|part| matches!(part, Part::Variable(_)))
}

/// Whether a path has a segment that an ambiguous spelling hides.
fn has_literal(path: &Template) -> bool {
    path.parts.iter().any(|part| matches!(part, Part::Literal(_)))
}

/// Whether everybody who has this access has the other too.
fn covers(access: &Access, other: &Access) -> bool {
    match (access, other) {
        (Access::Denied, _) | (_, Access::Public(_)) => true,
        (_, Access::Denied) | (Access::Public(_), Access::Required(_)) => false,
        (Access::Required(access), Access::Required(other)) => Requirement::covers(access, other),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::compile;
    use jwt_rbac::authn::signature::rustcrypto::RustCrypto;

    fn problems(routes: &Value) -> (Vec<String>, Vec<String>) {
        let jwks: Value = serde_json::from_str(include_str!("../../testdata/jwks.json")).unwrap();
        let document = json!({
            "jwtRules": [{"issuer": "https://a.test", "anyAudience": true, "jwks": jwks}],
            "ambiguousPaths": "MATCH",
            "routes": routes,
        });
        let problems = match compile(document.to_string().as_bytes(), &mut RustCrypto) {
            Ok((_, problems)) | Err(problems) => problems,
        };
        let texts = |list: &[crate::problem::Problem]| {
            list.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        (texts(&problems.errors), texts(&problems.warnings))
    }

    #[test]
    fn a_public_route_must_be_literal() {
        for path in ["/{**}", "/a/{x}", "/a/{x=**}", "/{*}/b"] {
            let (errors, _) = problems(&json!([{"paths": [path], "access": "PUBLIC"}]));
            assert!(errors[0].contains("`/x/..%2fadmin` would be public"), "{path}: {errors:?}");
        }
        let (errors, _) = problems(&json!([{"paths": ["/a/b"], "access": "PUBLIC"}]));
        assert!(errors.is_empty(), "{errors:?}");
    }

    #[test]
    fn every_looser_route_is_named_with_the_stricter_ones() {
        let route = |name, path, permissions| json!({"name": name, "paths": [path], "permissions": permissions});
        let (errors, warnings) = problems(&json!([
            route("admin", "/admin/{**}", json!({"allOf": ["a", "b"]})),
            route("users", "/users/{id}", json!(["a"])),
            route("rest", "/{**}", json!({"allOf": ["a", "b"], "anyOf": ["c", "d"]})),
            {"name": "closed", "paths": ["/closed"], "access": "DENIED"},
        ]));
        assert!(errors.is_empty(), "{errors:?}");
        let expected = [
            ("routes[0]", "asks less than `closed`,"),
            ("routes[1]", "asks less than `admin`, `closed`,"),
            ("routes[2]", "asks less than `closed`,"),
        ];
        assert_eq!(warnings.len(), expected.len(), "{warnings:#?}");
        for (warning, (place, text)) in warnings.iter().zip(expected) {
            assert!(warning.starts_with(place) && warning.contains(text), "{warning}");
        }
    }
}
