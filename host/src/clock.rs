//! The one place that reads the machine's clock and its randomness; everybody else is handed a [`Clock`].
//!
//! Not a timer: waiting is tokio's. Tests steer a [`Clock`] of their own.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
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

/// A difference from which on the wall clock counts as set, not as drifting, in milliseconds.
const JUMP: i64 = 2_000;

/// Wall-clock time that never goes back while the process lives.
///
/// What is scheduled is scheduled by the wall, so that a restart knows it. If somebody set the wall back, all of that
/// would wait so much longer; this clock goes on instead, and follows the wall again once that has caught up or the
/// process starts anew. It does follow a wall that was set forward.
pub struct Steady<C> {
    inner: C,
    /// Wall time minus elapsed time, in milliseconds.
    anchor: AtomicI64,
}

impl<C: Clock> Steady<C> {
    pub fn new(inner: C) -> Self {
        let anchor = AtomicI64::new(inner.now().0.saturating_sub(milliseconds(inner.elapsed())));
        Self { inner, anchor }
    }
}

fn milliseconds(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

impl<C: Clock> Clock for Steady<C> {
    fn now(&self) -> Timestamp {
        let (wall, elapsed) = (self.inner.now().0, milliseconds(self.inner.elapsed()));
        let anchor = self.anchor.load(Ordering::Relaxed);
        let steady = anchor.saturating_add(elapsed);
        let ahead = wall.saturating_sub(steady);
        if ahead <= 0 {
            return Timestamp(steady);
        }
        // Drift is followed silently, a jump is worth a line.
        let moved = self.anchor.compare_exchange(anchor, wall - elapsed, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        if moved && ahead > JUMP {
            metrics::counter!("tandem_clock_jumps_total").increment(1);
            tracing::warn!(error.code = "clock.jump", seconds = ahead / 1000, "the wall clock was set forward");
        }
        Timestamp(wall)
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
