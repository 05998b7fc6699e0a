//! The counters and gauges of one plugin on one worker. Each counter is defined when it is first
//! needed, so that Envoy shows only what has happened.
//!
//! Names are flat: Envoy's Prometheus endpoint shows `wasmcustom.jwt_rbac_allowed` as
//! `jwt_rbac_allowed`, and Istio's default inclusion list has the prefix. A dot behind `rbac` would
//! be taken apart by Istio's tag regexes (`rbac(\.(allowed|denied))`).

use std::cell::{Cell, RefCell};

use foldhash::HashMap;

use super::{Metric, MetricKind};
use crate::authn::CacheCounts;
use crate::decision::{Decision, Verdict};
use crate::document::Document;
use crate::refusal::Refusal;

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
    /// By the name of the row.
    rows: RefCell<HashMap<String, RowCounters>>,
}

#[derive(Debug, Default)]
struct RowCounters {
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
            rows: RefCell::default(),
        }
    }
}

impl Metrics {
    /// Counts a decision, and what the cache did for it.
    pub fn count(&self, decision: &Decision<'_, '_>, document: Option<&Document>) {
        let name = |word: &str, refusal: Refusal| format!("jwt_rbac_{word}_{}", refusal.slug());
        match decision.verdict {
            Verdict::Allow(_) => self.allowed.add(1, || "jwt_rbac_allowed".to_owned()),
            Verdict::Deny(refusal) => {
                if let Some(counter) = self.denied.get(refusal as usize) {
                    counter.add(1, || name("denied", refusal));
                }
            }
            Verdict::WouldDeny(refusal, _) => {
                if let Some(counter) = self.would_deny.get(refusal as usize) {
                    counter.add(1, || name("would_deny", refusal));
                }
            }
        }
        let Some(document) = document else { return };
        let CacheCounts { hits, misses } = document.authenticator.take_cache_counts();
        self.cache_hits.add(hits, || "jwt_rbac_cache_hits".to_owned());
        self.cache_misses.add(misses, || "jwt_rbac_cache_misses".to_owned());
        if document.rule_metrics {
            self.count_row(decision);
        }
    }

    fn count_row(&self, decision: &Decision<'_, '_>) {
        let (Some(row), Ok(mut rows)) = (decision.rule(), self.rows.try_borrow_mut()) else {
            return;
        };
        let counters = match rows.get(row) {
            Some(counters) => counters,
            None => rows.entry(row.to_owned()).or_default(),
        };
        let (counter, word) = match decision.verdict {
            Verdict::Allow(_) => (&counters.allowed, "allowed"),
            Verdict::Deny(_) => (&counters.denied, "denied"),
            Verdict::WouldDeny(..) => (&counters.would_deny, "would_deny"),
        };
        counter.add(1, || format!("jwt_rbac_rule_{row}_{word}"));
    }
}

/// What the gauges tell of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gauges {
    /// Whether it denies anything.
    pub enforcing: bool,
    /// Which it is.
    pub hash: u64,
}

thread_local! {
    /// What the gauges show as far as this worker has set them. Envoy keeps a plugin until its last
    /// stream ends, and takes it again without asking it to configure itself when its document
    /// comes back; so the gauges are looked after with each request.
    static SHOWN: Cell<Option<Gauges>> = const { Cell::new(None) };
}

impl Gauges {
    /// Sets the gauges, unless this is what they show.
    pub fn show(self) {
        if SHOWN.replace(Some(self)) == Some(self) {
            return;
        }
        let set = |name, value| {
            if let Ok(gauge) = super::define_metric(MetricKind::Gauge, name) {
                let _ = super::record(gauge, value);
            }
        };
        set("jwt_rbac_enforcing", u64::from(self.enforcing));
        set("jwt_rbac_document_hash", self.hash);
    }
}

/// Counts a document that was refused.
pub fn count_refused_document() {
    Counter::default().add(1, || "jwt_rbac_documents_refused".to_owned());
}

/// A counter that is defined when it first counts something.
#[derive(Debug, Default)]
struct Counter(Cell<Option<Metric>>);

impl Counter {
    fn add(&self, by: u64, name: impl FnOnce() -> String) {
        if by == 0 {
            return;
        }
        if self.0.get().is_none() {
            self.0.set(super::define_metric(MetricKind::Counter, &name()).ok());
        }
        // A count that is lost is no reason to treat the request otherwise.
        let _ = self.0.get().map(|metric| super::increment(metric, by));
    }
}
