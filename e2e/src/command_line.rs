//! The command line, `jwt-rbac`, as it is in the working tree.

use std::env;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use serde_json::Value;

use crate::artifacts;

/// The program. It is built, so that it is never out of date.
///
/// # Panics
///
/// When Cargo does not build it.
pub fn binary() -> PathBuf {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(build).clone()
}

fn build() -> PathBuf {
    // Cargo sets this for the tests and programs that it runs.
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["build", "--locked", "--quiet", "--package", "jwt-rbac-cli", "--bin", "jwt-rbac"])
        .args(["--message-format", "json-render-diagnostics"])
        .current_dir(artifacts::root())
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .expect("Cargo runs");
    assert!(output.status.success(), "jwt-rbac-cli could not be built: see above");
    let messages = String::from_utf8_lossy(&output.stdout).into_owned();
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut programs = messages.filter_map(|it| it["executable"].as_str().map(PathBuf::from));
    programs.find(|path| path.ends_with("jwt-rbac")).expect("Cargo names the program")
}
