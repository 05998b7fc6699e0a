//! The fields around a `pluginConfig`: their names and words, and how the module is loaded.

use std::ops::Range;

use super::checker::{Checker, WASM};
use super::resource::{Kind, kind, name};
use super::{Context, Finding, Severity, placement};
use crate::source::{Node, Value};

const TOP: &[&str] = &["apiVersion", "kind", "metadata", "spec", "status"];
const AROUND: &[&str] = &["selector", "targetRef", "targetRefs", "phase", "priority", "match"];

/// Checks the fields around a `pluginConfig`, and returns it.
pub(super) fn check<'n>(
    context: &Context<'_>,
    node: &'n Node,
    findings: &mut Vec<Finding>,
) -> Option<&'n Node> {
    let mut checker = Checker { context, findings };
    let is_extension = kind(node) == Kind::TrafficExtension;
    checker.check_names(node, "", TOP);
    check_version(&mut checker, node);
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
    check_wasm(&mut checker, wasm, wasm_place, &spec_name);
    placement::check(&mut checker, spec, &spec_name);
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

fn check_version(checker: &mut Checker<'_, '_>, node: &Node) {
    const VERSION: &str = "extensions.istio.io/v1alpha1";
    let found = node.get("apiVersion");
    if found.and_then(Node::text) != Some(VERSION) {
        let span = found.map_or(0..0, |found| found.span.clone());
        checker.error("apiVersion", span, format!("expected `apiVersion: {VERSION}`"));
    }
}

/// The fields that say what is loaded, and how.
fn check_wasm(checker: &mut Checker<'_, '_>, wasm: &Node, place: &str, spec_name: &Range<usize>) {
    checker.check_word(wasm, "failStrategy", place, &["FAIL_CLOSE", "FAIL_OPEN", "FAIL_RELOAD"]);
    checker.check_word(wasm, "type", place, &["UNSPECIFIED_PLUGIN_TYPE", "HTTP", "NETWORK"]);
    let policies = ["UNSPECIFIED_POLICY", "IfNotPresent", "Always"];
    checker.check_word(wasm, "imagePullPolicy", place, &policies);
    let text = |name: &str| wasm.get(name).and_then(Node::text);
    if text("failStrategy") == Some("FAIL_OPEN") {
        let span = wasm.get("failStrategy").map_or(0..0, |it| it.span.clone());
        let message =
            "`FAIL_OPEN` lets every request pass when the filter can't be loaded or traps";
        let help = "write FAIL_RELOAD (Istio 1.27 and later), or leave it out";
        checker.warn("fail-open", &format!("{place}.failStrategy"), span, message, help);
    }
    if text("type") == Some("NETWORK") {
        let span = wasm.get("type").map_or(0..0, |it| it.span.clone());
        checker.error(&format!("{place}.type"), span, "this filter is for HTTP, not for NETWORK");
    }
    match wasm.get("url") {
        Some(url) if url.text().is_some_and(|text| !text.is_empty()) => {}
        Some(url) => {
            checker.error(
                &format!("{place}.url"),
                url.span.clone(),
                "expected where the module is",
            );
        }
        None => {
            let message = "expected `url`, where the module is";
            checker.error(&format!("{place}.url"), spec_name.clone(), message);
        }
    }
    let sum = wasm.get("sha256");
    let is_sum = |text: &str| {
        text.len() == 64 && text.bytes().all(|it| matches!(it, b'0'..=b'9' | b'a'..=b'f'))
    };
    if let Some(sum) = sum
        && !sum.text().is_some_and(|text| text.is_empty() || is_sum(text))
    {
        let message = "expected 64 hexadecimal digits in lower case, as `sha256sum` prints them";
        checker.error(&format!("{place}.sha256"), sum.span.clone(), message);
    }
}
