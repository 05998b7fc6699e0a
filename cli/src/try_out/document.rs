//! The document of a file, checked, and made ready for tokens of this run.

use std::path::PathBuf;

use jwt_rbac_explain::check::{self, File, Severity, only_document};
use jwt_rbac_explain::policy::{Policy, Signatures};
use serde_json::{Value, json};

use super::keys::Keys;
use super::screen::Screen;
use crate::check::draw;
use crate::error::Error;

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
    /// Checks a file as `jwt-rbac check` does, and shows what was found.
    ///
    /// # Errors
    ///
    /// When it has mistakes, or no document.
    pub fn new(
        file: &File,
        resource: Option<&str>,
        keys: &mut Keys,
        screen: &mut Screen,
    ) -> Result<Self, Error> {
        let path = || PathBuf::from(&file.name);
        let document = only_document(&file.text, resource);
        let key_set =
            document.as_ref().map_or_else(|_| Ok(String::new()), |it| keys.set_for(it))?;
        let key_set = Some(key_set.as_str()).filter(|_| document.is_ok());
        let checked = check::check(std::slice::from_ref(file), key_set);
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
