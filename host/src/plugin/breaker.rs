//! Lets a hook rest that fails event after event, so that a plugin that loops doesn't cost every event its deadline.
//!
//! After some failures in a row the hook isn't asked for a while; then one event probes it. A success ends the rest, a
//! failure doubles it. Time is the event's own, so that equal runs of events rest equally.

use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::time::Duration;

use crate::domain::time::Timestamp;

/// Failures in a row that make a hook rest.
const PATIENCE: u32 = 10;
/// The first rest.
const FIRST_REST: Duration = Duration::from_secs(10);
/// Doublings of it at most: a bit more than ten minutes.
const MOST_DOUBLINGS: u32 = 6;

/// The breaker of one hook of one plugin.
#[derive(Debug, Default)]
pub(super) struct Breaker {
    failures: AtomicU32,
    until: AtomicI64,
}

/// A hook that rests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Resting {
    pub(super) failures: u32,
    pub(super) until: Timestamp,
}

impl Breaker {
    /// Whether the hook may be asked. When a rest is over, one caller gets through; the others wait for what comes
    /// of it.
    pub(super) fn admit(&self, now: Timestamp) -> Result<(), Resting> {
        let failures = self.failures.load(Ordering::Relaxed);
        if failures < PATIENCE {
            return Ok(());
        }
        let until = self.until.load(Ordering::Relaxed);
        let next = now.plus(rest(failures)).0;
        if now.0 >= until && self.until.compare_exchange(until, next, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            return Ok(());
        }
        Err(Resting { failures, until: Timestamp(self.until.load(Ordering::Relaxed)) })
    }

    pub(super) fn succeeded(&self) {
        // Most hooks never fail; a load is cheaper than a store that other threads would have to see.
        if self.failures.load(Ordering::Relaxed) != 0 {
            self.failures.store(0, Ordering::Relaxed);
        }
    }

    pub(super) fn failed(&self, now: Timestamp) {
        let failures = self.failures.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        if failures >= PATIENCE {
            self.until.store(now.plus(rest(failures)).0, Ordering::Relaxed);
        }
    }
}

fn rest(failures: u32) -> Duration {
    FIRST_REST * 2_u32.pow(failures.saturating_sub(PATIENCE).min(MOST_DOUBLINGS))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    #[test]
    fn a_hook_that_keeps_failing_rests_and_is_probed_by_one_event() {
        let breaker = Breaker::default();
        for _ in 0..PATIENCE {
            assert_eq!(breaker.admit(at(0)), Ok(()));
            breaker.failed(at(0));
        }
        assert_eq!(breaker.admit(at(9)), Err(Resting { failures: 10, until: at(10) }));
        assert_eq!(breaker.admit(at(10)), Ok(()), "the probe");
        assert!(breaker.admit(at(10)).is_err(), "one at a time");
        breaker.failed(at(10));
        assert_eq!(breaker.admit(at(29)).unwrap_err().until, at(30), "twice as long");
        assert_eq!(breaker.admit(at(30)), Ok(()));
        breaker.succeeded();
        assert_eq!(breaker.admit(at(30)), Ok(()));
    }

    #[test]
    fn failures_with_a_success_between_them_never_add_up() {
        let breaker = Breaker::default();
        for _ in 0..100 {
            assert_eq!(breaker.admit(at(0)), Ok(()));
            breaker.failed(at(0));
            breaker.succeeded();
        }
    }
}
