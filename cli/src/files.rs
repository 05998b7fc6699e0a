//! The files that a subcommand is given: a file, a folder with everything in it, or standard input.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jwt_rbac_explain::check::File;

use crate::error::Error;

/// The name under which standard input is told of.
const STDIN: &str = "<stdin>";

/// Reads every file of these paths, in the order of their names where they are in a folder.
///
/// # Errors
///
/// When one can't be read, or there is none.
pub fn read_all(paths: &[PathBuf]) -> Result<Vec<File>, Error> {
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            let before = files.len();
            add_folder(path, &mut files)?;
            if files.len() == before {
                return Err(Error::EmptyFolder { path: path.clone() });
            }
        } else {
            files.push(read(path)?);
        }
    }
    Ok(files)
}

/// Reads one file, or standard input for `-`.
///
/// # Errors
///
/// When it can't be read.
pub fn read(path: &Path) -> Result<File, Error> {
    let (name, text) = if path == Path::new("-") {
        (STDIN.to_owned(), io::read_to_string(io::stdin()))
    } else {
        (path.display().to_string(), fs::read_to_string(path))
    };
    let text = text.map_err(|source| Error::Read { path: path.to_owned(), source })?;
    Ok(File { name, text, from_folder: false })
}

fn add_folder(folder: &Path, files: &mut Vec<File>) -> Result<(), Error> {
    let failed = |source| Error::Read { path: folder.to_owned(), source };
    let entries = fs::read_dir(folder).map_err(failed)?;
    let mut paths =
        entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>, _>>().map_err(failed)?;
    paths.sort();
    for path in paths {
        let is_hidden =
            path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        let is_text =
            path.extension().is_some_and(|it| it == "yaml" || it == "yml" || it == "json");
        if path.is_dir() && !is_hidden {
            add_folder(&path, files)?;
        } else if path.is_file() && is_text {
            files.push(File { from_folder: true, ..read(&path)? });
        }
    }
    Ok(())
}
