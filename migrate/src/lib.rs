//! From Istio's `RequestAuthentication` and `AuthorizationPolicy` to a `WasmPlugin` or `TrafficExtension` for
//! each target, with the same meaning. What can't be carried over becomes a finding at its place in the source.
//!
//! | module | what it is |
//! |---|---|
//! | [`target`] | the workloads that a resource is for |
//! | `native` | Istio's resources as they are read |
//! | `plan` | which resources make up which plugin |
//! | `jwt_rules`, `policy` | an entry of the document from a rule or a policy of Istio's |
//! | `plugin` | the resource around the entries, and what the filter says of them |
//! | `tree`, `yaml` | values with their places, and how they are written |

mod jwt_rules;
mod native;
mod plan;
mod plugin;
mod policy;
pub mod target;
mod tree;
mod yaml;

use jwt_rbac_explain::check::{self, Checked, File, Finding, Severity};
use jwt_rbac_explain::source::{self, Node};

use native::{Native, NativeKind, Reader};
use target::Target;

pub use yaml::Error;

/// What to write.
#[derive(Clone, Debug)]
pub struct Options {
    /// The resource around each document.
    pub kind: Kind,
    /// Where the module is.
    pub url: String,
    /// The namespace of resources that name none.
    pub namespace: String,
    /// Istio's root namespace, whose resources are for every namespace.
    pub root_namespace: String,
    /// The mesh's own trust domain, then its aliases.
    pub trust_domains: Vec<String>,
    /// Workloads that get a plugin of their own.
    pub workloads: Vec<Target>,
}

/// The resource around a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `TrafficExtension`, of Istio 1.30 and later.
    TrafficExtension,
    /// `WasmPlugin`
    WasmPlugin,
}

/// What came of the files.
#[derive(Debug)]
pub struct Migrated {
    /// The plugins.
    pub plugins: Vec<Plugin>,
    /// What was found in each file.
    pub checked: Vec<Checked>,
}

/// A plugin in place of some of Istio's resources.
#[derive(Clone, Debug)]
pub struct Plugin {
    /// The resources that it takes the place of, such as `RequestAuthentication default/httpbin`.
    sources: Vec<String>,
    /// The resource.
    resource: Node,
}

impl Plugin {
    /// The resource as a document of YAML, with its sources in a comment.
    ///
    /// # Errors
    ///
    /// When it can't be written.
    pub fn yaml(&self) -> Result<String, Error> {
        // A name must not end the comment.
        let is_break = |char: char| char.is_control() || matches!(char, '\u{2028}' | '\u{2029}');
        let sources = self.sources.join(", ").replace(is_break, " ");
        Ok(format!("# From {sources}.\n{}", yaml::write(&self.resource)?))
    }
}

impl Migrated {
    /// All plugins as documents of one text.
    ///
    /// # Errors
    ///
    /// When one can't be written.
    pub fn yaml(&self) -> Result<String, Error> {
        let documents = self.plugins.iter().map(Plugin::yaml).collect::<Result<Vec<_>, _>>()?;
        Ok(documents.join("---\n"))
    }

    /// Whether something was lost or could not be read.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        let mut findings = self.checked.iter().flat_map(|checked| &checked.findings);
        findings.any(|finding| finding.severity == Severity::Error)
    }
}

/// Migrates the resources of all files together, because those of one target become one plugin.
#[must_use]
pub fn migrate(files: &[File], options: &Options) -> Migrated {
    let mut notes = Notes { of_files: files.iter().map(|_| Vec::new()).collect() };
    let mut checked: Vec<Checked> = Vec::new();
    let mut natives: Vec<Native> = Vec::new();
    for (number, file) in files.iter().enumerate() {
        let parsed = source::parse(&file.text);
        let resources: Vec<_> =
            parsed.documents.iter().flat_map(check::resource::flattened).collect();
        let mut reader = Reader { options, file: number, notes: &mut notes };
        let found: Vec<_> = resources.iter().filter_map(|node| reader.read(node)).collect();
        if !file.from_folder || !found.is_empty() {
            for fault in &parsed.faults {
                notes.add(number, check::syntax(fault));
            }
        }
        let secrets = resources.iter().flat_map(|node| check::secrets(node)).collect();
        checked.push(Checked { documents: found.len(), secrets, ..Checked::default() });
        natives.extend(found);
    }
    natives.retain(|native| {
        native.kind != NativeKind::AuthorizationPolicy || !policy::stays(native, &mut notes)
    });
    let targets = plan::targets(&natives, options, &mut notes);
    let mut names = plugin::Names::default();
    let plugins = targets.iter().filter_map(|target| {
        let covered: Vec<_> = natives.iter().filter(|it| it.is_for(target)).collect();
        plugin::of(target, &covered, options, &mut names, &mut notes)
    });
    let plugins = plugins.collect();
    for (checked, mut findings) in checked.iter_mut().zip(notes.of_files) {
        findings.sort_by_key(|finding| (finding.span.start, finding.severity));
        // What is carried into several plugins is told once.
        findings.dedup();
        checked.findings = findings;
    }
    Migrated { plugins, checked }
}

/// What is found, by file.
struct Notes {
    of_files: Vec<Vec<Finding>>,
}

impl Notes {
    fn add(&mut self, file: usize, finding: Finding) {
        if let Some(findings) = self.of_files.get_mut(file) {
            findings.push(finding);
        }
    }
}

#[cfg(test)]
mod tests;
