//! What a subcommand writes, and whether it failed.

use std::io::{self, IsTerminal};

use clap::ValueEnum;

/// What goes to stdout.
pub struct Output {
    /// The text.
    pub text: String,
    /// Whether the exit status tells of a failure.
    pub has_failed: bool,
}

impl From<String> for Output {
    fn from(text: String) -> Self {
        Self { text, has_failed: false }
    }
}

/// Whether the output has colors.
#[derive(Clone, Copy, clap::Args)]
pub struct Color {
    /// When to use colors
    #[arg(long, value_enum, default_value_t, value_name = "WHEN")]
    color: When,
}

#[derive(Clone, Copy, Default, ValueEnum)]
enum When {
    /// On a terminal, unless `NO_COLOR` is set
    #[default]
    Auto,
    /// Also in a pipe
    Always,
    /// Not on a terminal either
    Never,
}

impl Color {
    /// Whether colors are wanted on stdout.
    pub fn is_on(self) -> bool {
        match self.color {
            When::Always => true,
            When::Never => false,
            When::Auto => {
                // https://no-color.org: any value but an empty one.
                let is_refused =
                    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
                io::stdout().is_terminal() && !is_refused
            }
        }
    }
}
