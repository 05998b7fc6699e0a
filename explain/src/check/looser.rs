//! Routes that win over a stricter one on the same request, though neither is a part of the other:
//! `/t/shared/{**}` has `/t/shared/admin`, whatever `/t/{tenant}/admin` asks.
//!
//! The pairs are found in a tree of the paths, and the table of the filter says which route a request has
//! that both could have.

use std::collections::BTreeMap;
use std::ptr;

use jwt_rbac::authz::requirement::Requirement;
use jwt_rbac::authz::routes::{Access, Route, RouteTable};
use jwt_rbac::authz::template::{Part, Template};

use super::route_paths::{self, MAX_FINDINGS, RoutePath};
use super::{Context, Finding, Severity};
use crate::source::Node;

/// How many steps are taken in the tree; a document that needs more is not judged to its end.
const MAX_STEPS: usize = 1_000_000;

/// The paths that have the same segments up to here.
#[derive(Default)]
struct Tree {
    literals: BTreeMap<String, Tree>,
    variable: Option<Box<Tree>>,
    /// The paths that end here, with or without a rest.
    ends: Vec<usize>,
    /// Whether a path below or here has a literal that the other side may have as a variable.
    has_literal: bool,
}

/// All pairs, as warnings at the path that wins.
pub(super) fn all(
    context: &Context<'_>,
    config: &Node,
    paths: &[RoutePath<'_>],
    table: &RouteTable,
) -> Vec<Finding> {
    let mut by_host: BTreeMap<&str, Tree> = BTreeMap::new();
    for (number, path) in paths.iter().enumerate() {
        for host in &path.hosts {
            by_host.entry(host).or_default().add(&path.template.parts, number);
        }
    }
    let mut search = Search { paths, pairs: Vec::new(), steps: MAX_STEPS };
    let mut findings = Vec::new();
    for (host, tree) in &by_host {
        search.same(tree);
        for (winner, loser) in std::mem::take(&mut search.pairs) {
            if findings.len() == MAX_FINDINGS {
                return findings;
            }
            let (winner, loser) = (&paths[winner], &paths[loser]);
            findings.extend(finding(context, config, table, host, winner, loser));
        }
    }
    findings
}

impl Tree {
    fn add(&mut self, parts: &[Part], path: usize) {
        let Some((first, rest)) = parts.split_first() else {
            self.ends.push(path);
            return;
        };
        self.has_literal |= parts.iter().any(|part| matches!(part, Part::Literal(_)));
        match first {
            Part::Literal(text) => self.literals.entry(text.clone()).or_default().add(rest, path),
            Part::Variable(_) => self.variable.get_or_insert_default().add(rest, path),
        }
    }
}

struct Search<'s> {
    paths: &'s [RoutePath<'s>],
    /// The path that wins, and the one that it wins over.
    pairs: Vec<(usize, usize)>,
    steps: usize,
}

impl Search<'_> {
    /// Pairs of paths that are the same up to here.
    fn same(&mut self, tree: &Tree) {
        if let Some(variable) = &tree.variable {
            for literal in tree.literals.values().filter(|_| variable.has_literal) {
                self.both(literal, variable, false);
            }
            self.same(variable);
        }
        tree.literals.values().for_each(|tree| self.same(tree));
    }

    /// Pairs of a path of `left`, which wins, and one of `right`. `is_open`: the one of `right` has had a
    /// literal where the other has a variable.
    fn both(&mut self, left: &Tree, right: &Tree, is_open: bool) {
        let Some(steps) = self.steps.checked_sub(1) else { return };
        self.steps = steps;
        if !is_open && !right.has_literal {
            return;
        }
        if is_open {
            let pairs =
                left.ends.iter().flat_map(|&it| right.ends.iter().map(move |&end| (it, end)));
            self.pairs.extend(pairs);
        }
        // A rest takes whatever the other has.
        let rests: Vec<_> =
            left.ends.iter().copied().filter(|&it| self.paths[it].template.rest).collect();
        if !rests.is_empty() {
            self.below(&rests, right, is_open);
        }
        for (text, tree) in &left.literals {
            if let Some(other) = right.literals.get(text) {
                self.both(tree, other, is_open);
            }
            if let Some(other) = &right.variable {
                self.both(tree, other, is_open);
            }
        }
        if let Some(tree) = &left.variable {
            right.literals.values().for_each(|other| self.both(tree, other, true));
            if let Some(other) = &right.variable {
                self.both(tree, other, is_open);
            }
        }
    }

    /// Pairs of these paths, which end in a rest, and all that are below a tree.
    fn below(&mut self, rests: &[usize], right: &Tree, is_open: bool) {
        let Some(steps) = self.steps.checked_sub(1) else { return };
        self.steps = steps;
        for (other, is_open) in right
            .literals
            .values()
            .map(|tree| (tree, true))
            .chain(right.variable.as_deref().map(|tree| (tree, is_open)))
        {
            if is_open {
                let ends = other.ends.iter();
                self.pairs.extend(ends.flat_map(|&end| rests.iter().map(move |&it| (it, end))));
            }
            self.below(rests, other, is_open);
        }
    }
}

/// The warning about a pair, if the first asks less, and the table gives it a request that both match.
fn finding(
    context: &Context<'_>,
    config: &Node,
    table: &RouteTable,
    host: &str,
    winner: &RoutePath<'_>,
    loser: &RoutePath<'_>,
) -> Option<Finding> {
    let routes = table.routes();
    let (first, second) = (routes.get(winner.route)?, routes.get(loser.route)?);
    if ptr::eq(first, second) || covers(&first.access, &second.access) {
        return None;
    }
    let methods = if winner.methods.is_empty() { &loser.methods } else { &winner.methods };
    let is_shared = |method: &&&str| loser.methods.is_empty() || loser.methods.contains(method);
    let method = match methods.iter().find(is_shared) {
        Some(method) => *method,
        None if methods.is_empty() => "GET",
        None => return None,
    };
    let path = witness(&winner.template, &loser.template);
    if !has(table, host, method, &path, first) {
        return None;
    }
    let span = |path: &RoutePath<'_>| config.find(&path.place()).span(context.text);
    let message = format!(
        "`{method} {path}` has the route `{}`, which does not ask what `{}` asks",
        first.name, second.name
    );
    let finding = Finding::new(
        Severity::Warning,
        "looser-route",
        winner.place().to_string(),
        span(winner),
        message,
    );
    let finding = finding.help(format!(
        "the first literal where the other has a variable counts: add `{path}` to a route that asks \
         what `{}` asks, if this is not meant",
        second.name
    ));
    Some(Finding { other: Some((span(loser), "asks more".to_owned())), ..finding })
}

/// A path that both templates match.
fn witness(left: &Template, right: &Template) -> String {
    let length = left.parts.len().max(right.parts.len());
    let segment = |number: usize| {
        let literal = |template: &Template| match template.parts.get(number) {
            Some(Part::Literal(text)) => Some(text.clone()),
            _ => None,
        };
        literal(left).or_else(|| literal(right)).unwrap_or_else(|| "x".to_owned())
    };
    let segments: Vec<_> = (0..length).map(segment).collect();
    format!("/{}", segments.join("/"))
}

/// Whether the table gives this request to the route.
fn has(table: &RouteTable, host: &str, method: &str, path: &str, route: &Route) -> bool {
    let has = route_paths::ask(table, method, host, path, |found| {
        found.is_ok_and(|found| found.is_some_and(|it| ptr::eq(it.route, route)))
    });
    has.unwrap_or(false)
}

/// Whether everybody who has the first access has the second too.
fn covers(access: &Access, other: &Access) -> bool {
    match (access, other) {
        (Access::Denied, _) | (_, Access::Public(_)) => true,
        (_, Access::Denied) | (Access::Public(_), Access::Required(_)) => false,
        (Access::Required(access), Access::Required(other)) => Requirement::covers(access, other),
    }
}
