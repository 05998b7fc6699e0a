//! What `make` does and Cargo can't: see [`USAGE`].

use std::env;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use walrus::Module;

use image::{About, Image};

mod image;
mod push;
mod trim;

const USAGE: &str = "usage:
  xtask trim <linked.wasm> <module.wasm>   the module that Envoy loads, from the one that the linker wrote
  xtask image <module.wasm> <directory>    its image, as an OCI image layout; the annotation `source` is $SOURCE
  xtask push <directory> <registry>        the image to <registry>/jwt-rbac:<version>";

const VERSION: &str = env!("CARGO_PKG_VERSION");

fn main() -> ExitCode {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let done = match arguments.as_slice() {
        ["trim", from, to] => trim(Path::new(from), Path::new(to)),
        ["image", module, directory] => image(Path::new(module), Path::new(directory)),
        ["push", directory, registry] => push(Path::new(directory), registry),
        _ => Err(USAGE.to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("xtask: {message}");
            ExitCode::FAILURE
        }
    }
}

fn trim(from: &Path, to: &Path) -> Result<(), String> {
    let linked =
        Module::from_file(from).map_err(|error| format!("{}: {error:#}", from.display()))?;
    let module = trim::trim(linked).map_err(|error| format!("{}: {error}", from.display()))?;
    fs::write(to, &module).map_err(|error| format!("{}: {error}", to.display()))?;
    println!("{}: {} bytes", to.display(), module.len());
    Ok(())
}

fn image(module: &Path, directory: &Path) -> Result<(), String> {
    let bytes = fs::read(module).map_err(|error| format!("{}: {error}", module.display()))?;
    let source = env::var("SOURCE").ok().filter(|source| !source.is_empty());
    let about = About { version: VERSION.to_owned(), source };
    let image = Image::new(&bytes, &about).map_err(|error| error.to_string())?;
    image.write(directory).map_err(|error| format!("{}: {error}", directory.display()))?;
    println!("{}: {}", directory.display(), image.digest());
    Ok(())
}

fn push(directory: &Path, registry: &str) -> Result<(), String> {
    let digest = push::push(directory, registry, VERSION)?;
    println!("url: oci://{}", push::reference(registry, VERSION));
    println!("sha256: {}", digest.trim_start_matches("sha256:"));
    Ok(())
}
