//! The tick of one plugin on one worker. Envoy has one timer for each plugin, and two things need it:
//! counts that are to be handed over a tenth of a second after the first, and keys that are to be
//! fetched. An idle worker without either is never woken.
//!
//! Asking Envoy for the time is a call (docs/costs.md). While a hand-over is due, the time that Envoy gave at
//! the first request since the last one is used: it is at most a tenth of a second old, or older if the
//! worker is late. Tokens count whole seconds.

use std::cell::Cell;
use std::time::Duration;

use jwt_rbac_host::{self as host, HostError};

/// How long what is counted may wait before Envoy has it.
const DELAY: Duration = Duration::from_millis(100);

/// What Envoy's timer is set to.
#[derive(Debug, Default)]
pub struct Tick {
    /// What Envoy said the time is, in seconds since 1970, while a hand-over is due.
    counting_since: Cell<Option<u64>>,
    /// When the plugin is to be woken for its keys, in milliseconds of [`crate::keys::now`].
    wakes_at: Cell<Option<u64>>,
}

impl Tick {
    /// The time now, in seconds since 1970.
    pub fn now(&self) -> Result<u64, HostError> {
        match self.counting_since.get() {
            Some(now) => Ok(now),
            None => host::time(),
        }
    }

    /// Asks for a hand-over unless one is due; `false` if there will be none.
    pub fn ask(&self, now: u64) -> bool {
        if self.counting_since.get().is_none() && host::set_tick_period(DELAY).is_ok() {
            self.counting_since.set(Some(now));
        }
        self.counting_since.get().is_some()
    }

    /// The plugin was woken: nothing is due, and the next request can ask again.
    pub fn end(&self) {
        self.counting_since.set(None);
        self.wakes_at.set(None);
    }

    /// Asks to be woken at a time, unless it will be before. Both in milliseconds of [`crate::keys::now`].
    pub fn wake(&self, at: u64, now: u64) {
        if self.counting_since.get().is_some()
            || self.wakes_at.get().is_some_and(|known| known <= at)
        {
            // The tick that comes asks again.
            return;
        }
        let period = Duration::from_millis(at.saturating_sub(now).max(1));
        if host::set_tick_period(period).is_ok() {
            self.wakes_at.set(Some(at));
        }
    }

    /// Asks to be woken at once, whatever is due.
    pub fn wake_now(&self) {
        if host::set_tick_period(Duration::from_millis(1)).is_ok() {
            self.wakes_at.set(Some(0));
        }
    }
}

/// Stops the timer.
pub fn stop() {
    // Where this fails, Envoy ticks for nothing.
    let _ = host::set_tick_period(Duration::ZERO);
}
