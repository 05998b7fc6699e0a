//! The list of what the module is made of, as `CycloneDX`, from `cargo metadata`.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::{Value, json};

/// The package that becomes the module.
const MODULE: &str = "jwt-rbac-filter";

/// The list of the crates that are linked into the module.
///
/// # Errors
/// When Cargo can't be run, or does not say what is expected.
pub fn of_module(version: &str) -> Result<String, String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--locked", "--format-version", "1"])
        .args(["--filter-platform", "wasm32-wasip1"])
        .output()
        .map_err(|error| format!("Cargo can't be run: {error}"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let metadata = serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())?;
    let list = list(&metadata, version).ok_or("cargo metadata has another form")?;
    serde_json::to_string_pretty(&list).map(|text| text + "\n").map_err(|error| error.to_string())
}

/// The list, from what Cargo says; `None` where that is not what it is documented to say.
fn list(metadata: &Value, version: &str) -> Option<Value> {
    let packages: BTreeMap<&str, &Value> = metadata["packages"]
        .as_array()?
        .iter()
        .map(|package| Some((package["id"].as_str()?, package)))
        .collect::<Option<_>>()?;
    let needs: BTreeMap<&str, Vec<&str>> = metadata["resolve"]["nodes"]
        .as_array()?
        .iter()
        .map(|node| Some((node["id"].as_str()?, linked(node)?)))
        .collect::<Option<_>>()?;
    let root = *packages.iter().find(|(_, package)| package["name"] == MODULE)?.0;
    let mut found = BTreeSet::new();
    let mut next = vec![root];
    while let Some(id) = next.pop() {
        // What runs in the compiler alone is not in the module.
        if !is_macro(packages.get(id)?) && found.insert(id) {
            next.extend(needs.get(id)?);
        }
    }
    let reference = |id: &str| Some(purl(packages.get(id)?));
    let mut components = Vec::new();
    let mut dependencies = Vec::new();
    for &id in &found {
        let package = packages.get(id)?;
        if id != root {
            components.push(component(package));
        }
        let needed = needs.get(id)?.iter().filter(|id| found.contains(*id));
        let needed: Option<BTreeSet<_>> = needed.map(|id| reference(id)).collect();
        dependencies.push(json!({"ref": purl(package), "dependsOn": needed?}));
    }
    Some(json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": {
            "type": "application",
            "bom-ref": reference(root)?,
            "name": "jwt_rbac.wasm",
            "version": version,
            "licenses": [{"expression": "Apache-2.0"}],
        }},
        "components": components,
        "dependencies": dependencies,
    }))
}

/// What a package is linked with, which leaves out what its tests and its build script need.
fn linked(node: &Value) -> Option<Vec<&str>> {
    let is_normal = |dependency: &&Value| {
        dependency["dep_kinds"]
            .as_array()
            .is_some_and(|kinds| kinds.iter().any(|kind| kind["kind"].is_null()))
    };
    let dependencies = node["deps"].as_array()?.iter().filter(is_normal);
    dependencies.map(|dependency| dependency["pkg"].as_str()).collect()
}

fn is_macro(package: &Value) -> bool {
    let targets = package["targets"].as_array().into_iter().flatten();
    targets.into_iter().any(|target| target["kind"] == json!(["proc-macro"]))
}

fn component(package: &Value) -> Value {
    let mut component = json!({
        "type": "library",
        "bom-ref": purl(package),
        "name": package["name"],
        "version": package["version"],
        "purl": purl(package),
    });
    if let Some(license) = package["license"].as_str() {
        // Older crates write `/` where SPDX has `OR`.
        let expression = license.replace('/', " OR ");
        component["licenses"] = json!([{"expression": expression}]);
    }
    component
}

fn purl(package: &Value) -> String {
    let text = |field: &str| package[field].as_str().unwrap_or_default().to_owned();
    format!("pkg:cargo/{}@{}", text("name"), text("version"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_has_what_is_linked_and_nothing_else() {
        let package = |name: &str, kind: &str| {
            json!({"id": name, "name": name, "version": "1.0.0", "license": "MIT/Apache-2.0",
                   "targets": [{"kind": [kind]}]})
        };
        let dependency =
            |name: &str, kind: Option<&str>| json!({"pkg": name, "dep_kinds": [{"kind": kind}]});
        let metadata = json!({
            "packages": [
                package(MODULE, "cdylib"), package("linked", "lib"), package("deep", "lib"),
                package("tested", "lib"), package("macro", "proc-macro"), package("of-macro", "lib"),
            ],
            "resolve": {"nodes": [
                {"id": MODULE, "deps": [
                    dependency("linked", None), dependency("tested", Some("dev")),
                    dependency("macro", None),
                ]},
                {"id": "linked", "deps": [dependency("deep", None)]},
                {"id": "macro", "deps": [dependency("of-macro", None)]},
                {"id": "deep", "deps": []}, {"id": "tested", "deps": []}, {"id": "of-macro", "deps": []},
            ]},
        });
        let list = list(&metadata, "1.2.3").unwrap();
        let names: Vec<_> =
            list["components"].as_array().unwrap().iter().map(|it| it["name"].clone()).collect();
        assert_eq!(names, ["deep", "linked"]);
        assert_eq!(list["components"][0]["licenses"][0]["expression"], "MIT OR Apache-2.0");
        assert_eq!(list["metadata"]["component"]["version"], "1.2.3");
        assert_eq!(list["dependencies"].as_array().unwrap().len(), 3);
    }

    #[test]
    fn this_module_has_one() {
        let text = of_module("0.1.0").unwrap();
        let list: Value = serde_json::from_str(&text).unwrap();
        let names: Vec<_> = list["components"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["name"].as_str().unwrap())
            .collect();
        for name in ["jwt-rbac", "jwt-rbac-config", "proxy-wasm", "rsa", "serde_json"] {
            assert!(names.contains(&name), "{name} is missing: {names:?}");
        }
        for name in ["proptest", "jsonwebtoken", "serde_derive", "tar"] {
            assert!(!names.contains(&name), "{name} is not in the module");
        }
    }
}
