//! The resources of Istio around a `pluginConfig`: `WasmPlugin` and `TrafficExtension`
//! (`extensions.istio.io/v1alpha1`): which documents are one, and what stands in it.

use super::{Finding, Severity};
use crate::source::{Node, Parsed, Value};

/// What a document of a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A `pluginConfig` alone.
    Bare,
    /// A resource of Istio that the filter takes the place of.
    Native(&'static str),
    /// A resource that is about something else.
    Other,
    /// `TrafficExtension`
    TrafficExtension,
    /// `WasmPlugin`
    WasmPlugin,
}

/// What this document is.
#[must_use]
pub fn kind(node: &Node) -> Kind {
    let kind = node.get("kind").and_then(Node::text);
    match kind {
        Some("WasmPlugin") => Kind::WasmPlugin,
        Some("TrafficExtension") => Kind::TrafficExtension,
        Some("RequestAuthentication") => Kind::Native("RequestAuthentication"),
        Some("AuthorizationPolicy") => Kind::Native("AuthorizationPolicy"),
        Some(_) => Kind::Other,
        None if node.get("apiVersion").is_some() => Kind::Other,
        None => Kind::Bare,
    }
}

/// Whether a document is for the filter.
#[must_use]
pub fn is_ours(node: &Node) -> bool {
    match kind(node) {
        Kind::WasmPlugin | Kind::TrafficExtension => true,
        Kind::Bare => ["jwtRules", "routes", "authorizationPolicies"]
            .iter()
            .any(|name| node.get(name).is_some_and(|value| matches!(value.value, Value::List(_)))),
        Kind::Native(_) | Kind::Other => false,
    }
}

/// The resources of a `List`, as `kubectl get` prints them; of any other, itself.
#[must_use]
pub fn flattened(node: &Node) -> Vec<&Node> {
    let is_list = node.get("kind").and_then(Node::text).is_some_and(|kind| kind.ends_with("List"));
    match node.get("items") {
        Some(items) if is_list => items.elements().iter().flat_map(flattened).collect(),
        _ => vec![node],
    }
}

/// The name of a resource.
#[must_use]
pub fn name(node: &Node) -> Option<&str> {
    node.get("metadata")?.get("name")?.text()
}

/// The `pluginConfig` of a document of ours.
#[must_use]
pub fn config(node: &Node) -> Option<&Node> {
    match kind(node) {
        Kind::Bare => Some(node),
        Kind::TrafficExtension => node.get("spec")?.get("wasm")?.get("pluginConfig"),
        Kind::WasmPlugin => node.get("spec")?.get("pluginConfig"),
        Kind::Native(_) | Kind::Other => None,
    }
}

/// The hosts of each `ServiceEntry` of a file.
#[must_use]
pub fn service_hosts(parsed: &Parsed) -> Vec<String> {
    let nodes = parsed.documents.iter().flat_map(flattened);
    let entries = nodes.filter(|it| it.get("kind").and_then(Node::text) == Some("ServiceEntry"));
    let hosts = entries.filter_map(|entry| entry.get("spec")?.get("hosts"));
    let hosts = hosts.flat_map(Node::elements).filter_map(Node::text);
    hosts.map(str::to_owned).collect()
}

/// What to say of a resource of Istio that was given in place of a document.
#[must_use]
pub fn native(node: &Node, kind: &'static str) -> Finding {
    let span = node.get("kind").map_or(0..0, |kind| kind.span.clone());
    let (goes_to, what) = match kind {
        "RequestAuthentication" => ("jwtRules", "its `spec.jwtRules`"),
        _ => ("authorizationPolicies", "its `spec`, with a name, as one entry,"),
    };
    let message = format!("found Istio's {kind}, expected a WasmPlugin with a `pluginConfig`");
    Finding::new(Severity::Error, "resource", "kind", span, message).help(format!(
        "`jwt-rbac migrate` writes it: {what} goes to `{goes_to}` of a `pluginConfig`"
    ))
}
