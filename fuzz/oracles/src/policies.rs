//! `authorizationPolicies` and a request, both chosen by the bytes of the input. The filter finds the rules
//! that can match with an index; [`plain`] asks one after the other, with the regular expressions that
//! Istio writes.

mod generate;
mod plain;

use jwt_rbac::refusal::Refusal;
use jwt_rbac::request::{Header, Request};
use jwt_rbac::worker::Worker;
use jwt_rbac_explain::policy::{Policy, Signatures};
use jwt_rbac_explain::{explain, outcome};

use crate::policy::NOW;
use generate::Choices;

/// How many requests each document is asked about.
const REQUESTS: usize = 4;

/// Fails if these policies decide otherwise about these requests than they do one after the other, or
/// than the report says.
pub fn check(input: &[u8]) {
    let mut choices = Choices::new(input);
    let config = generate::config(&mut choices);
    let policy = Policy::compile(config, Signatures::Checked, None)
        .unwrap_or_else(|problems| panic!("{:?}", problems.errors));
    let mut worker = Worker::new(&policy.document);
    for _ in 0..REQUESTS {
        let (ask, claims) = generate::request(&mut choices);
        let expected = plain::decide(&policy.config, &ask, claims.as_ref());
        let lines = ask.lines(&policy, NOW);
        let lines: Vec<Header<'_>> =
            lines.iter().map(|(name, value)| (name.as_slice(), value.as_slice())).collect();
        let request = Request::read(&lines).expect("a method and a path");
        let request = request.with_connection(&ask.peer);
        let found = jwt_rbac::decision::decide(&policy.document, &mut worker, &request, NOW);
        let reason = found.verdict.refusal().map(Refusal::slug);
        let described =
            || format!("{ask:?}, {claims:?}, {}", policy.config["authorizationPolicies"]);
        let (word, rule, audit) = (found.verdict.word(), found.rule(), found.audit);
        assert_eq!((word, reason), (expected.word, expected.reason), "{}", described());
        assert_eq!((rule, audit), (expected.policy, expected.audit), "{}", described());
        let report = explain(&policy, &ask, NOW);
        assert_eq!((report.decision, report.reason), (word, reason), "{}", described());
        assert_eq!(report.rule.as_deref(), rule, "{}", described());
        let short = outcome(&policy, &ask, NOW);
        assert_eq!((short.decision, short.refusal.map(Refusal::slug)), (word, reason));
    }
}
