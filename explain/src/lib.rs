//! What a document decides about a request, and the way to it, step by step.
//!
//! The decision is that of [`jwt_rbac::decision::decide`], and each step asks the function of the filter
//! that makes it; no rule is written a second time here.
//!
//! | module | what it is |
//! |---|---|
//! | [`policy`] | a document, ready to be asked |
//! | [`ask`], [`header`] | a request as people write it, and as Envoy hands it over |
//! | [`example`] | for each route a request, and claims that it lets through |
//! | [`token`] | a token made of claims alone, for policies that take every signature |
//! | [`report`] | what came of a request: the decision and its steps |
//! | [`traffic`], [`matrix`] | many requests in sum; every caller at every route |
//! | [`policy_test`] | tests of a policy, and what they leave out |
//! | `steps` | each step of a decision in words |
//! | [`check`] | what is wrong with files of documents, and where |
//! | [`source`] | a file as a tree that knows where each value stands |
//!
//! ```
//! use jwt_rbac_explain::ask::Ask;
//! use jwt_rbac_explain::policy::{Policy, Signatures};
//! use serde_json::json;
//!
//! let config = json!({"routes": [{"name": "health", "paths": ["/health"], "access": "PUBLIC"}]});
//! let policy = Policy::compile(config, Signatures::Assumed, None).expect("no errors");
//! let ask = Ask::parse("GET /admin").expect("a method and a path");
//! let report = jwt_rbac_explain::explain(&policy, &ask, 1_800_000_000);
//! assert_eq!((report.decision, report.reason), ("deny", Some("route_unmatched")));
//! ```

pub mod ask;
pub mod check;
pub mod example;
pub mod header;
pub mod matrix;
pub mod nearest;
pub mod peer;
pub mod policy;
pub mod policy_test;
pub mod report;
pub mod source;
mod steps;
pub mod token;
pub mod traffic;

use jwt_rbac::decision::{Decision, Patience, Verdict, decide_with};
use jwt_rbac::refusal::Refusal;
use jwt_rbac::request::{Header, Request};
use jwt_rbac::response;
use jwt_rbac::worker::Worker;

use ask::Ask;
use policy::Policy;
use report::{Reply, Report, Step};

/// What becomes of a request at `now`, in seconds since 1970, and why.
#[must_use]
pub fn explain(policy: &Policy, ask: &Ask, now: u64) -> Report {
    with_request(policy, ask, now, |request| match request {
        Ok(request) => report(policy, ask, request, now),
        Err(refusal) => Report::unreadable(ask, refusal),
    })
}

/// Whether a policy accepts a token at `now`, check by check, and what it grants.
#[must_use]
pub fn verify(policy: &Policy, token: &str, now: u64) -> Vec<Step> {
    steps::of_token(policy, token, now)
}

/// What becomes of a request, without the way to it.
#[must_use]
pub fn outcome(policy: &Policy, ask: &Ask, now: u64) -> Outcome {
    decided(policy, &mut Worker::new(&policy.document), ask, now, |decision| match decision {
        Ok((decision, _)) => Outcome::of(policy, decision),
        Err(refusal) => Outcome::denied(refusal),
    })
}

/// Hands the decision about a request, and the request, to `then`, or why it can't be read.
fn decided<T>(
    policy: &Policy,
    worker: &mut Worker,
    ask: &Ask,
    now: u64,
    then: impl FnOnce(Result<(&Decision<'_, '_>, &Request<'_>), Refusal>) -> T,
) -> T {
    with_request(policy, ask, now, |request| match request {
        Ok(request) => {
            let decision = decide_with(&policy.document, worker, request, now, Patience::Refuses);
            then(Ok((&decision, request)))
        }
        Err(refusal) => then(Err(refusal)),
    })
}

/// What becomes of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// `allow`, `deny` or `would_deny`.
    pub decision: &'static str,
    /// The status of the local reply, if there is one.
    pub status: Option<u16>,
    /// Why it is denied, or would be.
    pub refusal: Option<Refusal>,
    /// The route that it has.
    pub rule: Option<String>,
    /// The `sub` of its verified token.
    pub subject: Option<String>,
}

impl Outcome {
    fn of(policy: &Policy, decision: &Decision<'_, '_>) -> Self {
        let refusal = decision.verdict.refusal();
        let status = match decision.verdict {
            Verdict::Deny(_) => refusal.map(|it| response::status(it, &policy.document.responses)),
            Verdict::Allow(_) | Verdict::WouldDeny(..) | Verdict::Wait => None,
        };
        let subject = decision.identity.as_ref().and_then(|identity| identity.subject.clone());
        Self {
            decision: decision.verdict.word(),
            status,
            refusal,
            rule: decision.rule().map(str::to_owned),
            subject,
        }
    }

    fn denied(refusal: Refusal) -> Self {
        let status = Some(refusal.status());
        Self { decision: "deny", status, refusal: Some(refusal), rule: None, subject: None }
    }
}

fn with_request<T>(
    policy: &Policy,
    ask: &Ask,
    now: u64,
    then: impl FnOnce(Result<&Request<'_>, Refusal>) -> T,
) -> T {
    let lines = ask.lines(policy, now);
    let headers = lines.iter().map(|(name, value)| (name.as_slice(), value.as_slice()));
    let headers: Vec<Header<'_>> = headers.collect();
    match Request::read(&headers) {
        Ok(request) => then(Ok(&request.with_connection(&ask.peer))),
        Err(refusal) => then(Err(refusal)),
    }
}

fn report(policy: &Policy, ask: &Ask, request: &Request<'_>, now: u64) -> Report {
    let document = &policy.document;
    let decision =
        decide_with(document, &mut Worker::new(document), request, now, Patience::Refuses);
    let refusal = decision.verdict.refusal();
    let reply = refusal.filter(|_| matches!(decision.verdict, Verdict::Deny(_))).map(|refusal| {
        Reply::new(response::local_reply(refusal, &decision, Some(document), Some(request)))
    });
    Report {
        method: ask.method.clone(),
        host: String::from_utf8_lossy(request.authority).into_owned(),
        target: ask.target.clone(),
        decision: decision.verdict.word(),
        status: reply.as_ref().map(|reply| reply.status),
        reason: refusal.map(Refusal::slug),
        meaning: refusal.map(Refusal::meaning),
        rule: decision.rule().map(str::to_owned),
        steps: steps::all(policy, request, &decision, now),
        remedies: steps::remedies(policy, &decision),
        reply,
    }
}
