//! The filter as Envoy sees it: one root context for each configured plugin and worker, one HTTP
//! context for each request. Envoy calls only what `xtask/src/trim.rs` leaves exported.

#![cfg(target_arch = "wasm32")]
#![allow(missing_docs, reason = "the entry point that the SDK's macro writes has none")]

#[cfg(feature = "faults")]
mod faults;
mod http;
mod keys;
mod metrics;
mod tick;
mod waiting;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use jwt_rbac::authn::fetch::Call;
use jwt_rbac::authn::key_source::FetchedFrom;
use jwt_rbac::authn::provider::Provider;
use jwt_rbac::document::Document;
use jwt_rbac::telemetry::{self, LineLimits};
use jwt_rbac::worker::Worker;
use jwt_rbac_config::problem::Problem;
use jwt_rbac_host as host;
use jwt_rbac_host::signature::Envoy;
use log::{error, info, warn};
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{ContextType, LogLevel};
use sha2::{Digest as _, Sha256};

use http::HttpFilter;
use metrics::{DocumentState, Metrics};
use tick::Tick;
use waiting::Waiting;

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Info);
    proxy_wasm::set_root_context(|id| {
        let (plugin, resumed) = Default::default();
        Box::new(Root { id, plugin, resumed })
    });
}}

/// One plugin, before and after Envoy has configured it.
struct Root {
    /// What Envoy calls it.
    id: u32,
    plugin: Rc<Plugin>,
    /// Those whose waiting requests are decided from tick to tick.
    resumed: Cell<Vec<Rc<Plugin>>>,
}

/// What the requests of one plugin share.
#[derive(Default)]
pub(crate) struct Plugin {
    /// Without a document everything is denied.
    configured: Option<Configured>,
    metrics: Metrics,
    lines: Cell<LineLimits>,
    tick: Tick,
    /// Whether there was a request.
    is_used: Cell<bool>,
    waiting: Waiting,
}

/// The document in force, and what this worker remembers of its tokens.
struct Configured {
    document: Document,
    worker: RefCell<Worker>,
    /// Prepares the keys that are fetched.
    verifier: RefCell<Envoy>,
    state: DocumentState,
}

impl Context for Root {
    fn on_http_call_response(&mut self, number: u32, headers: usize, body_size: usize, _: usize) {
        let changed = keys::answered(number, headers, body_size, &|call| self.call(call));
        self.resume(changed);
        self.wake();
    }
}

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
        let mut verifier = Envoy::default();
        match jwt_rbac_config::compile(&text, &mut verifier) {
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
                let verifier = RefCell::new(verifier);
                let configured = Some(Configured { document, worker, verifier, state });
                self.plugin = Rc::new(Plugin::new(configured));
                keys::subscribe(&self.plugin);
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

    #[cold] // Ten times a second at most.
    fn on_tick(&mut self) {
        #[cfg(feature = "faults")]
        faults::at_tick();
        self.plugin.tick.end();
        self.plugin.metrics.hand_over();
        let mut changed = keys::start_due(&self.plugin, &|call| self.call(call));
        if self.plugin.waiting.next_deadline().is_some_and(|deadline| deadline <= keys::now()) {
            changed.push(Rc::clone(&self.plugin));
        }
        self.resume(changed);
        if !self.wake() {
            tick::stop();
        }
    }

    fn create_http_context(&self, id: u32) -> Option<Box<dyn HttpContext>> {
        if !self.plugin.is_used.replace(true) {
            keys::need(&self.plugin);
        }
        Some(Box::new(HttpFilter::new(id, Rc::clone(&self.plugin))))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

impl Root {
    /// Calls somebody; Envoy gives the call a number, unless it does not know the cluster.
    fn call(&self, call: &Call) -> Option<u32> {
        let authority = call.url.authority();
        let headers = vec![
            (":method", "GET"),
            (":scheme", call.url.scheme()),
            (":authority", &*authority),
            (":path", call.url.target()),
            ("accept", "application/json"),
            ("user-agent", concat!("jwt-rbac/", env!("CARGO_PKG_VERSION"))),
        ];
        let timeout = Duration::from_millis(call.timeout);
        self.dispatch_http_call(&call.cluster, headers, None, Vec::new(), timeout).ok()
    }

    /// Decides the requests of these plugins that waited for keys, a few now and the others on the next tick.
    fn resume(&self, plugins: Vec<Rc<Plugin>>) {
        let mut resumed = self.resumed.take();
        resumed.extend(plugins);
        if resumed.is_empty() {
            return;
        }
        let mut most = http::MAX_RESUMED;
        resumed.retain(|plugin| !http::resume(plugin, &mut most));
        let _ = host::set_effective_context(self.id);
        self.resumed.set(resumed);
    }

    /// Asks for the next tick; `false` if none is needed.
    fn wake(&self) -> bool {
        let is_needed = keys::wake(&self.plugin);
        let resumed = self.resumed.take();
        let is_over = resumed.is_empty();
        self.resumed.set(resumed);
        if !is_over {
            self.plugin.tick.wake_now();
        }
        is_needed || !is_over
    }
}

impl Plugin {
    fn new(configured: Option<Configured>) -> Self {
        let (metrics, lines, tick, is_used, waiting) = Default::default();
        Self { configured, metrics, lines, tick, is_used, waiting }
    }

    /// The providers that fetch their keys, with their numbers, and where.
    fn key_sources(&self) -> impl Iterator<Item = (usize, &Provider, &FetchedFrom)> {
        let document = self.configured.as_ref().map(|configured| &configured.document);
        let providers = document.into_iter().flat_map(|it| it.authenticator.providers());
        providers.enumerate().filter_map(|(number, provider)| {
            Some((number, provider, provider.keys.fetched_from()?))
        })
    }

    /// How long a request may wait for its keys, in milliseconds.
    fn max_wait(&self) -> u64 {
        self.key_sources().map(|(.., from)| from.timing.timeout).max().unwrap_or(0)
    }
}

impl Drop for Plugin {
    /// Envoy lets a plugin go after its last request, which is counted too.
    fn drop(&mut self) {
        self.metrics.hand_over();
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
