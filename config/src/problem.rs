//! What is wrong with a document, and where.

use std::fmt;

use super::fault::Fault;
use super::place::Place;

/// One fault of a document, or one thing that its author should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where it is.
    pub place: Place,
    /// What it is.
    pub fault: Fault,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.fault)
    }
}

/// Everything that was found while a document was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems {
    /// What makes it unusable.
    pub errors: Vec<Problem>,
    /// What it can be used with.
    pub warnings: Vec<Problem>,
}

impl Problems {
    /// Adds an error.
    #[inline(never)]
    pub fn error(&mut self, place: Place, fault: Fault) {
        self.errors.push(Problem { place, fault });
    }

    /// Adds a warning.
    #[inline(never)]
    pub fn warn(&mut self, place: Place, fault: Fault) {
        self.warnings.push(Problem { place, fault });
    }

    /// The value, or an error at this place.
    pub fn check<T, E: Into<Fault>>(&mut self, place: &Place, value: Result<T, E>) -> Option<T> {
        value.map_err(|fault| self.error(place.clone(), fault.into())).ok()
    }
}
