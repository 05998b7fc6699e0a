//! The time, as Envoy tells it.
//!
//! Asking is a call to Envoy for each request (docs/costs.md). While a tick of a plugin is due, what
//! was told since the last one is recent enough: a tenth of a second old, or as old as the events are
//! that the worker is late with. Tokens count whole seconds.

use std::cell::Cell;

use super::HostError;

thread_local! {
    /// What Envoy told, in seconds since 1970, until the next tick.
    static RECENT: Cell<Option<u64>> = const { Cell::new(None) };
}

/// The time now, in seconds since 1970.
pub fn now() -> Result<u64, HostError> {
    match RECENT.get() {
        Some(now) => Ok(now),
        None => super::time(),
    }
}

/// Lets [`now`] be this until [`forget`]; for whoever knows that a tick is due.
pub(super) fn keep(now: u64) {
    RECENT.set(Some(now));
}

/// Makes [`now`] ask again.
pub(super) fn forget() {
    RECENT.set(None);
}
