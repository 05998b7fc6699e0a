//! What is wrong with one object.

use super::value::Misfit;
use crate::fault::Fault;
use crate::place::Place;
use crate::problem::Problems;

/// How many faults of one object are named.
pub const MAX_FAULTS: usize = 50;

/// What is wrong with one object, up to a bound.
pub struct Faults<'p> {
    /// The object.
    pub place: &'p Place,
    problems: &'p mut Problems,
    count: usize,
}

impl<'p> Faults<'p> {
    /// None yet.
    pub fn new(place: &'p Place, problems: &'p mut Problems) -> Self {
        Self { place, problems, count: 0 }
    }

    /// Adds what is wrong with a value.
    pub fn report(&mut self, place: &Place, misfit: Misfit) {
        match misfit {
            Misfit::Whole(fault) => self.add(place.clone(), fault),
            Misfit::Elements(faults) => {
                for (index, fault) in faults {
                    self.add(place.index(index), fault);
                }
            }
        }
    }

    /// Adds a fault.
    pub fn add(&mut self, place: Place, fault: Fault) {
        if self.count < MAX_FAULTS {
            self.problems.error(place, fault);
        } else if self.count == MAX_FAULTS {
            let fault = Fault::TooMany { found: None, of: "faults", limit: MAX_FAULTS };
            self.problems.error(self.place.clone(), fault);
        }
        self.count = self.count.saturating_add(1);
    }
}
