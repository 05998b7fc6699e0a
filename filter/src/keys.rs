//! The keys that this worker fetches: the calls, and what their answers mean for the plugins.
//!
//! All plugins of a worker share one VM, and so one fetch of each endpoint. What was fetched lives as long
//! as the VM: a new document starts with the keys of the one before. Nothing is shared with other
//! workers: whatever Envoy shares, other plugins can write.
//!
//! A call is only made when the timer of a plugin wakes it, never during a request.

use std::cell::RefCell;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher as _};
use std::rc::{Rc, Weak};
use std::time::Instant;

use jwt_rbac::authn::fetch::{Answer, Call, Fetch, FetchFailure, Outcome};
use jwt_rbac::authn::key_set;
use jwt_rbac::authn::key_source::{Endpoint, FetchedFrom, Timing};
use jwt_rbac::authn::provider::Provider;
use jwt_rbac::telemetry;
use jwt_rbac_host::{self as host, HeaderLines, HeaderMap};
use log::{info, warn};

use crate::Plugin;
use crate::metrics;

thread_local! {
    static FETCHES: RefCell<Vec<Shared>> = const { RefCell::new(Vec::new()) };
    static START: Instant = Instant::now();
}

/// The fetches of one endpoint, and the plugins that need its keys.
struct Shared {
    fetch: Fetch,
    /// The number of the call that runs.
    call: Option<u32>,
    /// When keys were last fetched, in seconds since 1970; 0 for never.
    fetched_at: u64,
    plugins: Vec<Weak<Plugin>>,
}

/// Makes a call, of which Envoy gives the number.
pub type Dispatch<'d> = &'d dyn Fn(&Call) -> Option<u32>;

/// Milliseconds since this worker started, of a clock that never goes back.
pub fn now() -> u64 {
    START.with(|start| u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX))
}

/// A number that no other worker has. The memory of all sidecars is laid out alike, so the seed comes
/// from the host (`random_get`).
fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// Lets a plugin have the keys that its document asks for.
#[inline(never)]
pub fn subscribe(plugin: &Rc<Plugin>) {
    with_fetches(|fetches| {
        for (_, _, from) in plugin.key_sources() {
            let known = fetches.iter().position(|shared| *shared.fetch.endpoint() == from.endpoint);
            let place = known.unwrap_or_else(|| {
                let fetch = Fetch::new(from.endpoint.clone(), now());
                fetches.push(Shared { fetch, call: None, fetched_at: 0, plugins: Vec::new() });
                fetches.len().saturating_sub(1)
            });
            let Some(shared) = fetches.get_mut(place) else { continue };
            if shared.live_plugins().next().is_none() {
                // Nobody has refreshed these keys since the last plugin went.
                shared.fetch.refresh_mut().rest();
            }
            let plugin = Rc::downgrade(plugin);
            if !shared.plugins.iter().any(|known| known.ptr_eq(&plugin)) {
                shared.plugins.push(plugin);
            }
        }
        for shared in fetches.iter().filter(|shared| shared.is_of(plugin)) {
            shared.update(plugin, now());
        }
    });
    wake(plugin);
}

/// A plugin has its first request.
#[cold]
pub fn need(plugin: &Plugin) {
    with_fetches(|fetches| {
        let now = now();
        for shared in fetches.iter_mut().filter(|shared| shared.is_of(plugin)) {
            let timing = shared.timing();
            shared.fetch.refresh_mut().need(timing, now);
            shared.update_all(now);
        }
        if fetches.iter().any(|shared| shared.is_of(plugin)) {
            show(fetches);
        }
    });
    wake(plugin);
}

/// Tokens named keys that the keys of these providers do not have.
#[cold]
pub fn miss(plugin: &Plugin, providers: &[usize]) {
    let is_moved = with_fetches(|fetches| {
        let mut is_moved = false;
        for (_, _, from) in plugin.key_sources().filter(|(number, ..)| providers.contains(number)) {
            let is_it = |shared: &&mut Shared| {
                shared.fetch.refresh().heeds_missing_keys()
                    && *shared.fetch.endpoint() == from.endpoint
            };
            if let Some(shared) = fetches.iter_mut().find(is_it) {
                let timing = shared.timing();
                shared.fetch.refresh_mut().miss_key(timing, now(), random());
                is_moved = true;
            }
        }
        is_moved
    });
    if is_moved == Some(true) {
        wake(plugin);
    }
}

/// Asks for a tick of the plugin at the next time at which its keys need something; `false` if they
/// need nothing.
pub fn wake(plugin: &Plugin) -> bool {
    let now = now();
    let due = with_fetches(|fetches| {
        let ours = fetches.iter().filter(|shared| shared.is_of(plugin));
        ours.filter_map(|shared| shared.fetch.refresh().due(shared.timing(), now)).min()
    });
    let next = due.flatten().into_iter().chain(plugin.waiting.next_deadline()).min();
    if let Some(at) = next {
        plugin.tick.wake(at, now);
    }
    next.is_some()
}

/// Starts the fetches of a plugin that are due. Returns the plugins whose keys have changed.
pub fn start_due(plugin: &Plugin, dispatch: Dispatch<'_>) -> Vec<Rc<Plugin>> {
    let mut changed = Vec::new();
    with_fetches(|fetches| {
        let now = now();
        let mut is_shown = false;
        for shared in fetches.iter_mut().filter(|shared| shared.is_of(plugin)) {
            let timing = shared.timing();
            if shared.fetch.refresh().is_due(timing, now) {
                let call = shared.fetch.start(timing, now);
                shared.make(&call, dispatch);
                is_shown = true;
            }
            // A failure, or keys that are too old by now.
            if shared.update_all(now) {
                changed.extend(shared.live_plugins());
            }
        }
        if is_shown {
            show(fetches);
        }
    });
    changed
}

/// A call has ended. Returns the plugins whose keys have changed.
#[inline(never)]
pub fn answered(
    number: u32,
    headers: usize,
    body_size: usize,
    dispatch: Dispatch<'_>,
) -> Vec<Rc<Plugin>> {
    let mut changed = Vec::new();
    with_fetches(|fetches| {
        let Some(shared) = fetches.iter_mut().find(|shared| shared.call == Some(number)) else {
            return;
        };
        shared.call = None;
        let lines = HeaderLines::fetch(HeaderMap::CallResponseHeaders).ok();
        let lines = lines.as_ref().and_then(HeaderLines::lines).filter(|_| headers > 0);
        let body = if body_size > key_set::MAX_SIZE {
            Err(FetchFailure::Size(body_size))
        } else {
            host::call_response_body(body_size).map_err(|_| FetchFailure::Unreachable)
        };
        let answer = match (&lines, &body) {
            (None, _) => Err(FetchFailure::Unreachable),
            (Some(lines), Ok(body)) => answer(lines, body),
            (Some(_), Err(failure)) => Err(failure.clone()),
        };
        shared.end(answer, dispatch);
        if shared.update_all(now()) {
            changed.extend(shared.live_plugins());
        }
        show(fetches);
    });
    changed
}

/// The answer of which these are the headers.
fn answer<'a>(lines: &[(&'a [u8], &'a [u8])], body: &'a [u8]) -> Result<Answer<'a>, FetchFailure> {
    let value = |name: &[u8]| lines.iter().find(|(known, _)| *known == name).map(|line| line.1);
    let status =
        value(b":status").and_then(|status| std::str::from_utf8(status).ok()?.parse().ok());
    let status = status.ok_or(FetchFailure::Unreachable)?;
    Ok(Answer { status, cache_control: value(b"cache-control"), body })
}

impl Shared {
    fn live_plugins(&self) -> impl Iterator<Item = Rc<Plugin>> {
        self.plugins.iter().filter_map(Weak::upgrade)
    }

    fn is_of(&self, plugin: &Plugin) -> bool {
        self.plugins.iter().any(|known| std::ptr::eq(known.as_ptr(), plugin))
    }

    /// What satisfies all plugins that need the keys.
    fn timing(&self) -> Timing {
        let endpoint = self.fetch.endpoint();
        let timings: Vec<_> = self
            .live_plugins()
            .flat_map(|plugin| {
                let sources = plugin.key_sources().filter(|(.., from)| from.endpoint == *endpoint);
                sources.map(|(.., from)| from.timing).collect::<Vec<_>>()
            })
            .collect();
        let unused = Timing { interval: u64::MAX, timeout: 0, stale_if_error: None };
        timings.into_iter().reduce(Timing::stricter).unwrap_or(unused)
    }

    /// Makes a call of the fetch; where there is none to be made, the fetch has failed.
    fn make(&mut self, call: &Call, dispatch: Dispatch<'_>) {
        self.call = dispatch(call);
        if self.call.is_none() {
            self.end(Err(FetchFailure::Cluster(call.cluster.clone())), dispatch);
        }
    }

    /// What came of the call.
    fn end(&mut self, answer: Result<Answer<'_>, FetchFailure>, dispatch: Dispatch<'_>) {
        let outcome = self.fetch.end(answer, self.timing(), now(), random());
        match &outcome {
            Ok(Outcome::Discovered(call)) => self.make(call, dispatch),
            Ok(Outcome::NewKeys | Outcome::SameKeys) => {
                self.fetched_at = host::time().unwrap_or(self.fetched_at);
                metrics::count_keys(None);
            }
            Err(failure) => {
                metrics::count_keys(Some(failure));
                warn!("{}", failure_line(self.fetch.endpoint(), failure));
            }
        }
    }

    /// Hands what was fetched to all plugins; whether that changed anything for one of them.
    fn update_all(&mut self, now: u64) -> bool {
        self.plugins.retain(|plugin| plugin.strong_count() > 0);
        let mut is_changed = false;
        for plugin in self.live_plugins() {
            is_changed |= self.update(&plugin, now);
        }
        is_changed
    }

    fn update(&self, plugin: &Plugin, now: u64) -> bool {
        let Some(configured) = &plugin.configured else { return false };
        let Ok(mut worker) = configured.worker.try_borrow_mut() else { return false };
        let Ok(mut verifier) = configured.verifier.try_borrow_mut() else { return false };
        let before = worker.fetched_keys.generation();
        for (number, provider, from) in plugin.key_sources() {
            if from.endpoint != *self.fetch.endpoint() {
                continue;
            }
            let algorithms = provider.algorithms.as_deref();
            let fetched = self.fetch.fetched(from.timing, now);
            let new = worker.fetched_keys.update(number, fetched, algorithms, &mut *verifier);
            if let Some(new) = new {
                log_new_keys(provider, from, &new);
            }
        }
        worker.fetched_keys.generation() != before
    }
}

/// Says in the gauges how old the keys are.
fn show(fetches: &[Shared]) {
    let live = fetches.iter().filter(|shared| shared.live_plugins().next().is_some());
    let used = live.clone().filter(|shared| shared.fetch.refresh().is_used());
    metrics::show_keys(live.count(), used.map(|shared| shared.fetched_at).min());
}

fn with_fetches<T>(act: impl FnOnce(&mut Vec<Shared>) -> T) -> Option<T> {
    FETCHES.with(|fetches| fetches.try_borrow_mut().ok().map(|mut fetches| act(&mut fetches)))
}

fn failure_line(endpoint: &Endpoint, failure: &FetchFailure) -> String {
    let fields = [
        ("url", &*endpoint.to_string()),
        ("cause", failure.cause()),
        ("message", &failure.to_string()),
        ("remedy", failure.remedy()),
    ];
    telemetry::event("keys_not_fetched", &fields)
}

#[inline(never)]
fn log_new_keys(
    provider: &Provider,
    from: &FetchedFrom,
    new: &jwt_rbac::authn::fetched_keys::NewKeys,
) {
    let url = from.endpoint.to_string();
    let usable = new.usable.len().to_string();
    let ids: Vec<_> = new.usable.iter().map(|key| key.id.as_deref().unwrap_or("-")).collect();
    let fields = [
        ("provider", &*provider.name),
        ("url", &url),
        ("usable", &usable),
        ("ids", &ids.join(" ")),
    ];
    info!("{}", telemetry::event("keys_fetched", &fields));
    let warning = |place: String, message: &str| {
        let fields =
            [("provider", &*provider.name), ("url", &url), ("place", &place), ("message", message)];
        warn!("{}", telemetry::event("keys_warning", &fields));
    };
    for (index, error) in &new.skipped {
        warning(format!("keys[{index}]"), &format!("key skipped: {error}"));
    }
    for (id, count) in key_set::never_tried(&new.usable) {
        let id = id.unwrap_or("-");
        let message = format!(
            "more keys with the `kid` {id} than a request may try: {count} are never tried"
        );
        warning("keys".to_owned(), &message);
    }
    if new.usable.is_empty() {
        warning("keys".to_owned(), "no key is for one of the provider's `algorithms`");
    }
}
