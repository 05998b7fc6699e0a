//! `authorizationPolicies`: from the schema to [`Policies`].

mod attribute;
mod when;

use super::checks::{self, UniqueNames};
use super::fault::{Fault, Found};
use super::place::Place;
use super::problem::Problems;
use super::schema::{AuthorizationPolicy, From, Operation, PolicyRule, Source, To};
use super::shape::{self, Entries, Entry};
use attribute::{Attribute, Context};
use jwt_rbac::authn::Authenticator;
use jwt_rbac::authz::policies::Policies;
use jwt_rbac::authz::policies::condition::Condition;
use jwt_rbac::authz::policies::policy::{Action, Policy, Rule};

/// Why the direct peer can't be asked for.
pub const NO_DIRECT_PEER: &str = "which compares the direct peer, whose address Envoy does not tell a \
                                  Wasm filter: use `remoteIpBlocks`, or keep the rule in an \
                                  AuthorizationPolicy of Istio, beside the filter";
/// Why a policy compares nothing with a variable.
pub const NO_VARIABLES: &str = "whose paths have no names: use `{name}` in the `paths` of a route, or \
                                `header` or `queryParameter` here";
/// Why a policy has no `prefix` and no `suffix`.
pub const PATTERNS: &str =
    "which is written `values: [\"acme-*\"]` or `values: [\"*-eu\"]` in a policy";
/// As in Istio.
const MAX_RULES: usize = 512;

/// Compiles every policy that is well-formed. `trust_domains` are the mesh's own, then its aliases.
#[inline(never)]
pub fn compile(
    place: &Place,
    entries: Entries<AuthorizationPolicy>,
    trust_domains: Option<&[String]>,
    authenticator: &mut Authenticator,
    problems: &mut Problems,
) -> Policies {
    if entries.is_empty() {
        problems.error(place.clone(), Fault::EmptyList { expected: "at least one policy" });
    }
    let mut names = UniqueNames::default();
    let mut policies = Vec::new();
    for (place, policy) in shape::decode_all(place, entries, problems) {
        problems.check(&place.field("name"), checks::check_name(&policy.name));
        names.add(&policy.name, &place, problems);
        let namespace = policy.namespace.as_deref();
        let mut context = Context { trust_domains, namespace, authenticator, problems };
        let rules = policy.rules.unwrap_or_else(|| Entries::new(Vec::new()));
        let action = policy.action.map(|word| word.0).unwrap_or_default();
        let place = place.field("rules");
        if rules.len() > MAX_RULES {
            let fault = Fault::TooMany { found: Some(rules.len()), of: "rules", limit: MAX_RULES };
            context.problems.error(place.clone(), fault);
        }
        if rules.is_empty() && action == Action::Deny {
            let expected = "a rule: without one a DENY policy denies nothing";
            context.problems.error(place.clone(), Fault::EmptyList { expected });
        }
        let rules = shape::decode_all(&place, rules, context.problems);
        let rules = rules.into_iter().map(|(place, it)| rule(&place, it, &mut context)).collect();
        policies.push(Policy {
            name: policy.name,
            namespace: policy.namespace.unwrap_or_default(),
            action,
            dry_run: policy.dry_run,
            rules,
        });
    }
    Policies::new(policies)
}

#[inline(never)]
fn rule(place: &Place, rule: PolicyRule, context: &mut Context<'_>) -> Rule {
    let mut compiled = Rule::default();
    if let Some(entries) = rule.from {
        let decoded = entries_of(&place.field("from"), entries, context);
        for (place, From { source }) in decoded {
            let place = place.field("source");
            if let Some(source) = part(&place, source, context) {
                compiled.from.push(source_conditions(&place, source, context));
            }
        }
    }
    if let Some(entries) = rule.to {
        let decoded = entries_of(&place.field("to"), entries, context);
        for (place, To { operation }) in decoded {
            let place = place.field("operation");
            if let Some(operation) = part(&place, operation, context) {
                compiled.to.push(operation_conditions(&place, operation, context));
            }
        }
    }
    if let Some(entries) = rule.when {
        let decoded = entries_of(&place.field("when"), entries, context);
        for (place, entry) in decoded {
            compiled.when.extend(when::conditions(&place, entry, context));
        }
    }
    compiled
}

/// The entries of a list that has some.
fn entries_of<T: shape::Object>(
    place: &Place,
    entries: Entries<T>,
    context: &mut Context<'_>,
) -> Vec<(Place, T)> {
    if entries.is_empty() {
        let fault = Fault::EmptyList { expected: "an entry, or no such field" };
        context.problems.error(place.clone(), fault);
    }
    shape::decode_all(place, entries, context.problems)
}

/// An object that must be there.
fn part<T: shape::Object>(
    place: &Place,
    entry: Option<Entry<T>>,
    context: &mut Context<'_>,
) -> Option<T> {
    if entry.is_none() {
        let fault = Fault::found(Found::Missing, "at least one list of values in it");
        context.problems.error(place.clone(), fault);
    }
    shape::decode(place, entry?, context.problems)
}

#[inline(never)]
fn source_conditions(place: &Place, source: Source, context: &mut Context<'_>) -> Vec<Condition> {
    let names_workload = source.principals.is_some()
        || source.not_principals.is_some()
        || source.namespaces.is_some()
        || source.not_namespaces.is_some();
    if names_workload
        && (source.service_accounts.is_some() || source.not_service_accounts.is_some())
    {
        let with = "`principals` or `namespaces`";
        let fault = Fault::Conflict { found: "", with, why: ", expected one of both" };
        context.problems.error(place.field("serviceAccounts"), fault);
    }
    conditions(
        place,
        vec![
            ("principals", source.principals, Attribute::Principal, false),
            ("notPrincipals", source.not_principals, Attribute::Principal, true),
            ("namespaces", source.namespaces, Attribute::Namespace, false),
            ("notNamespaces", source.not_namespaces, Attribute::Namespace, true),
            ("serviceAccounts", source.service_accounts, Attribute::ServiceAccount, false),
            ("notServiceAccounts", source.not_service_accounts, Attribute::ServiceAccount, true),
            ("trustDomains", source.trust_domains, Attribute::TrustDomain, false),
            ("notTrustDomains", source.not_trust_domains, Attribute::TrustDomain, true),
            ("requestPrincipals", source.request_principals, Attribute::RequestPrincipal, false),
            (
                "notRequestPrincipals",
                source.not_request_principals,
                Attribute::RequestPrincipal,
                true,
            ),
            ("remoteIpBlocks", source.remote_ip_blocks, Attribute::RemoteIp, false),
            ("notRemoteIpBlocks", source.not_remote_ip_blocks, Attribute::RemoteIp, true),
        ],
        context,
    )
}

#[inline(never)]
fn operation_conditions(
    place: &Place,
    operation: Operation,
    context: &mut Context<'_>,
) -> Vec<Condition> {
    conditions(
        place,
        vec![
            ("hosts", operation.hosts, Attribute::Host, false),
            ("notHosts", operation.not_hosts, Attribute::Host, true),
            ("ports", operation.ports, Attribute::Port, false),
            ("notPorts", operation.not_ports, Attribute::Port, true),
            ("methods", operation.methods, Attribute::Method, false),
            ("notMethods", operation.not_methods, Attribute::Method, true),
            ("paths", operation.paths, Attribute::Path, false),
            ("notPaths", operation.not_paths, Attribute::Path, true),
        ],
        context,
    )
}

/// The conditions of the fields that are there; one at least must be.
#[inline(never)]
fn conditions(
    place: &Place,
    fields: Vec<(&'static str, Option<Vec<String>>, Attribute, bool)>,
    context: &mut Context<'_>,
) -> Vec<Condition> {
    let mut conditions = Vec::new();
    let mut is_empty = true;
    for (name, values, attribute, negated) in fields {
        let Some(values) = values else { continue };
        is_empty = false;
        let place = place.field(name);
        checks::check_strings(&place, &values, context.problems);
        let test = attribute.test(&place, &values, context);
        conditions.push(Condition { test, negated });
    }
    if is_empty {
        context.problems.error(place.clone(), Fault::expected("at least one list of values"));
    }
    conditions
}

#[cfg(test)]
mod tests;
