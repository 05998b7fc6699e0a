//! One request: its headers become a decision, and the decision calls to Envoy.

use std::cell::Cell;
use std::rc::Rc;

use jwt_rbac::authn::cache::CacheCounts;
use jwt_rbac::authz::Permit;
use jwt_rbac::decision::{Decision, Patience, Verdict, decide_with};
use jwt_rbac::document::{DecisionLog, Document};
use jwt_rbac::refusal::Refusal;
use jwt_rbac::request::Request;
use jwt_rbac::telemetry::{self, LineLimits};
use jwt_rbac::{forward, response};
use jwt_rbac_host::connection::EnvoyConnection;
use jwt_rbac_host::{self as host, HeaderLines, HeaderMap, HostError};
use log::{error, warn};
use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;

use crate::keys;
use crate::waiting::WaitingRequest;
use crate::{Configured, Plugin};

/// One request.
pub struct HttpFilter {
    /// What Envoy calls it.
    id: u32,
    plugin: Rc<Plugin>,
    /// Once the request may continue.
    permit: Option<Permit>,
    /// If it had to wait for keys.
    waiting: Option<Rc<WaitingRequest>>,
}

/// What has become of a request.
enum Outcome {
    /// It may continue.
    Passes(Permit),
    /// It was answered.
    Answered,
    /// It has to wait for keys.
    Waits,
}

impl HttpFilter {
    pub fn new(id: u32, plugin: Rc<Plugin>) -> Self {
        Self { id, plugin, permit: None, waiting: None }
    }
}

impl Context for HttpFilter {}

impl HttpContext for HttpFilter {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        #[cfg(feature = "faults")]
        crate::faults::at_request();
        let plugin = &*self.plugin;
        let mut outcome = judge(plugin, Patience::Waits);
        if matches!(outcome, Outcome::Waits) {
            self.waiting =
                plugin.waiting.add(self.id, keys::now().saturating_add(plugin.max_wait()));
            match self.waiting {
                Some(_) => {
                    keys::wake(plugin);
                }
                None => outcome = judge(plugin, Patience::Refuses),
            }
        }
        match outcome {
            Outcome::Passes(permit) => pass(self.permit.insert(permit)),
            // Without an answer the request waits until it times out: it never continues.
            Outcome::Answered | Outcome::Waits => Action::Pause,
        }
    }

    fn on_http_request_trailers(&mut self, _: usize) -> Action {
        let waited = self.waiting.as_ref().and_then(|waiting| waiting.permit.get());
        let permit = self.permit.as_ref().or(waited);
        let (Some(configured), Some(permit)) = (&self.plugin.configured, permit) else {
            return Action::Pause;
        };
        let_trailers_pass(&configured.document, permit).unwrap_or_else(|error| {
            host_error("a trailer could not be removed", error);
            Action::Pause
        })
    }
}

/// How many requests that waited are answered in one call of Envoy. What a reply leads to, down to the end of
/// the request, Envoy does before it goes on with the next one, each inside the other: after some 300 the stack
/// of the VM is full (`doAfterVmCallActions` of proxy-wasm-cpp-host).
pub const MAX_RESUMED: usize = 32;

/// Decides the requests of a plugin that waited for keys, as long as there are not too many; takes them off
/// `most`. Returns whether it has decided all.
#[cold]
pub fn resume(plugin: &Plugin, most: &mut usize) -> bool {
    let now = keys::now();
    plugin.waiting.retain(most, |request| {
        if host::set_effective_context(request.context_id).is_err() {
            return false;
        }
        let patience = if request.deadline <= now { Patience::Refuses } else { Patience::Waits };
        match judge(plugin, patience) {
            Outcome::Waits => return true,
            Outcome::Answered => {}
            Outcome::Passes(permit) => {
                if let Err(error) = pass_held(request.permit.get_or_init(|| permit)) {
                    host_error("a request could not continue", error);
                }
            }
        }
        false
    })
}

/// Decides the request that Envoy's calls are about, and acts on it.
fn judge(plugin: &Plugin, patience: Patience) -> Outcome {
    let Plugin { configured, metrics, lines, tick, .. } = plugin;
    let headers = HeaderLines::fetch(HeaderMap::RequestHeaders).ok();
    let header_lines = headers.as_ref().and_then(HeaderLines::lines);
    let request = header_lines.as_deref().and_then(|lines| Request::read(lines).ok());
    let request = request.map(|request| request.with_connection(&EnvoyConnection));
    let now = tick.now().ok();
    let mut decision = judgement(configured.as_ref(), request.as_ref(), now, patience);
    if matches!(decision.verdict, Verdict::Wait) {
        return Outcome::Waits;
    }
    let document = configured.as_ref().map(|configured| &configured.document);
    if let (Some(document), Some(request)) = (document, &request)
        && let Verdict::Allow(permit) | Verdict::WouldDeny(_, permit) = &decision.verdict
        && change_headers(document, request, permit).is_err()
    {
        decision.verdict = Verdict::Deny(Refusal::HostFailure.into());
    }
    count(plugin, &decision);
    // Without the time, the next request has to ask for it.
    if !now.is_some_and(|now| tick.ask(now)) {
        metrics.hand_over();
    }
    if let (Some(document), Some(request)) = (document, &request) {
        log_decision(&decision, document, request, lines, now.unwrap_or_default());
    }
    match decision.verdict {
        Verdict::Allow(permit) | Verdict::WouldDeny(_, permit) => Outcome::Passes(permit),
        Verdict::Deny(_) | Verdict::Wait => {
            answer(&decision, document, request.as_ref());
            Outcome::Answered
        }
    }
}

fn judgement<'d, 'r>(
    configured: Option<&'d Configured>,
    request: Option<&Request<'r>>,
    now: Option<u64>,
    patience: Patience,
) -> Decision<'d, 'r> {
    let Some(Configured { document, worker, .. }) = configured else {
        return Decision::deny(Refusal::DocumentMissing);
    };
    let Some(request) = request else { return Decision::deny(Refusal::RequestMalformed) };
    let (Some(now), Ok(mut worker)) = (now, worker.try_borrow_mut()) else {
        return Decision::deny(Refusal::HostFailure);
    };
    decide_with(document, &mut worker, request, now, patience)
}

/// Makes a request what the workload is to receive.
fn change_headers(
    document: &Document,
    request: &Request<'_>,
    permit: &Permit,
) -> Result<(), HostError> {
    forward::changes(document, request, permit).iter().try_for_each(host::change_header)
}

/// Lets a request continue. It takes a [`Permit`], so that no request that was not judged can.
fn pass(_: &Permit) -> Action {
    Action::Continue
}

/// The same for one that was held.
fn pass_held(_: &Permit) -> Result<(), HostError> {
    host::continue_request()
}

/// The same for its trailers.
fn let_trailers_pass(document: &Document, permit: &Permit) -> Result<Action, HostError> {
    let trailers = HeaderLines::fetch(HeaderMap::RequestTrailers)?;
    // What can't be read does not continue either.
    let Some(lines) = trailers.lines() else { return Ok(Action::Pause) };
    let removed = forward::removed_trailers(document, permit, &lines);
    removed.into_iter().try_for_each(host::remove_trailer)?;
    Ok(pass(permit))
}

fn count(plugin: &Plugin, decision: &Decision<'_, '_>) {
    let Plugin { configured, metrics, .. } = plugin;
    let Some(Configured { document, worker, .. }) = configured else {
        return metrics.count(decision, false, CacheCounts::default());
    };
    let counted = worker
        .try_borrow_mut()
        .map(|mut worker| (worker.take_cache_counts(), worker.fetched_keys.take_misses()));
    let (cache_counts, missed) = counted.unwrap_or_default();
    metrics.count(decision, document.rule_metrics, cache_counts);
    if !missed.is_empty() {
        keys::miss(plugin, &missed);
    }
}

fn host_error(message: &str, error: HostError) {
    let message = format!("{message}: {error}");
    error!("{}", telemetry::event("host_failure", &[("message", &message)]));
}

/// Answers a request in place of the workload.
#[inline(never)] // Out of the way of the requests that continue.
fn answer(decision: &Decision<'_, '_>, document: Option<&Document>, request: Option<&Request<'_>>) {
    let refusal = decision.verdict.refusal().unwrap_or(Refusal::HostFailure);
    let reply = response::local_reply(refusal, decision, document, request);
    if let Err(error) = host::send_local_reply(&reply) {
        host_error("a denied request could not be answered", error);
    }
}

/// Writes the decision to the log and to where access logs find it, if the document asks for it.
#[inline(never)] // As `answer`.
fn log_decision(
    decision: &Decision<'_, '_>,
    document: &Document,
    request: &Request<'_>,
    lines: &Cell<LineLimits>,
    now: u64,
) {
    // An access log that misses something is no reason to treat the request otherwise.
    for (name, text) in telemetry::claim_states(decision, document) {
        let _ = host::set_filter_state(name, &text);
    }
    let log = document.decision_log;
    if log == DecisionLog::All || !matches!(decision.verdict, Verdict::Allow(_)) {
        let _ = host::set_filter_state("jwt_rbac", &telemetry::summary(decision));
    }
    if !telemetry::is_logged(log, decision) {
        return;
    }
    let mut limits = lines.get();
    let granted = limits.take(&decision.verdict, now);
    lines.set(limits);
    if let Some(suppressed) = granted {
        warn!("{}", telemetry::line(decision, document, request, suppressed));
    }
}
