//! The document that a subcommand asks.

use std::path::Path;

use jwt_rbac_explain::check::{File, only_document};
use jwt_rbac_explain::policy::{Policy, Signatures};

use crate::error::Error;
use crate::files;

/// Compiles the document of a file: that of the resource with this name, or the only one. `key_set` stands where it has the placeholder of the manifests.
///
/// # Errors
///
/// When a file can't be read, or the document has mistakes, which `check` shows.
pub fn compile(
    file: &File,
    resource: Option<&str>,
    signatures: Signatures,
    key_set: Option<&Path>,
) -> Result<Policy, Error> {
    let path = || file.name.clone().into();
    let config = only_document(&file.text, resource)
        .map_err(|problem| Error::Content { path: path(), problem })?;
    let key_set = key_set.map(|path| files::read(path).map(|file| file.text)).transpose()?;
    Policy::compile(config, signatures, key_set.as_deref()).map_err(|problems| Error::Document {
        path: path(),
        errors: problems.errors.len(),
        first: problems.errors.first().map(ToString::to_string).unwrap_or_default(),
    })
}
