//! Listeners that Envoy reads from a file, so that a test can replace a document while the one
//! before it answers requests.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use jwt_rbac_local::listeners;
use serde_json::Value;

use crate::envoy::Envoy;
use crate::temporary::TemporaryDirectory;

const TIMEOUT: Duration = Duration::from_secs(20);

/// A file of listeners, for `dynamic` of [`crate::bootstrap::bootstrap`].
#[derive(Debug)]
pub struct ListenerFile {
    file: listeners::ListenerFile,
    _directory: TemporaryDirectory,
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
        let directory = TemporaryDirectory::create().expect("a folder");
        let file = listeners::ListenerFile::create(directory.path(), listeners);
        Self { file: file.expect("the listeners can be written"), _directory: directory }
    }

    /// The path of the file.
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// Replaces the listeners and waits until Envoy has judged them.
    pub fn publish(&mut self, envoy: &mut Envoy, listeners: &[Value]) -> Update {
        let judged = |envoy: &Envoy| {
            let stat = |name: &str| envoy.stat(&format!("listener_manager.lds.{name}"));
            (stat("update_success"), stat("update_rejected"))
        };
        let before = judged(envoy);
        self.file.write(listeners).expect("the listeners can be replaced");
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
}
