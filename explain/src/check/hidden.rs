//! Methods that a more specific path hides: where `/orders/{**}` takes GET and `/orders/{id}` takes DELETE
//! alone, `GET /orders/7` is denied, because the path is chosen before the method.

use std::collections::HashMap;

use jwt_rbac::authz::routes::RouteTable;
use jwt_rbac::authz::template::Part;
use jwt_rbac::refusal::Refusal;

use super::route_paths::{self, MAX_FINDINGS, RoutePath};
use super::{Context, Finding, Severity};
use crate::source::Node;

/// The warnings, each at the path that hides methods of one with a rest in the same place.
pub(super) fn all(
    context: &Context<'_>,
    config: &Node,
    paths: &[RoutePath<'_>],
    table: &RouteTable,
) -> Vec<Finding> {
    let mut rests: HashMap<Vec<Part>, Vec<&RoutePath<'_>>> = HashMap::new();
    for rest in paths.iter().filter(|path| path.template.rest) {
        rests.entry(rest.shape()).or_default().push(rest);
    }
    let mut findings = Vec::new();
    for path in paths.iter().filter(|path| !path.template.rest) {
        let parts = path.shape();
        let Some((_, before)) = parts.split_last() else { continue };
        // A rest at the root is what is left over, and hiding some of it is what routes are for.
        let Some(rests) = rests.get(before).filter(|_| !before.is_empty()) else { continue };
        let host = path.hosts.first().copied().unwrap_or("*");
        let hidden = rests.iter().find_map(|rest| {
            let methods = if rest.methods.is_empty() { &["GET"][..] } else { &rest.methods };
            let method = methods.iter().find(|method| is_denied(table, host, method, &parts))?;
            Some((rest, *method))
        });
        let Some((rest, method)) = hidden else { continue };
        if findings.len() == MAX_FINDINGS {
            break;
        }
        let span = |path: &RoutePath<'_>| config.find(&path.place()).span(context.text);
        let text = path.text;
        let message = format!(
            "`{method} {text}` is denied: this path is more specific than `{}`, and has no route for \
             {method}",
            rest.text
        );
        let finding = Finding::new(
            Severity::Warning,
            "hidden-method",
            path.place().to_string(),
            span(path),
            message,
        );
        let finding = finding.help(format!(
            "the path is chosen before the method: add `{text}` to the paths of the route that takes \
             {method}, if it is meant to"
        ));
        let other = Some((span(rest), format!("takes {method}")));
        findings.push(Finding { other, ..finding });
    }
    findings
}

fn is_denied(table: &RouteTable, host: &str, method: &str, parts: &[Part]) -> bool {
    let segments = parts.iter().map(|part| match part {
        Part::Literal(text) => text.as_str(),
        Part::Variable(_) => "x",
    });
    let path = format!("/{}", segments.collect::<Vec<_>>().join("/"));
    let is_denied = route_paths::ask(table, method, host, &path, |found| {
        found.is_err_and(|denial| denial.refusal == Refusal::MethodNotAllowed)
    });
    is_denied.unwrap_or(false)
}
