//! Where something is in a document.

use std::fmt;

/// A place in a document, as data, so that a tool can turn it into a line and a column.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place(Vec<Step>);

/// One step from an object or list to something in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A member of an object.
    Field(String),
    /// An element of a list, counted from 0.
    Index(usize),
}

impl Place {
    /// The document itself.
    #[must_use]
    pub fn root() -> Self {
        Self::default()
    }

    /// The member with this name.
    #[must_use]
    pub fn field(&self, name: &str) -> Self {
        self.step(Step::Field(name.to_owned()))
    }

    /// The element with this number.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        self.step(Step::Index(index))
    }

    /// The place one step further.
    #[must_use]
    pub fn step(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }

    /// The steps from the document to the place.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.0
    }
}

/// `jwtRules[0].jwks.keys[2].n`; the document itself is `pluginConfig`.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("pluginConfig");
        }
        for (number, step) in self.0.iter().enumerate() {
            match step {
                Step::Field(name) if number == 0 => f.write_str(name)?,
                Step::Field(name) => write!(f, ".{name}")?,
                Step::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_read_like_javascript() {
        let place = Place::root().field("jwtRules").index(0).field("jwks").field("keys").index(2);
        assert_eq!(place.to_string(), "jwtRules[0].jwks.keys[2]");
        assert_eq!(Place::root().to_string(), "pluginConfig");
    }
}
