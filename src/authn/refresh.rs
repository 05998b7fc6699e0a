//! When a key set is fetched again: a state machine of events and due times.
//!
//! It knows no clock and no network. Times are milliseconds of any clock that never goes back, and
//! `random` is a number that no other worker has: thousands of sidecars that started together must
//! not ask an issuer together.

use super::key_source::Timing;

/// How soon after the last fetch a key id that is not in the set can cause another one.
pub const EARLY_AFTER: u64 = 30_000;
/// Over which part of the interval these fetches are spread: the workers of a whole mesh meet a new
/// key at the same time.
const EARLY_SPREAD: u64 = 8;
/// `max-age` of an answer shortens the interval down to this, not further.
pub const MIN_MAX_AGE: u64 = 60_000;
/// The first wait after a failure; it doubles with each further one.
const FIRST_RETRY: u64 = 1_000;
/// The longest wait after a failure while there are no keys at all.
const MAX_RETRY_WITHOUT_KEYS: u64 = 60_000;
/// The longest wait after a failure while the last keys are still there.
const MAX_RETRY: u64 = 300_000;
/// How long after its timeout a fetch counts as lost: Envoy forgets a call when the plugin that made it
/// goes away.
const LOST_AFTER: u64 = 1_000;

/// When one worker fetches one key set.
#[derive(Clone, Copy, Debug)]
pub struct Refresh {
    phase: Phase,
    /// Whether requests wait for the fetch that is due or runs.
    is_pending: bool,
    /// The end of the last fetch that succeeded.
    last_success: Option<u64>,
    /// The start of the last fetch.
    last_start: Option<u64>,
    /// The fetches that failed since the last that succeeded.
    failures: u32,
    /// Whether there was a request.
    is_used: bool,
    /// Whether the due time was moved forward since the last fetch.
    is_early: bool,
}

#[derive(Clone, Copy, Debug)]
enum Phase {
    Due(u64),
    Running { since: u64 },
}

/// What can be done with the keys of the last fetch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Availability {
    /// They are on their way: the first fetch has not ended.
    Pending,
    /// They can be used.
    Ready,
    /// There are none, or they are too old.
    Unavailable,
}

impl Refresh {
    /// The first fetch is due now.
    #[must_use]
    pub fn new(now: u64) -> Self {
        Self {
            phase: Phase::Due(now),
            is_pending: true,
            last_success: None,
            last_start: None,
            failures: 0,
            is_used: false,
            is_early: false,
        }
    }

    /// When there is something to do: a fetch is due, or the keys are too old from then on. `None` for
    /// a worker that has its first keys and no requests: Envoy's main thread has a VM too.
    #[must_use]
    pub fn due(&self, timing: Timing, now: u64) -> Option<u64> {
        let too_old = self.too_old_at(timing).filter(|at| self.is_used && *at > now);
        self.fetch_due(timing).into_iter().chain(too_old).min()
    }

    /// Whether a fetch is to be started now.
    #[must_use]
    pub fn is_due(&self, timing: Timing, now: u64) -> bool {
        self.fetch_due(timing).is_some_and(|due| due <= now)
    }

    fn fetch_due(&self, timing: Timing) -> Option<u64> {
        match self.phase {
            Phase::Running { since } => {
                Some(since.saturating_add(timing.timeout).saturating_add(LOST_AFTER))
            }
            Phase::Due(at) => {
                let is_dormant = !self.is_used && self.last_success.is_some();
                (!is_dormant).then_some(at)
            }
        }
    }

    /// A fetch was started.
    pub fn start(&mut self, now: u64) {
        self.phase = Phase::Running { since: now };
        self.last_start = Some(now);
        self.is_early = false;
    }

    /// A fetch has brought keys, which the issuer lets caches keep for `max_age`.
    pub fn succeed(&mut self, timing: Timing, now: u64, max_age: Option<u64>, random: u64) {
        let most = max_age.map_or(u64::MAX, |age| age.max(MIN_MAX_AGE));
        let interval = timing.interval.min(most);
        self.is_pending = false;
        self.last_success = Some(now);
        self.failures = 0;
        let least = (interval / 4).saturating_mul(3);
        self.phase = Phase::Due(now.saturating_add(spread(random, least, interval)));
    }

    /// A fetch has brought no keys.
    pub fn fail(&mut self, timing: Timing, now: u64, random: u64) {
        let most = match self.last_success {
            Some(_) => MAX_RETRY.min(timing.interval),
            None => MAX_RETRY_WITHOUT_KEYS,
        };
        let wait = FIRST_RETRY.saturating_mul(2_u64.saturating_pow(self.failures)).min(most);
        self.is_pending = false;
        self.failures = self.failures.saturating_add(1);
        self.phase = Phase::Due(now.saturating_add(spread(random, wait / 2, wait)));
    }

    /// Whether a token that names a missing key can still move the next fetch forward. Only the first one
    /// does, so that the others of a flood cost nothing.
    #[must_use]
    pub fn heeds_missing_keys(&self) -> bool {
        matches!(self.phase, Phase::Due(_)) && !self.is_early && self.failures == 0
    }

    /// A token names a key that the set does not have.
    pub fn miss_key(&mut self, timing: Timing, now: u64, random: u64) {
        let Phase::Due(due) = self.phase else { return };
        if !self.heeds_missing_keys() {
            return;
        }
        self.is_early = true;
        let earliest =
            self.last_start.map_or(now, |last| last.saturating_add(EARLY_AFTER)).max(now);
        let early = earliest.saturating_add(spread(random, 0, timing.interval / EARLY_SPREAD));
        self.phase = Phase::Due(due.min(early));
    }

    /// A request has come. A worker without requests does not refresh; if its keys are old by now, the
    /// request waits for new ones, as it would for the first.
    pub fn need(&mut self, timing: Timing, now: u64) {
        if self.is_used {
            return;
        }
        self.is_used = true;
        let is_old = |last: u64| now.saturating_sub(last) > timing.interval;
        if self.last_success.is_some_and(is_old) {
            self.is_pending = true;
            self.phase = Phase::Due(now);
        }
    }

    /// Nobody needs the keys now; the next request that does is as the first one.
    pub fn rest(&mut self) {
        self.is_used = false;
    }

    /// What can be done with the keys of the last fetch.
    #[must_use]
    pub fn availability(&self, timing: Timing, now: u64) -> Availability {
        let is_too_old = self.too_old_at(timing).is_some_and(|at| at <= now);
        if self.is_pending {
            Availability::Pending
        } else if self.last_success.is_none() || is_too_old {
            Availability::Unavailable
        } else {
            Availability::Ready
        }
    }

    /// When the last fetch succeeded.
    #[must_use]
    pub fn last_success(&self) -> Option<u64> {
        self.last_success
    }

    /// Whether there was a request.
    #[must_use]
    pub fn is_used(&self) -> bool {
        self.is_used
    }

    /// Keys are never too old before they had to be fetched again.
    fn too_old_at(&self, timing: Timing) -> Option<u64> {
        let most = timing.stale_if_error?.saturating_add(timing.interval);
        Some(self.last_success?.saturating_add(most))
    }
}

/// A time from `least` to `most`, every one as likely.
fn spread(random: u64, least: u64, most: u64) -> u64 {
    let width = u128::from(most.saturating_sub(least).saturating_add(1));
    let part = u128::from(random).saturating_mul(width) >> 64;
    least.saturating_add(u64::try_from(part).unwrap_or(0))
}

#[cfg(test)]
mod tests;
