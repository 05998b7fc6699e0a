//! A process of Envoy that ends with its owner: killed when the owner is dropped, and also when the owner's
//! process ends in a way that runs no `Drop`.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::time::Duration;

/// How long the admin interface may take to answer.
const ADMIN_TIME: Duration = Duration::from_secs(5);

/// How Envoy is started.
#[derive(Clone, Copy, Debug)]
pub struct Start<'s> {
    /// The program.
    pub binary: &'s Path,
    /// Its bootstrap.
    pub config: &'s Path,
    /// A folder for the address of its admin interface.
    pub directory: &'s Path,
    /// Where it looks for files that the bootstrap names.
    pub working_directory: &'s Path,
    /// How many workers it has.
    pub workers: usize,
    /// From which level on it logs.
    pub log_level: &'s str,
    /// Whether the folder is removed when the owner's process ends without a `Drop`.
    pub removes_directory: bool,
}

/// A running Envoy.
#[derive(Debug)]
pub struct Process {
    envoy: Child,
    watchdog: Child,
    /// Holds the address of the admin interface, which Envoy writes.
    admin_file: PathBuf,
}

impl Process {
    /// Starts one. Its log, a line `[level][process] text` each, goes to `log`.
    ///
    /// # Errors
    ///
    /// When the program can't be started. What it says of its bootstrap is in the log.
    pub fn start(start: &Start<'_>, stdout: Stdio, log: Stdio) -> io::Result<Self> {
        let admin_file = start.directory.join("admin");
        // This may be the file of an earlier run in the same folder.
        let _ = fs::remove_file(&admin_file);
        let mut envoy = Command::new(start.binary)
            .arg("--config-path")
            .arg(start.config)
            .arg("--admin-address-path")
            .arg(&admin_file)
            .args(["--concurrency", &start.workers.to_string(), "--use-dynamic-base-id"])
            .args(["--log-level", start.log_level])
            .args(["--log-format", "[%l][%n] %v"])
            // The plugins of replaced listeners end soon, and gauges no longer count them.
            .args(["--drain-time-s", "1"])
            // Tests wait for the lines of access logs.
            .args(["--file-flush-interval-msec", "50"])
            .current_dir(start.working_directory)
            // Ctrl-C reaches the owner alone, which ends Envoy.
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(stdout)
            .stderr(log)
            .spawn()?;
        let leftover = start.removes_directory.then_some(start.directory);
        match watchdog(envoy.id(), leftover) {
            Ok(watchdog) => Ok(Self { envoy, watchdog, admin_file }),
            Err(error) => {
                let _ = envoy.kill();
                let _ = envoy.wait();
                Err(error)
            }
        }
    }

    /// Its number.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.envoy.id()
    }

    /// Its log, if it was piped and nobody has it yet.
    pub fn take_log(&mut self) -> Option<ChildStderr> {
        self.envoy.stderr.take()
    }

    /// How it ended, if it has.
    ///
    /// # Errors
    ///
    /// When it can't be asked.
    pub fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        self.envoy.try_wait()
    }

    /// Waits until it ends.
    ///
    /// # Errors
    ///
    /// When it can't be waited for.
    pub fn wait(&mut self) -> io::Result<ExitStatus> {
        self.envoy.wait()
    }

    /// The address of the admin interface; `None` before it listens.
    #[must_use]
    pub fn admin_address(&self) -> Option<SocketAddr> {
        fs::read_to_string(&self.admin_file).ok()?.trim().parse().ok()
    }

    /// The answer of the admin interface to a GET, head and body; `None` before it listens.
    #[must_use]
    pub fn ask(&self, target: &str) -> Option<String> {
        let mut stream = TcpStream::connect_timeout(&self.admin_address()?, ADMIN_TIME).ok()?;
        stream.set_read_timeout(Some(ADMIN_TIME)).ok()?;
        let request = format!("GET {target} HTTP/1.1\r\nhost: admin\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        Some(answer)
    }

    /// Whether its listeners take requests.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.ask("/ready").is_some_and(|answer| answer.starts_with("HTTP/1.1 200 "))
    }

    /// A counter or a gauge; 0 where Envoy does not know it yet.
    #[must_use]
    pub fn stat(&self, name: &str) -> u64 {
        let answer = self.ask(&format!("/stats?filter=^{}$", name.replace('.', "\\.")));
        let answer = answer.unwrap_or_default();
        let value = answer.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        value.and_then(|value| value.trim().parse().ok()).unwrap_or_default()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // This fails if Envoy has ended already, which does not matter.
        let _ = self.watchdog.kill();
        let _ = self.watchdog.wait();
        let _ = self.envoy.kill();
        let _ = self.envoy.wait();
    }
}

/// Kills Envoy, and removes a folder, when this process ends in a way that runs no `Drop`: the pipe to the
/// shell closes then, whatever the reason.
fn watchdog(envoy: u32, leftover: Option<&Path>) -> io::Result<Child> {
    const SCRIPT: &str =
        "trap '' HUP INT TERM; read -r line; kill -9 \"$1\"; [ -z \"$2\" ] || rm -rf \"$2\"";
    Command::new("sh")
        .args(["-c", SCRIPT, "watchdog"])
        .arg(envoy.to_string())
        .arg(leftover.unwrap_or(Path::new("")))
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
}
