//! Findings as SARIF 2.1.0, which code scanning reads.

use std::collections::BTreeSet;

use jwt_rbac_explain::check::{Checked, File, Finding, Severity};
use jwt_rbac_explain::source::position::position;
use serde_json::{Value, json};

use crate::error::Error;

/// The log of one run.
///
/// # Errors
///
/// Never in practice: JSON can always be written to a string.
pub fn log(files: &[File], checked: &[Checked]) -> Result<String, Error> {
    let findings = files
        .iter()
        .zip(checked)
        .flat_map(|(file, checked)| checked.findings.iter().map(move |finding| (file, finding)));
    let rules: BTreeSet<&str> = findings.clone().map(|(_, finding)| finding.rule).collect();
    let rules: Vec<_> = rules.into_iter().map(|rule| json!({"id": rule})).collect();
    let results: Vec<_> = findings.map(|(file, finding)| result(file, finding)).collect();
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "jwt-rbac",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    Ok(serde_json::to_string_pretty(&log).map_err(Error::Json)? + "\n")
}

fn result(file: &File, finding: &Finding) -> Value {
    let (start, end) =
        (position(&file.text, finding.span.start), position(&file.text, finding.span.end));
    let level = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let place =
        if finding.place.is_empty() { String::new() } else { format!("{}: ", finding.place) };
    let help = finding.help.as_ref().map_or_else(String::new, |help| format!("; {help}"));
    json!({
        "ruleId": finding.rule,
        "level": level,
        "message": {"text": format!("{place}{}{help}", finding.message)},
        "locations": [{"physicalLocation": {
            "artifactLocation": {"uri": file.name.replace('\\', "/")},
            "region": {
                "startLine": start.line,
                "startColumn": start.column,
                "endLine": end.line,
                "endColumn": end.column,
            },
        }}],
    })
}
