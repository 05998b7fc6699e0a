//! The counters and gauges of one plugin on one worker. Each counter is defined when it is first
//! needed, so that Envoy shows only what has happened.
//!
//! A call for each count would be a call or two for each request (docs/costs.md), so we count
//! ourselves, and hand the sums over a tenth of a second after the first. The way of a count:
//! [`Metrics::count`] with each decision, then [`Metrics::hand_over`] at the next [tick](super::tick).
//!
//! Names are flat: Envoy's Prometheus endpoint shows `wasmcustom.jwt_rbac_allowed` as
//! `jwt_rbac_allowed`, and Istio's default inclusion list has the prefix. A dot behind `rbac` would
//! be taken apart by Istio's tag regexes (`rbac(\.(allowed|denied))`).

use std::cell::{Cell, RefCell};

use jwt_rbac::authn::cache::CacheCounts;
use jwt_rbac::authn::fetch::FetchFailure;
use jwt_rbac::by_name::ByName;
use jwt_rbac::decision::{Decision, Verdict};
use jwt_rbac::refusal::Refusal;
use jwt_rbac_host::{self as host, Metric, MetricKind};

/// The counters of decisions.
#[derive(Debug)]
pub struct Metrics {
    allowed: Counter,
    cache_hits: Counter,
    cache_misses: Counter,
    /// By refusal.
    denied: Vec<Counter>,
    /// By refusal.
    would_deny: Vec<Counter>,
    routes: RefCell<ByName<RouteCounters>>,
}

#[derive(Debug, Default)]
struct RouteCounters {
    /// The name of the route.
    route: String,
    allowed: Counter,
    denied: Counter,
    would_deny: Counter,
}

impl Default for Metrics {
    fn default() -> Self {
        let by_refusal = || Refusal::ALL.iter().map(|_| Counter::default()).collect();
        Self {
            allowed: Counter::default(),
            cache_hits: Counter::default(),
            cache_misses: Counter::default(),
            denied: by_refusal(),
            would_deny: by_refusal(),
            routes: RefCell::default(),
        }
    }
}

impl Metrics {
    /// Counts a decision, by its route too if `by_route`, and what the cache did for it.
    pub fn count(
        &self,
        decision: &Decision<'_, '_>,
        by_route: bool,
        CacheCounts { hits, misses }: CacheCounts,
    ) {
        match &decision.verdict {
            Verdict::Allow(_) => self.allowed.add(1),
            Verdict::Deny(denial) => add(&self.denied, denial.refusal),
            Verdict::WouldDeny(denial, _) => add(&self.would_deny, denial.refusal),
            // It is counted when it is decided.
            Verdict::Wait => {}
        }
        self.cache_hits.add(hits);
        self.cache_misses.add(misses);
        if by_route {
            self.count_route(decision);
        }
    }

    /// Hands all that was counted to Envoy.
    pub fn hand_over(&self) {
        show_gauges();
        self.allowed.hand_over(|| "jwt_rbac_allowed".to_owned());
        self.cache_hits.hand_over(|| "jwt_rbac_cache_hits".to_owned());
        self.cache_misses.hand_over(|| "jwt_rbac_cache_misses".to_owned());
        for (word, counters) in [("denied", &self.denied), ("would_deny", &self.would_deny)] {
            for (refusal, counter) in Refusal::ALL.iter().zip(counters) {
                counter.hand_over(|| format!("jwt_rbac_{word}_{}", refusal.slug()));
            }
        }
        let Ok(routes) = self.routes.try_borrow() else { return };
        for RouteCounters { route, allowed, denied, would_deny } in routes.values() {
            allowed.hand_over(|| format!("jwt_rbac_rule_{route}_allowed"));
            denied.hand_over(|| format!("jwt_rbac_rule_{route}_denied"));
            would_deny.hand_over(|| format!("jwt_rbac_rule_{route}_would_deny"));
        }
    }

    #[cold] // Few documents ask for it.
    fn count_route(&self, decision: &Decision<'_, '_>) {
        let (Some(route), Ok(mut routes)) = (decision.rule(), self.routes.try_borrow_mut()) else {
            return;
        };
        let new = || RouteCounters { route: route.to_owned(), ..RouteCounters::default() };
        let counters = routes.entry(route.as_bytes(), new);
        match &decision.verdict {
            Verdict::Allow(_) => counters.allowed.add(1),
            Verdict::Deny(_) => counters.denied.add(1),
            Verdict::WouldDeny(..) => counters.would_deny.add(1),
            Verdict::Wait => {}
        }
    }
}

/// Adds one to the counter of a refusal.
fn add(counters: &[Counter], refusal: Refusal) {
    if let Some(counter) = counters.get(refusal as usize) {
        counter.add(1);
    }
}

/// What the gauges tell of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DocumentState {
    /// Whether it denies anything.
    pub enforcing: bool,
    /// Which it is.
    pub hash: u64,
}

thread_local! {
    /// The documents of all plugins of this worker; one VM has them all.
    static DOCUMENTS: RefCell<Vec<DocumentState>> = const { RefCell::new(Vec::new()) };
}

/// Says in the gauges that a document is in force.
pub fn show_document(document: DocumentState) {
    change_documents(|documents| documents.push(document));
    show_gauges();
}

/// Takes a document out of the gauges: its plugin is gone.
pub fn hide_document(document: DocumentState) {
    change_documents(|documents| {
        if let Some(place) = documents.iter().position(|known| *known == document) {
            documents.remove(place);
        }
    });
    show_gauges();
}

fn change_documents(change: impl FnOnce(&mut Vec<DocumentState>)) {
    DOCUMENTS.with(|documents| {
        if let Ok(mut documents) = documents.try_borrow_mut() {
            change(&mut documents);
        }
    });
}

/// Sets the gauges to what all plugins of this worker say together. Other threads set them too, the
/// main one on what it alone has configured; so this is done again whenever counts are handed over.
fn show_gauges() {
    let (enforcing, hash) = DOCUMENTS.with(|documents| {
        let documents = documents.try_borrow().map(|it| it.clone()).unwrap_or_default();
        // Two plugins may have one document.
        let is_first = |number: usize, hash: u64| {
            !documents.iter().take(number).any(|document| document.hash == hash)
        };
        let hashes = documents.iter().map(|document| document.hash).enumerate();
        let hashes = hashes.filter(|(number, hash)| is_first(*number, *hash));
        let hash = hashes.fold(0, |all, (_, hash)| all ^ hash);
        let enforcing = documents.iter().all(|document| document.enforcing);
        ((!documents.is_empty()).then_some(enforcing), hash)
    });
    // A thread without plugins has nothing to say.
    let Some(enforcing) = enforcing else { return };
    set_gauge("jwt_rbac_enforcing", u64::from(enforcing));
    set_gauge("jwt_rbac_document_hash", hash);
}

/// Counts a document that was refused.
pub fn count_refused_document() {
    let counter = Counter::default();
    counter.add(1);
    counter.hand_over(|| "jwt_rbac_documents_refused".to_owned());
}

/// Counts a fetch of keys, and why it failed, if it did.
pub fn count_keys(failure: Option<&FetchFailure>) {
    let counter = Counter::default();
    counter.add(1);
    counter.hand_over(|| match failure {
        None => "jwt_rbac_jwks_refreshed".to_owned(),
        Some(failure) => format!("jwt_rbac_jwks_refresh_failed_{}", failure.cause()),
    });
}

/// Says in the gauges of how many endpoints keys are fetched, and when the oldest of them were, in
/// seconds since 1970; 0 if some never were.
pub fn show_keys(sources: usize, oldest: Option<u64>) {
    set_gauge("jwt_rbac_jwks_sources", u64::try_from(sources).unwrap_or(u64::MAX));
    if let Some(oldest) = oldest {
        set_gauge("jwt_rbac_jwks_fetched_at", oldest);
    }
}

/// More or fewer requests wait for keys.
pub fn change_waiting(by: i64) {
    if let Ok(gauge) = host::define_metric(MetricKind::Gauge, "jwt_rbac_waiting_requests") {
        let _ = host::change(gauge, by);
    }
}

fn set_gauge(name: &str, value: u64) {
    if let Ok(gauge) = host::define_metric(MetricKind::Gauge, name) {
        let _ = host::record(gauge, value);
    }
}

/// A counter that is defined when it first counts something.
#[derive(Debug, Default)]
struct Counter {
    /// What Envoy does not have yet.
    waiting: Cell<u64>,
    metric: Cell<Option<Metric>>,
}

impl Counter {
    fn add(&self, by: u64) {
        self.waiting.set(self.waiting.get().saturating_add(by));
    }

    fn hand_over(&self, name: impl FnOnce() -> String) {
        let by = self.waiting.take();
        if by == 0 {
            return;
        }
        if self.metric.get().is_none() {
            self.metric.set(host::define_metric(MetricKind::Counter, &name()).ok());
        }
        // A count that is lost is no reason to treat a request otherwise.
        let _ = self.metric.get().map(|metric| host::increment(metric, by));
    }
}
