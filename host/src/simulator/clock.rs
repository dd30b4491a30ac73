//! The simulator's own clock: real time plus an offset that a test can move, or a frozen instant.
//!
//! Each simulated vendor has its own, so that skew between the two can be played. The only place of the simulator
//! that reads the wall clock. Holds always: whatever prints or stamps a time asks here.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const RUNNING: i64 = i64::MIN;

/// A clock that can be moved and stopped while the simulator runs.
#[derive(Debug)]
pub struct Clock {
    offset_ms: AtomicI64,
    frozen_ms: AtomicI64,
}

impl Default for Clock {
    fn default() -> Self {
        Self { offset_ms: AtomicI64::new(0), frozen_ms: AtomicI64::new(RUNNING) }
    }
}

impl Clock {
    /// Milliseconds since 1970 as this vendor sees them.
    pub fn now_ms(&self) -> i64 {
        let frozen = self.frozen_ms.load(Ordering::Relaxed);
        let base = if frozen == RUNNING { real_ms() } else { frozen };
        base + self.offset_ms.load(Ordering::Relaxed)
    }

    /// Whole seconds since 1970 as this vendor sees them.
    pub fn now(&self) -> i64 {
        self.now_ms().div_euclid(1_000)
    }

    /// Moves the clock forwards; the way to let an hour pass in a test.
    pub fn advance(&self, by: Duration) {
        self.offset_ms.fetch_add(by.as_millis() as i64, Ordering::Relaxed);
    }

    /// Sets the distance from real time, in milliseconds; negative is behind.
    pub fn skew(&self, offset_ms: i64) {
        self.offset_ms.store(offset_ms, Ordering::Relaxed);
    }

    /// Stops the clock at `at` (seconds since 1970). [`Clock::advance`] still moves it.
    pub fn freeze(&self, at: i64) {
        self.offset_ms.store(0, Ordering::Relaxed);
        self.frozen_ms.store(at * 1_000, Ordering::Relaxed);
    }

    /// Back to real time without an offset.
    pub fn reset(&self) {
        self.offset_ms.store(0, Ordering::Relaxed);
        self.frozen_ms.store(RUNNING, Ordering::Relaxed);
    }

    /// Whether the `Date` header has to be written by us because real time would give it away.
    pub(crate) fn is_virtual(&self) -> bool {
        self.offset_ms.load(Ordering::Relaxed) != 0 || self.frozen_ms.load(Ordering::Relaxed) != RUNNING
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place where the simulator reads real time")]
fn real_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frozen_clock_moves_only_when_told() {
        let clock = Clock::default();
        assert!(!clock.is_virtual());
        clock.freeze(1_000);
        clock.advance(Duration::from_secs(5));
        assert_eq!(clock.now(), 1_005);
        assert!(clock.is_virtual());
        clock.reset();
        assert!(clock.now() > 1_005);
    }
}
