//! Times are in milliseconds since the worker started.

#![allow(clippy::arithmetic_side_effects, reason = "the numbers are small")]

use proptest::prelude::*;

use super::*;

const MINUTE: u64 = 60_000;
const TIMING: Timing = Timing { interval: 20 * MINUTE, timeout: 5_000, stale_if_error: None };

/// A worker with requests whose first fetch ended at 100 ms.
fn fetched() -> Refresh {
    let mut refresh = Refresh::new(0);
    refresh.need(TIMING, 0);
    refresh.start(0);
    refresh.succeed(TIMING, 100, None, u64::MAX);
    refresh
}

#[test]
fn the_first_fetch_is_due_at_once_and_requests_wait_for_it() {
    let mut refresh = Refresh::new(7);
    assert!(refresh.is_due(TIMING, 7));
    assert_eq!(refresh.availability(TIMING, 7), Availability::Pending);
    refresh.start(7);
    assert!(!refresh.is_due(TIMING, 8));
    assert_eq!(refresh.availability(TIMING, 8), Availability::Pending);
    refresh.succeed(TIMING, 9, None, 0);
    assert_eq!(refresh.availability(TIMING, 9), Availability::Ready);
}

#[test]
fn after_a_failed_first_fetch_nothing_waits() {
    let mut refresh = Refresh::new(0);
    refresh.start(0);
    refresh.fail(TIMING, 10, 0);
    assert_eq!(refresh.availability(TIMING, 10), Availability::Unavailable);
    refresh.start(600);
    assert_eq!(refresh.availability(TIMING, 601), Availability::Unavailable);
    refresh.succeed(TIMING, 700, None, 0);
    assert_eq!(refresh.availability(TIMING, 700), Availability::Ready);
}

#[test]
fn refreshes_come_in_the_last_quarter_of_the_interval() {
    for (random, due) in
        [(0, 15 * MINUTE), (u64::MAX / 2, 17 * MINUTE + 30_000), (u64::MAX, 20 * MINUTE)]
    {
        let mut refresh = fetched();
        refresh.start(0);
        refresh.succeed(TIMING, 0, None, random);
        assert_eq!(refresh.due(TIMING, 1), Some(due));
    }
}

#[test]
fn max_age_shortens_the_interval_within_bounds() {
    for (max_age, due) in [
        (0, MINUTE),
        (MINUTE, MINUTE),
        (5 * MINUTE, 5 * MINUTE),
        (24 * 60 * MINUTE, 20 * MINUTE),
        (u64::MAX, 20 * MINUTE),
    ] {
        let mut refresh = fetched();
        refresh.succeed(TIMING, 0, Some(max_age), u64::MAX);
        assert_eq!(refresh.due(TIMING, 1), Some(due), "{max_age}");
    }
    // Who asks for a short interval gets it, whatever the issuer says.
    let timing = Timing { interval: 5_000, ..TIMING };
    let mut refresh = fetched();
    refresh.succeed(timing, 0, Some(0), u64::MAX);
    assert_eq!(refresh.due(timing, 1), Some(5_000));
}

#[test]
fn failures_are_retried_less_and_less_often() {
    let mut refresh = Refresh::new(0);
    let mut waits = Vec::new();
    for _ in 0..8 {
        refresh.start(0);
        refresh.fail(TIMING, 0, u64::MAX);
        waits.push(refresh.due(TIMING, 0).unwrap() / 1_000);
    }
    assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60]);
    let mut refresh = fetched();
    for _ in 0..200 {
        refresh.fail(TIMING, 0, u64::MAX);
    }
    assert_eq!(refresh.due(TIMING, 0), Some(5 * MINUTE));
    assert_eq!(refresh.availability(TIMING, 100 * MINUTE), Availability::Ready);
    refresh.succeed(TIMING, 0, None, 0);
    refresh.fail(TIMING, 0, 0);
    assert_eq!(refresh.due(TIMING, 0), Some(500));
}

#[test]
fn last_good_keys_can_be_given_a_limit() {
    let timing = Timing { stale_if_error: Some(10 * MINUTE), ..TIMING };
    let mut refresh = fetched();
    let too_old = 100 + 30 * MINUTE;
    refresh.fail(timing, 29 * MINUTE, u64::MAX);
    assert_eq!(refresh.availability(timing, too_old - 1), Availability::Ready);
    assert_eq!(refresh.availability(timing, too_old), Availability::Unavailable);
    // The worker is woken when it is so, but not again and again from then on.
    for _ in 0..20 {
        refresh.fail(timing, 29 * MINUTE, u64::MAX);
    }
    assert_eq!(refresh.due(timing, 29 * MINUTE), Some(too_old));
    assert_eq!(refresh.due(timing, too_old), Some(34 * MINUTE));
}

#[test]
fn a_missing_key_is_looked_for_once_and_not_at_once() {
    let mut refresh = fetched();
    refresh.miss_key(TIMING, 1_000, 0);
    assert_eq!(refresh.due(TIMING, 1_000), Some(EARLY_AFTER));
    // More of them change nothing.
    refresh.miss_key(TIMING, 2_000, u64::MAX);
    assert_eq!(refresh.due(TIMING, 2_000), Some(EARLY_AFTER));
    refresh.start(EARLY_AFTER);
    refresh.miss_key(TIMING, EARLY_AFTER, 0);
    refresh.succeed(TIMING, EARLY_AFTER, None, u64::MAX);
    refresh.miss_key(TIMING, EARLY_AFTER + 1, u64::MAX);
    assert_eq!(refresh.due(TIMING, EARLY_AFTER + 1), Some(2 * EARLY_AFTER + 150_000));
    // Long after the last fetch it is soon.
    let mut refresh = fetched();
    refresh.miss_key(TIMING, 10 * MINUTE, 0);
    assert!(refresh.is_due(TIMING, 10 * MINUTE));
}

#[test]
fn of_a_flood_of_missing_keys_only_the_first_is_heeded() {
    let mut refresh = fetched();
    assert!(refresh.heeds_missing_keys());
    refresh.miss_key(TIMING, 1_000, 0);
    assert!(!refresh.heeds_missing_keys());
    refresh.start(EARLY_AFTER);
    assert!(!refresh.heeds_missing_keys(), "a fetch that runs brings what there is");
    refresh.fail(TIMING, EARLY_AFTER, 0);
    assert!(!refresh.heeds_missing_keys(), "what fails is not hurried");
    refresh.start(2 * EARLY_AFTER);
    refresh.succeed(TIMING, 2 * EARLY_AFTER, None, 0);
    assert!(refresh.heeds_missing_keys());
}

#[test]
fn a_missing_key_does_not_hurry_what_fails() {
    let mut refresh = fetched();
    refresh.fail(TIMING, 0, u64::MAX);
    refresh.fail(TIMING, 0, u64::MAX);
    let due = refresh.due(TIMING, 0);
    refresh.miss_key(TIMING, 0, 0);
    assert_eq!(refresh.due(TIMING, 0), due);
}

#[test]
fn a_worker_without_requests_stops_after_its_first_keys() {
    let mut refresh = Refresh::new(0);
    refresh.start(0);
    refresh.fail(TIMING, 0, u64::MAX);
    assert_eq!(refresh.due(TIMING, 0), Some(1_000));
    refresh.start(1_000);
    refresh.succeed(TIMING, 1_000, None, 0);
    assert_eq!(refresh.due(TIMING, 1_000), None);
    assert!(!refresh.is_due(TIMING, 100 * MINUTE));
    // A request that comes soon finds them; one that comes late waits for new ones.
    let mut early = refresh;
    early.need(TIMING, 10 * MINUTE);
    assert_eq!(early.availability(TIMING, 10 * MINUTE), Availability::Ready);
    assert_eq!(early.due(TIMING, 10 * MINUTE), Some(1_000 + 15 * MINUTE));
    refresh.need(TIMING, 100 * MINUTE);
    assert_eq!(refresh.availability(TIMING, 100 * MINUTE), Availability::Pending);
    assert!(refresh.is_due(TIMING, 100 * MINUTE));
    refresh.start(100 * MINUTE);
    refresh.fail(TIMING, 100 * MINUTE, 0);
    assert_eq!(refresh.availability(TIMING, 100 * MINUTE), Availability::Ready);
}

#[test]
fn a_fetch_that_is_lost_is_started_again() {
    let mut refresh = Refresh::new(0);
    refresh.start(0);
    assert!(!refresh.is_due(TIMING, 5_999));
    assert!(refresh.is_due(TIMING, 6_000));
    assert_eq!(refresh.due(TIMING, 10), Some(6_000));
}

proptest! {
    /// Whatever happens, fetches do not come more often than the rules allow.
    #[test]
    fn fetches_are_bounded(
        events in proptest::collection::vec((0_u8..4, any::<u64>(), 0_u64..40_000), 1..300),
        interval in 5_000_u64..2_000_000,
    ) {
        let timing = Timing { interval, timeout: 5_000, stale_if_error: Some(0) };
        let mut refresh = Refresh::new(0);
        let (mut now, mut running, mut last) = (0, false, None);
        for (event, random, step) in events {
            now += step;
            match event {
                0 if running => refresh.succeed(timing, now, Some(random), random),
                1 if running => refresh.fail(timing, now, random),
                2 => {
                    refresh.miss_key(timing, now, random);
                    continue;
                }
                3 => {
                    refresh.need(timing, now);
                    continue;
                }
                _ => {}
            }
            running = false;
            if refresh.is_due(timing, now) {
                if let Some(last) = last {
                    let least = 500.min(interval / 4 * 3);
                    prop_assert!(now - last >= least, "{now} {last}");
                }
                refresh.start(now);
                (running, last) = (true, Some(now));
            }
            if let Some(due) = refresh.due(timing, now) {
                prop_assert!(due > now || refresh.is_due(timing, now));
            }
        }
    }

    #[test]
    fn spreads_stay_within_bounds(random: u64, one: u64, other: u64) {
        let (least, most) = (one.min(other), one.max(other));
        let found = spread(random, least, most);
        prop_assert!(least <= found && found <= most);
    }
}
