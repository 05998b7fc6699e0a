//! The table `routes`: which route a request has, and what that route asks.
//!
//! The route is chosen by host, path and method alone, in this order, before the token is looked at.

use super::hosts::{HostPattern, Hosts};
use super::path::{self, Segment};
use super::requirement::Requirement;
use super::template::Template;
use super::trie::{MAX_VISITS, Trie};
use crate::denial::{Denial, Detail};
use crate::refusal::Refusal;
use crate::request::Request;

/// All routes, ready to be looked up.
#[derive(Debug)]
pub struct RouteTable {
    routes: Vec<Route>,
    hosts: HostSets,
    ambiguous_paths: AmbiguousPaths,
    unmatched: Unmatched,
}

/// One route of the table.
#[derive(Debug)]
pub struct Route {
    /// Shown in logs and response code details.
    pub name: String,
    /// Who may use it.
    pub access: Access,
    /// Whether it is in dry run: what it asks is logged and counted, and denies nothing.
    pub dry_run: bool,
}

/// Who may use a route.
#[derive(Debug)]
pub enum Access {
    /// Nobody.
    Denied,
    /// Everybody.
    Public(TokenUse),
    /// The callers whose token has this.
    Required(Requirement),
}

/// What is done with the token of a request that needs none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TokenUse {
    /// It is passed on without a look: it may be meant for another service.
    Ignore,
    /// It is verified; one that is refused counts as none and is removed.
    Optional,
    /// It is verified; one that is refused denies the request, as in Istio.
    #[default]
    Strict,
}

/// What becomes of a path that can be read in more than one way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AmbiguousPaths {
    /// It is denied.
    #[default]
    Deny,
    /// Its ambiguous segments match variables and rests, never a literal.
    Match,
}

/// What becomes of a path that no route has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unmatched {
    /// It is allowed, as far as the table goes.
    Allow,
    /// It is denied.
    #[default]
    Deny,
}

/// Whether routes name hosts, and which paths each host has.
#[derive(Debug)]
enum HostSets {
    /// Every route names its hosts.
    Named(Hosts<Trie<Methods>>),
    /// No route names a host: all paths, whatever the host.
    Unnamed(Trie<Methods>),
}

/// The routes of one path, by method; `None` is the route that lists no method.
type Methods = Vec<(Option<String>, Target)>;

/// A route as one of its paths leads to it.
#[derive(Clone, Debug)]
struct Target {
    route: usize,
    /// Which segments of the path the route compares claims with.
    variables: Vec<usize>,
}

/// The route of a request.
#[derive(Debug)]
pub struct Match<'t, 'r> {
    /// The route.
    pub route: &'t Route,
    /// The segments that the route compares claims with, in the order of its path variables.
    pub variables: Vec<Segment<'r>>,
}

/// What one path of a route is looked up by.
#[derive(Clone, Debug)]
pub struct RouteKey<'p> {
    /// The host, where routes name hosts.
    pub host: Option<&'p HostPattern>,
    /// The path.
    pub path: &'p Template,
    /// The method; `None` for any.
    pub method: Option<&'p str>,
    /// Which segments of the path the route compares claims with.
    pub variables: &'p [usize],
}

impl RouteTable {
    /// A table without routes, which denies everything.
    #[must_use]
    pub fn new(named_hosts: bool, ambiguous_paths: AmbiguousPaths, unmatched: Unmatched) -> Self {
        let hosts = if named_hosts {
            HostSets::Named(Hosts::default())
        } else {
            HostSets::Unnamed(Trie::default())
        };
        Self { routes: Vec::new(), hosts, ambiguous_paths, unmatched }
    }

    /// All routes, in the order of the document.
    #[must_use]
    pub fn routes(&self) -> &[Route] {
        &self.routes
    }

    /// Adds a route under these keys. A key that another route has stays with that one.
    ///
    /// # Errors
    /// The names of the routes that were there before.
    pub fn add<'p>(
        &mut self,
        route: Route,
        keys: impl IntoIterator<Item = RouteKey<'p>>,
    ) -> Result<(), Vec<String>> {
        let number = self.routes.len();
        self.routes.push(route);
        let mut taken = Vec::new();
        for key in keys {
            let trie = match (&mut self.hosts, key.host) {
                (HostSets::Named(hosts), host) => {
                    hosts.entry(host.cloned().unwrap_or(HostPattern::Any))
                }
                (HostSets::Unnamed(trie), _) => trie,
            };
            let methods = trie.entry(key.path);
            let known = methods.iter().find(|(method, _)| method.as_deref() == key.method);
            if let Some((_, Target { route, .. })) = known {
                taken.extend(self.routes.get(*route).map(|route| route.name.clone()));
            } else {
                let target = Target { route: number, variables: key.variables.to_vec() };
                methods.push((key.method.map(str::to_owned), target));
            }
        }
        if taken.is_empty() { Ok(()) } else { Err(taken) }
    }

    /// How many nodes a lookup would visit at worst, if that is more than [`MAX_VISITS`].
    #[must_use]
    pub fn excessive_visits(&self) -> Option<usize> {
        let visits = match &self.hosts {
            HostSets::Named(hosts) => hosts.values().map(Trie::max_visits).max().unwrap_or(0),
            HostSets::Unnamed(trie) => trie.max_visits(),
        };
        (visits > MAX_VISITS).then_some(visits)
    }

    /// The route of a request; `None` where no route has the path and the document allows that.
    ///
    /// # Errors
    /// Why the table denies the request.
    pub fn find<'t, 'r>(
        &'t self,
        request: &Request<'r>,
    ) -> Result<Option<Match<'t, 'r>>, Denial<'t>> {
        let Some((methods, segments)) = self.methods(request)? else {
            return Ok(None);
        };
        let Some(target) = target(methods, request.method) else {
            return Err(self.no_method(methods));
        };
        self.route(target, &segments).map(Some)
    }

    /// The route of a CORS preflight that is let through unless its route is `access: DENIED`: that
    /// of OPTIONS, else that of the method that the browser asks for, else the path's first
    /// that is not denied. `None` as for [`Self::find`].
    ///
    /// # Errors
    /// Why the table denies the request.
    pub fn find_for_preflight<'t, 'r>(
        &'t self,
        request: &Request<'r>,
    ) -> Result<Option<Match<'t, 'r>>, Denial<'t>> {
        let Some((methods, segments)) = self.methods(request)? else {
            return Ok(None);
        };
        let asked = request.values("access-control-request-method").next().unwrap_or_default();
        let is_denied = |target: &Target| {
            let route = self.routes.get(target.route);
            route.is_none_or(|route| matches!(route.access, Access::Denied))
        };
        let all = || methods.iter().map(|(_, target)| target);
        let target = target(methods, request.method)
            .or_else(|| target(methods, asked))
            .or_else(|| all().find(|target| !is_denied(target)))
            .or_else(|| all().next())
            .ok_or(Refusal::RouteUnmatched)?;
        self.route(target, &segments).map(Some)
    }

    fn route<'t, 'r>(
        &'t self,
        target: &Target,
        segments: &[Segment<'r>],
    ) -> Result<Match<'t, 'r>, Denial<'t>> {
        let route = self.routes.get(target.route).ok_or(Refusal::RouteUnmatched)?;
        let variables = target.variables.iter().filter_map(|&segment| segments.get(segment));
        Ok(Match { route, variables: variables.cloned().collect() })
    }

    #[cold]
    fn no_method(&self, methods: &Methods) -> Denial<'_> {
        let routes = methods.iter().filter_map(|(_, target)| self.routes.get(target.route));
        let mut names: Vec<_> = routes.map(|route| route.name.as_str()).collect();
        names.dedup();
        Denial { refusal: Refusal::MethodNotAllowed, detail: Detail::Routes(names) }
    }

    fn methods<'t, 'r>(
        &'t self,
        request: &Request<'r>,
    ) -> Result<Option<(&'t Methods, Vec<Segment<'r>>)>, Refusal> {
        let segments = path::segments(request.path()).ok_or(Refusal::PathAmbiguous)?;
        let is_plain = |segment: &Segment<'_>| matches!(segment, Segment::Plain(_) | Segment::Deep);
        if self.ambiguous_paths == AmbiguousPaths::Deny && !segments.iter().all(is_plain) {
            return Err(Refusal::PathAmbiguous);
        }
        // What comes before an `@` is no part of the host, but some servers read it as one.
        if request.authority.is_empty() || request.authority.contains(&b'@') {
            return Err(Refusal::HostUnknown);
        }
        let trie = match &self.hosts {
            HostSets::Named(hosts) => hosts.find(request.authority).ok_or(Refusal::HostUnknown)?,
            HostSets::Unnamed(trie) => trie,
        };
        match (trie.find(&segments), self.unmatched) {
            (Some(methods), _) => Ok(Some((methods, segments))),
            (None, Unmatched::Allow) => Ok(None),
            (None, Unmatched::Deny) => Err(Refusal::RouteUnmatched),
        }
    }
}

/// A route that lists the method before one that lists none. GET covers HEAD (RFC 9110 §9.3.2)
/// unless a route lists HEAD.
fn target<'t>(methods: &'t Methods, method: &[u8]) -> Option<&'t Target> {
    let listed = |wanted: Option<&[u8]>| {
        let found =
            methods.iter().find(|(listed, _)| listed.as_ref().map(String::as_bytes) == wanted);
        found.map(|(_, target)| target)
    };
    listed(Some(method))
        .or_else(|| if method == b"HEAD" { listed(Some(b"GET")) } else { None })
        .or_else(|| listed(None))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(routes: &[(&str, &[&str])]) -> RouteTable {
        let mut table = RouteTable::new(false, AmbiguousPaths::default(), Unmatched::default());
        for (path, methods) in routes {
            let path = Template::parse(path).unwrap();
            let key = |method| RouteKey { host: None, path: &path, method, variables: &[] };
            let route = Route {
                name: format!("{methods:?}"),
                access: Access::Public(TokenUse::Strict),
                dry_run: false,
            };
            let keys: Vec<_> = match methods {
                [] => vec![key(None)],
                methods => methods.iter().map(|method| key(Some(*method))).collect(),
            };
            table.add(route, keys).unwrap();
        }
        table
    }

    fn find(table: &RouteTable, method: &str, path: &str) -> Result<String, &'static str> {
        let headers = [
            (&b":authority"[..], &b"me.test"[..]),
            (b":method", method.as_bytes()),
            (b":path", path.as_bytes()),
        ];
        let request = Request::read(&headers).unwrap();
        let found = table.find(&request).map_err(|denial| denial.refusal.slug())?;
        Ok(found.map_or("none".to_owned(), |found| found.route.name.clone()))
    }

    #[test]
    fn listed_methods_come_first() {
        let table = table(&[
            ("/a", &["GET", "POST"]),
            ("/a", &[]),
            ("/b", &["GET"]),
            ("/c", &["GET"]),
            ("/c", &["HEAD"]),
        ]);
        assert_eq!(find(&table, "GET", "/a").unwrap(), r#"["GET", "POST"]"#);
        assert_eq!(find(&table, "HEAD", "/a").unwrap(), r#"["GET", "POST"]"#);
        assert_eq!(find(&table, "PUT", "/a").unwrap(), "[]");
        assert_eq!(find(&table, "HEAD", "/b").unwrap(), r#"["GET"]"#);
        assert_eq!(find(&table, "HEAD", "/c").unwrap(), r#"["HEAD"]"#);
        assert_eq!(find(&table, "POST", "/b"), Err("method_not_allowed"));
    }

    #[test]
    fn the_path_is_chosen_before_the_method() {
        let table = table(&[("/a/b", &["GET"]), ("/a/{x}", &["POST"]), ("/{**}", &[])]);
        assert_eq!(find(&table, "POST", "/a/b"), Err("method_not_allowed"));
        assert_eq!(find(&table, "POST", "/a/c").unwrap(), r#"["POST"]"#);
    }

    #[test]
    fn an_ambiguous_path_is_denied_whatever_the_routes_say() {
        let table = table(&[("/{**}", &[])]);
        assert_eq!(find(&table, "GET", "/a//b"), Err("path_ambiguous"));
        assert_eq!(find(&table, "GET", "/a/b?x=/..//"), Ok("[]".into()));
    }

    #[test]
    fn a_key_has_one_route() {
        let mut table = table(&[("/a/{x}", &["GET"])]);
        let path = Template::parse("/a/{y}/").unwrap();
        let key = RouteKey { host: None, path: &path, method: Some("GET"), variables: &[] };
        let route = Route { name: "second".into(), access: Access::Denied, dry_run: false };
        assert_eq!(table.add(route, [key]), Err(vec![r#"["GET"]"#.to_owned()]));
    }
}
