//! What a figure was measured on and when. Without these no figure means anything.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;

use super::callers::Callers;
use super::report::Length;
use super::round::Bench;
use super::wrk;

/// The circumstances of a run.
#[derive(Clone, Debug)]
pub struct Circumstances {
    /// The model of the processor and how many CPUs there are.
    pub machine: String,
    /// The kernel's version.
    pub kernel: String,
    /// Envoy's version.
    pub envoy: String,
    /// The version of `wrk`.
    pub wrk: String,
    /// The size of the module, in bytes.
    pub module_size: u64,
    /// The day, in UTC.
    pub date: String,
    /// How many rounds there were.
    pub rounds: usize,
    /// How long each run took, in seconds.
    pub seconds: u32,
    /// The smallest part of any run in which Envoy had its CPU, from 0 to 1.
    pub least_busy: f64,
    /// The size of a token with RS256 and with ES256, in bytes.
    pub token_sizes: [usize; 2],
}

impl Circumstances {
    /// The circumstances of a run of this length, whose Envoy still runs.
    ///
    /// # Errors
    ///
    /// When the module can't be read, or `wrk` can't be run.
    pub fn of(
        bench: &Bench<'_>,
        module: &Path,
        Length { rounds, seconds }: Length,
        least_busy: f64,
    ) -> Result<Self, String> {
        Ok(Self {
            machine: machine(),
            kernel: kernel(),
            envoy: bench.envoy_version(),
            wrk: wrk::version()?,
            module_size: fs::metadata(module).map_err(|error| error.to_string())?.len(),
            date: date(),
            rounds,
            seconds,
            least_busy,
            token_sizes: [Callers::RS256, Callers::ES256].map(|it| bench.tokens.size(it)),
        })
    }
}

/// The model of the processor and how many CPUs there are.
fn machine() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let count = thread::available_parallelism().map_or(1, usize::from);
    format!("{}, {count} CPUs", model(&text).unwrap_or("unknown processor"))
}

/// The version of Linux, without what a distribution or a cloud adds to it.
fn kernel() -> String {
    let text = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!("Linux {}", text.trim().split('-').next().unwrap_or_default())
}

/// Today in UTC, `2026-01-31`.
fn date() -> String {
    let output = Command::new("date").args(["--utc", "+%F"]).output();
    output.map_or_else(
        |_| "an unknown day".to_owned(),
        |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    )
}

fn model(cpuinfo: &str) -> Option<&str> {
    let line = cpuinfo.lines().find(|line| line.starts_with("model name"))?;
    line.split_once(':').map(|(_, model)| model.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_model_is_in_cpuinfo() {
        let text = "processor\t: 0\nmodel name\t: AMD EPYC 9R14\nstepping\t: 1\n";
        assert_eq!(model(text), Some("AMD EPYC 9R14"));
        assert_eq!(model("processor : 0\n"), None);
    }
}
