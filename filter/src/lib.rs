//! The filter as Envoy sees it: one root context for each configured plugin and worker, one HTTP
//! context for each request. Envoy calls only what `xtask/src/trim.rs` leaves exported.

#![cfg(target_arch = "wasm32")]
#![allow(missing_docs, reason = "the entry point that the SDK's macro writes has none")]

#[cfg(feature = "faults")]
mod faults;
mod metrics;
mod tick;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use jwt_rbac::authn::cache::CacheCounts;
use jwt_rbac::authz::Permit;
use jwt_rbac::decision::{self, Decision, Verdict};
use jwt_rbac::document::{DecisionLog, Document};
use jwt_rbac::refusal::Refusal;
use jwt_rbac::request::Request;
use jwt_rbac::telemetry::{self, LineBudgets};
use jwt_rbac::worker::Worker;
use jwt_rbac::{forward, response};
use jwt_rbac_config::problem::Problem;
use jwt_rbac_host::signature::Envoy;
use jwt_rbac_host::{self as host, HeaderLines, HeaderMap, HostError};
use log::{error, info, warn};
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType, LogLevel};
use sha2::{Digest as _, Sha256};

use metrics::{DocumentState, Metrics};
use tick::Tick;

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Info);
    proxy_wasm::set_root_context(|_| Box::new(Root::default()));
}}

/// One plugin, before and after Envoy has configured it.
#[derive(Default)]
struct Root {
    plugin: Rc<Plugin>,
}

/// What the requests of one plugin share.
#[derive(Default)]
struct Plugin {
    /// Without a document everything is denied.
    configured: Option<Configured>,
    metrics: Metrics,
    lines: Cell<LineBudgets>,
    tick: Tick,
}

/// The document in force, and what this worker remembers of its tokens.
struct Configured {
    document: Document,
    worker: RefCell<Worker>,
    state: DocumentState,
}

impl Context for Root {}

impl RootContext for Root {
    /// Loads a document. If it is refused, Envoy keeps the one before; if it is the first, the listener
    /// stays closed.
    fn on_configure(&mut self, _: usize) -> bool {
        let text = match host::plugin_configuration() {
            Ok(text) => text,
            Err(error) => {
                let message = format!("pluginConfig can't be read: {error}");
                error!("{}", telemetry::event("document_refused", &[("message", &message)]));
                return false;
            }
        };
        match jwt_rbac_config::compile(&text, &mut Envoy::default()) {
            Ok((document, problems)) => {
                for problem in &problems.warnings {
                    warn!("{}", problem_line("document_warning", problem));
                }
                let hash = document_hash(&text);
                let state = DocumentState { enforcing: document.dry_run.is_none(), hash };
                metrics::show_document(state);
                let fields = [("version", env!("CARGO_PKG_VERSION")), ("hash", &hash.to_string())];
                info!("{}", telemetry::event("document_in_force", &fields));
                let worker = RefCell::new(Worker::new(&document));
                let configured = Some(Configured { document, worker, state });
                self.plugin = Rc::new(Plugin::new(configured));
                true
            }
            Err(problems) => {
                for problem in &problems.errors {
                    error!("{}", problem_line("document_refused", problem));
                }
                metrics::count_refused_document();
                false
            }
        }
    }

    fn on_tick(&mut self) {
        #[cfg(feature = "faults")]
        faults::at_tick();
        self.plugin.hand_over();
    }

    fn create_http_context(&self, _: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(HttpFilter { plugin: Rc::clone(&self.plugin), permit: None }))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

impl Plugin {
    fn new(configured: Option<Configured>) -> Self {
        let (metrics, lines, tick) = Default::default();
        Self { configured, metrics, lines, tick }
    }

    /// Hands all that was counted to Envoy, which does not wake us again before something waits.
    #[cold] // Ten times a second at most.
    fn hand_over(&self) {
        self.tick.end();
        self.metrics.hand_over();
    }
}

impl Drop for Plugin {
    /// Envoy lets a plugin go after its last request, which is counted too.
    fn drop(&mut self) {
        self.hand_over();
        if let Some(configured) = &self.configured {
            metrics::hide_document(configured.state);
        }
    }
}

fn problem_line(event: &str, problem: &Problem) -> String {
    let place = problem.place.to_string();
    let message = problem.fault.to_string();
    telemetry::event(event, &[("place", &place), ("message", &message)])
}

/// The start of the SHA-256 of a document: 48 bits, which every reader of metrics holds exactly.
fn document_hash(text: &[u8]) -> u64 {
    let digest = Sha256::digest(text);
    digest.iter().take(6).fold(0, |hash, byte| hash << 8 | u64::from(*byte))
}

/// One request.
struct HttpFilter {
    plugin: Rc<Plugin>,
    /// Once the request may continue.
    permit: Option<Permit>,
}

impl Context for HttpFilter {}

impl HttpContext for HttpFilter {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        #[cfg(feature = "faults")]
        faults::at_request();
        let Plugin { configured, metrics, lines, tick } = &*self.plugin;
        let headers = HeaderLines::fetch(HeaderMap::RequestHeaders).ok();
        let header_lines = headers.as_ref().and_then(HeaderLines::lines);
        let request = header_lines.as_deref().and_then(|lines| Request::read(lines).ok());
        let now = tick.now().ok();
        let mut decision = decide(configured.as_ref(), request.as_ref(), now);
        let document = configured.as_ref().map(|configured| &configured.document);
        let mut action = None;
        if let (Some(document), Some(request)) = (document, &request)
            && let Verdict::Allow(permit) | Verdict::WouldDeny(_, permit) = &decision.verdict
        {
            match let_pass(document, request, permit) {
                Ok(passes) => action = Some(passes),
                Err(_) => decision.verdict = Verdict::Deny(Refusal::HostFailure.into()),
            }
        }
        count(configured.as_ref(), metrics, &decision);
        // Without the time, the next request has to ask for it.
        if !now.is_some_and(|now| tick.ask(now)) {
            metrics.hand_over();
        }
        if let (Some(document), Some(request)) = (document, &request) {
            log_decision(&decision, document, request, lines, now.unwrap_or_default());
        }
        if action.is_none() {
            answer(&decision, document, request.as_ref());
        }
        self.permit = match decision.verdict {
            Verdict::Allow(permit) | Verdict::WouldDeny(_, permit) => Some(permit),
            Verdict::Deny(_) => None,
        };
        // Without an answer the request waits until it times out: it never continues.
        action.unwrap_or(Action::Pause)
    }

    fn on_http_request_trailers(&mut self, _: usize) -> Action {
        let (Some(configured), Some(permit)) = (&self.plugin.configured, &self.permit) else {
            return Action::Pause;
        };
        let_trailers_pass(&configured.document, permit).unwrap_or_else(|error| {
            host_error("a trailer could not be removed", error);
            Action::Pause
        })
    }
}

fn decide<'d, 'r>(
    configured: Option<&'d Configured>,
    request: Option<&Request<'r>>,
    now: Option<u64>,
) -> Decision<'d, 'r> {
    let Some(Configured { document, worker, .. }) = configured else {
        return Decision::deny(Refusal::DocumentMissing);
    };
    let Some(request) = request else { return Decision::deny(Refusal::RequestMalformed) };
    let (Some(now), Ok(mut worker)) = (now, worker.try_borrow_mut()) else {
        return Decision::deny(Refusal::HostFailure);
    };
    decision::decide(document, &mut worker, request, now)
}

/// Makes a request what the workload is to receive, and lets it continue. It takes a [`Permit`], so that
/// no request that was not judged can continue.
fn let_pass(
    document: &Document,
    request: &Request<'_>,
    permit: &Permit,
) -> Result<Action, HostError> {
    forward::changes(document, request, permit).iter().try_for_each(host::change_header)?;
    Ok(Action::Continue)
}

/// The same for its trailers.
fn let_trailers_pass(document: &Document, _: &Permit) -> Result<Action, HostError> {
    if !document.output_headers.is_empty() {
        let trailers = HeaderLines::fetch(HeaderMap::RequestTrailers).ok();
        let lines = trailers.as_ref().and_then(HeaderLines::lines).unwrap_or_default();
        forward::removed_trailers(document, &lines)
            .into_iter()
            .try_for_each(host::remove_trailer)?;
    }
    Ok(Action::Continue)
}

fn count(configured: Option<&Configured>, metrics: &Metrics, decision: &Decision<'_, '_>) {
    let Some(Configured { document, worker, .. }) = configured else {
        return metrics.count(decision, false, CacheCounts::default());
    };
    let cache_counts = worker.try_borrow_mut().map(|mut worker| worker.take_cache_counts());
    metrics.count(decision, document.rule_metrics, cache_counts.unwrap_or_default());
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
    lines: &Cell<LineBudgets>,
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
    if !telemetry::is_logged(log, &decision.verdict) {
        return;
    }
    let mut budgets = lines.get();
    let granted = budgets.take(&decision.verdict, now);
    lines.set(budgets);
    if let Some(suppressed) = granted {
        warn!("{}", telemetry::line(decision, document, request, suppressed));
    }
}
