//! That the suites of `testdata/cases` leave no refusal out: each is what some case is about, and
//! each text that a client can read about its token has been compared with the native filter's.
//!
//! A text stands for several refusals, so the response does not tell which one it was. The decision
//! code does: it runs here, outside of Envoy, on the same documents and requests.

use std::collections::{BTreeMap, BTreeSet};

use jwt_rbac::document::Document;
use jwt_rbac::refusal::{Kind, Refusal};
use jwt_rbac_e2e::cases::{self, Case, Native};
use jwt_rbac_e2e::check;
use jwt_rbac_e2e::verdict;

/// Refusals that no case can show, and why.
const ELSEWHERE: [(Refusal, &str); 5] = [
    (Refusal::DocumentMissing, "without a document there is no listener"),
    (Refusal::RequestMalformed, "Envoy refuses such requests before any filter sees them"),
    (Refusal::ConnectRefused, "needs a listener that takes CONNECT: tests/streams.rs"),
    (Refusal::HostFailure, "no call of a sound Envoy fails"),
    (Refusal::KeysUnavailable, "needs a key server: tests/fetched_keys"),
];

#[test]
fn every_refusal_has_a_case() {
    let mut failures = Vec::new();
    // The refusals that cases end in, with what each is to the native filter.
    let mut seen: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for suite in cases::load() {
        let documents: BTreeMap<&str, Document> = suite
            .documents
            .iter()
            .map(|(name, document)| (name.as_str(), verdict::compile(document)))
            .collect();
        for case in suite.cases.iter().map(Case::mint) {
            let denial = verdict::denial(&documents[case.document.as_str()], &case.request());
            let refusal = denial.map(|denial| denial.refusal);
            if let Err(failure) = check::decided_as_written(&case, refusal) {
                failures.push(format!("{}.yaml: {}: {failure}", suite.name, case.name));
            }
            let native = match case.native {
                Native::Same => "same",
                Native::Differs(_) => "differs",
                Native::None(_) => "none",
            };
            if let Some(refusal) = refusal {
                seen.entry(refusal.slug()).or_default().insert(native);
            }
        }
    }
    failures.extend(missing_refusals(&seen));
    failures.extend(missing_texts(&seen));
    assert!(failures.is_empty(), "{}\n{} failures", failures.join("\n"), failures.len());
}

fn missing_refusals(seen: &BTreeMap<&str, BTreeSet<&str>>) -> Vec<String> {
    let excused = |refusal: &Refusal| ELSEWHERE.iter().any(|(known, _)| known == refusal);
    let is_seen = |refusal: &Refusal| seen.contains_key(refusal.slug());
    let wrong = Refusal::ALL.iter().filter(|refusal| is_seen(refusal) == excused(refusal));
    wrong.map(|refusal| format!("{}: a case and an excuse, or neither", refusal.slug())).collect()
}

/// A text of the native filter must have been compared with it, unless it has no word for what is
/// asked, or answers otherwise by choice.
fn missing_texts(seen: &BTreeMap<&str, BTreeSet<&str>>) -> Vec<String> {
    let mut texts: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let about_token =
        |refusal: &&Refusal| refusal.kind() == Kind::Token && **refusal != Refusal::KeysUnavailable;
    for refusal in Refusal::ALL.iter().filter(about_token) {
        let natives = seen.get(refusal.slug()).into_iter().flatten();
        texts.entry(refusal.text()).or_default().extend(natives);
    }
    let differs = [Refusal::TokenMultiple.text()];
    let expected = |text: &str| if differs.contains(&text) { "differs" } else { "same" };
    let wrong = texts.iter().filter(|(text, natives)| !natives.contains(expected(text)));
    wrong.map(|(text, _)| format!("no case compares {text:?}: {}", expected(text))).collect()
}
