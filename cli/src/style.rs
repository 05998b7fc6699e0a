//! Colors and signs of what is written for people.

use jwt_rbac_explain::report::Mark;

/// How text is set off.
#[derive(Clone, Copy)]
pub struct Style {
    is_colored: bool,
}

impl Style {
    /// With colors, or without.
    pub fn new(is_colored: bool) -> Self {
        Self { is_colored }
    }

    /// Bold text.
    pub fn bold(self, text: &str) -> String {
        self.with("1", text)
    }

    /// Text that few need.
    pub fn faint(self, text: &str) -> String {
        self.with("2", text)
    }

    /// Text in the color of a mark.
    pub fn marked(self, mark: Mark, text: &str) -> String {
        match mark {
            Mark::Failed => self.with("31", text),
            Mark::Passed => self.with("32", text),
            Mark::Skipped => self.with("33", text),
        }
    }

    /// The sign of a mark.
    pub fn sign(self, mark: Mark) -> String {
        match mark {
            Mark::Failed => self.with("31", "✗"),
            Mark::Passed => self.with("32", "✓"),
            Mark::Skipped => self.with("2", "·"),
        }
    }

    /// SGR parameters (ECMA-48 §8.3.117).
    fn with(self, parameters: &str, text: &str) -> String {
        if self.is_colored {
            format!("\u{1b}[{parameters}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }
}

/// Text with spaces up to a width in characters.
pub fn padded(text: &str, width: usize) -> String {
    let missing = width.saturating_sub(text.chars().count());
    format!("{text}{}", " ".repeat(missing))
}
