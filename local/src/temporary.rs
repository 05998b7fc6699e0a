//! A folder that is removed when its owner is dropped.

use std::env;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A fresh folder below the system's temporary directory, which only its owner can read.
#[derive(Debug)]
pub struct TemporaryDirectory(PathBuf);

impl TemporaryDirectory {
    /// Creates one whose name nobody else has.
    ///
    /// # Errors
    ///
    /// When there can be none.
    pub fn create() -> io::Result<Self> {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Self::named(&format!("jwt-rbac-{}-{number}", process::id()))
    }

    /// Creates one with this name. What another process left there, which was killed with all its helpers,
    /// is removed; the caller knows that no other one uses it.
    ///
    /// # Errors
    ///
    /// When somebody else's is there.
    pub fn named(name: &str) -> io::Result<Self> {
        let path = env::temp_dir().join(name);
        // Of a symbolic link this removes the link alone.
        if fs::symlink_metadata(&path).is_ok() {
            fs::remove_dir_all(&path)?;
        }
        DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self(path))
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for TemporaryDirectory {
    fn drop(&mut self) {
        // What can't be removed stays in the temporary directory, which is harmless.
        let _ = fs::remove_dir_all(&self.0);
    }
}
