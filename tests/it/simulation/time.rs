//! Virtual time: tokio's paused clock, going on from one life of the host to the next. The wall may jump.

use std::sync::Mutex;
use std::time::Duration;

use tandem::clock::Clock;
use tandem::domain::time::Timestamp;
use tokio::time::Instant;

/// When every run begins: 2026-01-01 00:00:00 UTC.
pub const BEGIN: Timestamp = Timestamp(1_767_225_600_000);

#[derive(Debug, Default)]
struct State {
    /// What earlier lives took.
    before: Duration,
    born: Option<Instant>,
    /// How far the host's wall clock is off, in milliseconds.
    off: i64,
}

/// The time of a run; the host's clock, and the true time for everybody else.
#[derive(Debug, Default)]
pub struct Time(Mutex<State>);

impl Time {
    /// A life begins on a runtime of its own.
    pub fn begin(&self) {
        self.0.lock().unwrap().born = Some(Instant::now());
    }

    pub fn end(&self) {
        let mut state = self.0.lock().unwrap();
        if let Some(born) = state.born.take() {
            state.before += born.elapsed();
        }
    }

    /// Since the beginning of the run.
    pub fn passed(&self) -> Duration {
        let state = self.0.lock().unwrap();
        state.before + state.born.map_or(Duration::ZERO, |born| born.elapsed())
    }

    /// The true time.
    pub fn truth(&self) -> Timestamp {
        BEGIN.plus(self.passed())
    }

    /// Puts the host's wall clock wrong.
    pub fn jump(&self, milliseconds: i64) {
        self.0.lock().unwrap().off = milliseconds;
    }
}

impl Clock for Time {
    fn now(&self) -> Timestamp {
        let off = self.0.lock().unwrap().off;
        Timestamp(self.truth().0 + off)
    }

    fn elapsed(&self) -> Duration {
        self.passed()
    }
}
