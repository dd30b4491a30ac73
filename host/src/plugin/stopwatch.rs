//! How long a hook has run: by the processor time of its thread, and on the wall up to a point.
//!
//! A guest can't wait for anything, so the two are the same on an idle machine. On a busy one the wall's clock would
//! end plugins that did nothing wrong but wait for a processor. Looked at once a tick, so that a hook that ends before
//! the next tick pays nothing.

use std::time::Duration;

use super::engine::TICK;

/// How many times its deadline a hook may last on the wall.
const PATIENCE: u32 = 10;

/// One hook's time.
#[derive(Debug, Default)]
pub(super) struct Stopwatch {
    deadline: Duration,
    ticks: u32,
    /// Processor time of the thread at the first tick.
    began: Duration,
}

impl Stopwatch {
    pub(super) fn start(deadline: Duration) -> Self {
        Self { deadline, ticks: 0, began: Duration::ZERO }
    }

    /// One tick has passed. False when time is up.
    pub(super) fn tick(&mut self) -> bool {
        let now = thread_time();
        if self.ticks == 0 {
            self.began = now;
        }
        self.ticks = self.ticks.saturating_add(1);
        let used = now.saturating_sub(self.began);
        // The time before the first tick was less than a tick.
        used.saturating_add(TICK) <= self.deadline && TICK.saturating_mul(self.ticks) <= self.deadline * PATIENCE
    }
}

/// Processor time that this thread has used.
fn thread_time() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    #[expect(unsafe_code, reason = "std has no way to ask for a thread's processor time")]
    // SAFETY: the pointer is to a live value of the type that the call writes.
    let failed = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    if failed != 0 {
        return Duration::ZERO;
    }
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}
