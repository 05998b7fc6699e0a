//! Where Envoy and the module are, and how to get them.

use std::env;
use std::ffi::OsStr;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The file of the filter.
pub const MODULE: &str = "jwt_rbac.wasm";

/// A program or file that is not there.
#[derive(Debug, thiserror::Error)]
pub enum Missing {
    /// The Envoy that was named can't be run.
    #[error("ENVOY is `{}`, which is no program; expected the path of an Envoy", .0.display())]
    NoProgram(PathBuf),
    /// No Envoy was named, and none was found.
    #[error(
        "found no Envoy: neither `func-e` nor `envoy` is on PATH; install func-e (https://func-e.io), or give the path of \
         an Envoy in ENVOY"
    )]
    Envoy,
    /// func-e, which brings Envoy, failed.
    #[error(
        "`func-e which` names no Envoy: {0}; run `func-e use latest`, or give the path of an Envoy in ENVOY"
    )]
    FuncE(String),
    /// There is no module.
    #[error(
        "found no {MODULE}; expected it beside this program, in this folder or in `target/`: run `make build`, or take it \
         from a release, and give its path with `--wasm`"
    )]
    Module,
    /// The module that was named is not there.
    #[error("`{}` is no file; expected the module, {MODULE}", .0.display())]
    NoModule(PathBuf),
}

/// The Envoy to run: `$ENVOY`, else what func-e says, else `envoy` on PATH.
///
/// # Errors
///
/// When there is none. func-e may fetch one first, and tells of it on standard error.
pub fn envoy() -> Result<PathBuf, Missing> {
    if let Some(path) = env::var_os("ENVOY").filter(|path| !path.is_empty()) {
        let path = PathBuf::from(path);
        let is_program = is_program(&path);
        return if is_program { Ok(path) } else { Err(Missing::NoProgram(path)) };
    }
    if let Some(func_e) = on_path("func-e") {
        return from_func_e(&func_e);
    }
    on_path("envoy").ok_or(Missing::Envoy)
}

/// The module: the one that is named, else that beside this program or in the folder above it, in the
/// working directory, or in its `target/`.
///
/// # Errors
///
/// When it is not there.
pub fn module(named: Option<&Path>) -> Result<PathBuf, Missing> {
    if let Some(path) = named {
        let is_there = path.is_file();
        return if is_there { absolute(path) } else { Err(Missing::NoModule(path.to_owned())) };
    }
    let program = env::current_exe().unwrap_or_default();
    // `cargo build` puts programs into a folder of `target/`, and `make build` the module into `target/`.
    let beside = program.ancestors().skip(1).take(2).map(Path::to_owned);
    let here = [PathBuf::from("."), PathBuf::from("target")];
    let mut places = beside.chain(here).map(|folder| folder.join(MODULE));
    places.find(|path| path.is_file()).ok_or(Missing::Module).and_then(|path| absolute(&path))
}

fn absolute(path: &Path) -> Result<PathBuf, Missing> {
    path.canonicalize().map_err(|_: io::Error| Missing::NoModule(path.to_owned()))
}

fn from_func_e(func_e: &Path) -> Result<PathBuf, Missing> {
    let output =
        Command::new(func_e).arg("which").stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let output = output.map_err(|error| Missing::FuncE(error.to_string()))?;
    let path = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    if output.status.success() && is_program(&path) {
        return Ok(path);
    }
    Err(Missing::FuncE(format!("it ended with {}", output.status)))
}

fn on_path(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    first_program(&path, name)
}

fn first_program(path: &OsStr, name: &str) -> Option<PathBuf> {
    env::split_paths(path).map(|folder| folder.join(name)).find(|file| is_program(file))
}

fn is_program(path: &Path) -> bool {
    path.metadata().is_ok_and(|it| it.is_file() && it.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_or_a_file_without_permission_is_no_program() {
        assert_eq!(first_program(OsStr::new("/etc:/nowhere:/bin"), "sh"), Some("/bin/sh".into()));
        assert_eq!(first_program(OsStr::new("/etc"), "passwd"), None);
        assert_eq!(first_program(OsStr::new("/"), "etc"), None);
    }

    #[test]
    fn a_module_that_was_named_is_the_only_one() {
        let error = module(Some(Path::new("/nowhere/x.wasm"))).unwrap_err().to_string();
        assert_eq!(error, "`/nowhere/x.wasm` is no file; expected the module, jwt_rbac.wasm");
    }
}
