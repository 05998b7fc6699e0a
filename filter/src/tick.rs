//! The tick of one plugin on one worker: Envoy calls it once, a tenth of a second after it was asked
//! for, and an idle worker is never woken.
//!
//! Asking Envoy for the time is a call (docs/costs.md). While a tick is due, the time that Envoy gave at the
//! first request since the last tick is used: it is at most a tenth of a second old, or older if the
//! worker is late. Tokens count whole seconds.

use std::cell::Cell;
use std::time::Duration;

use jwt_rbac_host::{self as host, HostError};

/// How long what is counted may wait before Envoy has it.
const DELAY: Duration = Duration::from_millis(100);

/// Whether Envoy was asked for a tick.
#[derive(Debug, Default)]
pub struct Tick {
    /// What Envoy said the time is, in seconds since 1970, while a tick is due.
    due_since: Cell<Option<u64>>,
}

impl Tick {
    /// The time now, in seconds since 1970.
    pub fn now(&self) -> Result<u64, HostError> {
        match self.due_since.get() {
            Some(now) => Ok(now),
            None => host::time(),
        }
    }

    /// Asks for a tick unless one is due; `false` if there will be none.
    pub fn ask(&self, now: u64) -> bool {
        if self.due_since.get().is_none() && host::set_tick_period(DELAY).is_ok() {
            self.due_since.set(Some(now));
        }
        self.due_since.get().is_some()
    }

    /// Lets the next request ask for another one.
    pub fn end(&self) {
        if self.due_since.take().is_some() {
            // Where this fails, Envoy ticks for nothing.
            let _ = host::set_tick_period(Duration::ZERO);
        }
    }
}
