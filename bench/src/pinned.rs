//! An Envoy on one CPU.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::Value;

use jwt_rbac_e2e::envoy::Envoy;
use jwt_rbac_e2e::temporary::TemporaryDirectory;

/// Starts an Envoy with all its threads on this CPU.
///
/// # Errors
///
/// Those of [`Envoy::start`].
pub fn start(binary: &Path, bootstrap: &Value, cpu: usize) -> Result<Envoy, String> {
    let directory = TemporaryDirectory::create().expect("a folder");
    let script = directory.path().join("envoy.sh");
    // `exec` and `taskset` start no new process, so the process that is measured is Envoy.
    let text = format!("#!/bin/sh\nexec taskset --cpu-list {cpu} '{}' \"$@\"\n", binary.display());
    let error = |error| format!("a script can't be written: {error}");
    fs::write(&script, text).map_err(error)?;
    fs::set_permissions(&script, fs::Permissions::from_mode(0o700)).map_err(error)?;
    Envoy::start(&script, bootstrap)
}

/// A CPU for Envoy and one for the load: the first and the last that this process may use, which
/// are rarely two threads of one core.
///
/// # Errors
///
/// When there is only one.
pub fn two_cpus() -> Result<(usize, usize), String> {
    let status = fs::read_to_string("/proc/self/status").map_err(|error| error.to_string())?;
    let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
    ends(list.unwrap_or_default().trim())
        .ok_or_else(|| "two CPUs are needed, one for Envoy and one for wrk".to_owned())
}

/// The first and the last number of a list such as `0-3,8`.
fn ends(list: &str) -> Option<(usize, usize)> {
    let mut numbers = list.split([',', '-']).map(|number| number.parse().ok());
    let first = numbers.next()??;
    Some((first, numbers.next_back()??))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_cpus_have_two_ends() {
        assert_eq!(ends("0-3,8"), Some((0, 8)));
        assert_eq!(ends("2,3"), Some((2, 3)));
        assert_eq!(ends("0"), None);
        assert_eq!(ends(""), None);
    }
}
