//! The document of a file, checked, and made ready for tokens of this run.

use std::path::PathBuf;

use jwt_rbac_explain::check::{self, File, Finding, Severity, only_document, resource};
use jwt_rbac_explain::policy::{Policy, Signatures};
use jwt_rbac_explain::source;
use serde_json::{Value, json};

use super::keys::Keys;
use super::screen::Screen;
use crate::check::draw;
use crate::error::Error;

/// The fields of a resource that say where its image comes from. Here it is a file.
const IMAGE: &[&str] = &[".imagePullPolicy", ".imagePullSecret", ".sha256", ".url"];

/// A document that can be tried.
pub struct Trial {
    /// The `pluginConfig` that Envoy gets: with keys of this run, and with every decision in its log.
    pub config: Value,
    /// The same, to be asked.
    pub policy: Policy,
    /// The same, which takes every signature: what claims a route wants is found before they are signed.
    pub unsigned: Policy,
}

impl Trial {
    /// Checks the document with this name, or the only one, as `jwt-rbac check` does, and shows what was
    /// found.
    ///
    /// # Errors
    ///
    /// When it has mistakes, or no document.
    pub fn new(
        file: &File,
        name: Option<&str>,
        keys: &mut Keys,
        screen: &mut Screen,
    ) -> Result<Self, Error> {
        let path = || PathBuf::from(&file.name);
        let document = only_document(&file.text, name);
        if let Err(problem) = &document
            && has_several(file)
        {
            // Of several none was meant, so that nothing is known of what matters.
            return Err(Error::Content { path: path(), problem: problem.clone() });
        }
        let key_set =
            document.as_ref().map_or_else(|_| Ok(String::new()), |it| keys.set_for(it))?;
        let key_set = Some(key_set.as_str()).filter(|_| document.is_ok());
        let mut checked = check::check(std::slice::from_ref(file), key_set);
        for checked in &mut checked {
            keep_what_matters(&mut checked.findings, file, name);
        }
        let findings = checked.iter().flat_map(|checked| &checked.findings);
        let errors = findings.filter(|finding| finding.severity == Severity::Error).count();
        screen.text(&draw::all(std::slice::from_ref(file), &checked, screen.is_colored()))?;
        if errors > 0 {
            return Err(Error::Refused { path: path(), errors });
        }
        let mut config = document.map_err(|problem| Error::Content { path: path(), problem })?;
        keys.put_into(&mut config)?;
        config["decisionLog"] = json!("ALL");
        let compile = |signatures| {
            Policy::compile(config.clone(), signatures, None).map_err(|problems| Error::Document {
                path: path(),
                errors: problems.errors.len(),
                first: problems.errors.first().map(ToString::to_string).unwrap_or_default(),
            })
        };
        let policy = compile(Signatures::Checked)?;
        let unsigned = compile(Signatures::Assumed)?;
        Ok(Self { config, policy, unsigned })
    }
}

fn has_several(file: &File) -> bool {
    let parsed = source::parse(&file.text);
    let nodes = parsed.documents.iter().flat_map(resource::flattened);
    parsed.faults.is_empty() && nodes.filter(|node| resource::config(node).is_some()).count() > 1
}

/// Leaves out what is about other resources of the file, and about the image.
fn keep_what_matters(findings: &mut Vec<Finding>, file: &File, name: Option<&str>) {
    let parsed = source::parse(&file.text);
    let nodes = parsed.documents.iter().flat_map(resource::flattened);
    let is_ours = |node: &&source::Node| name.is_some() && resource::name(node) == name;
    let span = nodes.filter(|node| resource::config(node).is_some()).find(is_ours);
    let span = span.map(|node| node.span.clone());
    findings.retain(|finding| {
        let is_about_image = finding.place.starts_with("spec.")
            && IMAGE.iter().any(|it| finding.place.ends_with(it));
        // What is no YAML hides what comes behind it.
        let is_inside = span.as_ref().is_none_or(|span| span.contains(&finding.span.start));
        finding.rule == "yaml" || (is_inside && !is_about_image)
    });
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::files;

    #[test]
    fn one_of_the_manifests_can_be_tried_before_its_image_is_there() {
        let path =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../wasmplugin/rendered/bookinfo.yaml");
        let file = files::read(&path).unwrap();
        let trial = |name| Trial::new(&file, name, &mut Keys::default(), &mut Screen::new(false));
        assert!(trial(Some("details-jwt-rbac")).is_ok());
        assert!(matches!(trial(Some("other")), Err(Error::Content { .. })));
        assert!(matches!(trial(None), Err(Error::Content { .. })));
    }

    #[test]
    fn a_mistake_of_another_resource_does_not_count() {
        let plugin = |name: &str, route: &str| {
            format!(
                "apiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\nmetadata: {{name: {name}}}\nspec:\n  \
                 pluginConfig:\n    routes: [{{paths: [/], {route}}}]\n---\n"
            )
        };
        let text = plugin("good", "access: PUBLIC") + &plugin("bad", "acces: PUBLIC");
        let file = File { name: "a.yaml".to_owned(), text, from_folder: false };
        let trial =
            |name| Trial::new(&file, Some(name), &mut Keys::default(), &mut Screen::new(false));
        assert!(trial("good").is_ok());
        assert!(matches!(trial("bad"), Err(Error::Refused { errors: 1, .. })));
    }
}
