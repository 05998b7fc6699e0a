//! The terminal, to which everything is written at once.

use std::io::{self, Write as _};

use super::decision;
use crate::error::Error;
use crate::style::Style;
use crate::usage::without_control_characters;

/// How a line about a decision, or about a document, begins.
const OURS: &str = "{\"jwt_rbac\":";

/// Standard output.
pub struct Screen {
    stdout: io::Stdout,
    is_colored: bool,
}

impl Screen {
    /// With colors, or without.
    pub fn new(is_colored: bool) -> Self {
        Self { stdout: io::stdout(), is_colored }
    }

    /// Whether it has colors.
    pub fn is_colored(&self) -> bool {
        self.is_colored
    }

    /// Writes a text that ends with a line break, or nothing.
    ///
    /// # Errors
    ///
    /// When nobody reads it any more, as all of these.
    pub fn text(&mut self, text: &str) -> Result<(), Error> {
        let written = self.stdout.write_all(text.as_bytes()).and_then(|()| self.stdout.flush());
        written.map_err(Error::Write)
    }

    /// A line.
    pub fn line(&mut self, line: &str) -> Result<(), Error> {
        self.text(&format!("{line}\n"))
    }

    /// A line that stands out.
    pub fn bold(&mut self, line: &str) -> Result<(), Error> {
        self.line(&Style::new(self.is_colored).bold(line))
    }

    /// A line that few need.
    pub fn faint(&mut self, line: &str) -> Result<(), Error> {
        self.line(&Style::new(self.is_colored).faint(line))
    }

    /// Why the document before stays in force.
    pub fn kept(&mut self, why: &str) -> Result<(), Error> {
        self.bold(&format!("{why}; the document before stays in force"))
    }

    /// A line of Envoy's log: a decision as people read it, an error of Envoy as it is.
    pub fn log(&mut self, line: &str) -> Result<(), Error> {
        let ours = line.find(OURS).and_then(|start| line.get(start..));
        if let Some(decision) = ours.and_then(|ours| serde_json::from_str(ours).ok()) {
            let drawn = decision::draw(&decision, Style::new(self.is_colored));
            return drawn.map_or(Ok(()), |drawn| self.text(&drawn));
        }
        let is_error = line.starts_with("[error]") || line.starts_with("[critical]");
        if is_error { self.faint(&without_control_characters(line)) } else { Ok(()) }
    }
}
