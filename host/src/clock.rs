//! The one place that reads the machine's clock and its randomness; everybody else is handed a [`Clock`].
//!
//! Not a timer: waiting is tokio's. Tests steer a [`Clock`] of their own.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::domain::time::Timestamp;

/// Tells the time to the shell.
pub trait Clock: Send + Sync {
    /// Wall-clock time. It may jump.
    fn now(&self) -> Timestamp;
    /// Time since an arbitrary start that never goes back; for durations.
    fn elapsed(&self) -> Duration;
}

/// The machine's clocks.
#[derive(Debug)]
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one real clock")]
    pub fn new() -> Self {
        Self { start: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one real clock")]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }
}

/// A difference from which on the wall clock counts as set, in milliseconds; it is told once.
const JUMP: i64 = 2_000;
/// A difference that nobody waits for: a machine that began in 1970.
const ABSURD: i64 = 24 * 3_600_000;
/// The steady clock goes faster or slower by one part in so many while it is wrong.
const SLEW: i64 = 10;

/// Wall-clock time without jumps.
///
/// What is scheduled is scheduled by the wall, so that a restart knows it. Were the wall followed at once, setting it
/// back would make everything wait so much longer, and setting it forward would end leases whose requests are still
/// on their way. So this clock only goes a little faster or slower until it is right again.
pub struct Steady<C> {
    inner: C,
    state: Mutex<Anchor>,
}

struct Anchor {
    /// This clock's time minus elapsed time, in milliseconds.
    offset: i64,
    /// Elapsed time when it was last corrected, in milliseconds.
    corrected: i64,
    told: bool,
}

impl<C: Clock> Steady<C> {
    pub fn new(inner: C) -> Self {
        let elapsed = milliseconds(inner.elapsed());
        let state = Anchor { offset: inner.now().0.saturating_sub(elapsed), corrected: elapsed, told: false };
        Self { inner, state: Mutex::new(state) }
    }
}

fn milliseconds(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

impl<C: Clock> Clock for Steady<C> {
    fn now(&self) -> Timestamp {
        let (wall, elapsed) = (self.inner.now().0, milliseconds(self.inner.elapsed()));
        let mut anchor = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let wrong = wall.saturating_sub(anchor.offset.saturating_add(elapsed));
        let most = elapsed.saturating_sub(anchor.corrected).max(0) / SLEW;
        if wrong > ABSURD {
            anchor.offset = anchor.offset.saturating_add(wrong);
        } else if most > 0 {
            anchor.offset = anchor.offset.saturating_add(wrong.clamp(-most, most));
            anchor.corrected = elapsed;
        }
        if wrong.saturating_abs() > JUMP && !anchor.told {
            metrics::counter!("tandem_clock_jumps_total").increment(1);
            tracing::warn!(
                error.code = "clock.jump",
                seconds = wrong / 1000,
                "the wall clock was set; it is followed slowly"
            );
        }
        anchor.told = wrong.saturating_abs() > JUMP;
        Timestamp(anchor.offset.saturating_add(elapsed))
    }

    fn elapsed(&self) -> Duration {
        self.inner.elapsed()
    }
}

impl<C: Clock + ?Sized> Clock for Arc<C> {
    fn now(&self) -> Timestamp {
        (**self).now()
    }

    fn elapsed(&self) -> Duration {
        (**self).elapsed()
    }
}

/// A clock that only moves when told to, for tests and for virtual time.
#[derive(Debug, Clone)]
pub struct ManualClock {
    millis: Arc<AtomicI64>,
    start: i64,
}

impl ManualClock {
    pub fn new(start: Timestamp) -> Self {
        Self { millis: Arc::new(AtomicI64::new(start.0)), start: start.0 }
    }

    /// Moves the clock forwards.
    pub fn advance(&self, by: Duration) {
        self.millis.fetch_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.millis.load(Ordering::SeqCst))
    }

    fn elapsed(&self) -> Duration {
        let passed = self.millis.load(Ordering::SeqCst).saturating_sub(self.start);
        Duration::from_millis(u64::try_from(passed).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A wall that is off from the true time, which passes.
    #[derive(Default)]
    struct Wall {
        off: AtomicI64,
        passed: AtomicI64,
    }

    impl Clock for Wall {
        fn now(&self) -> Timestamp {
            Timestamp(1_000_000 + self.off.load(Ordering::SeqCst) + self.passed.load(Ordering::SeqCst))
        }
        fn elapsed(&self) -> Duration {
            Duration::from_millis(u64::try_from(self.passed.load(Ordering::SeqCst)).unwrap_or(0))
        }
    }

    #[test]
    fn a_wall_that_was_set_is_followed_slowly_either_way() {
        for off in [600_000, -600_000] {
            let wall = Arc::new(Wall::default());
            let clock = Steady::new(wall.clone());
            wall.off.store(off, Ordering::SeqCst);
            let mut before = clock.now();
            assert_eq!(before, Timestamp(1_000_000), "nothing at once");
            let mut steps = 0;
            while clock.now() != wall.now() {
                wall.passed.fetch_add(1_000, Ordering::SeqCst);
                let now = clock.now();
                let step = now.0 - before.0;
                assert!((900..=1_100).contains(&step), "{step} ms in a second");
                before = now;
                steps += 1;
            }
            assert_eq!(steps, 6_000, "a tenth of the time");
        }
    }

    #[test]
    fn a_wall_that_was_absurd_is_followed_at_once() {
        let wall = Arc::new(Wall::default());
        let clock = Steady::new(wall.clone());
        wall.off.store(56 * 365 * 24 * 3_600_000, Ordering::SeqCst);
        assert_eq!(clock.now(), wall.now());
    }
}
