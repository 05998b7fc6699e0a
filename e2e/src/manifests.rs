//! The manifests of `wasmplugin/`, as kustomize and Helm render them, with the test keys where they have
//! placeholders.

use std::fs;
use std::path::Path;

use jwt_rbac_config::PLACEHOLDER;
use serde_json::Value;

use crate::artifacts;

/// What stands where a secret belongs.
const SECRET_PLACEHOLDER: &str = "REPLACE_WITH_A_SECRET_OF_YOUR_OWN";
/// The secret of the tests.
pub const SECRET: &str = "3f9c01d7a2b4e6885d10";

/// A resource of a file.
#[derive(Clone, Debug)]
pub struct Resource {
    /// The file, without its extension.
    pub file: String,
    /// What is in it.
    pub value: Value,
}

impl Resource {
    /// What it is.
    pub fn kind(&self) -> &str {
        self.value["kind"].as_str().unwrap_or_default()
    }

    /// Its name.
    pub fn name(&self) -> &str {
        self.value["metadata"]["name"].as_str().unwrap_or_default()
    }

    /// The document of a plugin.
    pub fn document(&self) -> Option<&Value> {
        let places = ["/spec/pluginConfig", "/spec/wasm/pluginConfig"];
        places.iter().find_map(|place| self.value.pointer(place))
    }

    /// The same with the keys and the secret of the tests in the place of placeholders.
    #[must_use]
    pub fn filled(&self) -> Self {
        let mut value = self.value.clone();
        fill(&mut value);
        Self { value, ..self.clone() }
    }
}

/// The resources of a file, with the keys and the secret of the tests in the place of placeholders.
///
/// # Panics
///
/// When it can't be read.
pub fn resources(path: &Path) -> Vec<Resource> {
    read(path).iter().map(Resource::filled).collect()
}

fn read(path: &Path) -> Vec<Resource> {
    let file = path.file_stem().unwrap_or_default().to_string_lossy();
    let text = fs::read_to_string(path).expect("a manifest");
    let values: Vec<Value> = serde_saphyr::from_multiple(&text)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let resource = |value| Resource { file: file.clone().into_owned(), value };
    values.into_iter().map(resource).collect()
}

/// Every resource of `wasmplugin/rendered`.
///
/// # Panics
///
/// When a file can't be read.
pub fn rendered() -> Vec<Resource> {
    let directory = artifacts::root().join("wasmplugin/rendered");
    let entries = fs::read_dir(&directory).expect("wasmplugin/rendered");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    let resources: Vec<Resource> = paths.iter().flat_map(|path| read(path)).collect();
    assert!(!resources.is_empty(), "no manifests in {}", directory.display());
    resources
}

/// Those that have a document.
pub fn plugins() -> Vec<Resource> {
    rendered().into_iter().filter(|resource| resource.document().is_some()).collect()
}

fn fill(value: &mut Value) {
    match value {
        Value::String(text) if text == PLACEHOLDER => *text = artifacts::jwks(),
        Value::String(text) if text == SECRET_PLACEHOLDER => SECRET.clone_into(text),
        Value::Array(values) => values.iter_mut().for_each(fill),
        Value::Object(members) => members.values_mut().for_each(fill),
        _ => {}
    }
}
