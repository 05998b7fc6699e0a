//! What `make` does and Cargo can't.
//!
//! `xtask trim <linked.wasm> <module.wasm>` makes the module that Envoy loads from the one that the
//! linker wrote.

use std::env;
use std::path::PathBuf;
use std::process::ExitCode;

use walrus::Module;

mod trim;

const USAGE: &str = "usage: xtask trim <linked.wasm> <module.wasm>";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("xtask: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    let arguments: Vec<_> = env::args_os().skip(1).collect();
    let [task, from, to] = arguments.as_slice() else {
        return Err(USAGE.to_owned());
    };
    if task != "trim" {
        return Err(USAGE.to_owned());
    }
    let (from, to) = (PathBuf::from(from), PathBuf::from(to));
    let linked =
        Module::from_file(&from).map_err(|error| format!("{}: {error:#}", from.display()))?;
    let module = trim::trim(linked).map_err(|error| format!("{}: {error}", from.display()))?;
    std::fs::write(&to, &module).map_err(|error| format!("{}: {error}", to.display()))?;
    println!("{}: {} bytes", to.display(), module.len());
    Ok(())
}
