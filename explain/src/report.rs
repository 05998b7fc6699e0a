//! What came of a request: the decision, the steps to it, and what to do.

use jwt_rbac::refusal::Refusal;
use jwt_rbac::response::LocalReply;
use serde::Serialize;

use crate::ask::Ask;

/// What becomes of a request, and why.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Its method.
    pub method: String,
    /// Its host.
    pub host: String,
    /// Its path and query.
    pub target: String,
    /// `allow`, `deny` or `would_deny`.
    pub decision: &'static str,
    /// The status of the local reply, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The word for the reason, as in the log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
    /// The reason in a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meaning: Option<&'static str>,
    /// The route that it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The way to the decision.
    pub steps: Vec<Step>,
    /// What would have to change for another decision.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub remedies: Vec<String>,
    /// What the client receives in place of the workload's answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply: Option<Reply>,
}

/// One step of a decision.
#[derive(Clone, Debug, Serialize)]
pub struct Step {
    /// What is decided in it.
    pub name: &'static str,
    /// How it went.
    pub mark: Mark,
    /// What came of it.
    pub text: String,
    /// What was looked at.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Note>,
}

/// One thing that was looked at in a step.
#[derive(Clone, Debug, Serialize)]
pub struct Note {
    /// How it went; [`Mark::Skipped`] for what decides nothing.
    pub mark: Mark,
    /// What was found.
    pub text: String,
}

/// How a step or a check went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mark {
    /// It denies the request.
    Failed,
    /// Nothing stands against the request.
    Passed,
    /// It was not made, or decides nothing.
    Skipped,
}

/// What the client receives.
#[derive(Clone, Debug, Serialize)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// `%RESPONSE_CODE_DETAILS%` of access logs.
    pub details: String,
    /// Its headers.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: String,
}

impl Report {
    /// The report on a request that has no method, no path, or one of them twice.
    #[must_use]
    pub fn unreadable(ask: &Ask, refusal: Refusal) -> Self {
        Self {
            method: ask.method.clone(),
            host: ask.host.clone().unwrap_or_default(),
            target: ask.target.clone(),
            decision: "deny",
            status: Some(refusal.status()),
            reason: Some(refusal.slug()),
            meaning: Some(refusal.meaning()),
            rule: None,
            steps: vec![Step::failed("request", refusal.meaning())],
            remedies: vec![refusal.remedy().to_owned()],
            reply: None,
        }
    }
}

impl Step {
    /// A step that denies the request.
    #[must_use]
    pub fn failed(name: &'static str, text: impl Into<String>) -> Self {
        Self { name, mark: Mark::Failed, text: text.into(), notes: Vec::new() }
    }

    /// A step that lets the request go on.
    #[must_use]
    pub fn passed(name: &'static str, text: impl Into<String>) -> Self {
        Self { name, mark: Mark::Passed, text: text.into(), notes: Vec::new() }
    }

    /// A step that was not made.
    #[must_use]
    pub fn skipped(name: &'static str, text: impl Into<String>) -> Self {
        Self { name, mark: Mark::Skipped, text: text.into(), notes: Vec::new() }
    }

    /// The same with what was looked at.
    #[must_use]
    pub fn with(self, notes: Vec<Note>) -> Self {
        Self { notes, ..self }
    }
}

impl Note {
    /// A check that holds or does not.
    #[must_use]
    pub fn check(holds: bool, text: impl Into<String>) -> Self {
        let mark = if holds { Mark::Passed } else { Mark::Failed };
        Self { mark, text: text.into() }
    }

    /// Something that decides nothing.
    #[must_use]
    pub fn plain(text: impl Into<String>) -> Self {
        Self { mark: Mark::Skipped, text: text.into() }
    }
}

impl Reply {
    /// What Envoy sends for this reply of ours.
    #[must_use]
    pub fn new(reply: LocalReply) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        let headers = reply.headers.into_iter();
        Self {
            status: reply.status,
            details: reply.details,
            headers: headers.map(|(name, value)| (name.to_owned(), text(value))).collect(),
            body: reply.body.into_owned(),
        }
    }
}
