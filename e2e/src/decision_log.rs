//! What the filter writes about decisions into Envoy's log.

use std::fs;
use std::time::Duration;

use serde_json::{Value, json};

use crate::artifacts;
use crate::envoy::Envoy;
use crate::tokens;

/// The pause between decisions that must all be logged: a plugin writes at most ten lines of a kind
/// in one second.
pub const PACE: Duration = Duration::from_millis(105);

/// How such a line of JSON begins.
const START: &str = "{\"jwt_rbac\":";

/// A document with a route for each thing that can be said of a request, and this `decisionLog`.
pub fn document(log: &str) -> Value {
    json!({
        "jwtRules": [tokens::provider()],
        "routes": [
            {"name": "public", "paths": ["/public"], "access": "PUBLIC"},
            {"name": "closed", "paths": ["/closed"], "access": "DENIED"},
            {"name": "members", "paths": ["/members"], "permissions": ["none:has"]},
        ],
        "decisionLog": log,
    })
}

/// The first block of `docs/operations.md` with this title.
///
/// # Panics
///
/// When there is none.
pub fn documented(title: &str) -> String {
    let page = fs::read_to_string(artifacts::root().join("docs/operations.md")).expect("a page");
    let (_, block) = page.split_once(&format!("```{title}\n")).expect("a block begins");
    let (block, _) = block.split_once("\n```").expect("a block ends");
    block.to_owned()
}

/// The lines of a log about something else than a request, with this word: `document_refused`,
/// `document_warning`, `document_in_force`, `host_warning`, `host_failure`.
///
/// # Panics
///
/// When one is not JSON to its end.
pub fn events(log: &str, word: &str) -> Vec<Value> {
    let start = format!("{START}\"{word}\"");
    let lines = log.lines().filter_map(|line| line.get(line.find(&start)?..));
    lines
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect()
}

/// A reader of Envoy's log that goes on where it stopped.
#[derive(Debug)]
pub struct DecisionLog<'a> {
    envoy: &'a Envoy,
    read: usize,
}

impl<'a> DecisionLog<'a> {
    /// Reads what is logged from now on.
    pub fn of(envoy: &'a Envoy) -> Self {
        Self { envoy, read: envoy.log().len() }
    }

    /// The lines about decisions since the last call. Everything since then has to be such a line,
    /// at level `warning`, and JSON to its end, so that no client can have broken or extended one.
    pub fn read(&mut self) -> Vec<Value> {
        let log = self.envoy.log();
        let fresh = log.get(self.read..).expect("a log only grows");
        self.read = log.len();
        let parse = |line: &str| {
            assert!(line.starts_with("[warning][wasm] "), "{line}");
            let start = line.find(START).unwrap_or_else(|| panic!("no decision: {line}"));
            serde_json::from_str(&line[start..]).unwrap_or_else(|error| panic!("{error}: {line}"))
        };
        fresh.lines().map(parse).collect()
    }

    /// The only line about a decision since the last call.
    pub fn read_one(&mut self) -> Value {
        let mut lines = self.read();
        assert_eq!(lines.len(), 1, "{lines:#?}");
        lines.remove(0)
    }
}
