//! One policy and its rules.

use super::condition::Condition;
use super::subject::Subject;

/// What a policy does with a request that one of its rules matches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Action {
    /// It may pass; what no ALLOW policy matches is denied.
    #[default]
    Allow,
    /// It is named in the log.
    Audit,
    /// It is denied.
    Deny,
}

impl Action {
    /// Whether a condition counts as holding of what can be read in more than one way: where that
    /// denies the request.
    #[must_use]
    pub fn takes_unclear(self) -> bool {
        match self {
            Self::Allow => false,
            Self::Audit | Self::Deny => true,
        }
    }
}

/// One policy.
#[derive(Debug)]
pub struct Policy {
    /// The name that logs show.
    pub name: String,
    /// Its namespace; empty where the document does not say.
    pub namespace: String,
    /// What it does.
    pub action: Action,
    /// Whether its denials are only logged and counted.
    pub dry_run: bool,
    /// One of which must match. An ALLOW policy without rules lets nothing pass.
    pub rules: Vec<Rule>,
}

/// One rule. It matches if one of `from`, one of `to` and all of `when` hold; an empty part always does.
#[derive(Debug, Default)]
pub struct Rule {
    /// Who calls: all conditions of one of these.
    pub from: Vec<Vec<Condition>>,
    /// What is asked for: all conditions of one of these.
    pub to: Vec<Vec<Condition>>,
    /// All of these.
    pub when: Vec<Condition>,
}

impl Rule {
    pub(super) fn matches(&self, subject: &Subject<'_, '_>, if_unclear: bool) -> bool {
        let all =
            |conditions: &[Condition]| conditions.iter().all(|it| it.holds(subject, if_unclear));
        let any = |parts: &[Vec<Condition>]| parts.is_empty() || parts.iter().any(|it| all(it));
        // What the request itself says comes first: it takes no call to the host.
        any(&self.to) && all(&self.when) && any(&self.from)
    }

    /// Puts conditions that are known without a call to the host before the others.
    pub(super) fn sort(&mut self) {
        let parts = self.from.iter_mut().chain(&mut self.to).chain([&mut self.when]);
        for conditions in parts {
            // Sorting them would take 6 KB of code.
            let mut all = std::mem::take(conditions);
            while let Some(least) = all.iter().map(Condition::cost).min() {
                conditions.extend(all.extract_if(.., |condition| condition.cost() == least));
            }
        }
    }

    pub(super) fn reads_token(&self) -> bool {
        let parts = self.from.iter().flatten().chain(&self.when);
        parts.into_iter().any(Condition::reads_token)
    }
}
