//! Who may use a route of `routes`: from the schema to [`Access`].

use super::fault::table::TableFault;
use super::fault::{Fault, Found};
use super::issuers::KnownIssuers;
use super::place::Place;
use super::problem::Problems;
use super::schema::{Access as AccessName, NamedPermissions, Permissions, Route};
use super::{checks, claim_rules, shape};
use jwt_rbac::authn::Authenticator;
use jwt_rbac::authz::requirement::Requirement;
use jwt_rbac::authz::routes::Access;
use jwt_rbac::permissions::PermissionId;

/// Compiles what a route says of who may use it. A route must say it, and must not say two things at
/// once. Beside it, the names of the path variables that claims are compared with, by the number in
/// [`Operator::PathVariable`](jwt_rbac::authz::requirement::Operator::PathVariable).
#[inline(never)]
pub fn compile(
    place: &Place,
    route: &mut Route,
    issuers: &KnownIssuers,
    authenticator: &mut Authenticator,
    problems: &mut Problems,
) -> (Access, Vec<String>) {
    let demands: Vec<&str> = [
        ("permissions", route.permissions.is_some()),
        ("claims", route.claims.is_some()),
        ("issuers", route.issuers.is_some()),
    ]
    .iter()
    .filter_map(|(name, present)| present.then_some(*name))
    .collect();
    if route.token.is_some() && route.access != Some(AccessName::Public) {
        problems.error(place.field("token"), TableFault::VerifiesToken.into());
    }
    if route.dry_run && route.access == Some(AccessName::Public) {
        problems.error(place.field("dryRun"), TableFault::DeniesNobody.into());
    }
    match (route.access, demands.as_slice()) {
        (None, []) => {
            problems.error(
                place.clone(),
                Fault::expected(
                    "what the route needs: `permissions`, `claims` or `issuers`, or `access: \
                 PUBLIC`, `AUTHENTICATED` or `DENIED`",
                ),
            );
            (Access::Denied, Vec::new())
        }
        (Some(AccessName::Denied), []) => (Access::Denied, Vec::new()),
        (Some(AccessName::Public), []) => {
            (Access::Public(route.token.unwrap_or_default()), Vec::new())
        }
        (Some(AccessName::Denied | AccessName::Public), [first, ..]) => {
            let with = "`access` PUBLIC or DENIED";
            let fault = Fault::Conflict { found: "", with, why: ", expected one of both" };
            problems.error(place.field(first), fault);
            (Access::Denied, Vec::new())
        }
        (None | Some(AccessName::Authenticated), _) => {
            if issuers.is_empty() {
                problems.error(place.clone(), TableFault::NoIssuer.into());
            }
            let (requirement, variables) =
                requirement(place, route, issuers, authenticator, problems);
            (Access::Required(requirement), variables)
        }
    }
}

#[inline(never)]
fn requirement(
    place: &Place,
    route: &mut Route,
    issuers: &KnownIssuers,
    authenticator: &mut Authenticator,
    problems: &mut Problems,
) -> (Requirement, Vec<String>) {
    let mut requirement = Requirement::default();
    if let Some(wanted) = &route.issuers {
        let place = place.field("issuers");
        checks::check_strings(&place, wanted, problems);
        requirement.issuers = Some(resolve_issuers(&place, wanted, issuers, problems));
    }
    if let Some(permissions) = route.permissions.take() {
        let place = place.field("permissions");
        let permissions = permission_names(&place, permissions, problems).unwrap_or_default();
        let mut intern = |place: Place, names: Vec<String>| -> Vec<PermissionId> {
            checks::check_strings(&place, &names, problems);
            let interned = authenticator.permission_names_mut();
            names.iter().map(|name| interned.intern(name)).collect()
        };
        requirement.all_of =
            permissions.all_of.map_or_else(Vec::new, |names| intern(place.field("allOf"), names));
        requirement.any_of = permissions.any_of.map(|names| intern(place.field("anyOf"), names));
    }
    let mut variables = Vec::new();
    if let Some(rules) = route.claims.take() {
        let place = place.field("claims");
        (requirement.claims, variables) =
            claim_rules::compile(&place, rules, authenticator, problems);
    }
    (requirement, variables)
}

fn resolve_issuers(
    place: &Place,
    wanted: &[String],
    issuers: &KnownIssuers,
    problems: &mut Problems,
) -> Vec<String> {
    let resolve = |(index, issuer): (usize, &String)| {
        let fault = || Fault::text(issuer, "the `issuer` of an entry of `jwtRules`");
        problems.check(&place.index(index), issuers.resolve(issuer).ok_or_else(fault))
    };
    wanted.iter().enumerate().filter_map(resolve).flatten().collect()
}

/// One permission in a list, or several with the word that says how they count.
fn permission_names(
    place: &Place,
    permissions: NamedPermissions,
    problems: &mut Problems,
) -> Option<Permissions> {
    let fault = match permissions {
        NamedPermissions::List(names) => match names.as_slice() {
            [] => None,
            [_] => return Some(Permissions { all_of: Some(names), any_of: None }),
            [_, _, ..] => Some(Fault::found(
                Found::Words("several permissions"),
                "`{allOf: […]}` or `{anyOf: […]}`",
            )),
        },
        NamedPermissions::Several(entry) => match shape::decode(place, entry, problems)? {
            Permissions { all_of: None, any_of: None } => None,
            permissions => return Some(permissions),
        },
    };
    let none = || Fault::found(Found::Words("no permission"), "the name of one");
    problems.error(place.clone(), fault.unwrap_or_else(none));
    None
}
