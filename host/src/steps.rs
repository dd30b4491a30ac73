//! The named steps of the way through at which a crash is interesting, and the means to die at one of them.
//!
//! In a release build nothing here does anything. In a development build `TANDEM_CRASH_AT=intake.leased:2` kills the
//! process, without any clean-up, the second time that step is reached; `TANDEM_FREEZE_AT` stops it there, as SIGSTOP
//! does, until somebody lets it go on; `TANDEM_BREAK=correlation-lookup` switches one safeguard off, so that a test can
//! show that the sweep notices. Called along the way by whoever takes the steps; the crash
//! sweep of the tests goes through [`Step::ALL`], so a step without a test can't exist.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// A point between two effects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The body was read and parsed; nothing is stored.
    Received,
    /// The event is durable; the answer hasn't left.
    Accepted,
    /// The writer is inside a batch.
    InsideBatch,
    /// An event is leased; no plugin was called.
    EventLeased,
    /// Plugins are being called.
    PluginCalled,
    /// Plugins answered; nothing of it is stored.
    Transformed,
    /// The requests are durable; no connection was made.
    Decided,
    /// A request was sent completely; the answer hasn't come.
    Sent,
    /// The answer was read; nothing of it is stored.
    Answered,
    /// The answer is durable; no follow-up was sent.
    Settled,
    /// A request to BigPanda was answered; nothing of it is stored.
    Told,
    /// BigPanda's answer is durable; the next request of the lane was not sent.
    ToldSettled,
    /// A poll has read a page of changes; neither they nor the place are stored.
    Looked,
    /// Pages are being moved from the store's log into the database.
    Checkpoint,
    /// A migration has run, inside its transaction.
    Migrated,
    /// Plugins are compiled; those before them still answer.
    Compiled,
    /// A file is written beside the one that it replaces.
    Written,
    /// A copy of the store is complete, beside its place.
    Copied,
    /// The host was asked to stop; requests are under way.
    Draining,
}

impl Step {
    pub const ALL: [Self; 19] = [
        Self::Received,
        Self::Accepted,
        Self::InsideBatch,
        Self::EventLeased,
        Self::PluginCalled,
        Self::Transformed,
        Self::Decided,
        Self::Sent,
        Self::Answered,
        Self::Settled,
        Self::Told,
        Self::ToldSettled,
        Self::Looked,
        Self::Checkpoint,
        Self::Migrated,
        Self::Compiled,
        Self::Written,
        Self::Copied,
        Self::Draining,
    ];

    /// The name in `TANDEM_CRASH_AT`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Received => "web.received",
            Self::Accepted => "web.accepted",
            Self::InsideBatch => "store.inside-batch",
            Self::EventLeased => "intake.leased",
            Self::PluginCalled => "intake.plugin-called",
            Self::Transformed => "intake.transformed",
            Self::Decided => "deliver.leased",
            Self::Sent => "deliver.sent",
            Self::Answered => "deliver.answered",
            Self::Settled => "deliver.settled",
            Self::Told => "tell.answered",
            Self::ToldSettled => "tell.settled",
            Self::Looked => "poll.looked",
            Self::Checkpoint => "store.checkpoint",
            Self::Migrated => "store.migrated",
            Self::Compiled => "plugin.compiled",
            Self::Written => "config.written",
            Self::Copied => "store.copied",
            Self::Draining => "sync.draining",
        }
    }
}

/// A safeguard that a must-fail test can switch off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Safeguard {
    /// Looking for the correlation before a create is repeated.
    CorrelationLookup,
    /// Waiting for the disk before a share is confirmed.
    Durability,
    /// Sending nothing when the lease is about to run out.
    Deadline,
}

impl Safeguard {
    fn as_str(self) -> &'static str {
        match self {
            Self::CorrelationLookup => "correlation-lookup",
            Self::Durability => "durability",
            Self::Deadline => "deadline",
        }
    }
}

/// The step that a variable names.
struct At {
    step: String,
    left: AtomicU32,
}

impl At {
    fn named(variable: &str) -> Option<Self> {
        let text = std::env::var(variable).ok()?;
        let (step, count) = text.split_once(':').unwrap_or((&text, "1"));
        Some(Self { step: step.to_owned(), left: AtomicU32::new(count.parse().unwrap_or(1)) })
    }

    fn is_due(&self, step: Step) -> bool {
        self.step == step.as_str() && self.left.fetch_sub(1, Ordering::SeqCst) == 1
    }
}

/// Whether the process is to die at this step, now that it is reached once more.
fn due(step: Step) -> bool {
    static AT: OnceLock<Option<At>> = OnceLock::new();
    let at = || AT.get_or_init(|| At::named("TANDEM_CRASH_AT")).as_ref();
    cfg!(debug_assertions) && at().is_some_and(|at| at.is_due(step))
}

/// Whether it is to be stopped there.
fn is_icy(step: Step) -> bool {
    static AT: OnceLock<Option<At>> = OnceLock::new();
    let at = || AT.get_or_init(|| At::named("TANDEM_FREEZE_AT")).as_ref();
    cfg!(debug_assertions) && at().is_some_and(|at| at.is_due(step))
}

/// Says that a step is reached; dies or freezes here if a test asked for it.
#[inline]
pub fn reached(step: Step) {
    if due(step) {
        die();
    }
    if is_icy(step) {
        freeze();
    }
}

/// For a step that lies inside a call: dies that long after the call has begun.
pub fn entering(step: Step, after: Duration) {
    if due(step) {
        std::thread::spawn(move || {
            std::thread::sleep(after);
            die();
        });
    }
}

/// Whether a must-fail test has switched the safeguard off.
pub fn broken(safeguard: Safeguard) -> bool {
    static BROKEN: OnceLock<Option<String>> = OnceLock::new();
    cfg!(debug_assertions)
        && BROKEN.get_or_init(|| std::env::var("TANDEM_BREAK").ok()).as_deref() == Some(safeguard.as_str())
}

#[expect(unsafe_code, reason = "a crash must run no destructor and flush nothing; only the kernel can do that")]
fn die() -> ! {
    // SAFETY: the calls take no pointers, and the process is gone after them.
    unsafe {
        libc::kill(libc::getpid(), libc::SIGKILL);
        libc::_exit(137)
    }
}

#[expect(unsafe_code, reason = "all threads must stop at once; only the kernel can do that")]
fn freeze() {
    // To this thread, so that it is the first to stop: sent to the process, the signal may reach another one, and this one goes
    // on for long enough to send a request.
    // SAFETY: the call takes no pointers.
    unsafe {
        libc::raise(libc::SIGSTOP);
    }
}
