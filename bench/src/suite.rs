//! What is measured and what is compared with what, for the targets of the project.
//!
//! What is measured is a listener under one kind of load. Each has its own listener, and with it
//! its own cache, so that no measurement warms another's.

use std::path::Path;

use super::callers::Callers;
use super::listeners::{self, Chain};
use super::policy;
use jwt_rbac_e2e::artifacts;

/// How many tokens are sent in turn where tokens were seen before: as many as a busy service has
/// callers.
pub const SEEN: usize = 1_000;

/// A listener under one kind of load.
#[derive(Clone, Debug)]
pub struct Measured {
    /// Its name in messages.
    pub name: String,
    /// Its filters.
    pub chain: Chain,
    /// The path of every request.
    pub path: String,
    /// Who sends the requests.
    pub callers: Callers,
    /// How many different tokens are sent.
    pub tokens: usize,
    /// The status of every answer.
    pub status: u16,
    /// How our cache must be used.
    pub cache: CacheUse,
}

/// What the counters of our cache must say of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CacheUse {
    /// Every token was found.
    Hits,
    /// No token was found.
    Misses,
    /// No token was found, whether it was looked for or not.
    NoHits,
    /// Tokens don't get as far as the cache, or there is none.
    Unused,
}

/// Two listeners whose overheads over a plain one are compared. They are named by their place in
/// [`Suite::measured`].
#[derive(Clone, Debug)]
pub struct Comparison {
    /// The title of the comparison.
    pub title: String,
    /// What ours is compared with.
    pub base_name: &'static str,
    /// The listener without a filter, under the same load.
    pub plain: usize,
    /// The listener whose overhead counts as 1.
    pub base: usize,
    /// Our listener.
    pub ours: usize,
    /// The target: what the ratio must stay below.
    pub must: Option<f64>,
    /// The goal: what the ratio should stay below.
    pub goal: Option<f64>,
    /// What our overhead must stay below, in microseconds.
    pub bound: Option<f64>,
}

/// Everything that one run measures and compares.
#[derive(Clone, Debug, Default)]
pub struct Suite {
    /// What is measured, in this order.
    pub measured: Vec<Measured>,
    /// What is compared.
    pub comparisons: Vec<Comparison>,
}

/// The load of a measurement.
#[derive(Clone, Debug)]
pub struct Request {
    /// Its name, which is part of the name of each listener.
    pub name: &'static str,
    /// See [`Measured::path`].
    pub path: String,
    /// See [`Measured::callers`].
    pub callers: Callers,
    /// See [`Measured::tokens`].
    pub tokens: usize,
}

impl Measured {
    /// The name of the listener.
    pub fn listener(&self) -> String {
        self.name.replace(", ", "-").replace(' ', "-")
    }
}

impl Request {
    /// Requests with more tokens than the cache holds.
    pub fn unseen(name: &'static str, callers: Callers) -> Self {
        let path = policy::permitted_path(ROUTES);
        Self { name, path, callers, tokens: callers.count() }
    }

    /// Requests with tokens that came before.
    pub fn seen(name: &'static str, path: String) -> Self {
        Self { name, path, callers: Callers::RS256, tokens: SEEN }
    }
}

/// The number of routes where it does not matter.
pub const ROUTES: usize = 10;

/// The targets of the project.
pub fn standard() -> Suite {
    let keys = artifacts::jwks();
    let table = |routes| policy::document(routes, &keys);
    let mut suite = Suite::default();

    for (name, title, callers) in [
        ("unseen RS256", "token not seen before, RS256", Callers::RS256),
        ("unseen ES256", "token not seen before, ES256", Callers::ES256),
    ] {
        let request = Request::unseen(name, callers);
        let plain = suite.plain(&request);
        let base = suite.native(&request, Chain::Native(table(ROUTES)), 200);
        let ours = suite.ours(&request, table(ROUTES), 200, CacheUse::Misses);
        suite.compare(title, plain, base, ours, Some(0.95), Some(0.75));
    }

    let request = Request::seen("seen", policy::permitted_path(ROUTES));
    let plain = suite.plain(&request);
    let base = suite.native(&request, Chain::Native(table(ROUTES)), 200);
    let ours = suite.ours(&request, table(ROUTES), 200, CacheUse::Hits);
    suite.compare("token seen before, RS256", plain, base, ours, Some(0.25), None);
    let base = suite.native(&request, Chain::NativeWithCache(table(ROUTES)), 200);
    suite.compare("the same, native with its cache", plain, base, ours, None, None);

    let thousand = Request::seen("seen, 1000 routes", policy::permitted_path(1000));
    let base = suite.native(&thousand, Chain::Native(table(1000)), 200);
    let ours_of_thousand = suite.ours(&thousand, table(1000), 200, CacheUse::Hits);
    let title = "token seen before, 1,000 routes";
    suite.compare(title, plain, base, ours_of_thousand, Some(0.06), Some(0.04));

    for (name, count, title, must) in [
        ("seen, 10 policies", 10, "token seen before, 10 policies", 0.3),
        ("seen, 1000 policies", 1_000, "token seen before, 1,000 policies", 0.1),
    ] {
        let document = policy::with_policies(count, &keys);
        let request = Request::seen(name, policy::permitted_path(count));
        let base = suite.native(&request, Chain::Native(document.clone()), 200);
        let ours = suite.ours(&request, document, 200, CacheUse::Hits);
        suite.compare(title, plain, base, ours, Some(must), None);
    }

    let denied = Request::seen("denied", policy::forbidden_path());
    let base = suite.native(&denied, Chain::Native(table(ROUTES)), 403);
    let ours_denied = suite.ours(&denied, table(ROUTES), 403, CacheUse::Hits);
    suite.compare("denied by permission", plain, base, ours_denied, Some(0.25), None);

    let most = Request::seen("seen, 10000 routes", policy::permitted_path(10_000));
    let ours_of_most = suite.ours(&most, table(10_000), 200, CacheUse::Hits);
    suite.compare("10,000 routes, ours with 10 as 1", plain, ours, ours_of_most, None, Some(1.2));
    suite.comparisons.last_mut().expect("just made").base_name = "jwt-rbac, 10 routes";

    let fetched = Request::seen("seen, fetched keys", policy::permitted_path(ROUTES));
    let document = listeners::with_fetched_keys(table(ROUTES));
    let ours_fetched = suite.ours(&fetched, document, 200, CacheUse::Hits);
    let title = "fetched keys, ours with inline keys as 1";
    suite.compare(title, plain, ours, ours_fetched, None, Some(1.05));
    suite.comparisons.last_mut().expect("just made").base_name = "jwt-rbac, inline keys";
    suite
}

/// This build beside another one, for each kind of request, to see what a change costs.
pub fn beside(module: &Path) -> Suite {
    let keys = artifacts::jwks();
    let mut suite = Suite::default();
    let path = policy::permitted_path;
    for (request, routes, status) in [
        (Request::unseen("unseen RS256", Callers::RS256), ROUTES, 200),
        (Request::seen("seen", path(ROUTES)), ROUTES, 200),
        (Request::seen("seen, 1000 routes", path(1_000)), 1_000, 200),
        (Request::seen("denied", policy::forbidden_path()), ROUTES, 403),
    ] {
        let document = policy::document(routes, &keys);
        let is_seen = request.tokens == SEEN;
        let plain = suite.plain(&request);
        let other = Chain::OtherBuild { module: module.to_owned(), document: document.clone() };
        let cache = if is_seen { CacheUse::Hits } else { CacheUse::Misses };
        let other = suite.add("other build", &request, other, status, cache);
        let ours = suite.ours(&request, document, status, cache);
        suite.compare(request.name, plain, other, ours, None, None);
        suite.comparisons.last_mut().expect("just made").base_name = "the other build";
    }
    suite
}

impl Suite {
    /// Measures the load without a filter.
    pub fn plain(&mut self, request: &Request) -> usize {
        self.add("plain", request, Chain::Plain, 200, CacheUse::Unused)
    }

    /// Measures it with Envoy's own filters.
    pub fn native(&mut self, request: &Request, chain: Chain, status: u16) -> usize {
        let name = if matches!(chain, Chain::Native(_)) { "native" } else { "native with cache" };
        self.add(name, request, chain, status, CacheUse::Unused)
    }

    /// Measures it with our filter.
    pub fn ours(
        &mut self,
        request: &Request,
        document: serde_json::Value,
        status: u16,
        cache: CacheUse,
    ) -> usize {
        self.add("jwt-rbac", request, Chain::Ours(document), status, cache)
    }

    /// Measures it with these calls to Envoy alone.
    pub fn floor(
        &mut self,
        name: &str,
        request: &Request,
        module: &Path,
        steps: serde_json::Value,
        status: u16,
    ) -> usize {
        let chain = Chain::Floor { module: module.to_owned(), steps };
        self.add(name, request, chain, status, CacheUse::Unused)
    }

    /// Compares two measurements. `must` and `goal` are the targets of the ratio.
    pub fn compare(
        &mut self,
        title: &str,
        plain: usize,
        base: usize,
        ours: usize,
        must: Option<f64>,
        goal: Option<f64>,
    ) {
        let (title, base_name, bound) = (title.to_owned(), "native", None);
        self.comparisons.push(Comparison {
            title,
            base_name,
            plain,
            base,
            ours,
            must,
            goal,
            bound,
        });
    }

    /// The place of the measurement with this name.
    pub fn find(&self, name: &str) -> usize {
        let place = self.measured.iter().position(|measured| measured.name == name);
        place.unwrap_or_else(|| panic!("no measurement is called {name}"))
    }

    /// Keeps the measurements whose name ends with this, and no comparison.
    pub fn keep(&mut self, name: &str) {
        self.measured.retain(|measured| measured.name.ends_with(name));
        self.comparisons.clear();
    }

    fn add(
        &mut self,
        chain_name: &str,
        request: &Request,
        chain: Chain,
        status: u16,
        cache: CacheUse,
    ) -> usize {
        let Request { name, path, callers, tokens } = request.clone();
        let name = format!("{name}, {chain_name}");
        self.measured.push(Measured { name, chain, path, callers, tokens, status, cache });
        self.measured.len() - 1
    }
}

#[cfg(test)]
impl Suite {
    /// Checks that each listener has a name of its own, and one that can be part of a URL of the
    /// admin interface.
    pub(super) fn check_names(&self) {
        let mut names: Vec<String> = self.measured.iter().map(Measured::listener).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), self.measured.len());
        assert!(names.iter().all(|name| name.is_ascii() && !name.contains([' ', ','])));
    }
}
