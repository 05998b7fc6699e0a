//! Listeners that Envoy reads from a file, so that a test can replace a document while the one
//! before it answers requests.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::envoy::Envoy;
use crate::temporary::TemporaryDirectory;

const TIMEOUT: Duration = Duration::from_secs(20);

/// A file of listeners, for `dynamic` of [`crate::bootstrap::bootstrap`].
#[derive(Debug)]
pub struct ListenerFile {
    directory: TemporaryDirectory,
    path: PathBuf,
    version: u32,
}

/// What Envoy did with the listeners that were published last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Update {
    /// It runs all of them.
    Accepted,
    /// It refused at least one of them and goes on with what it had.
    Rejected,
}

impl ListenerFile {
    /// A file with these listeners.
    pub fn create(listeners: &[Value]) -> Self {
        let directory = TemporaryDirectory::create();
        let path = directory.path().join("listeners.json");
        let mut file = Self { directory, path, version: 0 };
        file.write(listeners);
        file
    }

    /// The path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Replaces the listeners and waits until Envoy has judged them.
    pub fn publish(&mut self, envoy: &mut Envoy, listeners: &[Value]) -> Update {
        let judged = |envoy: &Envoy| {
            let stat = |name: &str| envoy.stat(&format!("listener_manager.lds.{name}"));
            (stat("update_success"), stat("update_rejected"))
        };
        let before = judged(envoy);
        self.write(listeners);
        let deadline = Instant::now() + TIMEOUT;
        loop {
            let now = judged(envoy);
            if now.1 > before.1 {
                return Update::Rejected;
            }
            if now.0 > before.0 {
                envoy.learn_addresses();
                return Update::Accepted;
            }
            assert!(Instant::now() < deadline, "Envoy ignored the file:\n{}", envoy.log_tail());
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Envoy watches for a rename, and a rename shows it the file whole or not at all.
    fn write(&mut self, listeners: &[Value]) {
        self.version += 1;
        let typed = listeners.iter().map(|listener| {
            let mut typed = listener.clone();
            typed["@type"] = "type.googleapis.com/envoy.config.listener.v3.Listener".into();
            typed
        });
        let resources: Vec<Value> = typed.collect();
        let text = json!({"version_info": self.version.to_string(), "resources": resources});
        let fresh = self.directory.path().join("fresh.json");
        fs::write(&fresh, text.to_string()).expect("the listeners can be written");
        fs::rename(fresh, &self.path).expect("the listeners can be replaced");
    }
}
