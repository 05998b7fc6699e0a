//! What a header or a parameter of the query must be.

use super::pattern::Pattern;
use crate::authz::regex::Regex;
use crate::authz::work::Work;
use crate::query::Unclear;

/// A test of the values that a request has under one name. It passes if one of them does.
#[derive(Clone, Debug, PartialEq)]
pub enum TextTest {
    /// One of these.
    One(Vec<Pattern>),
    /// What is like this.
    Regex(Regex),
}

impl TextTest {
    /// Any value, or an empty one.
    #[must_use]
    pub fn present() -> Self {
        Self::One(vec![Pattern::Any])
    }

    pub(super) fn passes<'v>(
        &self,
        mut values: impl Iterator<Item = &'v [u8]>,
        work: &Work,
    ) -> Result<bool, Unclear> {
        match self {
            Self::One(patterns) => {
                let is_one = |value| patterns.iter().any(|pattern| pattern.matches_header(value));
                Ok(values.any(is_one))
            }
            Self::Regex(regex) => regex.matches_any(values, work),
        }
    }
}
