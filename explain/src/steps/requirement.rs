//! What the route asks of the caller, and what of it holds.

use jwt_rbac::authn::grants::Granted;
use jwt_rbac::authn::identity::Identity;
use jwt_rbac::authz::path::Segment;
use jwt_rbac::authz::requirement::{ClaimRule, Operator, Requirement};
use jwt_rbac::authz::routes::Access;
use jwt_rbac::decision::Decision;
use jwt_rbac::denial::Detail;
use jwt_rbac::permissions::PermissionId;
use jwt_rbac::refusal::{Kind, Refusal};
use jwt_rbac::request::Request;
use jwt_rbac::scalar::Scalars;

use super::condition::{as_in, scalar};
use super::list;
use super::permissions::shown;
use crate::policy::Policy;
use crate::report::{Note, Step};

/// The name of the step.
const NAME: &str = "access";

/// The step in which the caller is compared with what the route asks.
pub fn step(policy: &Policy, request: &Request<'_>, decision: &Decision<'_, '_>) -> Step {
    let denial = decision.verdict.denial();
    let kind = denial.map(|denial| denial.refusal.kind());
    if matches!(kind, Some(Kind::Policy | Kind::Shape | Kind::Table | Kind::Token)) {
        return Step::skipped(NAME, "not looked at: the request is denied before");
    }
    if let Some(denial) = denial
        && denial.refusal == Refusal::HeaderUnwritable
    {
        let header = match &denial.detail {
            Detail::Header(name) => format!(": `{name}`"),
            _ => String::new(),
        };
        return Step::failed(NAME, format!("{}{header}", denial.refusal.meaning()));
    }
    let Some(found) = &decision.route else {
        return Step::passed(NAME, "nothing is asked: the request has no route");
    };
    match (&found.route.access, denial) {
        (Access::Denied, _) => Step::failed(NAME, Refusal::RouteDenied.meaning()),
        (Access::Public(_), _) => Step::passed(NAME, "the route is public"),
        (Access::Required(requirement), denial) => {
            let identity = decision.identity.as_deref();
            let notes = notes(policy, request, requirement, identity, &found.variables);
            match denial {
                Some(denial) => Step::failed(NAME, denial.refusal.meaning()).with(notes),
                None => Step::passed(NAME, "the caller has what the route asks").with(notes),
            }
        }
    }
}

fn notes(
    policy: &Policy,
    request: &Request<'_>,
    requirement: &Requirement,
    identity: Option<&Identity>,
    variables: &[Segment<'_>],
) -> Vec<Note> {
    let authenticator = &policy.document.authenticator;
    let name = |id: PermissionId| authenticator.permission_names().name(id).unwrap_or("?");
    let mut notes = vec![Note::check(identity.is_some(), "a verified token")];
    if let Some(issuers) = &requirement.issuers {
        let issuer = identity.and_then(|identity| identity.issuer.as_deref());
        let holds = issuer.is_some_and(|issuer| issuers.iter().any(|known| known == issuer));
        notes.push(Note::check(holds, format!("a token of {}", list(issuers))));
    }
    let has = |id: PermissionId| {
        let granted = identity.map(|identity| &identity.granted);
        matches!(granted, Some(Granted::Set(set)) if set.contains(id))
    };
    for &id in &requirement.all_of {
        notes.push(Note::check(has(id), format!("the permission `{}`", name(id))));
    }
    if let Some(any_of) = &requirement.any_of {
        let names: Vec<_> = any_of.iter().map(|id| name(*id)).collect();
        let holds = any_of.iter().any(|id| has(*id));
        notes.push(Note::check(holds, format!("one of the permissions {}", list(&names))));
    }
    for rule in &requirement.claims {
        let holds = identity.is_some_and(|identity| rule.holds(identity, variables, request));
        let claim = authenticator.claim_name(rule.claim).unwrap_or_default();
        let value = identity.and_then(|identity| identity.claim(rule.claim));
        let value =
            value.map_or_else(|| "the token has none".to_owned(), |it| format!("is {}", shown(it)));
        let text = format!("the claim `{claim}` {}: {value}", wanted(rule, variables, request));
        notes.push(Note::check(holds, text));
    }
    notes
}

fn wanted(rule: &ClaimRule, variables: &[Segment<'_>], request: &Request<'_>) -> String {
    let values = |values: &Scalars| values.all().iter().map(scalar).collect::<Vec<_>>().join(", ");
    match &rule.operator {
        Operator::Equals(counterpart) => format!("must be {}", as_in(counterpart, request)),
        Operator::Prefix(prefix) => format!("must begin with {prefix:?}"),
        Operator::Present(true) => "must be there".to_owned(),
        Operator::Present(false) => "must not be there".to_owned(),
        Operator::Regex(regex) => format!("must be like `{regex}`"),
        Operator::Suffix(suffix) => format!("must end with {suffix:?}"),
        Operator::AllValues(all) => format!("must have all of {}", values(all)),
        Operator::NotValues(none) => format!("must be none of {}", values(none)),
        Operator::Values(one) => format!("must be one of {}", values(one)),
        Operator::PathVariable(number) => match variables.get(*number) {
            Some(Segment::Plain(text)) => format!("must be `{text}`, as in the path"),
            _ => "must be what the path has, which can be read in more than one way".to_owned(),
        },
    }
}
