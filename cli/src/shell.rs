//! `jwt-rbac completions` and `jwt-rbac man`: made from the definitions of the command line itself.

use std::fs;
use std::path::PathBuf;

use clap::Command;
use clap_complete::Shell;

use crate::error::Error;

/// Print what completes this command in a shell
#[derive(clap::Args)]
#[command(after_help = "Examples:
  jwt-rbac completions bash > ~/.local/share/bash-completion/completions/jwt-rbac
  jwt-rbac completions zsh > \"${fpath[1]}/_jwt-rbac\"
  jwt-rbac completions fish > ~/.config/fish/completions/jwt-rbac.fish")]
pub struct CompletionOptions {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Write the manual pages of this command to a folder
#[derive(clap::Args)]
#[command(after_help = "Example:
  jwt-rbac man ~/.local/share/man/man1 && man jwt-rbac-check")]
pub struct ManOptions {
    /// The folder; it is made if it is not there
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
}

/// The completions of `command`.
pub fn completions(options: &CompletionOptions, mut command: Command) -> String {
    let mut script = Vec::new();
    let name = command.get_name().to_owned();
    clap_complete::generate(options.shell, &mut command, name, &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

/// Writes one page for `command` and one for each of its subcommands, and names them.
///
/// # Errors
///
/// When the folder can't be written.
pub fn man(options: &ManOptions, command: Command) -> Result<String, Error> {
    let failed = |source| Error::Save { path: options.folder.clone(), source };
    fs::create_dir_all(&options.folder).map_err(failed)?;
    // The version of the package is that of each of its commands.
    clap_mangen::generate_to(command.disable_help_subcommand(true), &options.folder)
        .map_err(failed)?;
    Ok(format!("the pages are in {}\n", options.folder.display()))
}
