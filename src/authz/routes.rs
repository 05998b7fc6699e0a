//! The table `routes`: which row a request has, and what that row asks.
//!
//! The row is chosen by host, path and method alone, in this order, before the token is looked at.

use serde::Deserialize;

use super::hosts::{HostPattern, Hosts};
use super::path::{self, Segment};
use super::requirement::Requirement;
use super::template::Template;
use super::trie::{MAX_VISITS, Trie};
use crate::refusal::Refusal;
use crate::request::Request;

/// All rows, ready to be looked up.
#[derive(Debug)]
pub struct RouteTable {
    rows: Vec<Row>,
    hosts: HostSets,
    ambiguous_paths: AmbiguousPaths,
    unmatched: Unmatched,
}

/// One row of the table.
#[derive(Debug)]
pub struct Row {
    /// Shown in logs and response code details.
    pub name: String,
    /// Who may use it.
    pub access: Access,
    /// Whether what it asks is only tried.
    pub dry_run: bool,
}

/// Who may use a row.
#[derive(Debug)]
pub enum Access {
    /// Nobody.
    Denied,
    /// Everybody.
    Public(TokenUse),
    /// Whoever sent a token that has this.
    Required(Requirement),
}

/// What is done with the token of a request that needs none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum TokenUse {
    /// It is passed on without a look: it may be meant for somebody else.
    Ignore,
    /// It is verified; one that is refused counts as none and is removed.
    Optional,
    /// It is verified; one that is refused denies the request, as in Istio.
    #[default]
    Strict,
}

/// What becomes of a path that can be read in more than one way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum AmbiguousPaths {
    /// It is denied.
    #[default]
    Deny,
    /// Its ambiguous segments match variables and rests, never a literal.
    Match,
}

/// What becomes of a path that no row has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Unmatched {
    /// It is allowed, as far as the table goes.
    Allow,
    /// It is denied.
    #[default]
    Deny,
}

/// Whether rows name hosts, and which paths each host has.
#[derive(Debug)]
enum HostSets {
    /// Every row names its hosts.
    Named(Hosts<Trie<Methods>>),
    /// No row names a host: all paths, whatever the host.
    Unnamed(Trie<Methods>),
}

/// The rows of one path, by method; `None` is the row that lists no method.
type Methods = Vec<(Option<String>, Target)>;

/// A row as one of its paths leads to it.
#[derive(Clone, Debug)]
struct Target {
    row: usize,
    /// Which segments of the path the row compares claims with.
    variables: Vec<usize>,
}

/// The row of a request.
#[derive(Debug)]
pub struct Match<'t, 'r> {
    /// The row.
    pub row: &'t Row,
    /// The segments that the row compares claims with, in the order of the row's path variables.
    pub variables: Vec<Segment<'r>>,
}

/// What one path of a row is looked up by.
#[derive(Clone, Debug)]
pub struct RouteKey<'p> {
    /// The host, where rows name hosts.
    pub host: Option<&'p HostPattern>,
    /// The path.
    pub path: &'p Template,
    /// The method; `None` for any.
    pub method: Option<&'p str>,
    /// Which segments of the path the row compares claims with.
    pub variables: &'p [usize],
}

impl RouteTable {
    /// A table without rows, which denies everything.
    #[must_use]
    pub fn new(named_hosts: bool, ambiguous_paths: AmbiguousPaths, unmatched: Unmatched) -> Self {
        let hosts = if named_hosts {
            HostSets::Named(Hosts::default())
        } else {
            HostSets::Unnamed(Trie::default())
        };
        Self { rows: Vec::new(), hosts, ambiguous_paths, unmatched }
    }

    /// Adds a row under these keys. A key that another row has stays with that one.
    ///
    /// # Errors
    /// The names of the rows that were there before.
    pub fn add<'p>(
        &mut self,
        row: Row,
        keys: impl IntoIterator<Item = RouteKey<'p>>,
    ) -> Result<(), Vec<String>> {
        let number = self.rows.len();
        self.rows.push(row);
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
            if let Some((_, Target { row, .. })) = known {
                taken.extend(self.rows.get(*row).map(|row| row.name.clone()));
            } else {
                let target = Target { row: number, variables: key.variables.to_vec() };
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

    /// The row of a request; `None` where no row has the path and the document allows that.
    ///
    /// # Errors
    /// Why the table denies the request.
    pub fn find<'t, 'r>(&'t self, request: &Request<'r>) -> Result<Option<Match<'t, 'r>>, Refusal> {
        let Some((methods, segments)) = self.methods(request)? else {
            return Ok(None);
        };
        let target = target(methods, request.method).ok_or(Refusal::MethodNotAllowed)?;
        let row = self.rows.get(target.row).ok_or(Refusal::RouteUnmatched)?;
        let variables = target.variables.iter().filter_map(|&segment| segments.get(segment));
        Ok(Some(Match { row, variables: variables.cloned().collect() }))
    }

    /// Whether the table has the host and the path of a request, for whatever method.
    ///
    /// # Errors
    /// Why the table denies the request.
    pub fn check_path(&self, request: &Request<'_>) -> Result<(), Refusal> {
        self.methods(request).map(|_| ())
    }

    fn methods<'t, 'r>(
        &'t self,
        request: &Request<'r>,
    ) -> Result<Option<(&'t Methods, Vec<Segment<'r>>)>, Refusal> {
        let segments = path::segments(request.path()).ok_or(Refusal::PathAmbiguous)?;
        let is_plain = |segment: &Segment<'_>| matches!(segment, Segment::Plain(_));
        if self.ambiguous_paths == AmbiguousPaths::Deny && !segments.iter().all(is_plain) {
            return Err(Refusal::PathAmbiguous);
        }
        // What stands before an `@` is no part of the host, but not everybody knows.
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

/// A row that lists the method before one that lists none. GET covers HEAD (RFC 9110 §9.3.2)
/// unless a row lists HEAD.
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

    fn table(rows: &[(&str, &[&str])]) -> RouteTable {
        let mut table = RouteTable::new(false, AmbiguousPaths::default(), Unmatched::default());
        for (path, methods) in rows {
            let path = Template::parse(path).unwrap();
            let key = |method| RouteKey { host: None, path: &path, method, variables: &[] };
            let row = Row {
                name: format!("{methods:?}"),
                access: Access::Public(TokenUse::Strict),
                dry_run: false,
            };
            let keys: Vec<_> = match methods {
                [] => vec![key(None)],
                methods => methods.iter().map(|method| key(Some(*method))).collect(),
            };
            table.add(row, keys).unwrap();
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
        let found = table.find(&request).map_err(Refusal::slug)?;
        Ok(found.map_or("none".to_owned(), |found| found.row.name.clone()))
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
        assert_eq!(find(&table, "get", "/b"), Err("method_not_allowed"));
    }

    #[test]
    fn the_path_is_chosen_before_the_method() {
        let table = table(&[("/a/b", &["GET"]), ("/a/{x}", &["POST"]), ("/{**}", &[])]);
        assert_eq!(find(&table, "POST", "/a/b"), Err("method_not_allowed"));
        assert_eq!(find(&table, "POST", "/a/c").unwrap(), r#"["POST"]"#);
    }

    #[test]
    fn an_ambiguous_path_is_denied_whatever_the_rows_say() {
        let table = table(&[("/{**}", &[])]);
        assert_eq!(find(&table, "GET", "/a//b"), Err("path_ambiguous"));
        assert_eq!(find(&table, "GET", "/a/b?x=/..//"), Ok("[]".into()));
    }

    #[test]
    fn a_key_has_one_row() {
        let mut table = table(&[("/a/{x}", &["GET"])]);
        let path = Template::parse("/a/{y}/").unwrap();
        let key = RouteKey { host: None, path: &path, method: Some("GET"), variables: &[] };
        let row = Row { name: "second".into(), access: Access::Denied, dry_run: false };
        assert_eq!(table.add(row, [key]), Err(vec![r#"["GET"]"#.to_owned()]));
    }
}
