//! What `make` does and Cargo can't: see [`USAGE`].

use std::env;
use std::fs;
use std::io;
use std::path::Path;
use std::process::ExitCode;

use walrus::Module;

use image::{About, Image};

mod dist;
mod image;
mod playground;
mod push;
mod sbom;
mod trim;

const USAGE: &str = "usage:
  xtask trim <linked.wasm> <module.wasm>   the module that Envoy loads, from the one that the linker wrote
  xtask image <module.wasm> <directory>    its image, as an OCI image layout; the annotation `source` is $SOURCE
  xtask push <directory> <registry>        the image to <registry>/jwt-rbac:<version>
  xtask dist <module.wasm> <program> <machine> <directory>
                                           the files of a release; $IMAGE is where its image will be
  xtask playground <parts> <module.wasm> <directory>
                                           the playground as one page, from the parts of it";

const VERSION: &str = env!("CARGO_PKG_VERSION");

fn main() -> ExitCode {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let done = match arguments.as_slice() {
        ["trim", from, to] => trim(Path::new(from), Path::new(to)),
        ["image", module, directory] => image(Path::new(module), Path::new(directory)),
        ["dist", module, program, machine, directory] => {
            dist(Path::new(module), (Path::new(program), machine), Path::new(directory))
        }
        ["playground", parts, module, directory] => {
            playground(Path::new(parts), Path::new(module), Path::new(directory))
        }
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

/// A variable of the environment that says something.
fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

fn image_of(module: &Path) -> Result<(Vec<u8>, Image), String> {
    let bytes = fs::read(module).map_err(|error| format!("{}: {error}", module.display()))?;
    let about = About { version: VERSION.to_owned(), source: variable("SOURCE") };
    let image = Image::new(&bytes, &about).map_err(|error| error.to_string())?;
    Ok((bytes, image))
}

fn dist(module: &Path, command_line: (&Path, &str), directory: &Path) -> Result<(), String> {
    let (bytes, image) = image_of(module)?;
    let sbom = sbom::of_module(VERSION)?;
    let repository = variable("IMAGE");
    let sources = dist::Sources {
        root: Path::new("."),
        module: &bytes,
        image: &image,
        sbom: &sbom,
        command_line,
        version: VERSION,
        repository: repository.as_deref(),
    };
    dist::write(&sources, directory).map_err(|error| error.to_string())?;
    let sums = fs::read_to_string(directory.join("SHA256SUMS")).map_err(|it| it.to_string())?;
    print!("{}:\n{sums}", directory.display());
    Ok(())
}

fn image(module: &Path, directory: &Path) -> Result<(), String> {
    let (_, image) = image_of(module)?;
    image.write(directory).map_err(|error| format!("{}: {error}", directory.display()))?;
    println!("{}: {}", directory.display(), image.digest());
    Ok(())
}

fn playground(parts: &Path, module: &Path, directory: &Path) -> Result<(), String> {
    let failed = |path: &Path, error: io::Error| format!("{}: {error}", path.display());
    let module = fs::read(module).map_err(|error| failed(module, error))?;
    let page = playground::page(parts, &module).map_err(|error| failed(parts, error))?;
    let file = directory.join("index.html");
    let written = fs::create_dir_all(directory).and_then(|()| fs::write(&file, &page));
    written.map_err(|error| failed(&file, error))?;
    println!("{}: {} bytes", file.display(), page.len());
    Ok(())
}

fn push(directory: &Path, registry: &str) -> Result<(), String> {
    let digest = push::push(directory, registry, VERSION)?;
    println!("url: oci://{}", push::reference(registry, VERSION));
    println!("sha256: {}", digest.trim_start_matches("sha256:"));
    Ok(())
}
