//! Collects what is wrong with the fields of one resource.

use std::ops::Range;

use jwt_rbac_config::reference;

use super::{Context, Finding, Severity};
use crate::nearest::nearest;
use crate::source::Node;

/// What the API server takes beside the module itself: the fields of `wasm` in a `TrafficExtension`, of `spec`
/// in a `WasmPlugin`.
pub(super) const WASM: &[&str] = &[
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

/// Collects what is wrong with the fields of one resource.
pub(super) struct Checker<'c, 'f> {
    pub context: &'c Context<'c>,
    pub findings: &'f mut Vec<Finding>,
}

impl Checker<'_, '_> {
    pub(super) fn error(&mut self, place: &str, span: Range<usize>, message: impl Into<String>) {
        self.findings.push(Finding::new(Severity::Error, "resource", place, span, message));
    }

    pub(super) fn warn(
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
    pub(super) fn check_names(&mut self, node: &Node, place: &str, known: &[&str]) {
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

    /// A word of a list of words.
    pub(super) fn check_word(&mut self, node: &Node, name: &str, place: &str, words: &[&str]) {
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
}
