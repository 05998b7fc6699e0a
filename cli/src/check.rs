//! `jwt-rbac check`: everything that is wrong with files of documents, where it stands.

pub mod draw;
mod sarif;

use std::path::PathBuf;

use clap::ValueEnum;
use jwt_rbac_explain::check::{self, Checked, File, Severity};
use jwt_rbac_explain::source::position::position;
use serde_json::json;

use crate::error::Error;
use crate::files;
use crate::output::{Color, Output};

/// Check documents: every mistake with its place, and what is legal but probably not meant
#[derive(clap::Args)]
#[command(after_help = "Examples:
  jwt-rbac check wasmplugin.yaml
  jwt-rbac check manifests/ --deny-warnings
  helm template . | jwt-rbac check - --format sarif > check.sarif

Exit status: 0 for no error, 1 for an error (or a warning under --deny-warnings), 2 for a wrong command line.")]
pub struct Options {
    /// Each a `WasmPlugin`, a `TrafficExtension` or a bare `pluginConfig`, in YAML or JSON; a folder stands for all files in it,
    /// `-` for standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The key set that stands where a document has the placeholder of the manifests
    #[arg(long, value_name = "FILE")]
    jwks: Option<PathBuf>,
    /// How the findings are written
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Fail on warnings too
    #[arg(long)]
    deny_warnings: bool,
    #[command(flatten)]
    color: Color,
}

#[derive(Clone, Copy, Default, ValueEnum)]
enum Format {
    /// For people
    #[default]
    Text,
    /// One JSON object
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
}

/// Checks the files.
///
/// # Errors
///
/// When a file can't be read.
pub fn run(options: &Options) -> Result<Output, Error> {
    let files = files::read_all(&options.files)?;
    let key_set = options.jwks.as_deref().map(files::read).transpose()?;
    let key_set = key_set.as_ref().map(|file| file.text.as_str());
    let checked = check::check(&files, key_set);
    let count = |severity| {
        let findings = checked.iter().flat_map(|checked| &checked.findings);
        findings.filter(|finding| finding.severity == severity).count()
    };
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    let documents: usize = checked.iter().map(|checked| checked.documents).sum();
    // A file without a document must not pass for one that is good.
    let is_empty = documents == 0 && errors == 0;
    let text = match options.format {
        Format::Text => {
            let drawn = draw::all(&files, &checked, options.color.is_on());
            format!("{drawn}{}\n", summary(documents, errors, warnings))
        }
        Format::Json => json(&files, &checked)?,
        Format::Sarif => sarif::log(&files, &checked)?,
    };
    let has_failed = errors > 0 || is_empty || (options.deny_warnings && warnings > 0);
    Ok(Output { text, has_failed })
}

fn summary(documents: usize, errors: usize, warnings: usize) -> String {
    if documents == 0 && errors == 0 {
        return "no document found: expected a WasmPlugin, a TrafficExtension or a bare pluginConfig"
            .to_owned();
    }
    let count = |number: usize, what: &str| match number {
        1 => format!("1 {what}"),
        number => format!("{number} {what}s"),
    };
    format!(
        "{}: {}, {}",
        count(documents, "document"),
        count(errors, "error"),
        count(warnings, "warning")
    )
}

fn json(files: &[File], checked: &[Checked]) -> Result<String, Error> {
    let mut findings = Vec::new();
    for (file, checked) in files.iter().zip(checked) {
        for finding in &checked.findings {
            let start = position(&file.text, finding.span.start);
            let end = position(&file.text, finding.span.end);
            findings.push(json!({
                "file": file.name,
                "line": start.line,
                "column": start.column,
                "endLine": end.line,
                "endColumn": end.column,
                "severity": finding.severity,
                "rule": finding.rule,
                "place": finding.place,
                "message": finding.message,
                "help": finding.help,
            }));
        }
    }
    let documents: usize = checked.iter().map(|checked| checked.documents).sum();
    let report = json!({"documents": documents, "findings": findings});
    Ok(serde_json::to_string_pretty(&report).map_err(Error::Json)? + "\n")
}
