//! The filter as Envoy sees it: one root context for each configured plugin and worker, one HTTP
//! context for each request. Envoy calls only what `trim/src/module.rs` leaves exported.

use std::cell::Cell;
use std::rc::Rc;

use log::{error, info, warn};
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType, LogLevel};
use sha2::{Digest as _, Sha256};

use crate::authz::Permit;
use crate::config;
use crate::config::problem::Problem;
use crate::decision::{self, Decision, Verdict};
use crate::denial::Denial;
use crate::document::{DecisionLog, Document};
use crate::forward;
use crate::host::clock;
use crate::host::metrics::{self, DocumentState, Metrics};
use crate::host::signature::Envoy;
use crate::host::{self, HeaderLines, HeaderMap};
use crate::refusal::Refusal;
use crate::request::Request;
use crate::response;
use crate::telemetry::{self, LineBudgets};

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Info);
    proxy_wasm::set_root_context(|_| Box::new(Plugin::default()));
}}

/// One configured plugin.
#[derive(Default)]
struct Plugin {
    /// The document in force; without one everything is denied.
    document: Option<Rc<Document>>,
    state: Option<DocumentState>,
    metrics: Rc<Metrics>,
    lines: Rc<Cell<LineBudgets>>,
}

impl Context for Plugin {}

impl RootContext for Plugin {
    /// Refused: Envoy keeps the document that was in force before; as the first one, the listener
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
        match config::compile(&text, &Envoy::default()) {
            Ok((document, problems)) => {
                for problem in &problems.warnings {
                    warn!("{}", problem_line("document_warning", problem));
                }
                let hash = document_hash(&text);
                let state = DocumentState { enforcing: document.dry_run.is_none(), hash };
                metrics::show_document(state);
                let fields = [("version", env!("CARGO_PKG_VERSION")), ("hash", &hash.to_string())];
                info!("{}", telemetry::event("document_in_force", &fields));
                self.state = Some(state);
                self.document = Some(Rc::new(document));
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
        self.metrics.hand_over();
    }

    fn create_http_context(&self, _: u32) -> Option<Box<dyn HttpContext>> {
        let (metrics, lines) = (Rc::clone(&self.metrics), Rc::clone(&self.lines));
        Some(Box::new(HttpFilter { document: self.document.clone(), metrics, lines }))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

impl Drop for Plugin {
    /// Envoy lets a plugin go after its last request, which is counted too.
    fn drop(&mut self) {
        self.metrics.hand_over();
        if let Some(state) = self.state {
            metrics::hide_document(state);
        }
    }
}

fn problem_line(event: &str, problem: &Problem) -> String {
    let place = problem.place.to_string();
    telemetry::event(event, &[("place", &place), ("message", &problem.message)])
}

/// The start of the SHA-256 of a document: 48 bits, which every reader of metrics holds exactly.
fn document_hash(text: &[u8]) -> u64 {
    let digest = Sha256::digest(text);
    digest.iter().take(6).fold(0, |hash, byte| hash << 8 | u64::from(*byte))
}

/// One request.
struct HttpFilter {
    document: Option<Rc<Document>>,
    metrics: Rc<Metrics>,
    lines: Rc<Cell<LineBudgets>>,
}

impl Context for HttpFilter {}

impl HttpContext for HttpFilter {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        let headers = HeaderLines::fetch(HeaderMap::RequestHeaders).ok();
        let lines = headers.as_ref().and_then(HeaderLines::lines);
        let request = lines.as_deref().and_then(|lines| Request::read(lines).ok());
        let document = self.document.as_deref();
        let now = clock::now().ok();
        let decision = judge(document, request.as_ref(), now);
        self.metrics.count(&decision, document, now);
        if let (Some(document), Some(request)) = (document, &request) {
            tell(&decision, document, request, &self.lines, now.unwrap_or_default());
        }
        let Verdict::Deny(Denial { refusal, .. }) = decision.verdict else {
            return Action::Continue;
        };
        answer(refusal, &decision, document, request.as_ref());
        // Without an answer the request waits until it times out: it never continues.
        Action::Pause
    }

    fn on_http_request_trailers(&mut self, _: usize) -> Action {
        let Some(document) = self.document.as_deref() else { return Action::Pause };
        if document.output_headers.is_empty() {
            return Action::Continue;
        }
        let trailers = HeaderLines::fetch(HeaderMap::RequestTrailers).ok();
        let lines = trailers.as_ref().and_then(HeaderLines::lines).unwrap_or_default();
        for name in forward::removed_trailers(document, &lines) {
            if let Err(error) = host::remove_trailer(name) {
                host_error("a trailer could not be removed", error);
                return Action::Pause;
            }
        }
        Action::Continue
    }
}

/// Decides, and makes the request what the workload is to receive if it may continue.
fn judge<'d, 'r>(
    document: Option<&'d Document>,
    request: Option<&Request<'r>>,
    now: Option<u64>,
) -> Decision<'d, 'r> {
    let Some(document) = document else { return Decision::deny(Refusal::DocumentMissing) };
    let Some(request) = request else { return Decision::deny(Refusal::RequestMalformed) };
    let Some(now) = now else { return Decision::deny(Refusal::HostFailure) };
    let mut decision = decision::decide(document, request, now);
    if let Verdict::Allow(permit) | Verdict::WouldDeny(_, permit) = &decision.verdict
        && forward(document, request, permit).is_err()
    {
        decision.verdict = Verdict::Deny(Refusal::HostFailure.into());
    }
    decision
}

/// Changes the headers of a request. It takes a [`Permit`], so that no request that was not judged
/// can get here.
fn forward(
    document: &Document,
    request: &Request<'_>,
    permit: &Permit,
) -> Result<(), host::HostError> {
    forward::changes(document, request, permit).iter().try_for_each(host::change_header)
}

fn host_error(message: &str, error: host::HostError) {
    let message = format!("{message}: {error}");
    error!("{}", telemetry::event("host_failure", &[("message", &message)]));
}

/// Answers a request in place of the workload.
#[inline(never)] // Out of the way of the requests that continue.
fn answer(
    refusal: Refusal,
    decision: &Decision<'_, '_>,
    document: Option<&Document>,
    request: Option<&Request<'_>>,
) {
    let reply = response::local_reply(refusal, decision, document, request);
    if let Err(error) = host::send_local_reply(&reply) {
        host_error("a denied request could not be answered", error);
    }
}

/// Writes the decision to the log and to where access logs find it, as far as the document wants
/// that.
#[inline(never)] // As `answer`.
fn tell(
    decision: &Decision<'_, '_>,
    document: &Document,
    request: &Request<'_>,
    lines: &Cell<LineBudgets>,
    now: u64,
) {
    let log = document.decision_log;
    if log == DecisionLog::All || !matches!(decision.verdict, Verdict::Allow(_)) {
        // An access log that misses it is no reason to treat the request otherwise.
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
