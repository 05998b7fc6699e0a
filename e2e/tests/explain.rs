//! `explain` comes to what the filter does: every case of `testdata/cases` is explained, and ends as it
//! does in Envoy (`tests/cases.rs` runs the same cases there).

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use jwt_rbac::refusal::{Kind, Refusal};
use jwt_rbac_e2e::cases::{self, Case, Suite};
use jwt_rbac_e2e::{artifacts, check, client, verdict};
use jwt_rbac_explain::ask::{Ask, Caller};
use jwt_rbac_explain::explain;
use jwt_rbac_explain::policy::{Policy, Signatures};
use jwt_rbac_explain::report::{Mark, Report};

#[test]
fn every_case_is_explained_as_it_is_decided() {
    let mut failures = Vec::new();
    let mut count = 0;
    for suite in cases::load() {
        let policies = compile(&suite, Signatures::Checked);
        for case in suite.cases.iter().map(Case::mint) {
            let report = explain(&policies[&case.document], &ask(&case.request()), now());
            let refusal = denial(&report);
            let decided = check::decided_as_written(&case, refusal);
            if let Err(failure) = decided.and_then(|()| agrees_with_itself(&report)) {
                failures.push(format!("{}.yaml: {}: {failure}", suite.name, case.name));
            }
            count += 1;
        }
    }
    assert!(failures.is_empty(), "{}\n{} failures", failures.join("\n"), failures.len());
    assert!(count > 500, "{count} cases");
}

/// The claims of a caller stand for its token where no signature is checked.
#[test]
fn claims_are_decided_like_the_token_that_has_them() {
    let mut failures = Vec::new();
    let mut count = 0;
    for suite in cases::load() {
        let policies = compile(&suite, Signatures::Assumed);
        for case in &suite.cases {
            let caller = case.caller.as_deref().filter(|caller| artifacts::is_caller(caller));
            let Some(caller) = caller.filter(|_| !case.names_token()) else { continue };
            // With claims come the other tokens that the document requires.
            if case.reason.as_deref() == Some(Refusal::TokenMissing.slug()) {
                continue;
            }
            let sent = Case { caller: None, ..case.clone() };
            let claims = artifacts::caller(caller);
            let ask = ask(&sent.request()).by(Caller::Claims(claims));
            let report = explain(&policies[&case.document], &ask, now());
            if let Err(failure) = check::decided_as_written(case, denial(&report)) {
                failures.push(format!("{}.yaml: {}: {failure}", suite.name, case.name));
            }
            count += 1;
        }
    }
    assert!(failures.is_empty(), "{}\n{} failures", failures.join("\n"), failures.len());
    assert!(count >= 50, "{count} cases");
}

/// The steps come to the same as the decision, and the checks of the token find the same reason.
fn agrees_with_itself(report: &Report) -> Result<(), String> {
    let failed: Vec<_> = report.steps.iter().filter(|step| step.mark == Mark::Failed).collect();
    match (report.reason, failed.as_slice()) {
        (None, []) => Ok(()),
        (Some(reason), [step]) => {
            let refusal = check::refusal(reason).expect("a refusal");
            let mut said = step.notes.iter().filter(|note| note.mark == Mark::Failed);
            let is_said = refusal.kind() != Kind::Token
                || step.text == refusal.meaning()
                || refusal == Refusal::IssuerUnknown
                || said.any(|note| note.text.ends_with(refusal.meaning()));
            if is_said { Ok(()) } else { Err(format!("{reason}, but {step:?}")) }
        }
        (reason, steps) => Err(format!("{reason:?}, but {steps:?}")),
    }
}

fn denial(report: &Report) -> Option<Refusal> {
    report.reason.filter(|_| report.decision == "deny").and_then(check::refusal)
}

fn compile(suite: &Suite, signatures: Signatures) -> BTreeMap<String, Policy> {
    let documents = suite.documents.iter();
    let compile = |(name, document): (&String, &serde_json::Value)| {
        let policy = Policy::compile(document.clone(), signatures, None);
        (name.clone(), policy.unwrap_or_else(|problems| panic!("{name}: {problems:?}")))
    };
    documents.map(compile).collect()
}

fn ask(request: &client::Request) -> Ask {
    Ask {
        method: request.method.clone(),
        target: request.target.clone(),
        host: Some(request.authority().to_owned()),
        headers: request.headers.clone(),
        caller: Caller::Anonymous,
        peer: verdict::peer(),
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is past 1970").as_secs()
}
