//! Stops hammering a side that is down. An open breaker asks for a pause, so no attempt is burnt on it.
//!
//! Closed: everything passes; so many transient failures in a row open it. Open: nothing passes for a while, then
//! one probe does (half open). The probe's end closes it or opens it anew. Time is an argument.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// When a breaker opens and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakerSettings {
    /// Failures in a row that open it; 0 switches it off.
    pub failures: u32,
    pub pause: Duration,
}

impl Default for BreakerSettings {
    fn default() -> Self {
        Self { failures: 8, pause: Duration::from_secs(30) }
    }
}

/// What an exchange said about the other side's health.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It answered, even if it refused.
    Well,
    /// It could not be reached, did not answer, or said 501 and above.
    Ill,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Closed {
        failures: u32,
    },
    Open {
        until: Duration,
    },
    /// A probe is under way; it is given up as lost at `until`.
    Probing {
        until: Duration,
    },
}

/// The breaker of one instance.
#[derive(Debug)]
pub struct Breaker {
    settings: BreakerSettings,
    state: Mutex<State>,
}

impl Breaker {
    pub fn new(settings: BreakerSettings) -> Self {
        Self { settings, state: Mutex::new(State::Closed { failures: 0 }) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks to send at `now`, a monotonic time. The error is how long to wait before asking again.
    pub fn enter(&self, now: Duration) -> Result<(), Duration> {
        let mut state = self.state();
        match *state {
            State::Closed { .. } => Ok(()),
            State::Open { until } | State::Probing { until } if now < until => {
                Err(until.saturating_sub(now).max(Duration::from_millis(100)).min(self.settings.pause))
            }
            State::Open { .. } | State::Probing { .. } => {
                *state = State::Probing { until: now + self.settings.pause };
                Ok(())
            }
        }
    }

    /// Records how an exchange ended.
    pub fn leave(&self, verdict: Verdict, now: Duration) {
        if self.settings.failures == 0 {
            return;
        }
        let mut state = self.state();
        *state = match (verdict, *state) {
            (Verdict::Well, _) => State::Closed { failures: 0 },
            (Verdict::Ill, State::Closed { failures }) if failures.saturating_add(1) < self.settings.failures => {
                State::Closed { failures: failures.saturating_add(1) }
            }
            (Verdict::Ill, State::Closed { .. } | State::Probing { .. }) => {
                State::Open { until: now + self.settings.pause }
            }
            // Requests that were under way when it opened; they don't prolong the pause.
            (Verdict::Ill, open @ State::Open { .. }) => open,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAUSE: Duration = Duration::from_secs(30);

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn opened() -> Breaker {
        let breaker = Breaker::new(BreakerSettings { failures: 3, pause: PAUSE });
        for _ in 0..3 {
            assert_eq!(breaker.enter(at(0)), Ok(()));
            breaker.leave(Verdict::Ill, at(0));
        }
        breaker
    }

    #[test]
    fn it_opens_after_failures_in_a_row_and_asks_for_a_pause() {
        let breaker = opened();
        assert_eq!(breaker.enter(at(10)), Err(at(20)));
        breaker.leave(Verdict::Ill, at(10));
        assert_eq!(breaker.enter(at(29)), Err(at(1)));
    }

    #[test]
    fn a_success_in_between_starts_the_count_anew() {
        let breaker = Breaker::new(BreakerSettings { failures: 2, pause: PAUSE });
        for verdict in [Verdict::Ill, Verdict::Well, Verdict::Ill] {
            breaker.leave(verdict, at(0));
        }
        assert_eq!(breaker.enter(at(0)), Ok(()));
    }

    #[test]
    fn after_the_pause_one_probe_passes_and_decides() {
        let breaker = opened();
        assert_eq!(breaker.enter(at(30)), Ok(()));
        assert_eq!(breaker.enter(at(31)), Err(at(29)), "the probe is under way");
        breaker.leave(Verdict::Ill, at(32));
        assert_eq!(breaker.enter(at(33)), Err(at(29)));
        assert_eq!(breaker.enter(at(62)), Ok(()));
        breaker.leave(Verdict::Well, at(63));
        assert_eq!(breaker.enter(at(63)), Ok(()));
        assert_eq!(breaker.enter(at(63)), Ok(()));
    }

    #[test]
    fn a_probe_that_never_ends_does_not_block_for_ever() {
        let breaker = opened();
        assert_eq!(breaker.enter(at(30)), Ok(()));
        assert_eq!(breaker.enter(at(60)), Ok(()));
    }

    #[test]
    fn zero_switches_it_off() {
        let breaker = Breaker::new(BreakerSettings { failures: 0, pause: PAUSE });
        for _ in 0..100 {
            breaker.leave(Verdict::Ill, at(0));
        }
        assert_eq!(breaker.enter(at(0)), Ok(()));
    }
}
