//! Listeners that Envoy reads from a file, so that they can be replaced while it runs.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

/// A file of listeners, for `dynamic` of [`crate::bootstrap::bootstrap`].
#[derive(Debug)]
pub struct ListenerFile {
    path: PathBuf,
    version: u32,
}

impl ListenerFile {
    /// A file with these listeners in this folder.
    ///
    /// # Errors
    ///
    /// When it can't be written.
    pub fn create(directory: &Path, listeners: &[Value]) -> io::Result<Self> {
        let mut file = Self { path: directory.join("listeners.json"), version: 0 };
        file.write(listeners)?;
        Ok(file)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Replaces the listeners. Envoy watches for a rename, and a rename shows it the file whole or not at
    /// all.
    ///
    /// # Errors
    ///
    /// When the file can't be written.
    pub fn write(&mut self, listeners: &[Value]) -> io::Result<()> {
        self.version += 1;
        let typed = listeners.iter().map(|listener| {
            let mut typed = listener.clone();
            typed["@type"] = "type.googleapis.com/envoy.config.listener.v3.Listener".into();
            typed
        });
        let resources: Vec<Value> = typed.collect();
        let text = json!({"version_info": self.version.to_string(), "resources": resources});
        let fresh = self.path.with_extension("fresh");
        fs::write(&fresh, text.to_string())?;
        fs::rename(fresh, &self.path)
    }
}
