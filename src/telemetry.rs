//! What is said about a decision: one line of the log, names of counters, values for access logs.

use serde::Serialize;

use crate::authn::Unverified;
use crate::authz::requirement::Lack;
use crate::authz::routes::Access;
use crate::decision::{Decision, Verdict};
use crate::document::{DecisionLog, Document};
use crate::refusal::{Kind, Refusal};
use crate::request::Request;
use crate::response;

/// How much of a client's text is shown, in bytes.
const MAX_SHOWN: usize = 128;
/// How many lines a worker writes in one second.
const MAX_LINES: u32 = 10;

/// What bounds the lines of one worker, so that nobody can fill its log or its time with denials.
#[derive(Clone, Copy, Debug, Default)]
pub struct LineBudget {
    second: u64,
    lines: u32,
    suppressed: u64,
}

impl LineBudget {
    /// Asks for one line. `Some` grants it, with the number of lines that were not granted since
    /// the last one that was. `now` is in seconds since 1970.
    pub fn take(&mut self, now: u64) -> Option<u64> {
        if self.second != now {
            self.second = now;
            self.lines = 0;
        }
        if self.lines >= MAX_LINES {
            self.suppressed = self.suppressed.saturating_add(1);
            return None;
        }
        self.lines = self.lines.saturating_add(1);
        Some(std::mem::take(&mut self.suppressed))
    }
}

/// The refusal of a decision, if it is one or would be.
#[must_use]
pub fn refusal(verdict: &Verdict) -> Option<Refusal> {
    match verdict {
        Verdict::Allow(_) => None,
        Verdict::Deny(refusal) | Verdict::WouldDeny(refusal, _) => Some(*refusal),
    }
}

/// The word for a decision: in the log, in access logs, in the names of counters.
#[must_use]
pub fn word(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Allow(_) => "allow",
        Verdict::Deny(_) => "deny",
        Verdict::WouldDeny(..) => "would_deny",
    }
}

/// Whether the document wants to hear of this decision.
#[must_use]
pub fn is_logged(log: DecisionLog, verdict: &Verdict) -> bool {
    match log {
        DecisionLog::All => true,
        DecisionLog::Denials => !matches!(verdict, Verdict::Allow(_)),
        DecisionLog::Off => false,
    }
}

/// One line about a decision. It never holds a token, a signature, or a claim that no rule names.
#[derive(Serialize)]
struct Line<'a> {
    jwt_rbac: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    #[serde(flatten)]
    requirement: Requirement<'a>,
    method: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    host: String,
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unverified: Option<UnverifiedLine>,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<&'static str>,
    #[serde(skip_serializing_if = "is_zero")]
    suppressed: u64,
}

/// What the row asks for and the caller lacks.
#[derive(Default, Serialize)]
struct Requirement<'a> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    required: Vec<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    required_any: Vec<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    missing: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    claim: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    issuers: Vec<&'a str>,
}

/// What a token says that nobody has verified.
#[derive(Default, PartialEq, Eq, Serialize)]
struct UnverifiedLine {
    #[serde(skip_serializing_if = "Option::is_none")]
    issuer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_id: Option<String>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the shape that serde wants")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// The line about a decision, as JSON. `suppressed` lines were not written before it.
#[cold] // Ten times a second at most.
#[must_use]
pub fn line(
    decision: &Decision<'_, '_>,
    document: &Document,
    request: &Request<'_>,
    suppressed: u64,
) -> String {
    let refusal = refusal(&decision.verdict);
    let identity = decision.identity.as_deref();
    let is_about_token = refusal.is_some_and(|refusal| refusal.kind() == Kind::Token);
    let unverified = is_about_token.then(|| document.authenticator.read_unverified(request));
    let shown_text = |text: &Option<String>| text.as_ref().map(|text| shown(text.as_bytes()));
    let line = Line {
        jwt_rbac: word(&decision.verdict),
        status: match decision.verdict {
            Verdict::Deny(refusal) => Some(response::status(refusal, &document.responses)),
            _ => None,
        },
        reason: refusal.map(Refusal::slug),
        rule: decision.rule(),
        provider: identity.map(|identity| document.authenticator.provider_name(identity)),
        subject: identity.and_then(|identity| shown_text(&identity.subject)),
        requirement: refusal.map_or_else(Requirement::default, |_| requirement(decision, document)),
        method: shown(request.method),
        host: shown(request.authority),
        path: shown(request.path()),
        request_id: request.values("x-request-id").next().map(shown),
        unverified: unverified.flatten().and_then(|Unverified { issuer, subject, key_id }| {
            let line = UnverifiedLine {
                issuer: shown_text(&issuer),
                subject: shown_text(&subject),
                key_id: shown_text(&key_id),
            };
            (line != UnverifiedLine::default()).then_some(line)
        }),
        remedy: refusal.map(Refusal::remedy),
        suppressed,
    };
    serde_json::to_string(&line).unwrap_or_default()
}

fn requirement<'a>(decision: &'a Decision<'_, '_>, document: &'a Document) -> Requirement<'a> {
    let Some(route) = &decision.route else { return Requirement::default() };
    let Access::Required(required) = &route.row.access else { return Requirement::default() };
    let names = document.authenticator.permission_names();
    let mut shown = Requirement {
        required: required.all_of.iter().filter_map(|id| names.name(*id)).collect(),
        required_any: required.any_of.iter().flatten().filter_map(|id| names.name(*id)).collect(),
        ..Requirement::default()
    };
    let Some(identity) = decision.identity.as_deref() else { return shown };
    match required.check(identity, &route.variables) {
        Err(Lack::Permissions) => {
            let missing = required.missing(&identity.granted);
            shown.missing = missing.filter_map(|id| names.name(id)).collect();
        }
        Err(Lack::Claim(claim)) => shown.claim = document.authenticator.claim_name(claim),
        Err(Lack::Issuer(issuers)) => shown.issuers = issuers.iter().map(String::as_str).collect(),
        Err(Lack::ReadablePermissions) | Ok(()) => {}
    }
    shown
}

/// What access logs are told of a decision: the words for it, its reason, its rule and its subject,
/// with `-` for what there is not and `_` for white space. One value, because each is a call to Envoy
/// (docs/costs.md).
#[must_use]
pub fn summary(decision: &Decision<'_, '_>) -> String {
    let identity = decision.identity.as_deref();
    let words = [
        refusal(&decision.verdict).map(Refusal::slug),
        decision.rule(),
        identity.and_then(|identity| identity.subject.as_deref()),
    ];
    let mut summary = String::with_capacity(MAX_SHOWN);
    summary.push_str(word(&decision.verdict));
    for word in words {
        summary.push(' ');
        match word {
            None | Some("") => summary.push('-'),
            Some(word) if is_plain(word) => summary.push_str(word),
            Some(word) => summary.push_str(&shown_word(word)),
        }
    }
    summary
}

/// Whether there is nothing in a text that must not be [`shown`], nor white space; most words have
/// nothing.
fn is_plain(word: &str) -> bool {
    word.len() <= MAX_SHOWN
        && word.bytes().all(|byte| byte.is_ascii_graphic())
        && !word.as_bytes().windows(TOKEN_START.len()).any(|part| part == TOKEN_START.as_bytes())
}

/// As [`shown`], with nothing in it that ends a word.
#[cold] // Few words need it.
fn shown_word(text: &str) -> String {
    shown(text.as_bytes()).replace(|c: char| c.is_whitespace() || c.is_control(), "_")
}

/// A client's bytes as text: cut where they get long, without what looks like a token, and without
/// characters that end a line or turn its direction for some readers. JSON escapes the others.
fn shown(bytes: &[u8]) -> String {
    let cut = bytes.get(..MAX_SHOWN);
    let text = String::from_utf8_lossy(cut.unwrap_or(bytes));
    let mut text = without_tokens(&text).replace(is_treacherous, "\u{fffd}");
    if cut.is_some_and(|cut| cut.len() < bytes.len()) {
        text.push('…');
    }
    text
}

fn is_treacherous(c: char) -> bool {
    matches!(c, '\u{7f}'..='\u{9f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The base64url of `{"`, with which every token begins.
const TOKEN_START: &str = "eyJ";

/// A text with `…` for each run that begins like a token.
fn without_tokens(text: &str) -> String {
    let is_of_token = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let mut parts = text.split(TOKEN_START);
    let mut shown = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        // The payload of a token begins like its header.
        if !shown.ends_with('…') {
            shown.push('…');
        }
        shown.push_str(part.trim_start_matches(is_of_token));
    }
    shown
}

#[cfg(test)]
mod tests;
