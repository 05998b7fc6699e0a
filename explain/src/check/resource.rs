//! The resources of Istio around a `pluginConfig`: `WasmPlugin` and `TrafficExtension`
//! (`extensions.istio.io/v1alpha1`).

use std::ops::Range;

use jwt_rbac_config::reference;

use super::{Context, Finding, Severity};
use crate::nearest::nearest;
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

const TOP: &[&str] = &["apiVersion", "kind", "metadata", "spec", "status"];
const WASM: &[&str] = &[
    "url",
    "sha256",
    "imagePullPolicy",
    "imagePullSecret",
    "pluginConfig",
    "pluginName",
    "failStrategy",
    "vmConfig",
    "type",
];
const AROUND: &[&str] = &["selector", "targetRef", "targetRefs", "phase", "priority", "match"];
const MATCH: &[&str] = &["mode", "ports"];

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
    Finding::new(Severity::Error, "resource", "kind", span, message)
        .help(format!("{what} goes to `{goes_to}` of a `pluginConfig`"))
}

/// Checks the fields around a `pluginConfig`, and returns it.
pub fn check<'n>(
    context: &Context<'_>,
    node: &'n Node,
    findings: &mut Vec<Finding>,
) -> Option<&'n Node> {
    let mut checker = Checker { context, findings };
    let is_extension = kind(node) == Kind::TrafficExtension;
    checker.check_names(node, "", TOP);
    checker.check_version(node);
    if name(node).is_none() {
        let span = node.member("metadata").or(node.member("kind"));
        let span = span.map_or(0..0, |member| member.name_span.clone());
        checker.error("metadata.name", span, "expected the name of the resource");
    }
    let Some(spec) = node.member("spec") else {
        let span = node.member("kind").map_or(0..0, |member| member.name_span.clone());
        checker.error("spec", span, "expected `spec`, with `pluginConfig` in it");
        return None;
    };
    let spec_name = spec.name_span.clone();
    let spec = &spec.node;
    let (wasm, wasm_place) = if is_extension {
        checker.check_names(spec, "spec", &[AROUND, &["wasm", "lua"]].concat());
        let Some(wasm) = spec.get("wasm") else {
            checker.error("spec.wasm", spec_name, "expected `wasm`, with `pluginConfig` in it");
            return None;
        };
        checker.check_names(wasm, "spec.wasm", WASM);
        (wasm, "spec.wasm")
    } else {
        checker.check_names(spec, "spec", &[AROUND, WASM, &["verificationKey"]].concat());
        (spec, "spec")
    };
    checker.check_wasm(wasm, wasm_place, &spec_name);
    checker.check_place(spec, &spec_name);
    match wasm.member("pluginConfig") {
        None => {
            let message = "expected `pluginConfig`: without one the filter refuses to start";
            checker.error(&format!("{wasm_place}.pluginConfig"), spec_name, message);
            None
        }
        Some(member) if matches!(member.node.value, Value::Text(_)) => {
            let span = member.name_span.clone();
            let finding = Finding::new(
                Severity::Error,
                "resource",
                format!("{wasm_place}.pluginConfig"),
                span,
                "found a string, expected the object itself: the API server refuses a string",
            );
            checker.findings.push(finding.help("take away the `|` or the quotes"));
            None
        }
        Some(member) => Some(&member.node),
    }
}

struct Checker<'c, 'f> {
    context: &'c Context<'c>,
    findings: &'f mut Vec<Finding>,
}

impl Checker<'_, '_> {
    fn error(&mut self, place: &str, span: Range<usize>, message: impl Into<String>) {
        self.findings.push(Finding::new(Severity::Error, "resource", place, span, message));
    }

    fn warn(
        &mut self,
        rule: &'static str,
        place: &str,
        span: Range<usize>,
        message: &str,
        help: &str,
    ) {
        let finding = Finding::new(Severity::Warning, rule, place, span, message);
        self.findings.push(finding.help(help));
    }

    /// Refuses members that the API server drops or refuses.
    fn check_names(&mut self, node: &Node, place: &str, known: &[&str]) {
        for member in node.members().iter().filter(|it| !known.contains(&it.name.as_str())) {
            let name = member.name.as_str();
            let dot = if place.is_empty() { "" } else { "." };
            let owner = if place.is_empty() { "the resource" } else { place };
            let message = format!("unknown field `{name}` of {owner}");
            let mut config = reference::document().fields.into_iter();
            let help = if config.any(|field| field.name == name) {
                Some(format!("`{name}` belongs into `pluginConfig`, one level deeper"))
            } else if WASM.contains(&name) && known.contains(&"wasm") {
                Some(format!("`{name}` belongs into `wasm`, one level deeper"))
            } else {
                nearest(name, known.iter().copied()).map(|near| format!("did you mean `{near}`?"))
            };
            let span = member.name_span.clone();
            let place = format!("{place}{dot}{name}");
            let finding = Finding::new(Severity::Error, "resource", place, span, message);
            self.findings.push(Finding { help, ..finding });
        }
    }

    fn check_version(&mut self, node: &Node) {
        const VERSION: &str = "extensions.istio.io/v1alpha1";
        let found = node.get("apiVersion");
        if found.and_then(Node::text) != Some(VERSION) {
            let span = found.map_or(0..0, |found| found.span.clone());
            self.error("apiVersion", span, format!("expected `apiVersion: {VERSION}`"));
        }
    }

    /// A word of a list of words.
    fn check_word(&mut self, node: &Node, name: &str, place: &str, words: &[&str]) {
        let Some(value) = node.get(name) else { return };
        if value.text().is_some_and(|text| words.contains(&text)) {
            return;
        }
        let found = self.context.text.get(value.span.clone()).unwrap_or_default().to_owned();
        let message = format!("found `{found}`, expected {}", words.join(", "));
        let help = nearest(&found, words.iter().copied());
        let place = format!("{place}.{name}");
        let finding = Finding::new(Severity::Error, "resource", place, value.span.clone(), message);
        let help = help.map(|near| format!("did you mean `{near}`?"));
        self.findings.push(Finding { help, ..finding });
    }

    /// The fields that say what is loaded, and how.
    fn check_wasm(&mut self, wasm: &Node, place: &str, spec_name: &Range<usize>) {
        self.check_word(wasm, "failStrategy", place, &["FAIL_CLOSE", "FAIL_OPEN", "FAIL_RELOAD"]);
        self.check_word(wasm, "type", place, &["UNSPECIFIED_PLUGIN_TYPE", "HTTP", "NETWORK"]);
        let policies = ["UNSPECIFIED_POLICY", "IfNotPresent", "Always"];
        self.check_word(wasm, "imagePullPolicy", place, &policies);
        let text = |name: &str| wasm.get(name).and_then(Node::text);
        if text("failStrategy") == Some("FAIL_OPEN") {
            let span = wasm.get("failStrategy").map_or(0..0, |it| it.span.clone());
            let message =
                "`FAIL_OPEN` lets every request pass when the filter can't be loaded or traps";
            let help = "write FAIL_RELOAD (Istio 1.27 and later), or leave it out";
            self.warn("fail-open", &format!("{place}.failStrategy"), span, message, help);
        }
        if text("type") == Some("NETWORK") {
            let span = wasm.get("type").map_or(0..0, |it| it.span.clone());
            self.error(&format!("{place}.type"), span, "this filter is for HTTP, not for NETWORK");
        }
        match wasm.get("url") {
            Some(url) if url.text().is_some_and(|text| !text.is_empty()) => {}
            Some(url) => {
                self.error(
                    &format!("{place}.url"),
                    url.span.clone(),
                    "expected where the module is",
                );
            }
            None => {
                let message = "expected `url`, where the module is";
                self.error(&format!("{place}.url"), spec_name.clone(), message);
            }
        }
        let sum = wasm.get("sha256");
        let is_sum = |text: &str| {
            text.len() == 64 && text.bytes().all(|it| matches!(it, b'0'..=b'9' | b'a'..=b'f'))
        };
        if let Some(sum) = sum
            && !sum.text().is_some_and(|text| text.is_empty() || is_sum(text))
        {
            let message =
                "expected 64 hexadecimal digits in lower case, as `sha256sum` prints them";
            self.error(&format!("{place}.sha256"), sum.span.clone(), message);
        }
    }

    /// The fields that say where the filter runs.
    fn check_place(&mut self, spec: &Node, spec_name: &Range<usize>) {
        let phases = ["UNSPECIFIED_PHASE", "AUTHN", "AUTHZ", "STATS"];
        self.check_word(spec, "phase", "spec", &phases);
        let phase = spec.get("phase");
        let span = phase.map_or(spec_name.clone(), |phase| phase.span.clone());
        match phase.and_then(Node::text) {
            Some("AUTHZ") => {
                let message =
                    "in phase AUTHZ Istio's own authentication and authorization come first";
                self.warn("phase", "spec.phase", span, message, "write `phase: AUTHN`");
            }
            Some("STATS") => {
                let message =
                    "in phase STATS other filters have acted on the request before it is judged";
                self.warn("phase", "spec.phase", span, message, "write `phase: AUTHN`");
            }
            Some("UNSPECIFIED_PHASE") | None => {
                let message = "without `phase` the filter is the last: others have acted on the request before";
                self.warn("phase", "spec.phase", span, message, "write `phase: AUTHN`");
            }
            // AUTHN, or no word of Istio's, which is told above.
            Some(_) => {}
        }
        for (index, entry) in spec.get("match").into_iter().flat_map(Node::elements).enumerate() {
            let place = format!("spec.match[{index}]");
            self.check_names(entry, &place, MATCH);
            let modes = ["UNDEFINED", "CLIENT", "SERVER", "CLIENT_AND_SERVER"];
            self.check_word(entry, "mode", &place, &modes);
        }
        self.check_direction(spec, spec_name);
        let targets = ["selector", "targetRef", "targetRefs"];
        if !targets.iter().any(|name| spec.get(name).is_some()) {
            let message = "without `selector` or `targetRefs` the filter is for every workload of the \
                           namespace, and in Istio's root namespace for every one of the mesh";
            let help = "write `selector: {matchLabels: {app: …}}`";
            self.warn("every-workload", "spec", spec_name.clone(), message, help);
        }
    }

    /// Requests that come in are what is to be judged: SERVER at a sidecar, CLIENT at a gateway
    /// (`pilot/pkg/model/extensions.go`).
    fn check_direction(&mut self, spec: &Node, spec_name: &Range<usize>) {
        let modes: Vec<_> = spec.get("match").into_iter().flat_map(Node::elements).collect();
        let mode =
            |entry: &Node| entry.get("mode").and_then(Node::text).unwrap_or_default().to_owned();
        let is_gateway = is_gateway(spec);
        let at = spec.member("match").map_or(spec_name.clone(), |member| member.name_span.clone());
        if is_gateway {
            if !modes.is_empty() && modes.iter().all(|entry| mode(entry) == "SERVER") {
                let message = "at a gateway SERVER matches nothing: the filter never runs there";
                self.warn("match", "spec.match", at, message, "leave `match` out at a gateway");
            }
            return;
        }
        let covers_inbound = |entry: &&Node| mode(entry) != "CLIENT";
        let covers_outbound = |entry: &&Node| mode(entry) != "SERVER";
        let help = "write `match: [{mode: SERVER}]`";
        if modes.is_empty() || modes.iter().any(covers_outbound) && modes.iter().any(covers_inbound)
        {
            let message = "the filter also judges what the workload itself calls";
            self.warn("match", "spec.match", at, message, help);
        } else if !modes.iter().any(covers_inbound) {
            let message =
                "the filter only judges what the workload itself calls, not what it receives";
            self.warn("match", "spec.match", at, message, help);
        }
    }
}

/// Whether the resource is for a gateway or a waypoint, as far as it says: a waypoint serves a Service, and
/// has only what comes in.
fn is_gateway(spec: &Node) -> bool {
    let references = spec.get("targetRefs").into_iter().flat_map(Node::elements);
    let mut references = references.chain(spec.get("targetRef"));
    let refers = references.any(|it| {
        it.get("kind")
            .and_then(Node::text)
            .is_some_and(|kind| kind.starts_with("Gateway") || kind.starts_with("Service"))
    });
    let labels = spec.get("selector").and_then(|selector| selector.get("matchLabels"));
    let labels = labels.map_or(&[][..], Node::members);
    let is_label = |name: &str, value: &str| match name {
        "istio" => value.ends_with("gateway"),
        "istio.io/gateway-name" | "gateway.networking.k8s.io/gateway-name" => true,
        _ => false,
    };
    refers || labels.iter().any(|it| is_label(&it.name, it.node.text().unwrap_or_default()))
}
