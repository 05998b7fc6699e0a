//! Runs the tests of a suite, on all cores.

use std::thread;

use jwt_rbac::authn::grants::Granted;
use jwt_rbac::authz::routes::Access;
use jwt_rbac::decision::Decision;
use jwt_rbac::refusal::{Kind, Refusal};
use jwt_rbac::request::Request;
use jwt_rbac::worker::Worker;

use super::coverage::{Coverage, full_name};
use super::result::TestResult;
use super::{Suite, Test};
use crate::policy::Policy;
use crate::{Outcome, decided};

/// What came of a suite.
#[derive(Debug)]
pub struct Run<'s> {
    /// What became of each test, in their order.
    pub results: Vec<TestResult<'s>>,
    /// What the tests touched of the policy.
    pub coverage: Coverage,
}

/// Runs all tests of a suite. Requests are sent when the suite says, or at `now`.
#[must_use]
pub fn run<'s>(policy: &Policy, suite: &'s Suite, now: u64) -> Run<'s> {
    let now = suite.now.unwrap_or(now);
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let size = suite.tests.len().div_ceil(threads).max(1);
    let results = thread::scope(|scope| {
        let chunks = suite.tests.chunks(size);
        let threads = chunks.map(|tests| scope.spawn(move || run_all(policy, tests, now)));
        let threads: Vec<_> = threads.collect();
        let results = threads.into_iter().map(|thread| thread.join().unwrap_or_default());
        results.flatten().collect::<Vec<_>>()
    });
    let coverage = Coverage::of(policy, &results);
    Run { results, coverage }
}

fn run_all<'s>(policy: &Policy, tests: &'s [Test], now: u64) -> Vec<TestResult<'s>> {
    let mut worker = Worker::new(&policy.document);
    let results = tests.iter().map(|test| {
        decided(policy, &mut worker, &test.ask, now, |decision| match decision {
            Ok((decision, request)) => TestResult {
                test,
                outcome: Outcome::of(policy, decision),
                permissions: permissions(policy, decision),
                policy_rules: policy_rules(policy, decision, request),
            },
            Err(refusal) => TestResult {
                test,
                outcome: Outcome::denied(refusal),
                permissions: Vec::new(),
                policy_rules: Vec::new(),
            },
        })
    });
    results.collect()
}

/// The rules of policies that a request touches, if it gets as far as they.
fn policy_rules(
    policy: &Policy,
    decision: &Decision<'_, '_>,
    request: &Request<'_>,
) -> Vec<(String, usize)> {
    let is_before = |refusal: Refusal| {
        matches!(refusal.kind(), Kind::Shape | Kind::Table | Kind::Token)
            || refusal == Refusal::RouteDenied
    };
    let policies = policy.document.policies.as_ref();
    let Some(policies) = policies.filter(|_| !decision.verdict.refusal().is_some_and(is_before))
    else {
        return Vec::new();
    };
    let matching = policies.matching(request, decision.identity.as_deref());
    matching.into_iter().map(|(policy, number)| (full_name(policy), number)).collect()
}

fn permissions(policy: &Policy, decision: &Decision<'_, '_>) -> Vec<String> {
    let access = decision.route.as_ref().map(|found| &found.route.access);
    let granted = decision.identity.as_ref().map(|identity| &identity.granted);
    let (Some(Access::Required(requirement)), Some(Granted::Set(granted))) = (access, granted)
    else {
        return Vec::new();
    };
    let asked = requirement.all_of.iter().chain(requirement.any_of.iter().flatten());
    let names = policy.document.authenticator.permission_names();
    let had = asked.filter(|id| granted.contains(**id)).filter_map(|id| names.name(*id));
    had.map(str::to_owned).collect()
}
