//! What is said about a decision, and about a document: lines of the log, names of counters, values
//! for access logs.

use std::borrow::Cow;

use serde::{Serialize, Serializer};

use crate::authn::locate;
use crate::authn::logged::LoggedClaim;
use crate::authn::rejection::Unverified;
use crate::authz::routes::Access;
use crate::decision::{Decision, Verdict};
use crate::denial::{Denial, Detail};
use crate::document::{DecisionLog, Document};
use crate::json;
use crate::mask;
use crate::refusal::{Kind, Refusal};
use crate::request::Request;
use crate::response;

/// How many lines about one kind of decision a plugin writes in one second on each worker.
const MAX_LINES: u32 = 10;

/// What bounds the lines of one plugin on one worker, so that no client can fill its log or its time
/// with denials. Each kind has a limit of its own: a flood of one hides no other.
#[derive(Clone, Copy, Debug, Default)]
pub struct LineLimits {
    allowed: LineLimit,
    refused_tokens: LineLimit,
    denied: LineLimit,
    would_deny: LineLimit,
}

#[derive(Clone, Copy, Debug, Default)]
struct LineLimit {
    second: u64,
    lines: u32,
    suppressed: u64,
}

impl LineLimits {
    /// Asks for one line. `Some` grants it, with the number of lines of its kind that were not
    /// granted since the last one that was. `now` is in seconds since 1970.
    pub fn take(&mut self, verdict: &Verdict<'_>, now: u64) -> Option<u64> {
        let limit = match verdict {
            Verdict::Allow(_) => &mut self.allowed,
            Verdict::Deny(denial) if denial.refusal.kind() == Kind::Token => {
                &mut self.refused_tokens
            }
            Verdict::Deny(_) => &mut self.denied,
            Verdict::WouldDeny(..) => &mut self.would_deny,
            Verdict::Wait => return None,
        };
        limit.take(now)
    }
}

impl LineLimit {
    fn take(&mut self, now: u64) -> Option<u64> {
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

/// Whether the document wants to hear of this decision.
#[must_use]
pub fn is_logged(log: DecisionLog, decision: &Decision<'_, '_>) -> bool {
    match (log, &decision.verdict) {
        (DecisionLog::Off, _) | (_, Verdict::Wait) => false,
        (DecisionLog::Denials, Verdict::Allow(_)) => decision.audit.is_some(),
        (DecisionLog::All | DecisionLog::Denials, _) => true,
    }
}

/// One line about something else than a decision, as JSON: `event` says what. Like every line of ours
/// it begins with `{"jwt_rbac":`.
#[must_use]
pub fn event(event: &str, fields: &[(&str, &str)]) -> String {
    let quoted = |text: &str| json::written(&text.into());
    let members = [("jwt_rbac", event)].into_iter().chain(fields.iter().copied());
    let members = members.map(|(name, value)| format!("{}:{}", quoted(name), quoted(value)));
    format!("{{{}}}", members.collect::<Vec<_>>().join(","))
}

/// One line about a decision. It never holds a token, a signature, or a claim that the document does
/// not name.
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
    audit: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    #[serde(skip_serializing_if = "Members::is_empty")]
    claims: Members<'a>,
    #[serde(flatten)]
    about: About<'a>,
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

/// The members of an object, in their order.
struct Members<'a>(Vec<(&'a str, &'a str)>);

impl Members<'_> {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for Members<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().copied())
    }
}

/// What decided: what the route asks for, what the caller lacks, what could not be written.
#[derive(Default, Serialize)]
struct About<'a> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    required: Vec<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    required_any: Vec<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    missing: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    claim: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    header: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    issuers: Vec<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    routes: Vec<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    not_written: Vec<&'a str>,
}

/// What a refused token says. It may be forged.
#[derive(Default, PartialEq, Eq, Serialize)]
struct UnverifiedLine {
    #[serde(skip_serializing_if = "Option::is_none")]
    issuer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    audiences: Vec<String>,
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
    let refusal = decision.verdict.refusal();
    let identity = decision.identity.as_deref();
    let unverified = match decision.verdict.denial() {
        Some(Denial { detail: Detail::Token(unverified), .. }) => Some(&**unverified),
        _ => None,
    };
    let verified = identity.map(|identity| document.authenticator.provider_name(identity));
    let refused_by = unverified.and_then(|unverified| unverified.provider.as_deref());
    // What a client has put into a location is a secret, whatever it looks like.
    let secrets = locate::values(request, document.authenticator.locations());
    let shown = |bytes: &[u8]| mask::shown(bytes, &secrets);
    let shown_text = |text: &Option<String>| text.as_ref().map(|text| shown(text.as_bytes()));
    let line = Line {
        jwt_rbac: decision.verdict.word(),
        status: match &decision.verdict {
            Verdict::Deny(denial) => Some(response::status(denial.refusal, &document.responses)),
            _ => None,
        },
        reason: refusal.map(Refusal::slug),
        rule: decision.rule(),
        audit: decision.audit,
        provider: verified.or(refused_by),
        subject: identity.and_then(|identity| shown_text(&identity.subject)),
        claims: Members(
            logged_claims(decision, document).map(|(claim, text)| (claim.name(), text)).collect(),
        ),
        about: about(decision, document),
        method: shown(request.method),
        host: shown(request.authority),
        path: shown(request.path()),
        request_id: request.values("x-request-id").next().map(shown),
        unverified: unverified.and_then(|unverified| {
            let line = UnverifiedLine {
                issuer: shown_text(&unverified.issuer),
                subject: shown_text(&unverified.subject),
                audiences: unverified.audiences.iter().map(|it| shown(it.as_bytes())).collect(),
                key_id: shown_text(&unverified.key_id),
            };
            (line != UnverifiedLine::default()).then_some(line)
        }),
        remedy: refusal.map(Refusal::remedy),
        suppressed,
    };
    text(&line)
}

#[inline(never)]
fn text(line: &Line<'_>) -> String {
    serde_json::to_string(line).unwrap_or_default()
}

#[inline(never)]
fn about<'a>(decision: &'a Decision<'_, '_>, document: &'a Document) -> About<'a> {
    let authenticator = &document.authenticator;
    let mut about = About::default();
    let Some(denial) = decision.verdict.denial() else {
        if let Some(identity) = decision.identity.as_deref() {
            about.not_written = authenticator.unwritten_headers(identity);
        }
        return about;
    };
    match &denial.detail {
        Detail::Claim(claim) => about.claim = authenticator.claim_name(*claim),
        Detail::Header(header) => about.header = Some(header),
        Detail::Issuers(issuers) => about.issuers = issuers.iter().map(String::as_str).collect(),
        // The policy is the rule.
        Detail::None | Detail::Policy(_) => {}
        Detail::Routes(routes) => about.routes.clone_from(routes),
        Detail::Token(unverified) => {
            let Unverified { lacks, .. } = &**unverified;
            about.claim.clone_from(lacks);
        }
    }
    // What a route asks says nothing about a denial by a policy.
    let route = decision.route.as_ref().filter(|_| denial.refusal.kind() != Kind::Policy);
    let access = route.map(|route| &route.route.access);
    if let Some(Access::Required(required)) = access {
        let names = authenticator.permission_names();
        let any_of = required.any_of.iter().flatten();
        about.required = required.all_of.iter().filter_map(|id| names.name(*id)).collect();
        about.required_any = any_of.filter_map(|id| names.name(*id)).collect();
        if denial.refusal == Refusal::PermissionMissing
            && let Some(identity) = decision.identity.as_deref()
        {
            let missing = required.missing(&identity.granted);
            about.missing = missing.filter_map(|id| names.name(id)).collect();
        }
    }
    about
}

/// What access logs are told of a decision: the words for it, its reason, its rule and its subject,
/// with `-` for what there is not and `_` for white space. One value, because each is a call to Envoy
/// (docs/costs.md).
#[must_use]
pub fn summary(decision: &Decision<'_, '_>) -> String {
    let identity = decision.identity.as_deref();
    let words = [
        decision.verdict.refusal().map(Refusal::slug),
        decision.rule(),
        identity.and_then(|identity| identity.subject.as_deref()),
    ];
    let mut summary = String::with_capacity(mask::MAX_SHOWN);
    summary.push_str(decision.verdict.word());
    for word in words {
        summary.push(' ');
        match word {
            None | Some("") => summary.push('-'),
            Some(word) => summary.push_str(&one_word(word)),
        }
    }
    summary
}

/// What access logs are told of the claims of `logClaims`, if the caller's token was verified and has
/// them: the name of each value, and the value, which is one word too.
pub fn claim_states<'a>(
    decision: &'a Decision<'_, '_>,
    document: &'a Document,
) -> impl Iterator<Item = (&'a str, Cow<'a, str>)> {
    logged_claims(decision, document).map(|(claim, text)| (claim.state(), one_word(text)))
}

fn logged_claims<'a>(
    decision: &'a Decision<'_, '_>,
    document: &'a Document,
) -> impl Iterator<Item = (&'a LoggedClaim, &'a str)> {
    let identity = decision.identity.as_deref().into_iter();
    identity.flat_map(|identity| document.authenticator.logged_claims(identity))
}

/// A text as one field of an access log.
fn one_word(text: &str) -> Cow<'_, str> {
    if mask::is_plain_word(text) { Cow::Borrowed(text) } else { Cow::Owned(mask::shown_word(text)) }
}
