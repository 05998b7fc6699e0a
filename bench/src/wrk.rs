//! HTTP load from `wrk`, on a CPU of its own, with the requests of `load.lua`.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde::Deserialize;

use jwt_rbac_e2e::temporary::TemporaryDirectory;

/// The load generator.
#[derive(Debug)]
pub struct Wrk {
    cpu: usize,
    directory: TemporaryDirectory,
}

/// The requests that are sent.
#[derive(Clone, Debug)]
pub struct Load {
    /// The path of every request.
    pub path: String,
    /// A file of tokens.
    pub tokens: PathBuf,
    /// How many of them are used.
    pub count: usize,
    /// How many connections send at a time, each one request after the other.
    pub connections: u32,
    /// How long, in seconds.
    pub seconds: u32,
}

/// What `wrk` reports.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Outcome {
    /// How many requests were answered.
    pub requests: u64,
    /// How many of them with a status of 400 or more.
    pub refused: u64,
    /// How many sockets failed, and how many answers took too long.
    pub errors: u64,
    /// The place of the token that would have come next.
    pub next: usize,
    /// The median of the latencies, in microseconds.
    pub p50: u64,
    /// Their 99th percentile, in microseconds.
    pub p99: u64,
    /// How long it sent, in microseconds.
    pub microseconds: u32,
}

impl Wrk {
    /// `wrk` on this CPU.
    ///
    /// # Errors
    ///
    /// How to get it where it is not installed.
    pub fn on_cpu(cpu: usize) -> Result<Self, String> {
        version()?;
        let directory = TemporaryDirectory::create().expect("a folder");
        fs::write(directory.path().join("load.lua"), include_str!("load.lua"))
            .map_err(|error| format!("the script for wrk can't be written: {error}"))?;
        Ok(Self { cpu, directory })
    }

    /// Sends the load, beginning with the token at this place.
    ///
    /// # Errors
    ///
    /// What `wrk` prints when it fails.
    pub fn send(&self, address: SocketAddr, load: &Load, first: usize) -> Result<Outcome, String> {
        let output = Command::new("taskset")
            .args(["--cpu-list", &self.cpu.to_string(), "wrk", "--threads", "1"])
            .args(["--connections", &load.connections.to_string()])
            .args(["--duration", &format!("{}s", load.seconds)])
            .arg("--script")
            .arg(self.directory.path().join("load.lua"))
            .args([&format!("http://{address}"), "--", &load.path])
            .arg(&load.tokens)
            .args([load.count.to_string(), first.to_string()])
            .stdin(Stdio::null())
            .output()
            .map_err(|error| format!("wrk can't be run: {error}"))?;
        let text = String::from_utf8_lossy(&output.stdout);
        let line = text.lines().rev().find(|line| line.starts_with('{'));
        line.and_then(|line| serde_json::from_str(line).ok()).ok_or_else(|| {
            format!("wrk failed:\n{text}{}", String::from_utf8_lossy(&output.stderr))
        })
    }
}

/// The version of `wrk`. Also checks that `taskset` is there, because nothing can be measured
/// without it.
///
/// # Errors
///
/// How to get what is missing.
pub fn version() -> Result<String, String> {
    let run = |program: &str, argument: &str, package: &str| {
        let output = Command::new(program).arg(argument).stdin(Stdio::null()).output();
        output.map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => format!(
                "{program} is not installed; Debian and Ubuntu: apt-get install {package}; \
                 Fedora: dnf install {package}"
            ),
            _ => format!("{program} can't be run: {error}"),
        })
    };
    run("taskset", "--version", "util-linux")?;
    let output = run("wrk", "--version", "wrk")?;
    // `wrk debian/4.1.0-3+b2 [epoll] Copyright …`
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let version = text.split_whitespace().nth(1).unwrap_or("of an unknown version");
    Ok(version.rsplit('/').next().unwrap_or(version).to_owned())
}
