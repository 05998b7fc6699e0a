//! Envoy with the filter, before the workload.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use jwt_rbac_local::bootstrap::{UPSTREAM, address, bootstrap};
use jwt_rbac_local::filters;
use jwt_rbac_local::listeners::ListenerFile;
use jwt_rbac_local::process::{self, Process};
use serde_json::{Value, json};

use super::events::{Event, Events};
use crate::error::Error;

/// How long Envoy may take to be ready, or to load a document. Most of it is V8, which compiles the module
/// first.
const TIME: Duration = Duration::from_mins(1);
/// How often it is asked.
const LOOK: Duration = Duration::from_millis(20);

/// What Envoy counts of the file of its listeners.
const TAKEN: &str = "listener_manager.lds.update_success";
const REFUSED: &str = "listener_manager.lds.update_rejected";

/// What it is started with.
pub struct Start<'s> {
    /// Envoy.
    pub binary: PathBuf,
    /// The filter.
    pub module: PathBuf,
    /// A folder for its files.
    pub directory: &'s Path,
    /// The port that takes requests.
    pub port: u16,
    /// Where allowed requests go.
    pub workload: SocketAddr,
}

/// A running Envoy.
pub struct Proxy {
    process: Process,
    listeners: ListenerFile,
    module: PathBuf,
    port: u16,
}

/// What became of a new document.
pub enum Update {
    /// It is in force.
    Accepted,
    /// The one before is. These lines of the log say why.
    Refused(Vec<String>),
    /// Nobody wants to know any more.
    Stopped,
}

impl Proxy {
    /// Starts one and waits until it takes requests; `None` when somebody ends it before.
    ///
    /// # Errors
    ///
    /// What Envoy says when it does not start.
    pub fn start(
        start: &Start<'_>,
        config: &Value,
        events: &Events,
    ) -> Result<Option<Self>, Error> {
        let listener = listener(config, &start.module, start.port);
        let failed = |source| Error::Folder { source };
        let listeners = ListenerFile::create(start.directory, &[listener]).map_err(failed)?;
        let bootstrap = bootstrap(start.workload, &[], Some(listeners.path()));
        let file = start.directory.join("bootstrap.json");
        fs::write(&file, bootstrap.to_string()).map_err(failed)?;
        let process = process::Start {
            binary: &start.binary,
            config: &file,
            directory: start.directory,
            working_directory: start.directory,
            workers: 1,
            log_level: "warning",
            removes_directory: true,
        };
        let process = Process::start(&process, Stdio::null(), Stdio::piped())
            .map_err(|error| Error::Envoy(error.to_string()))?;
        let (module, port) = (start.module.clone(), start.port);
        let mut proxy = Self { process, listeners, module, port };
        if let Some(log) = proxy.process.take_log() {
            events.read_log(log).map_err(Error::Events)?;
        }
        match proxy.wait(events, |process| process.is_ready() && process.stat(TAKEN) > 0, || 0)? {
            Update::Accepted => Ok(Some(proxy)),
            Update::Refused(lines) => Err(Error::Envoy(cause(&lines))),
            Update::Stopped => Ok(None),
        }
    }

    /// Where it takes requests.
    pub fn address(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.port))
    }

    /// Replaces the document. Requests that are on their way end under the one before.
    ///
    /// # Errors
    ///
    /// When its file can't be written, or Envoy ends.
    pub fn replace(&mut self, config: &Value, events: &Events) -> Result<Update, Error> {
        let (taken, refused) = (self.process.stat(TAKEN), self.process.stat(REFUSED));
        let listener = listener(config, &self.module, self.port);
        self.listeners.write(&[listener]).map_err(|source| Error::Folder { source })?;
        self.wait(events, move |process| process.stat(TAKEN) > taken, move || refused)
    }

    /// Waits until Envoy has taken or refused the listeners; what it logs meanwhile is for an error.
    fn wait(
        &mut self,
        events: &Events,
        is_taken: impl Fn(&Process) -> bool,
        refused_before: impl Fn() -> u64,
    ) -> Result<Update, Error> {
        let start = Instant::now();
        let mut log = Vec::new();
        let mut is_saved = false;
        let update = loop {
            match events.next(LOOK) {
                Ok(Event::Log(line)) => log.push(line),
                Ok(Event::Stopped) => break Update::Stopped,
                Ok(Event::Ended) => return Err(Error::Envoy(cause(&log))),
                Ok(Event::Saved) => is_saved = true,
                Err(_) => {}
            }
            if is_taken(&self.process) {
                break Update::Accepted;
            }
            if self.process.stat(REFUSED) > refused_before() {
                break Update::Refused(log);
            }
            if start.elapsed() > TIME {
                return Err(Error::Envoy(format!("not ready after {TIME:?}: {}", cause(&log))));
            }
        };
        if is_saved {
            events.save_again();
        }
        Ok(update)
    }
}

/// The first line of a log that tells of an error, else its last.
fn cause(log: &[String]) -> String {
    let is_error = |line: &&String| line.starts_with("[error]") || line.starts_with("[critical]");
    let cause = log.iter().find(is_error).or(log.last());
    cause.map_or_else(|| "it says nothing".to_owned(), |line| line.chars().take(600).collect())
}

/// A listener like that of a sidecar of Istio, on this machine alone.
fn listener(config: &Value, module: &Path, port: u16) -> Value {
    let manager = json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "try",
        // As Istio does: `pathNormalization`, WebSocket, `ignore_port_in_host_matching`.
        "normalize_path": true,
        "upgrade_configs": [{"upgrade_type": "websocket"}],
        "http_filters": [filters::jwt_rbac("try", config, module), filters::router()],
        "route_config": {
            "ignore_port_in_host_matching": true,
            "virtual_hosts": [{
                "name": "all",
                "domains": ["*"],
                "routes": [{"match": {"prefix": "/"}, "route": {"cluster": UPSTREAM, "timeout": "0s"}}],
            }],
        },
    });
    json!({
        "name": "try",
        "address": address("127.0.0.1", port),
        "filter_chains": [{"filters": [{
            "name": "envoy.filters.network.http_connection_manager",
            "typed_config": manager,
        }]}],
    })
}
