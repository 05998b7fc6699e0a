//! Usage errors as one line. `clap` writes several, and repeats the arguments in them.

use std::ffi::OsString;

use clap::error::ErrorKind;

/// Whether an argument holds a key where the name of its file belongs. Such a command line must not be parsed:
/// the errors of the parser, and ours about files, would repeat the key.
pub fn holds_private_key(arguments: &[OsString]) -> bool {
    arguments.iter().any(|argument| argument.to_string_lossy().contains("PRIVATE KEY-----"))
}

/// Whether the parser stopped in order to show the help or the version.
pub fn is_help(error: &clap::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::DisplayHelp
            | ErrorKind::DisplayVersion
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
    )
}

/// The paragraphs of an error of the parser in one line, without its synopsis.
pub fn one_line(error: &clap::Error) -> String {
    let text = error.to_string();
    let mut paragraphs: Vec<String> = text
        .trim_start_matches("error: ")
        .split("\n\n")
        .filter(|paragraph| !paragraph.starts_with("Usage:"))
        .filter(|paragraph| !paragraph.starts_with("For more information"))
        .map(|paragraph| paragraph.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    paragraphs.push("see `--help`".to_owned());
    paragraphs.join("; ")
}

/// `text` as one line: names of files and values may hold line breaks and escape sequences.
pub fn without_control_characters(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{FFFD}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use clap::{Arg, Command};

    use super::*;

    fn error(arguments: &[&str]) -> String {
        let command = Command::new("jwt-rbac")
            .arg(Arg::new("key").long("key").value_name("FILE").required(true))
            .arg(Arg::new("color").long("color").value_parser(["red", "blue"]));
        one_line(&command.try_get_matches_from(arguments).unwrap_err())
    }

    #[test]
    fn errors_of_the_parser_take_one_line() {
        assert_eq!(
            error(&["jwt-rbac"]),
            "the following required arguments were not provided: --key <FILE>; see `--help`"
        );
        assert_eq!(
            error(&["jwt-rbac", "--key", "k", "--color", "rad"]),
            "invalid value 'rad' for '--color <color>' [possible values: red, blue]; tip: a similar value exists: \
             'red'; see `--help`"
        );
    }

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        assert_eq!(without_control_characters("a\n\u{1b}[31mb"), "a\u{FFFD}\u{FFFD}[31mb");
    }
}
