//! The programs of `e2e/workloads/`: they read a request as real workloads do, and answer with what
//! they understood.

use std::io::{BufRead, BufReader, Read};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, Command, Stdio};

use serde::Deserialize;
use serde_json::Value;

use crate::client::Response;

/// Carries what was understood of a request that opens a tunnel.
const UNDERSTOOD_HEADER: &str = "x-test-understood";

/// A running program.
#[derive(Debug)]
pub struct Workload {
    process: Child,
    /// Where it listens.
    pub address: SocketAddr,
}

/// What it understood of a request that it has a route for.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Understood {
    /// The route: `item` or `admin`.
    pub area: Option<String>,
    /// The method that runs.
    pub method: String,
    /// The path that is served.
    pub path: String,
    /// The host that the request is for.
    pub host: String,
    /// The header `x-sub`.
    pub subject: Option<String>,
    /// The token of the request, a list where the framework makes one.
    pub token: Value,
    /// The cookie `session_id`.
    pub cookie: Option<String>,
}

impl Workload {
    /// Starts a program, by the line with which it is run.
    ///
    /// # Panics
    ///
    /// When it does not start. Its output says why.
    pub fn start(command: &mut Command) -> Self {
        // The program ends when its input does, so that none outlives the test.
        let process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut process = process.unwrap_or_else(|error| {
            panic!("{command:?}: {error}; e2e/workloads/README.md says what it needs")
        });
        let mut output = BufReader::new(process.stdout.take().expect("its output"));
        let mut line = String::new();
        output.read_line(&mut line).expect("its output can be read");
        let port = line.trim().parse();
        let port = port.unwrap_or_else(|_| panic!("{command:?} did not start: see above"));
        // The rest of its output is read too, so that the pipe does not fill up.
        std::thread::spawn(move || output.read_to_end(&mut Vec::new()));
        Self { process, address: (Ipv4Addr::LOCALHOST, port).into() }
    }
}

impl Drop for Workload {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

impl Understood {
    /// Reads it out of a response; `None` when the workload has no route, or was not reached.
    pub fn of(response: &Response) -> Option<Self> {
        let body = response.header(UNDERSTOOD_HEADER).unwrap_or_else(|| response.text());
        let understood: Self = serde_json::from_str(&body).ok()?;
        understood.area.is_some().then_some(understood)
    }
}
