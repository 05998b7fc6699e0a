//! Methods that a more specific path hides: where `/orders/{**}` takes GET and `/orders/{id}` takes DELETE
//! alone, `GET /orders/7` is denied, because the path is chosen before the method.

use std::collections::HashMap;

use jwt_rbac::authz::routes::RouteTable;
use jwt_rbac::authz::template::{Part, Template};
use jwt_rbac::refusal::Refusal;
use jwt_rbac::request::{Header, Request};
use jwt_rbac_config::place::Place;
use serde_json::Value as Json;

use super::{Context, Finding, Severity};
use crate::source::Node;

/// How many findings are enough to act on.
const MAX_FINDINGS: usize = 20;

/// A path that ends in a rest, by what comes before it, and its methods.
struct Rest<'j> {
    place: Place,
    path: &'j str,
    methods: Vec<&'j str>,
}

/// The warnings, each at the path that hides methods of one with a rest in the same place.
pub(super) fn all(
    context: &Context<'_>,
    config: &Node,
    json: &Json,
    table: &RouteTable,
) -> Vec<Finding> {
    let routes = json["routes"].as_array().map_or(&[][..], Vec::as_slice);
    let mut rests: HashMap<Vec<Part>, Vec<Rest<'_>>> = HashMap::new();
    let mut others = Vec::new();
    for (number, route) in routes.iter().enumerate() {
        let place = Place::root().field("routes").index(number).field("paths");
        for (index, path) in route["paths"].as_array().into_iter().flatten().enumerate() {
            let Some(path) = path.as_str() else { continue };
            let Ok(template) = Template::parse(path) else { continue };
            let methods = route["methods"].as_array().into_iter().flatten();
            let methods = methods.filter_map(Json::as_str).collect();
            let parts = shape(&template);
            let place = place.index(index);
            if template.rest {
                rests.entry(parts).or_default().push(Rest { place, path, methods });
            } else if let Some((_, before)) = parts.split_last() {
                let host = route["hosts"].get(0).and_then(Json::as_str).unwrap_or("any.test");
                others.push((before.to_vec(), parts.clone(), place, path, host));
            }
        }
    }
    let mut findings = Vec::new();
    for (before, parts, place, path, host) in others {
        // A rest at the root is what is left over, and hiding some of it is what routes are for.
        let Some(rests) = rests.get(&before).filter(|_| !before.is_empty()) else { continue };
        let hidden = rests.iter().find_map(|rest| {
            let methods = if rest.methods.is_empty() { &["GET"][..] } else { &rest.methods };
            let method = methods.iter().find(|method| is_denied(table, host, method, &parts))?;
            Some((rest, *method))
        });
        let Some((rest, method)) = hidden else { continue };
        if findings.len() == MAX_FINDINGS {
            break;
        }
        let span = |place| config.find(place).span(context.text);
        let message = format!(
            "`{method} {path}` is denied: this path is more specific than `{}`, and has no route for \
             {method}",
            rest.path
        );
        let finding = Finding::new(
            Severity::Warning,
            "hidden-method",
            place.to_string(),
            span(&place),
            message,
        );
        let finding = finding.help(format!(
            "the path is chosen before the method: add `{path}` to the paths of the route that takes \
             {method}, if it is meant to"
        ));
        let other = Some((span(&rest.place), format!("takes {method}")));
        findings.push(Finding { other, ..finding });
    }
    findings
}

/// The parts of a path without the names of its variables.
fn shape(template: &Template) -> Vec<Part> {
    let parts = template.parts.iter().map(|part| match part {
        Part::Literal(text) => Part::Literal(text.clone()),
        Part::Variable(_) => Part::Variable(None),
    });
    parts.collect()
}

fn is_denied(table: &RouteTable, host: &str, method: &str, parts: &[Part]) -> bool {
    let segments = parts.iter().map(|part| match part {
        Part::Literal(text) => text.as_str(),
        Part::Variable(_) => "x",
    });
    let path = format!("/{}", segments.collect::<Vec<_>>().join("/"));
    let host = if host == "*" { "any.test".to_owned() } else { host.replacen("*.", "any.", 1) };
    let headers: [Header<'_>; 3] = [
        (b":method", method.as_bytes()),
        (b":path", path.as_bytes()),
        (b":authority", host.as_bytes()),
    ];
    let Ok(request) = Request::read(&headers) else { return false };
    table.find(&request).is_err_and(|denial| denial.refusal == Refusal::MethodNotAllowed)
}
