//! `jwt-rbac`, the command line tool for the people who write and run documents of the filter. This
//! file has the names of the subcommands, and how each of them ends: with text on stdout, or with
//! one line on stderr and an exit code.

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use crate::error::Error;
use crate::output::Output;

mod caller;
mod certificate;
mod check;
mod claims;
mod decode;
mod document;
mod error;
mod explain;
mod files;
mod jwks;
mod key;
mod migrate;
mod now;
mod output;
mod shell;
mod signals;
mod style;
mod test;
mod token;
mod try_out;
mod usage;
mod webhook;

/// Check, explain and test the documents of the jwt-rbac filter, offline and with its own code
#[derive(Parser)]
#[command(
    name = "jwt-rbac",
    version,
    after_help = "Examples:
  jwt-rbac check manifests/
  jwt-rbac explain orders.yaml --request 'GET /orders/7' --claims '{\"roles\": [\"clerk\"]}'
  jwt-rbac test policies/

`jwt-rbac help COMMAND` says more about each."
)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    Check(check::Options),
    // Boxed, because they are so much bigger than the others.
    Explain(Box<explain::Options>),
    Test(test::Options),
    Try(try_out::Options),
    Migrate(migrate::Options),
    Decode(decode::Options),
    Token(Box<token::Options>),
    Jwks(jwks::Options),
    Webhook(webhook::Options),
    Completions(shell::CompletionOptions),
    Man(shell::ManOptions),
}

impl Command {
    /// Does the work and returns what goes to stdout.
    fn run(&self) -> Result<Output, Error> {
        match self {
            Self::Check(options) => check::run(options),
            Self::Explain(options) => explain::run(options),
            Self::Test(options) => test::run(options),
            Self::Try(options) => try_out::run(options),
            Self::Migrate(options) => migrate::run(options),
            Self::Decode(options) => decode::run(options),
            Self::Token(options) => token::run(options).map(Output::from),
            Self::Jwks(options) => jwks::run(options).map(Output::from),
            Self::Webhook(options) => webhook::run(options),
            Self::Completions(options) => {
                Ok(shell::completions(options, CommandLine::command()).into())
            }
            Self::Man(options) => shell::man(options, CommandLine::command()).map(Output::from),
        }
    }
}

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    if usage::holds_private_key(&arguments) {
        return fail(&Error::KeyInArguments);
    }
    match CommandLine::try_parse_from(arguments) {
        Ok(line) => match line.command.run().and_then(|output| print(&output)) {
            Ok(code) => code,
            Err(error) => fail(&error),
        },
        Err(stop) if usage::is_help(&stop) => {
            // If nobody reads the help any more, that is no error.
            let _ = stop.print();
            if stop.use_stderr() { ExitCode::from(2) } else { ExitCode::SUCCESS }
        }
        Err(error) => fail(&Error::Usage(usage::one_line(&error))),
    }
}

/// Writes to stdout; `print!` would panic when nobody reads it.
fn print(output: &Output) -> Result<ExitCode, Error> {
    let mut stdout = io::stdout().lock();
    let written = stdout.write_all(output.text.as_bytes()).and_then(|()| stdout.flush());
    written.map_err(Error::Write)?;
    Ok(if output.has_failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn fail(error: &Error) -> ExitCode {
    // If stderr is closed, there is nowhere to report it.
    let _ = writeln!(
        io::stderr(),
        "jwt-rbac: {}",
        usage::without_control_characters(&error.to_string())
    );
    error.exit_code()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_options_of_no_subcommand_clash() {
        CommandLine::command().debug_assert();
    }
}
