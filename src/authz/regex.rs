//! Regular expressions of a document, bounded so that no request can make one take long.
//!
//! A module of 800 KiB has no room for the crate `regex-lite`, which adds 50; the tests compare with `regex`.
//! A text is read once, and all ways to match it are followed at the same time (Thompson's construction),
//! so that time is at most the length of the text times the number of steps, whatever the pattern. What one
//! request costs with all expressions together is bounded too ([`Work`]).

mod parse;

use std::fmt;

use parse::{Parsed, Step};

use super::work::Work;
use crate::query::Unclear;

/// How long a pattern may be, in bytes.
const MAX_PATTERN: usize = 256;
/// How long all texts together may be that one request has one expression look at, in bytes.
const MAX_TEXT: usize = 8 * 1024;

/// A regular expression that matches a whole text, or not at all.
#[derive(Clone, Debug)]
pub struct Regex {
    pattern: String,
    /// The last one is followed by the end.
    steps: Vec<Step>,
    ignores_case: bool,
}

impl Regex {
    /// Reads a regular expression: characters, `.`, classes (`[a-z]`, `[^0-9]`, `\d`, `\w`, `\s`, of
    /// ASCII), groups, `|`, `*`, `+`, `?`, `{2,5}`, and `(?i)` at the start.
    ///
    /// # Errors
    /// [`RegexError`], for what is none, and for what is too long or has too many steps.
    #[inline(never)]
    pub fn parse(pattern: &str) -> Result<Self, RegexError> {
        let error = |problem| RegexError { found: pattern.to_owned(), problem };
        if pattern.is_empty() || pattern.len() > MAX_PATTERN {
            return Err(error("expected 1 to 256 bytes"));
        }
        let Parsed { steps, ignores_case } = parse::parse(pattern).map_err(error)?;
        Ok(Self { pattern: pattern.to_owned(), steps, ignores_case })
    }

    /// Whether one of these texts is what it describes.
    ///
    /// # Errors
    /// [`Unclear`], where none of those that were looked at is and another is no UTF-8, or more than
    /// 8 KiB would have to be looked at, or more work than is left.
    #[cold] // Most documents have none.
    pub fn matches_any<'t>(
        &self,
        texts: impl Iterator<Item = &'t [u8]>,
        work: &Work,
    ) -> Result<bool, Unclear> {
        let mut left = MAX_TEXT;
        let mut none = Ok(false);
        for text in texts {
            left = left.checked_sub(text.len()).ok_or(Unclear)?;
            match str::from_utf8(text) {
                Ok(text) if self.matches(text, work)? => return Ok(true),
                Ok(_) => {}
                Err(_) => none = Err(Unclear),
            }
        }
        none
    }

    #[inline(never)]
    fn matches(&self, text: &str, work: &Work) -> Result<bool, Unclear> {
        // The places of a match are set up once for each text.
        work.take(self.steps.len().div_ceil(8))?;
        let [mut now, mut next] = [(); 2].map(|()| Places::new(self.steps.len()));
        now.enter(0, &self.steps);
        for char in text.chars() {
            if now.places.is_empty() {
                return Ok(false);
            }
            work.take(now.places.len())?;
            for &place in &now.places {
                if self.steps.get(place).is_some_and(|step| step.takes(char, self.ignores_case)) {
                    next.enter(place.saturating_add(1), &self.steps);
                }
            }
            std::mem::swap(&mut now, &mut next);
            next.clear();
        }
        Ok(now.is_at(self.steps.len()))
    }
}

/// The places in the steps at which a match can be.
struct Places {
    places: Vec<usize>,
    /// Whether it is at each of them, and at the end.
    is_at: Vec<bool>,
}

impl Places {
    fn new(steps: usize) -> Self {
        Self { places: Vec::new(), is_at: vec![false; steps.saturating_add(1)] }
    }

    fn is_at(&self, place: usize) -> bool {
        self.is_at.get(place).is_some_and(|is_at| *is_at)
    }

    /// Adds a place, and those that it leads to without a character.
    fn enter(&mut self, place: usize, steps: &[Step]) {
        let mut from = self.places.len();
        self.add(place);
        while let Some(&place) = self.places.get(from) {
            from = from.saturating_add(1);
            if let Some(Step::Jump(offsets)) = steps.get(place) {
                for offset in offsets.iter().flatten() {
                    self.add(place.saturating_add_signed(*offset));
                }
            }
        }
    }

    fn add(&mut self, place: usize) {
        if let Some(is_at) = self.is_at.get_mut(place).filter(|is_at| !**is_at) {
            *is_at = true;
            self.places.push(place);
        }
    }

    fn clear(&mut self) {
        for place in self.places.drain(..) {
            if let Some(is_at) = self.is_at.get_mut(place) {
                *is_at = false;
            }
        }
    }
}

/// Two are the same if they are written the same.
impl PartialEq for Regex {
    fn eq(&self, other: &Self) -> bool {
        self.pattern == other.pattern
    }
}

/// As it is written.
impl fmt::Display for Regex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.pattern)
    }
}

/// A text that is no regular expression, or one that costs too much.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegexError {
    /// The text.
    pub found: String,
    /// What is wrong with it, or what was expected.
    pub problem: &'static str,
}

impl fmt::Display for RegexError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "found `{}`, which is no regular expression here: {}", self.found, self.problem)
    }
}

impl std::error::Error for RegexError {}

#[cfg(test)]
mod tests;
