//! The paths of the routes of a document, and what the table of the filter says of a request for one.

use jwt_rbac::authz::routes::{Match, RouteTable};
use jwt_rbac::authz::template::{Part, Template};
use jwt_rbac::denial::Denial;
use jwt_rbac::request::{Header, Request};
use jwt_rbac_config::place::Place;
use serde_json::Value as Json;

/// How many findings of one kind are enough to act on.
pub(super) const MAX_FINDINGS: usize = 20;

/// One path of a route.
pub(super) struct RoutePath<'j> {
    /// The number of the route.
    pub route: usize,
    /// The number of the path in it.
    pub index: usize,
    /// The path as it is written.
    pub text: &'j str,
    pub template: Template,
    /// The methods of the route; none for any.
    pub methods: Vec<&'j str>,
    /// The hosts of the route; `*` where it names none.
    pub hosts: Vec<&'j str>,
}

impl RoutePath<'_> {
    pub fn place(&self) -> Place {
        Place::root().field("routes").index(self.route).field("paths").index(self.index)
    }

    /// The parts without the names of variables.
    pub fn shape(&self) -> Vec<Part> {
        let parts = self.template.parts.iter().map(|part| match part {
            Part::Literal(text) => Part::Literal(text.clone()),
            Part::Variable(_) => Part::Variable(None),
        });
        parts.collect()
    }
}

/// All that can be read.
pub(super) fn all(json: &Json) -> Vec<RoutePath<'_>> {
    let mut paths = Vec::new();
    for (route, entry) in json["routes"].as_array().into_iter().flatten().enumerate() {
        for (index, path) in entry["paths"].as_array().into_iter().flatten().enumerate() {
            let Some(text) = path.as_str() else { continue };
            let Ok(template) = Template::parse(text) else { continue };
            let hosts = entry.get("hosts").map_or_else(|| vec!["*"], texts);
            let methods = texts(&entry["methods"]);
            paths.push(RoutePath { route, index, text, template, methods, hosts });
        }
    }
    paths
}

fn texts(value: &Json) -> Vec<&str> {
    value.as_array().into_iter().flatten().filter_map(Json::as_str).collect()
}

/// Hands what the table says of a request to `then`. The host is one that the pattern means.
pub(super) fn ask<'t, T>(
    table: &'t RouteTable,
    method: &str,
    host: &str,
    path: &str,
    then: impl FnOnce(Result<Option<Match<'t, '_>>, Denial<'t>>) -> T,
) -> Option<T> {
    let host = if host == "*" { "any.test".to_owned() } else { host.replacen("*.", "any.", 1) };
    let headers: [Header<'_>; 3] = [
        (b":method", method.as_bytes()),
        (b":path", path.as_bytes()),
        (b":authority", host.as_bytes()),
    ];
    let request = Request::read(&headers).ok()?;
    Some(then(table.find(&request)))
}
