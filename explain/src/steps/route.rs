//! Which route a request has, or why none.

use std::ptr;

use jwt_rbac::authz::routes::{Access, Match, TokenUse};
use jwt_rbac::decision::find_route;
use jwt_rbac::denial::{Denial, Detail};
use jwt_rbac::refusal::Refusal;
use jwt_rbac::request::Request;
use serde_json::Value;

use super::{list, plain_notes, short_list};
use crate::nearest::nearest;
use crate::policy::Policy;
use crate::report::{Note, Step};

/// The name of the step.
const NAME: &str = "route";

/// The step in which the route is chosen.
pub fn step(policy: &Policy, request: &Request<'_>) -> Step {
    match find_route(&policy.document, request) {
        Ok(Some(found)) => matched(policy, &found),
        Ok(None) if policy.document.routes.is_none() => {
            Step::skipped(NAME, "the document has no `routes`: every path passes this step")
        }
        Ok(None) => {
            let text = "no route has the path, and `unmatchedRoutes: ALLOW` lets it pass";
            Step::passed(NAME, text)
        }
        Err(denial) => denied(policy, request, &denial),
    }
}

/// The number of a route in the document.
pub fn number(policy: &Policy, found: &Match<'_, '_>) -> Option<usize> {
    let routes = policy.document.routes.as_ref()?.routes();
    routes.iter().position(|route| ptr::eq(route, found.route))
}

fn matched(policy: &Policy, found: &Match<'_, '_>) -> Step {
    let entry = number(policy, found).map_or(&Value::Null, |number| policy.route(number));
    let paths = strings(&entry["paths"]);
    let methods = strings(&entry["methods"]);
    let methods = if methods.is_empty() { "every method".to_owned() } else { methods.join(", ") };
    let text = format!("`{}`: {} on {}", found.route.name, methods, short_list(&paths));
    let access = match &found.route.access {
        Access::Denied => "it is closed for everybody (`access: DENIED`)",
        Access::Public(TokenUse::Strict) => "it is public; a token that is sent must be good",
        Access::Public(TokenUse::Optional) => {
            "it is public; a bad token counts as none (`token: OPTIONAL`)"
        }
        Access::Public(TokenUse::Ignore) => "it is public; tokens are not looked at",
        Access::Required(_) => "it needs a token",
    };
    Step::passed(NAME, text).with(vec![Note::plain(access)])
}

fn denied(policy: &Policy, request: &Request<'_>, denial: &Denial<'_>) -> Step {
    let path = String::from_utf8_lossy(request.path()).into_owned();
    let host = String::from_utf8_lossy(request.authority).into_owned();
    let method = String::from_utf8_lossy(request.method).into_owned();
    let notes = match (denial.refusal, &denial.detail) {
        (Refusal::MethodNotAllowed, Detail::Routes(names)) => plain_notes(
            names.iter().map(|name| format!("`{name}` takes {}", methods(policy, name))),
        ),
        (Refusal::RouteUnmatched, _) => unmatched(policy, &path),
        (Refusal::HostUnknown, _) => unknown_host(policy, &host),
        _ => Vec::new(),
    };
    let text = match denial.refusal {
        Refusal::MethodNotAllowed => format!("no route of `{path}` takes {method}"),
        Refusal::RouteUnmatched => format!("no route has the path `{path}`"),
        Refusal::HostUnknown => format!("no route has the host `{host}`"),
        refusal => refusal.meaning().to_owned(),
    };
    Step::failed(NAME, text).with(notes)
}

fn methods(policy: &Policy, name: &str) -> String {
    let routes = policy.config["routes"].as_array().into_iter().flatten();
    let mut routes = routes.enumerate();
    let entry = routes.find(|(number, route)| match route["name"].as_str() {
        Some(known) => known == name,
        None => format!("routes[{number}]") == name,
    });
    strings(entry.map_or(&Value::Null, |(_, route)| &route["methods"])).join(", ")
}

fn unmatched(policy: &Policy, path: &str) -> Vec<Note> {
    let routes = policy.config["routes"].as_array().map_or(&[][..], Vec::as_slice);
    let mut paths: Vec<_> = routes.iter().flat_map(|route| strings(&route["paths"])).collect();
    paths.sort();
    paths.dedup();
    if paths.is_empty() {
        return plain_notes(["the document has no route at all: everything is denied".to_owned()]);
    }
    let start = |path: &str| path.trim_start_matches('/').split('/').next().map(str::to_owned);
    let same_start: Vec<_> = paths.iter().filter(|it| start(it) == start(path)).collect();
    let similar: Vec<&str> = match nearest(path, paths.iter().map(String::as_str)) {
        Some(near) => vec![near],
        None => same_start.into_iter().map(String::as_str).collect(),
    };
    if similar.is_empty() {
        return plain_notes([format!("the document has routes for {}", short_list(&paths))]);
    }
    plain_notes([format!("the nearest paths of the document: {}", short_list(&similar))])
}

fn unknown_host(policy: &Policy, host: &str) -> Vec<Note> {
    let routes = policy.config["routes"].as_array().into_iter().flatten();
    let mut hosts: Vec<_> = routes.flat_map(|route| strings(&route["hosts"])).collect();
    hosts.sort();
    hosts.dedup();
    if hosts.is_empty() {
        return plain_notes([format!("`{host}` can be read in more than one way")]);
    }
    plain_notes([format!("the document has routes for {}", list(&hosts))])
}

fn strings(value: &Value) -> Vec<String> {
    let texts = value.as_array().into_iter().flatten().filter_map(Value::as_str);
    texts.map(str::to_owned).collect()
}
