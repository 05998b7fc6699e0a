//! Pushes the image to a registry with skopeo, which has the users' logins (`skopeo login`,
//! `docker login`) and needs no daemon.

use std::path::Path;
use std::process::Command;

/// Pushes the image of a layout to `<registry>/jwt-rbac:<version>`, and returns its digest as the
/// registry has it.
///
/// # Errors
/// What to install, or that skopeo has failed; it says why itself.
pub fn push(layout: &Path, registry: &str, version: &str) -> Result<String, String> {
    let from = format!("oci:{}:{version}", layout.display());
    let to = format!("docker://{}", reference(registry, version));
    // As Docker does, registries on this machine are asked without TLS.
    let tls = !is_loopback(registry);
    let verify = |flag: &str| format!("--{flag}tls-verify={tls}");
    run(&["copy", "--preserve-digests", &verify("dest-"), &from, &to])?;
    let digest = run(&["inspect", "--format", "{{.Digest}}", &verify(""), &to])?;
    Ok(digest.trim().to_owned())
}

/// The name of the image in a registry.
#[must_use]
pub fn reference(registry: &str, version: &str) -> String {
    format!("{}/jwt-rbac:{version}", registry.trim_end_matches('/'))
}

fn is_loopback(registry: &str) -> bool {
    let host = registry.split(['/', ':']).next().unwrap_or_default();
    host == "localhost" || host == "127.0.0.1"
}

fn run(arguments: &[&str]) -> Result<String, String> {
    let output = Command::new("skopeo").args(arguments).output().map_err(|error| {
        format!("needs skopeo (apt-get install skopeo, dnf install skopeo, brew install skopeo): {error}")
    })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(format!("skopeo {}: {}", arguments.join(" "), said.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_named_after_the_product_and_its_version() {
        assert_eq!(reference("ghcr.io/team", "0.1.0"), "ghcr.io/team/jwt-rbac:0.1.0");
        assert_eq!(reference("127.0.0.1:5000/", "0.1.0"), "127.0.0.1:5000/jwt-rbac:0.1.0");
    }

    #[test]
    fn only_this_machine_is_asked_without_tls() {
        for registry in ["localhost:5000", "127.0.0.1:5000/team", "localhost"] {
            assert!(is_loopback(registry), "{registry}");
        }
        for registry in ["ghcr.io/team", "localhost.example.com", "127.0.0.1.example.com:5000"] {
            assert!(!is_loopback(registry), "{registry}");
        }
    }
}
