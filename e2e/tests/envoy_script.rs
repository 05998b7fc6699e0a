//! Which Envoy the tests and `make run` get, and what is said on the way.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Output};

use jwt_rbac_e2e::artifacts;
use jwt_rbac_e2e::temporary::TemporaryDirectory;

/// Runs the script with these variables beside a PATH that has no Envoy.
fn run(variables: &[(&str, &str)]) -> Output {
    Command::new(artifacts::root().join("e2e/envoy.sh"))
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .envs(variables.iter().copied())
        .output()
        .expect("the script runs")
}

#[test]
fn an_envoy_that_is_not_there_is_an_error_and_not_another_one() {
    let output = run(&[("ENVOY", "/bin/nope")]);
    assert!(!output.status.success());
    assert_eq!(output.stdout, b"");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("ENVOY is /bin/nope, which can't be run"), "{said}");
}

#[test]
fn a_download_is_announced() {
    let folder = TemporaryDirectory::create().expect("a folder");
    let script = folder.path().join("func-e");
    fs::write(&script, "#!/bin/sh\necho /bin/true\n").expect("a file");
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).expect("permissions");
    let path = format!("{}:/usr/bin:/bin", folder.path().display());
    let output = run(&[("PATH", &path)]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.stdout, b"/bin/true\n", "{said}");
    assert!(said.contains("the first time it downloads Envoy"), "{said}");
}
