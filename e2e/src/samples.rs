//! For each refusal a request that ends in it, from the suites of `testdata/cases`.

use std::collections::BTreeMap;

use jwt_rbac::refusal::Refusal;
use serde_json::{Value, json};

use crate::cases::{self, Case};
use crate::client::Request;
use crate::verdict::{self, Denial};

/// A document and a request that it denies.
#[derive(Clone, Debug)]
pub struct Sample {
    /// Why it is denied.
    pub denial: Denial,
    /// The document.
    pub document: Value,
    case: Option<Case>,
}

impl Sample {
    /// The request, with a token that is minted now.
    pub fn request(&self) -> Request {
        match &self.case {
            Some(case) => case.mint().request(),
            None => Request::new("CONNECT", "a.test:443").header("host", "a.test:443"),
        }
    }
}

/// The first sample of every refusal that a client can cause, by its slug.
pub fn samples() -> BTreeMap<&'static str, Sample> {
    let mut samples = BTreeMap::new();
    for suite in cases::load() {
        for (name, document) in &suite.documents {
            let compiled = verdict::compile(document);
            let cases = suite.cases.iter().filter(|case| case.document == *name);
            for case in cases.filter(|case| is_plain(case)) {
                // This saves signing a token.
                if case.reason.as_deref().is_some_and(|slug| samples.contains_key(slug)) {
                    continue;
                }
                if let Some(denial) = verdict::denial(&compiled, &case.mint().request()) {
                    let (document, case) = (document.clone(), Some(case.clone()));
                    let slug = denial.refusal.slug();
                    samples.entry(slug).or_insert(Sample { denial, document, case });
                }
            }
        }
    }
    let denial = Denial { refusal: Refusal::ConnectRefused, rule: None };
    let document = json!({"routes": []});
    samples.insert(denial.refusal.slug(), Sample { denial, document, case: None });
    samples
}

/// Whether the case may be a denial of which Envoy changes neither the request nor the answer.
fn is_plain(case: &Case) -> bool {
    let target = case.request.split_once(' ').map_or("", |(_, target)| target);
    !matches!(case.status, 200 | 400) && case.grpc_status.is_none() && target.starts_with('/')
}
