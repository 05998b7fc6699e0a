//! A running Envoy: started on a bootstrap, asked for its ports over its admin interface, killed
//! when its owner is dropped.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::thread;
use std::time::{Duration, Instant};

use jwt_rbac_local::process::{Process, Start};
use serde_json::Value;

use crate::artifacts;
use crate::bootstrap::bootstrap;
use crate::client::{Request, Response};
use crate::temporary::TemporaryDirectory;
use crate::upstream::Upstream;

/// How long Envoy may take to be ready. Most of it is V8, which compiles the module first.
const TIMEOUT: Duration = Duration::from_mins(1);
/// How long to wait until Envoy has what the filter counted: three times as long as the filter may
/// keep a count.
const COUNTERS_WAIT: Duration = Duration::from_millis(300);

/// An Envoy process and what is known about it.
#[derive(Debug)]
pub struct Envoy {
    process: Process,
    admin: Option<SocketAddr>,
    listeners: BTreeMap<String, SocketAddr>,
    /// Holds the log and the file with the address of the admin interface.
    directory: PathBuf,
    _temporary: Option<TemporaryDirectory>,
}

impl Envoy {
    /// Starts one on this bootstrap and waits until it is ready.
    ///
    /// # Errors
    ///
    /// The end of Envoy's log when it refuses the bootstrap or does not get ready.
    pub fn start(binary: &Path, bootstrap: &Value) -> Result<Self, String> {
        Self::start_with_workers(binary, bootstrap, 1)
    }

    /// The same with this many workers.
    ///
    /// # Errors
    ///
    /// As [`Self::start`].
    pub fn start_with_workers(
        binary: &Path,
        bootstrap: &Value,
        workers: usize,
    ) -> Result<Self, String> {
        let temporary = TemporaryDirectory::create().expect("a folder");
        let directory = temporary.path().to_path_buf();
        let config = directory.join("bootstrap.json");
        fs::write(&config, bootstrap.to_string()).map_err(|error| error.to_string())?;
        let mut envoy =
            Self::spawn(binary, &config, workers, Path::new("."), directory, Some(temporary))
                .map_err(|error| format!("{} could not be started: {error}", binary.display()))?;
        envoy.wait_until_ready(|_| ())?;
        Ok(envoy)
    }

    /// Starts the Envoy of the tests with these listeners, and with those of a file, before a
    /// workload that tells what reached it.
    ///
    /// # Panics
    ///
    /// When there is no Envoy, or it does not start.
    pub fn before_upstream(listeners: &[Value], dynamic: Option<&Path>) -> Self {
        let bootstrap = bootstrap(Upstream::start().address, listeners, dynamic);
        let started = artifacts::envoy().and_then(|binary| Self::start(&binary, &bootstrap));
        started.unwrap_or_else(|error| panic!("{error}"))
    }

    /// The answer of a listener to a request.
    ///
    /// # Panics
    ///
    /// When there is none.
    pub fn answer(&self, listener: &str, request: &Request) -> Response {
        let response = request.send(self.address(listener));
        response.unwrap_or_else(|error| panic!("{listener}, {request:?}: {error}"))
    }

    /// Starts one on a file, in a working directory, with `envoy.log` in a directory of the
    /// caller's.
    ///
    /// # Errors
    ///
    /// When the process can't be started. An error in the file is reported by
    /// [`Self::wait_until_ready`].
    pub fn on_file(
        binary: &Path,
        config: &Path,
        working_directory: &Path,
        directory: PathBuf,
    ) -> io::Result<Self> {
        fs::create_dir_all(&directory)?;
        Self::spawn(binary, config, 1, working_directory, directory, None)
    }

    /// Waits until the listeners take requests; `progress` is told twice a second how long it
    /// takes.
    ///
    /// # Errors
    ///
    /// The end of Envoy's log when it ends or takes too long.
    pub fn wait_until_ready(&mut self, mut progress: impl FnMut(Duration)) -> Result<(), String> {
        let start = Instant::now();
        let mut told = start;
        while !self.is_ready() {
            if let Ok(Some(status)) = self.process.ended() {
                return Err(format!("Envoy ended with {status}:\n{}", self.log_tail()));
            }
            if start.elapsed() > TIMEOUT {
                return Err(format!("Envoy is not ready after {TIMEOUT:?}:\n{}", self.log_tail()));
            }
            if told.elapsed() > Duration::from_millis(500) {
                told = Instant::now();
                progress(start.elapsed());
            }
            thread::sleep(Duration::from_millis(10));
        }
        self.learn_addresses();
        Ok(())
    }

    /// Waits until the process ends.
    ///
    /// # Errors
    ///
    /// When the process can't be waited for.
    pub fn wait(&mut self) -> io::Result<ExitStatus> {
        self.process.wait()
    }

    /// The address of a listener.
    pub fn address(&self, listener: &str) -> SocketAddr {
        let address = self.listeners.get(listener);
        *address
            .unwrap_or_else(|| panic!("no listener {listener}; Envoy says:\n{}", self.log_tail()))
    }

    /// The address of the admin interface.
    ///
    /// # Panics
    ///
    /// Before Envoy is ready.
    pub fn admin_address(&self) -> SocketAddr {
        self.admin.expect("admin has an address")
    }

    /// Whether there is such a listener.
    pub fn has_listener(&self, listener: &str) -> bool {
        self.listeners.contains_key(listener)
    }

    /// Asks for the ports of the listeners again, after an update of them.
    pub fn learn_addresses(&mut self) {
        let text = self.admin("/listeners?format=json");
        let value: Value = serde_json::from_str(&text).expect("admin answers with JSON");
        let statuses = value["listener_statuses"].as_array().cloned().unwrap_or_default();
        self.listeners = statuses.iter().filter_map(name_and_address).collect();
    }

    /// The answer of the admin interface to a GET. The metrics of the filter are read when
    /// it has handed over what it counted.
    pub fn admin(&self, target: &str) -> String {
        if target.contains("jwt_rbac") || target == "/stats/prometheus" {
            thread::sleep(COUNTERS_WAIT);
        }
        let answer = self.ask(target).expect("admin has an address");
        answer.unwrap_or_else(|error| panic!("admin {target}: {error}\n{}", self.log_tail())).text()
    }

    /// Logs everything that a component does from now on.
    pub fn trace(&self, component: &str) {
        let request = Request::new("POST", &format!("/logging?{component}=trace"));
        let answer = request.send(self.admin_address()).expect("admin answers");
        assert_eq!(answer.status, 200, "{}", answer.text());
    }

    /// One counter or gauge; 0 when Envoy does not know it yet.
    pub fn stat(&self, name: &str) -> u64 {
        self.stats([name])[0]
    }

    /// Several of them, read at the same moment.
    pub fn stats<const N: usize>(&self, names: [&str; N]) -> [u64; N] {
        let filter = names.map(|name| name.replace('.', "\\.")).join("|");
        let text = self.admin(&format!("/stats?filter=^({filter})$"));
        names.map(|name| {
            let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
            line.map_or(0, |value| value.trim().parse().expect("a stat is a number"))
        })
    }

    /// The memory of the process that is not swapped out, in bytes. The memory of a VM is part of
    /// it, which the admin interface leaves out.
    pub fn resident_memory(&self) -> u64 {
        let path = format!("/proc/{}/status", self.process.id());
        let status = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        kibibytes.expect("Linux says how much memory a process has") << 10
    }

    /// The time that the process has spent on a processor since it started.
    ///
    /// # Errors
    ///
    /// When Linux does not count it.
    pub fn cpu_time(&self) -> Result<Duration, String> {
        let tasks = format!("/proc/{}/task", self.process.id());
        let threads = fs::read_dir(&tasks).map_err(|error| format!("{tasks}: {error}"))?;
        // Nanoseconds on the processor, nanoseconds waiting for it, time slices. `stat` would only
        // have hundredths of a second. A thread can end while it is looked at.
        let spent = threads.flatten().filter_map(|thread| {
            let text = fs::read_to_string(thread.path().join("schedstat")).ok()?;
            text.split(' ').next()?.parse::<u64>().ok()
        });
        match spent.sum() {
            0 => Err("the kernel does not count CPU time (CONFIG_SCHED_INFO)".to_owned()),
            nanoseconds => Ok(Duration::from_nanos(nanoseconds)),
        }
    }

    /// Everything that Envoy and the module have logged.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.directory.join("envoy.log")).unwrap_or_default())
            .into_owned()
    }

    /// The lines of the log that say that a VM was lost.
    pub fn traps(&self) -> Vec<String> {
        // `V8::getFunction`, proxy-wasm-cpp-host `src/v8/v8.cc`.
        let is_trap = |line: &&str| line.contains(" failed: Uncaught ");
        self.log().lines().filter(is_trap).map(str::to_owned).collect()
    }

    /// The log from its first error on, else its last lines. It is for messages.
    pub fn log_tail(&self) -> String {
        const LINES: usize = 30;
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        let is_error = |line: &&str| line.starts_with("[error]") || line.starts_with("[critical]");
        let start = lines.iter().position(is_error).unwrap_or(lines.len().saturating_sub(LINES));
        let cut = |line: &&str| line.chars().take(300).collect::<String>();
        lines[start..].iter().take(LINES).map(cut).collect::<Vec<_>>().join("\n")
    }

    fn spawn(
        binary: &Path,
        config: &Path,
        workers: usize,
        working_directory: &Path,
        directory: PathBuf,
        temporary: Option<TemporaryDirectory>,
    ) -> io::Result<Self> {
        let log = File::create(directory.join("envoy.log"))?;
        let start = Start {
            binary,
            config,
            directory: &directory,
            working_directory,
            workers,
            log_level: "info",
            removes_directory: false,
        };
        let process = Process::start(&start, log.try_clone()?.into(), log.into())?;
        let listeners = BTreeMap::new();
        Ok(Self { process, admin: None, listeners, directory, _temporary: temporary })
    }

    fn is_ready(&mut self) -> bool {
        if self.admin.is_none() {
            self.admin = self.process.admin_address();
        }
        matches!(self.ask("/ready"), Some(Ok(Response { status: 200, .. })))
    }

    fn ask(&self, target: &str) -> Option<io::Result<Response>> {
        Some(Request::get(target).send(self.admin?))
    }
}

fn name_and_address(status: &Value) -> Option<(String, SocketAddr)> {
    let socket = &status["local_address"]["socket_address"];
    let address = format!("{}:{}", socket["address"].as_str()?, socket["port_value"]);
    Some((status["name"].as_str()?.to_owned(), address.parse().ok()?))
}
