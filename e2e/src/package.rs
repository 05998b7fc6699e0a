//! Modules for Envoy that are packages of this workspace.

use std::env;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::artifacts;

/// Builds the module of a package, so that it is never out of date. This Cargo does not wait for
/// the one that runs the test: that one has released its locks, and this one builds for another
/// target.
///
/// # Errors
///
/// When Cargo can't be run or does not build it. The output of Cargo says why.
pub fn module(package: &str) -> Result<PathBuf, String> {
    build(package, &["--release"])
}

/// The same with a feature that no release has, in less time: it is not optimised as releases are.
///
/// # Errors
///
/// As [`module`].
pub fn module_with(package: &str, feature: &str) -> Result<PathBuf, String> {
    build(package, &["--profile", "wasm-test", "--features", feature])
}

fn build(package: &str, options: &[&str]) -> Result<PathBuf, String> {
    // Cargo sets this for the tests and programs that it runs.
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["build", "--locked", "--package", package])
        .args(options)
        .args(["--config", &no_paths()])
        .args(["--target", "wasm32-wasip1"])
        .args(["--message-format", "json-render-diagnostics"])
        .current_dir(artifacts::root())
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("Cargo can't be run: {error}"))?;
    if !output.status.success() {
        return Err(format!("{package} could not be built: see above"));
    }
    built(&String::from_utf8_lossy(&output.stdout), package)
        .ok_or_else(|| format!("Cargo does not name the module of {package}"))
}

/// What the Makefile calls `NO_PATHS`: with other flags, Cargo would build all libraries again.
fn no_paths() -> String {
    let home = env::var("HOME").unwrap_or_default();
    let cargo = env::var("CARGO_HOME").unwrap_or_else(|_| format!("{home}/.cargo"));
    format!(r#"target.wasm32-wasip1.rustflags=["--remap-path-prefix={cargo}/registry/src/="]"#)
}

/// The file that Cargo built from the package, according to its messages.
fn built(messages: &str, package: &str) -> Option<PathBuf> {
    let library = package.replace('-', "_");
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let of_package = messages.filter(|message| message["target"]["name"] == library.as_str());
    let files = of_package.filter_map(|message| message["filenames"].as_array().cloned()).flatten();
    let mut paths = files.filter_map(|file| file.as_str().map(PathBuf::from));
    paths.find(|path| path.extension().is_some_and(|extension| extension == "wasm"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_module_is_among_the_files_that_cargo_names() {
        let messages = "no JSON\n\
            {\"target\":{\"name\":\"other\"},\"filenames\":[\"/a/other.wasm\"]}\n\
            {\"target\":{\"name\":\"jwt_rbac_x\"},\"filenames\":[\"/a/x.rlib\",\"/a/x.wasm\"]}\n";
        assert_eq!(built(messages, "jwt-rbac-x"), Some(PathBuf::from("/a/x.wasm")));
        assert_eq!(built(messages, "jwt-rbac-y"), None);
    }
}
