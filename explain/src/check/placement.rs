//! Where the filter would run: its phase, the direction of its traffic, the workloads it is for.

use std::ops::Range;

use super::checker::Checker;
use crate::source::Node;

const MATCH: &[&str] = &["mode", "ports"];

/// The fields that say where the filter runs.
pub(super) fn check(checker: &mut Checker<'_, '_>, spec: &Node, spec_name: &Range<usize>) {
    let phases = ["UNSPECIFIED_PHASE", "AUTHN", "AUTHZ", "STATS"];
    checker.check_word(spec, "phase", "spec", &phases);
    let phase = spec.get("phase");
    let span = phase.map_or(spec_name.clone(), |phase| phase.span.clone());
    match phase.and_then(Node::text) {
        Some("AUTHZ") => {
            let message = "in phase AUTHZ Istio's own authentication and authorization come first";
            checker.warn("phase", "spec.phase", span, message, "write `phase: AUTHN`");
        }
        Some("STATS") => {
            let message =
                "in phase STATS other filters have acted on the request before it is judged";
            checker.warn("phase", "spec.phase", span, message, "write `phase: AUTHN`");
        }
        Some("UNSPECIFIED_PHASE") | None => {
            let message =
                "without `phase` the filter is the last: others have acted on the request before";
            checker.warn("phase", "spec.phase", span, message, "write `phase: AUTHN`");
        }
        // AUTHN, or no word of Istio's, which is told above.
        Some(_) => {}
    }
    for (index, entry) in spec.get("match").into_iter().flat_map(Node::elements).enumerate() {
        let place = format!("spec.match[{index}]");
        checker.check_names(entry, &place, MATCH);
        let modes = ["UNDEFINED", "CLIENT", "SERVER", "CLIENT_AND_SERVER"];
        checker.check_word(entry, "mode", &place, &modes);
    }
    check_direction(checker, spec, spec_name);
    let targets = ["selector", "targetRef", "targetRefs"];
    if !targets.iter().any(|name| spec.get(name).is_some()) {
        let message = "without `selector` or `targetRefs` the filter is for every workload of the \
                       namespace, and in Istio's root namespace for every one of the mesh";
        let help = "write `selector: {matchLabels: {app: …}}`";
        checker.warn("every-workload", "spec", spec_name.clone(), message, help);
    }
}

/// Requests that come in are what is to be judged: SERVER at a sidecar, CLIENT at a gateway
/// (`pilot/pkg/model/extensions.go`).
fn check_direction(checker: &mut Checker<'_, '_>, spec: &Node, spec_name: &Range<usize>) {
    let modes: Vec<_> = spec.get("match").into_iter().flat_map(Node::elements).collect();
    let mode = |entry: &Node| entry.get("mode").and_then(Node::text).unwrap_or_default().to_owned();
    let is_gateway = is_gateway(spec);
    let at = spec.member("match").map_or(spec_name.clone(), |member| member.name_span.clone());
    if is_gateway {
        if !modes.is_empty() && modes.iter().all(|entry| mode(entry) == "SERVER") {
            let message = "at a gateway SERVER matches nothing: the filter never runs there";
            checker.warn("match", "spec.match", at, message, "leave `match` out at a gateway");
        }
        return;
    }
    let covers_inbound = |entry: &&Node| mode(entry) != "CLIENT";
    let covers_outbound = |entry: &&Node| mode(entry) != "SERVER";
    let help = "write `match: [{mode: SERVER}]`";
    if modes.is_empty() || modes.iter().any(covers_outbound) && modes.iter().any(covers_inbound) {
        let message = "the filter also judges what the workload itself calls";
        checker.warn("match", "spec.match", at, message, help);
    } else if !modes.iter().any(covers_inbound) {
        let message = "the filter only judges what the workload itself calls, not what it receives";
        checker.warn("match", "spec.match", at, message, help);
    }
}

/// Whether the resource is for a gateway or a waypoint, as far as it says: a waypoint serves a Service, and
/// has only what comes in.
#[must_use]
pub fn is_gateway(spec: &Node) -> bool {
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
