//! An Envoy on one CPU, and what it takes of it: CPU time and memory as Linux counts them.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use crate::envoy::Envoy;
use crate::temporary::TemporaryDirectory;

/// A running Envoy all of whose threads are on one CPU.
#[derive(Debug)]
pub struct PinnedEnvoy {
    /// The Envoy.
    pub envoy: Envoy,
    /// What Linux tells about its process.
    proc: PathBuf,
    _directory: TemporaryDirectory,
}

impl PinnedEnvoy {
    /// Starts one on this CPU.
    ///
    /// # Errors
    ///
    /// Those of [`Envoy::start`].
    pub fn start(binary: &Path, bootstrap: &Value, cpu: usize) -> Result<Self, String> {
        let directory = TemporaryDirectory::create();
        let start = directory.path().join("envoy.sh");
        let number = directory.path().join("pid");
        // The shell becomes `taskset`, which becomes Envoy: all have one process number.
        let script = format!(
            "#!/bin/sh\necho $$ > '{}'\nexec taskset --cpu-list {cpu} '{}' \"$@\"\n",
            number.display(),
            binary.display()
        );
        let error = |error| format!("a script can't be written: {error}");
        fs::write(&start, script).map_err(error)?;
        fs::set_permissions(&start, fs::Permissions::from_mode(0o700)).map_err(error)?;
        let envoy = Envoy::start(&start, bootstrap)?;
        let number = fs::read_to_string(number).map_err(|error| error.to_string())?;
        let proc = Path::new("/proc").join(number.trim());
        Ok(Self { envoy, proc, _directory: directory })
    }

    /// How long its threads have run since it started.
    ///
    /// # Errors
    ///
    /// Where Linux does not say.
    pub fn cpu_time(&self) -> Result<Duration, String> {
        // Nanoseconds on the CPU, nanoseconds waiting for it, time slices. `stat` would only have
        // hundredths of a second.
        let mut nanoseconds = 0;
        let tasks = self.proc.join("task");
        let error = |error| format!("{}: {error}", tasks.display());
        for task in fs::read_dir(&tasks).map_err(error)? {
            let file = task.map_err(error)?.path().join("schedstat");
            let text = fs::read_to_string(file).map_err(|error| {
                format!("the kernel does not count CPU time (CONFIG_SCHED_INFO): {error}")
            })?;
            let first = text.split(' ').next().and_then(|number| number.parse::<u64>().ok());
            nanoseconds += first.ok_or("schedstat does not begin with a number")?;
        }
        Ok(Duration::from_nanos(nanoseconds))
    }

    /// How much memory it has, in KiB.
    ///
    /// # Errors
    ///
    /// Where Linux does not say.
    pub fn resident_memory(&self) -> Result<u64, String> {
        let file = self.proc.join("status");
        let text = fs::read_to_string(&file).map_err(|error| error.to_string())?;
        let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
        number.ok_or_else(|| format!("{} does not say VmRSS", file.display()))
    }
}

/// A CPU for Envoy and one for the load: the first and the last that this process may use, which
/// are seldom two threads of one core.
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
