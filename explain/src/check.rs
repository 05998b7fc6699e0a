//! Everything that is wrong with files of documents, and what is legal but probably not meant, each with
//! where it stands.
//!
//! What is wrong with a `pluginConfig` the filter's own code says. Around it are the fields of Istio's
//! resources ([`fields`], [`placement`]), and what only somebody who sees all files can know ([`lint`]).

mod checker;
mod fields;
mod hidden;
pub mod lint;
mod looser;
mod open_policies;
mod pasted;
mod placement;
pub mod resource;
mod route_paths;
mod unlikely;
mod unreachable;

use std::borrow::Cow;
use std::ops::Range;

use jwt_rbac::authn::signature::rustcrypto::RustCrypto;
use jwt_rbac_config::fault::key_set::KeySetFault;
use jwt_rbac_config::fault::table::TableFault;
use jwt_rbac_config::fault::{Fault, Found};
use jwt_rbac_config::problem::Problem;
use serde::Serialize;

use crate::nearest::nearest;
use crate::policy;
use crate::source::{self, Node, Parsed};
pub use placement::is_gateway;

/// A file, or what stands for one.
#[derive(Clone, Debug)]
pub struct File {
    /// Its name, as the user gave it.
    pub name: String,
    /// What it holds.
    pub text: String,
    /// Whether it was found in a folder, among files that may be about something else.
    pub from_folder: bool,
}

/// Something to tell the author of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// The word for its kind, the same in every version.
    pub rule: &'static str,
    /// What it is.
    pub message: String,
    /// Its place in the document, such as `routes[0].paths[1]`.
    pub place: String,
    /// Its bytes in the text.
    pub span: Range<usize>,
    /// Another place that it is about, with a word for it.
    pub other: Option<(Range<usize>, String)>,
    /// What to do.
    pub help: Option<String>,
}

/// How bad something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The filter, or Istio, refuses it.
    Error,
    /// It is taken, and does probably not what was meant.
    Warning,
}

/// What was found in one file.
#[derive(Debug, Default)]
pub struct Checked {
    /// Everything there is to tell, in the order of the text.
    pub findings: Vec<Finding>,
    /// How many documents of the filter it has.
    pub documents: usize,
    /// Where secrets stand in the text, which must not be shown.
    pub secrets: Vec<Range<usize>>,
}

impl Checked {
    /// The text of the file with asterisks in place of its secrets; everything stays where it is.
    #[must_use]
    pub fn shown<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut shown = Cow::Borrowed(text);
        for secret in &self.secrets {
            if let Some(hidden) = shown.get(secret.clone()) {
                let stars: String =
                    hidden.bytes().map(|byte| if byte == b'\n' { '\n' } else { '*' }).collect();
                shown.to_mut().replace_range(secret.clone(), &stars);
            }
        }
        shown
    }
}

/// Checks files together: some of what is in one is about another. `key_set` stands where a document has
/// the placeholder of the manifests.
#[must_use]
pub fn check(files: &[File], key_set: Option<&str>) -> Vec<Checked> {
    let parsed: Vec<_> = files.iter().map(|file| source::parse(&file.text)).collect();
    let surroundings = Surroundings {
        key_set,
        service_hosts: parsed.iter().flat_map(resource::service_hosts).collect(),
    };
    files
        .iter()
        .zip(&parsed)
        .map(|(file, parsed)| check_file(file, parsed, &surroundings))
        .collect()
}

/// What is known beside the document that is checked.
#[derive(Debug, Default)]
pub struct Surroundings<'s> {
    /// The key set that stands where a document has the placeholder of the manifests.
    pub key_set: Option<&'s str>,
    /// The hosts of each `ServiceEntry`.
    pub service_hosts: Vec<String>,
}

fn check_file(file: &File, parsed: &Parsed, surroundings: &Surroundings<'_>) -> Checked {
    let mut checked = Checked::default();
    let nodes: Vec<_> = parsed.documents.iter().flat_map(resource::flattened).collect();
    let is_about_us = !file.from_folder || nodes.iter().any(|node| resource::is_ours(node));
    if is_about_us {
        checked.findings.extend(parsed.faults.iter().map(syntax));
    }
    checked.secrets = nodes.iter().flat_map(|node| pasted::secrets(node)).collect();
    for node in nodes {
        let context = Context { text: &file.text, surroundings };
        match resource::kind(node) {
            resource::Kind::Bare if !file.from_folder || resource::is_ours(node) => {
                checked.documents += 1;
                check_config(&context, node, &mut checked.findings);
            }
            resource::Kind::WasmPlugin | resource::Kind::TrafficExtension => {
                checked.documents += 1;
                if let Some(config) = fields::check(&context, node, &mut checked.findings) {
                    check_config(&context, config, &mut checked.findings);
                }
            }
            resource::Kind::Native(kind) if !file.from_folder => {
                checked.findings.push(resource::native(node, kind));
            }
            resource::Kind::Bare | resource::Kind::Native(_) | resource::Kind::Other => {}
        }
    }
    checked.findings.sort_by_key(|finding| (finding.span.start, finding.severity));
    checked
}

/// Where secrets stand in a document; what is shown of it must not repeat them.
#[must_use]
pub fn secrets(node: &Node) -> Vec<Range<usize>> {
    pasted::secrets(node)
}

/// What a check needs to know beside the value that it looks at.
pub struct Context<'c> {
    /// The text of the file.
    pub text: &'c str,
    /// What other documents say.
    pub surroundings: &'c Surroundings<'c>,
}

impl Finding {
    /// A finding at a value.
    #[must_use]
    pub fn new(
        severity: Severity,
        rule: &'static str,
        place: impl Into<String>,
        span: Range<usize>,
        message: impl Into<String>,
    ) -> Self {
        let (place, message) = (place.into(), message.into());
        Self { severity, rule, message, place, span, other: None, help: None }
    }

    /// The same with what to do.
    #[must_use]
    pub fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }
}

/// Something that is no YAML, as a finding.
#[must_use]
pub fn syntax(fault: &source::Fault) -> Finding {
    let other = fault.other.clone().map(|(span, word)| (span, word.to_owned()));
    let help = fault.help.clone();
    let finding =
        Finding::new(Severity::Error, "yaml", "", fault.span.clone(), fault.message.clone());
    Finding { other, help, ..finding }
}

/// Checks a `pluginConfig`, or what stands for one.
fn check_config(context: &Context<'_>, config: &Node, findings: &mut Vec<Finding>) {
    if let resource::Kind::Native(kind) = resource::kind(config) {
        findings.push(resource::native(config, kind));
        return;
    }
    let mut json = config.to_json();
    if let Some(key_set) = context.surroundings.key_set {
        policy::fill_placeholders(&mut json, key_set);
    }
    let compiled = jwt_rbac_config::compile(json.to_string().as_bytes(), &mut RustCrypto);
    let (document, problems) = match compiled {
        Ok((document, problems)) => (Some(document), problems),
        Err(problems) => (None, problems),
    };
    let errors = problems.errors.iter().map(|problem| (Severity::Error, problem));
    let warnings = problems.warnings.iter().map(|problem| (Severity::Warning, problem));
    for (severity, problem) in errors.chain(warnings) {
        findings.push(finding(context, config, severity, problem));
    }
    findings.extend(lint::all(context, config, &json, document.as_ref()));
    findings.extend(unlikely::all(context, config));
}

/// A problem of the document, where it stands in the text.
fn finding(context: &Context<'_>, config: &Node, severity: Severity, problem: &Problem) -> Finding {
    if let Fault::Table(TableFault::SharedKey { others }) = &problem.fault
        && let Some((second, first)) = pasted::collision(config, &problem.place, others)
    {
        let span = |place| config.find(place).span(context.text);
        let message = format!("the same path as {first}, with the same hosts and methods");
        let finding =
            Finding::new(severity, "document", second.to_string(), span(&second), message);
        return Finding { other: Some((span(&first), "first here".to_owned())), ..finding };
    }
    let found = config.find(&problem.place);
    let (message, help) = sentence(&problem.fault, found.node);
    let is_about_name = matches!(problem.fault, Fault::UnknownField { .. });
    let span = match found.name {
        Some(name) if is_about_name => name.clone(),
        _ => found.span(context.text),
    };
    let finding = Finding::new(severity, "document", problem.place.to_string(), span, message);
    Finding { help, ..finding }
}

/// What is wrong, and what was probably meant.
fn sentence(fault: &Fault, node: &Node) -> (String, Option<String>) {
    match fault {
        Fault::UnknownField { name, nearest, known } => {
            let help = match nearest {
                Some(nearest) => format!("did you mean `{nearest}`?"),
                None => format!("known are {}", known.join(", ")),
            };
            (format!("unknown field `{name}`"), Some(help))
        }
        Fault::UnknownWord { found: Found::Text(found), words } => {
            let near = nearest(found, words.iter().copied());
            (fault.to_string(), near.map(|near| format!("did you mean `{near}`?")))
        }
        Fault::Claim(error) => {
            let meant = pasted::claim(&error.found);
            (fault.to_string(), meant.map(|meant| format!("write \"{meant}\"")))
        }
        _ => {
            if let Some((message, help)) = pasted::key_set(node).filter(|_| is_about_keys(fault)) {
                return (message.to_owned(), Some(help.to_owned()));
            }
            let message = fault.to_string();
            let is_list_wanted = message.contains("expected a list of strings");
            let text = node.text().filter(|_| is_list_wanted);
            (message, text.map(|text| format!("write [{text}]")))
        }
    }
}

/// Whether a key set is not in the form of one.
fn is_about_keys(fault: &Fault) -> bool {
    let is_list = matches!(fault, Fault::Expected { found: None, expected } if expected.contains("list of keys"));
    is_list || matches!(fault, Fault::KeySet(KeySetFault::Json(_)))
}

/// The document of a file, as it would reach the filter: that of the resource with this name, or the only
/// one.
///
/// # Errors
/// Why there is none.
pub fn only_document(text: &str, resource: Option<&str>) -> Result<serde_json::Value, String> {
    let parsed = source::parse(text);
    if let Some(fault) = parsed.faults.first() {
        return Err(fault.message.clone());
    }
    let nodes = parsed.documents.iter().flat_map(resource::flattened);
    let documents = nodes.filter_map(|it| Some((resource::name(it), resource::config(it)?)));
    let documents: Vec<_> = documents.collect();
    let all_names = || {
        let names = documents.iter().filter_map(|(name, _)| *name);
        names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
    };
    let is_wanted = |name: Option<&str>| resource.is_none() || name == resource;
    let wanted: Vec<_> = documents.iter().filter(|(name, _)| is_wanted(*name)).collect();
    match (wanted.as_slice(), resource) {
        ([(_, config)], _) => Ok(config.to_json()),
        ([], None) => {
            Err("holds no WasmPlugin, no TrafficExtension and no bare pluginConfig".to_owned())
        }
        ([], Some(name)) => Err(format!("has no resource `{name}`; it has {}", all_names())),
        (several, _) => {
            let count = several.len();
            Err(format!(
                "holds {count} documents; name the one that is meant as `resource`: {}",
                all_names()
            ))
        }
    }
}
