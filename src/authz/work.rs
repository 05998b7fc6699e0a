//! How much rules may have compared for one request. Who writes the rules can not know what clients send, so
//! what a request costs is bounded whatever the rules are.

use std::cell::Cell;

use crate::query::Unclear;

/// How many steps there are for one request: about 1.5 ms in Envoy (`make worst`).
const MAX_WORK: usize = 192 * 1024;

/// What is left for a request.
#[derive(Clone, Debug)]
pub struct Work(Cell<usize>);

impl Default for Work {
    fn default() -> Self {
        Self(Cell::new(MAX_WORK))
    }
}

impl Work {
    /// Takes so many steps off what is left.
    ///
    /// # Errors
    /// [`Unclear`], where that is more than is left: what was not looked at can't be judged.
    pub fn take(&self, steps: usize) -> Result<(), Unclear> {
        let left = self.0.get().checked_sub(steps);
        self.0.set(left.unwrap_or(0));
        left.map(drop).ok_or(Unclear)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_up_stays_so() {
        let work = Work::default();
        assert_eq!(work.take(MAX_WORK), Ok(()));
        assert_eq!(work.take(1), Err(Unclear));
        let work = Work::default();
        assert_eq!(work.take(MAX_WORK + 1), Err(Unclear));
        assert_eq!(work.take(1), Err(Unclear));
    }
}
