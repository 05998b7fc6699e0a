//! What is measured and what is compared with what: the targets of the project, nothing else.
//!
//! What is measured is a listener under one kind of load. Each has its own listener, and with it
//! its own cache, so that no measurement warms another's.

use std::path::Path;

use super::callers::Callers;
use super::listeners::Chain;
use super::policy;
use jwt_rbac_e2e::artifacts;

/// How many tokens come again and again where tokens are seen before: the callers of a busy
/// service.
pub const SEEN: usize = 1_000;

/// A listener under one kind of load.
#[derive(Clone, Debug)]
pub struct Measured {
    /// What it is called in messages.
    pub name: String,
    /// What stands in it.
    pub chain: Chain,
    /// The path of every request.
    pub path: String,
    /// Who sends them.
    pub callers: Callers,
    /// How many different tokens are sent.
    pub tokens: usize,
    /// The status of every answer.
    pub status: u16,
    /// What our cache must have done.
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
    /// What is compared.
    pub title: String,
    /// What ours is compared with.
    pub base_name: &'static str,
    /// The same load without a filter.
    pub plain: usize,
    /// What counts as 1.
    pub base: usize,
    /// Ours.
    pub ours: usize,
    /// What the ratio must stay below.
    pub must: Option<f64>,
    /// What it ought to stay below.
    pub goal: Option<f64>,
    /// What ours must cost less than, in microseconds.
    pub bound: Option<f64>,
}

/// Everything that one run measures and compares.
#[derive(Clone, Debug, Default)]
pub struct Suite {
    /// What is measured, in this order.
    pub measured: Vec<Measured>,
    /// What is made of it.
    pub comparisons: Vec<Comparison>,
}

/// The load of a measurement.
#[derive(Clone, Debug)]
pub struct Request {
    /// Names it, in the names of listeners.
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
        let path = policy::permitted_path(ROWS);
        Self { name, path, callers, tokens: callers.count() }
    }

    /// Requests with tokens that came before.
    pub fn seen(name: &'static str, path: String) -> Self {
        Self { name, path, callers: Callers::RS256, tokens: SEEN }
    }
}

/// The size of a table where it does not matter.
pub const ROWS: usize = 10;

/// The targets of the project.
pub fn standard() -> Suite {
    let keys = artifacts::jwks();
    let table = |rows| policy::document(rows, &keys);
    let mut suite = Suite::default();

    for (name, title, callers) in [
        ("unseen RS256", "token not seen before, RS256", Callers::RS256),
        ("unseen ES256", "token not seen before, ES256", Callers::ES256),
    ] {
        let request = Request::unseen(name, callers);
        let plain = suite.plain(&request);
        let base = suite.native(&request, Chain::Native(table(ROWS)), 200);
        let ours = suite.ours(&request, table(ROWS), 200, CacheUse::Misses);
        suite.compare(title, plain, base, ours, Some(0.95), Some(0.75));
    }

    let request = Request::seen("seen", policy::permitted_path(ROWS));
    let plain = suite.plain(&request);
    let base = suite.native(&request, Chain::Native(table(ROWS)), 200);
    let ours = suite.ours(&request, table(ROWS), 200, CacheUse::Hits);
    suite.compare("token seen before, RS256", plain, base, ours, Some(0.25), None);
    let base = suite.native(&request, Chain::NativeWithCache(table(ROWS)), 200);
    suite.compare("the same, native with its cache", plain, base, ours, None, None);

    let thousand = Request::seen("seen, 1000 routes", policy::permitted_path(1000));
    let base = suite.native(&thousand, Chain::Native(table(1000)), 200);
    let ours_of_thousand = suite.ours(&thousand, table(1000), 200, CacheUse::Hits);
    let title = "token seen before, 1,000 routes";
    suite.compare(title, plain, base, ours_of_thousand, Some(0.06), Some(0.04));

    let denied = Request::seen("denied", policy::forbidden_path());
    let base = suite.native(&denied, Chain::Native(table(ROWS)), 403);
    let ours_denied = suite.ours(&denied, table(ROWS), 403, CacheUse::Hits);
    suite.compare("denied by permission", plain, base, ours_denied, Some(0.25), None);

    let most = Request::seen("seen, 10000 routes", policy::permitted_path(10_000));
    let ours_of_most = suite.ours(&most, table(10_000), 200, CacheUse::Hits);
    suite.compare("10,000 routes, ours with 10 as 1", plain, ours, ours_of_most, None, Some(1.2));
    suite.comparisons.last_mut().expect("just made").base_name = "jwt-rbac, 10 routes";
    suite
}

/// The cases of a request, of this build beside another one: whether a change costs something.
pub fn beside(module: &Path) -> Suite {
    let keys = artifacts::jwks();
    let mut suite = Suite::default();
    let path = policy::permitted_path;
    for (request, routes, status) in [
        (Request::unseen("unseen RS256", Callers::RS256), ROWS, 200),
        (Request::seen("seen", path(ROWS)), ROWS, 200),
        (Request::seen("seen, 1000 routes", path(1_000)), 1_000, 200),
        (Request::seen("denied", policy::forbidden_path()), ROWS, 403),
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

    /// Compares two measurements, with what the ratio must and ought to stay below.
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

    /// The place of what has this name.
    pub fn find(&self, name: &str) -> usize {
        let place = self.measured.iter().position(|measured| measured.name == name);
        place.unwrap_or_else(|| panic!("nothing that is measured is called {name}"))
    }

    /// Leaves what has a name that ends like this, and compares nothing.
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
    /// Every listener has a name of its own, that can stand in the target of a request to the admin
    /// interface.
    pub(super) fn check_names(&self) {
        let mut names: Vec<String> = self.measured.iter().map(Measured::listener).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), self.measured.len());
        assert!(names.iter().all(|name| name.is_ascii() && !name.contains([' ', ','])));
    }
}
