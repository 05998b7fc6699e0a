//! Tests of a policy: requests, who sends them, and what must become of them.
//!
//! ```yaml
//! policy: orders.yaml
//! callers:
//!   clerk: {roles: [clerk], customer: acme}
//! tests:
//! - {request: GET /customers/acme/orders/7, caller: clerk, expect: allow, route: orders}
//! - {request: GET /customers/other/orders/7, caller: clerk, expect: deny, reason: claim_mismatch}
//! - {request: [GET /health, HEAD /health], caller: [anonymous, clerk], expect: allow}
//! ```

pub mod coverage;
mod read;
pub mod result;
pub mod run;

use std::ops::Range;

use crate::Outcome;
use crate::ask::Ask;
use crate::source::Node;

pub use read::read;

/// A file of tests.
#[derive(Clone, Debug)]
pub struct Suite {
    /// The file of the policy, as the suite names it.
    pub policy: String,
    /// The name of the resource, where that file has several.
    pub resource: Option<String>,
    /// When the requests are sent, in seconds since 1970; `None` for now.
    pub now: Option<u64>,
    /// The tests, one for each request and caller.
    pub tests: Vec<Test>,
}

/// One request and what must become of it.
#[derive(Clone, Debug)]
pub struct Test {
    /// What it shows.
    pub name: String,
    /// Where it stands in the file.
    pub span: Range<usize>,
    /// Who sends the request, by name.
    pub caller: String,
    /// The request.
    pub ask: Ask,
    /// What must become of it.
    pub expected: Expected,
}

/// What must become of a request; `None` for what does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expected {
    /// `allow`, `deny` or `would_deny`.
    pub decision: Option<String>,
    /// The status of the reply.
    pub status: Option<u16>,
    /// The word for the reason.
    pub reason: Option<String>,
    /// The route.
    pub route: Option<String>,
}

impl Expected {
    /// Whether this became of the request.
    #[must_use]
    pub fn is_met(&self, outcome: &Outcome) -> bool {
        let reason = outcome.refusal.map(jwt_rbac::refusal::Refusal::slug);
        self.decision.as_deref().is_none_or(|wanted| wanted == outcome.decision)
            && self.status.is_none_or(|wanted| Some(wanted) == outcome.status)
            && self.reason.as_deref().is_none_or(|wanted| Some(wanted) == reason)
            && self.route.as_deref().is_none_or(|wanted| Some(wanted) == outcome.rule.as_deref())
    }

    /// In a few words: `deny, 403, claim_mismatch, route orders`.
    #[must_use]
    pub fn words(&self) -> String {
        words(self.decision.as_deref(), self.status, self.reason.as_deref(), self.route.as_deref())
    }
}

/// An outcome in the words of [`Expected::words`].
#[must_use]
pub fn outcome_words(outcome: &Outcome) -> String {
    let reason = outcome.refusal.map(jwt_rbac::refusal::Refusal::slug);
    words(Some(outcome.decision), outcome.status, reason, outcome.rule.as_deref())
}

fn words(
    decision: Option<&str>,
    status: Option<u16>,
    reason: Option<&str>,
    route: Option<&str>,
) -> String {
    let parts = [
        decision.map(str::to_owned),
        status.map(|status| status.to_string()),
        reason.map(str::to_owned),
        route.map(|route| format!("route {route}")),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// Whether a document of a file is a suite.
#[must_use]
pub fn is_suite(node: &Node) -> bool {
    node.get("policy").is_some() && node.get("tests").is_some()
}
