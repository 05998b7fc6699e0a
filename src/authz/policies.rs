//! `authorizationPolicies`: the rules of Istio's AuthorizationPolicy, with the same meaning.
//!
//! A policy is compiled to [`Condition`]s, which ask a [`subject`] what they need to know; an [`index`]
//! finds the rules that can match. Sources: Istio's `pilot/pkg/security/authz` and Envoy's
//! `source/extensions/filters/common/rbac`.

pub mod address;
pub mod claim_test;
pub mod condition;
mod index;
pub mod path;
pub mod pattern;
pub mod peer;
pub mod policy;
pub mod request_principal;
pub mod subject;
pub mod text_test;

use index::Index;
use policy::{Action, Policy, Rule};
use subject::Subject;

use crate::authn::identity::Identity;
use crate::denial::{Denial, Detail};
use crate::in_order::in_order;
use crate::refusal::Refusal;
use crate::request::Request;

/// All policies of a document.
#[derive(Debug, Default)]
pub struct Policies {
    audit: Stage,
    deny: Stage,
    allow: Stage,
    dry_deny: Stage,
    dry_allow: Stage,
    /// Whether an ALLOW policy asks for something that only a token can say.
    allow_reads_token: bool,
}

/// What the policies say of a request.
#[derive(Debug, Default)]
pub(crate) struct Judgement<'d> {
    /// The AUDIT policy that matches it.
    pub audit: Option<&'d str>,
    /// Why they deny it, or would without a dry run.
    pub denial: Option<Denial<'d>>,
}

impl Policies {
    /// Puts policies in the order in which Istio asks them: that of the names of Envoy's policies,
    /// `ns[<namespace>]-policy[<name>]-rule[<number>]`.
    #[must_use]
    pub fn new(policies: Vec<Policy>) -> Self {
        let name = |policy: &Policy| format!("ns[{}]-policy[{}]", policy.namespace, policy.name);
        let names: Vec<_> = policies.iter().map(name).collect();
        let mut policies: Vec<_> = policies.into_iter().map(Some).collect();
        let mut all = Self::default();
        for (_, place) in in_order(names.iter().map(String::as_str)) {
            let Some(policy) = policies.get_mut(place).and_then(Option::take) else { continue };
            if policy.action == Action::Allow && !policy.dry_run {
                all.allow_reads_token |= policy.rules.iter().any(Rule::reads_token);
            }
            let stage = match (policy.action, policy.dry_run) {
                (Action::Allow, false) => &mut all.allow,
                (Action::Allow, true) => &mut all.dry_allow,
                (Action::Audit, _) => &mut all.audit,
                (Action::Deny, false) => &mut all.deny,
                (Action::Deny, true) => &mut all.dry_deny,
            };
            stage.add(policy);
        }
        all
    }

    /// Each policy, in the order in which they are asked.
    pub fn all(&self) -> impl Iterator<Item = &Policy> {
        self.stages().into_iter().flat_map(|stage| &stage.policies)
    }

    /// Every rule that matches a request, as policy and number of the rule in it; for reports, because a
    /// decision needs the first alone.
    #[must_use]
    pub fn matching(
        &self,
        request: &Request<'_>,
        identity: Option<&Identity>,
    ) -> Vec<(&Policy, usize)> {
        let subject = Subject::new(request, identity);
        self.stages().into_iter().flat_map(|stage| stage.find_all(&subject)).collect()
    }

    fn stages(&self) -> [&Stage; 5] {
        [&self.audit, &self.deny, &self.allow, &self.dry_deny, &self.dry_allow]
    }

    /// What they say of a request: AUDIT, then DENY, then ALLOW.
    pub(crate) fn judge(
        &self,
        request: &Request<'_>,
        identity: Option<&Identity>,
    ) -> Judgement<'_> {
        let subject = Subject::new(request, identity);
        let audit = self.audit.find(&subject).map(|policy| policy.name.as_str());
        let denial = self.denial(&subject);
        // A condition that could not be judged must not have let anybody in.
        let denial = if subject.has_failed() { Some(Refusal::HostFailure.into()) } else { denial };
        Judgement { audit, denial }
    }

    /// Why DENY policies alone deny a request of which no token is known: a preflight.
    pub(crate) fn judge_preflight(&self, request: &Request<'_>) -> Option<Denial<'_>> {
        let subject = Subject::new(request, None);
        let denial = self.deny.find(&subject).map(denied);
        if subject.has_failed() { Some(Refusal::HostFailure.into()) } else { denial }
    }

    fn denial(&self, subject: &Subject<'_, '_>) -> Option<Denial<'_>> {
        if let Some(policy) = self.deny.find(subject) {
            return Some(denied(policy));
        }
        if !self.allow.is_empty() && self.allow.find(subject).is_none() {
            return Some(if subject.identity.is_none() && self.allow_reads_token {
                Refusal::PolicyIdentityMissing.into()
            } else {
                Refusal::PolicyUnmatched.into()
            });
        }
        if let Some(policy) = self.dry_deny.find(subject) {
            return Some(denied(policy));
        }
        // Beside ALLOW policies in force, one in dry run could only let more in.
        let first = self.dry_allow.policies.first().filter(|_| self.allow.is_empty())?;
        let unmatched = self.dry_allow.find(subject).is_none();
        unmatched
            .then_some(Denial { refusal: Refusal::PolicyUnmatched, detail: Detail::Policy(first) })
    }
}

fn denied(policy: &Policy) -> Denial<'_> {
    Denial { refusal: Refusal::PolicyDenied, detail: Detail::Policy(policy) }
}

/// The policies of one action, in their order.
#[derive(Debug, Default)]
struct Stage {
    policies: Vec<Policy>,
    /// The rule of each number of the index, as policy and rule of it.
    rules: Vec<(usize, usize)>,
    index: Index,
}

impl Stage {
    fn add(&mut self, mut policy: Policy) {
        for (number, rule) in policy.rules.iter_mut().enumerate() {
            rule.sort();
            self.index.add(self.rules.len(), &rule.to);
            self.rules.push((self.policies.len(), number));
        }
        self.policies.push(policy);
    }

    fn is_empty(&self) -> bool {
        self.policies.is_empty()
    }

    /// The first policy that matches.
    fn find(&self, subject: &Subject<'_, '_>) -> Option<&Policy> {
        if self.rules.is_empty() {
            return None;
        }
        let rule = |number: usize| {
            let (policy, rule) = self.rules.get(number)?;
            let policy = self.policies.get(*policy)?;
            Some((policy, policy.rules.get(*rule)?))
        };
        let matches =
            |(policy, rule): (&Policy, &Rule)| rule.matches(subject, policy.action.takes_unclear());
        let found = self.index.find(subject, |number| rule(number).is_some_and(matches))?;
        rule(found).map(|(policy, _)| policy)
    }

    /// Every rule that matches.
    fn find_all(&self, subject: &Subject<'_, '_>) -> Vec<(&Policy, usize)> {
        let rules = self.rules.iter().filter_map(|&(policy, number)| {
            let policy = self.policies.get(policy)?;
            let matches = policy.rules.get(number)?.matches(subject, policy.action.takes_unclear());
            matches.then_some((policy, number))
        });
        rules.collect()
    }
}

#[cfg(test)]
mod tests;
