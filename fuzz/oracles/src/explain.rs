//! A request as people write it: the first line of the input is `METHOD target`, each further one a
//! header. What the report says is what the filter does.

use jwt_rbac::refusal::Refusal;
use jwt_rbac_explain::ask::Ask;
use jwt_rbac_explain::policy::{Policy, Signatures};
use jwt_rbac_explain::{explain, outcome};

use crate::asked;
use crate::policy::{self, NOW};

/// Fails if the report says something else than what the filter does.
pub fn check(input: &[u8]) {
    thread_local! {
        static POLICY: Policy = Policy::compile(policy::config(), Signatures::Checked, None)
            .unwrap_or_else(|problems| panic!("{:?}", problems.errors));
    }
    let Ok(text) = std::str::from_utf8(input) else { return };
    let mut rows = text.split('\n');
    let Ok(mut ask) = Ask::parse(rows.next().unwrap_or_default()) else { return };
    let headers = rows.filter_map(|row| row.split_once(": "));
    ask.headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    POLICY.with(|policy| {
        let report = explain(policy, &ask, NOW);
        let short = outcome(policy, &ask, NOW);
        let lines = ask.lines(policy, NOW);
        let lines: Vec<_> =
            lines.iter().map(|(name, value)| (name.as_slice(), value.as_slice())).collect();
        policy::with_document(|document, worker| {
            let done = asked::ask(document, worker, &lines, |_, decision| {
                let refusal = decision.verdict.refusal();
                let rule = decision.rule().map(str::to_owned);
                (decision.verdict.word(), refusal.map(Refusal::slug), rule)
            });
            let Some((word, reason, rule)) = done else {
                assert_eq!(report.decision, "deny");
                return;
            };
            assert_eq!((report.decision, report.reason), (word, reason), "{report:?}");
            assert_eq!(report.rule, rule);
            assert_eq!((short.decision, short.refusal.map(Refusal::slug)), (word, reason));
            assert_eq!(report.status, short.status);
        });
    });
}
