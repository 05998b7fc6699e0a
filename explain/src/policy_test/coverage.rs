//! What of a policy no test has touched.

use std::collections::BTreeSet;

use jwt_rbac::authz::policies::Policies;
use jwt_rbac::authz::policies::policy::Policy as AuthorizationPolicy;
use jwt_rbac::authz::routes::Access;
use serde::Serialize;

use super::result::TestResult;
use crate::policy::Policy;

/// What of a policy the tests touched, and what not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Coverage {
    /// How many routes there are.
    pub routes: usize,
    /// The routes that no request had.
    pub untested_routes: Vec<String>,
    /// The routes that let some callers pass, and let none in any test.
    pub never_allowed: Vec<String>,
    /// The routes that deny some callers, and denied none in any test.
    pub never_denied: Vec<String>,
    /// How many permissions routes ask for.
    pub permissions: usize,
    /// The permissions that no caller had at a route that asks for them.
    pub untested_permissions: Vec<String>,
    /// How many authorization policies there are.
    pub policies: usize,
    /// The policies none of whose rules matched any request, and else each rule that matched none, as
    /// `name.rules[1]`.
    pub untested_policies: Vec<String>,
}

impl Coverage {
    /// What these results leave out.
    #[must_use]
    pub fn of(policy: &Policy, results: &[TestResult<'_>]) -> Self {
        let routes = policy.document.routes.as_ref().map_or(&[][..], |table| table.routes());
        let with = |decisions: &[&str]| -> BTreeSet<&str> {
            let results = results.iter().map(|result| &result.outcome);
            let results = results.filter(|outcome| decisions.contains(&outcome.decision));
            results.filter_map(|it| it.rule.as_deref()).collect()
        };
        let seen = with(&["allow", "deny", "would_deny"]);
        let (allowed, denied) = (with(&["allow"]), with(&["deny", "would_deny"]));
        let missing = |touched: &BTreeSet<&str>, matters: &dyn Fn(&Access) -> bool| {
            let routes = routes.iter().filter(|route| matters(&route.access));
            let names = routes.map(|route| route.name.as_str());
            names.filter(|name| !touched.contains(name)).map(str::to_owned).collect::<Vec<_>>()
        };
        let untested_routes = missing(&seen, &|_| true);
        let tested = |names: Vec<String>| -> Vec<String> {
            names.into_iter().filter(|name| !untested_routes.contains(name)).collect()
        };
        let never_allowed = tested(missing(&allowed, &|access| !matches!(access, Access::Denied)));
        let never_denied = tested(missing(&denied, &|access| !matches!(access, Access::Public(_))));
        let had: BTreeSet<&str> =
            results.iter().flat_map(|it| &it.permissions).map(String::as_str).collect();
        let names = policy.document.authenticator.permission_names();
        let names: Vec<_> = names.all().map(|(_, name)| name).collect();
        let untested = names.iter().filter(|name| !had.contains(**name));
        let policies = policy.document.policies.as_ref();
        let policies: Vec<_> = policies.into_iter().flat_map(Policies::all).collect();
        let touched: BTreeSet<(&str, usize)> = results
            .iter()
            .flat_map(|it| &it.policy_rules)
            .map(|(name, number)| (name.as_str(), *number))
            .collect();
        Self {
            policies: policies.len(),
            untested_policies: policies
                .iter()
                .flat_map(|it| untested_rules(it, &touched))
                .collect(),
            routes: routes.len(),
            never_allowed,
            never_denied,
            permissions: names.len(),
            untested_permissions: untested.map(|name| (*name).to_owned()).collect(),
            untested_routes,
        }
    }

    /// Whether every route, every permission and every rule of a policy was touched.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.untested_routes.is_empty()
            && self.never_allowed.is_empty()
            && self.never_denied.is_empty()
            && self.untested_permissions.is_empty()
            && self.untested_policies.is_empty()
    }
}

/// The name of a policy, with its namespace where it has one.
pub(super) fn full_name(policy: &AuthorizationPolicy) -> String {
    match policy.namespace.as_str() {
        "" => policy.name.clone(),
        namespace => format!("{namespace}/{}", policy.name),
    }
}

/// What of a policy no request matched: all of it, or some of its rules. A policy without rules has nothing
/// to match.
fn untested_rules(policy: &AuthorizationPolicy, touched: &BTreeSet<(&str, usize)>) -> Vec<String> {
    let name = full_name(policy);
    let count = policy.rules.len();
    let untested: Vec<_> = (0..count).filter(|it| !touched.contains(&(&*name, *it))).collect();
    if untested.len() == count && count > 0 {
        return vec![name];
    }
    untested.into_iter().map(|number| format!("{name}.rules[{number}]")).collect()
}
