//! What became of one test.

use super::Test;
use crate::Outcome;

/// What became of one test.
#[derive(Debug)]
pub struct TestResult<'s> {
    /// The test.
    pub test: &'s Test,
    /// What became of its request.
    pub outcome: Outcome,
    /// The permissions that its route asks for and its caller has.
    pub(super) permissions: Vec<String>,
    /// The rules of policies that match its request, as name of the policy and number of the rule.
    pub(super) policy_rules: Vec<(String, usize)>,
}

impl TestResult<'_> {
    /// Whether it became what it must.
    #[must_use]
    pub fn is_met(&self) -> bool {
        self.test.expected.is_met(&self.outcome)
    }
}
