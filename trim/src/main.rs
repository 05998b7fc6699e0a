//! `make build` runs this on what the linker made: `trim <linked.wasm> <module.wasm>`.

use std::env;
use std::path::PathBuf;
use std::process::ExitCode;

use walrus::Module;

mod module;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("trim: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    let mut arguments = env::args_os().skip(1).map(PathBuf::from);
    let (Some(from), Some(to)) = (arguments.next(), arguments.next()) else {
        return Err("usage: trim <linked.wasm> <module.wasm>".to_owned());
    };
    let linked =
        Module::from_file(&from).map_err(|error| format!("{}: {error:#}", from.display()))?;
    let module = module::trim(linked).map_err(|error| format!("{}: {error}", from.display()))?;
    std::fs::write(&to, &module).map_err(|error| format!("{}: {error}", to.display()))?;
    println!("{}: {} bytes", to.display(), module.len());
    Ok(())
}
