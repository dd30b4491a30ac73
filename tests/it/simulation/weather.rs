//! What goes wrong between the host and everything that it talks to: delays, lost requests, lost answers, refusals to
//! be spoken to; and the death of the host at any step.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use tandem::domain::outcome::{Failure, Outcome};
use tokio::sync::Notify;

use super::chance::Chance;

/// When the clients give up.
const TIMEOUT: Duration = Duration::from_secs(30);

/// How bad it is.
#[derive(Debug)]
pub struct Weather {
    chance: Mutex<Chance>,
    bad: AtomicBool,
    /// Nothing takes time.
    still: AtomicBool,
    /// Steps until the host dies; negative: it doesn't.
    death: AtomicI64,
    pub died: Notify,
}

/// What becomes of one call to a peer.
pub enum Fate {
    Pass,
    /// It never arrived.
    Lost(Outcome),
    /// It arrived, and its answer didn't.
    Deaf(Outcome),
}

impl Weather {
    pub fn new(seed: u64) -> Self {
        Self {
            chance: Mutex::new(Chance::new(seed)),
            bad: AtomicBool::new(false),
            still: AtomicBool::new(false),
            death: AtomicI64::new(-1),
            died: Notify::new(),
        }
    }

    pub fn set_bad(&self, bad: bool) {
        self.bad.store(bad, Ordering::Relaxed);
    }

    /// From now on nothing goes wrong and nothing takes time.
    pub fn still(self) -> Self {
        self.still.store(true, Ordering::Relaxed);
        self
    }

    /// The host dies after so many steps.
    pub fn doom(&self, steps: i64) {
        self.death.store(steps, Ordering::Relaxed);
    }

    pub fn spare(&self) {
        self.death.store(-1, Ordering::Relaxed);
    }

    /// A step of the host; its last one never ends.
    pub async fn step(&self) {
        if self.death.load(Ordering::Relaxed) < 0 {
            return;
        }
        if self.death.fetch_sub(1, Ordering::Relaxed) <= 0 {
            self.death.store(0, Ordering::Relaxed);
            self.died.notify_one();
            std::future::pending::<()>().await;
        }
    }

    /// The way to a peer.
    pub async fn fate(&self) -> Fate {
        self.step().await;
        if self.still.load(Ordering::Relaxed) {
            return Fate::Pass;
        }
        let bad = self.bad.load(Ordering::Relaxed);
        let (delay, kind) = {
            let mut chance = self.chance.lock().unwrap();
            // Now and then an answer takes so long that the client gives up, which it does well within any lease.
            if bad && chance.percent(2) {
                (TIMEOUT, if chance.percent(50) { 8 } else { 12 })
            } else {
                let delay = chance.below(if bad { 3_000 } else { 200 });
                (Duration::from_millis(delay), if bad { chance.below(100) } else { 100 })
            }
        };
        tokio::time::sleep(delay).await;
        match kind {
            0..=7 => Fate::Lost(Outcome::NotApplied(failure("connect"))),
            8..=11 => Fate::Lost(Outcome::Unknown(failure("reset"))),
            12..=17 => Fate::Deaf(Outcome::Unknown(failure("reset"))),
            18..=20 => Fate::Lost(Outcome::Paused { failure: failure("busy"), wait: Duration::from_secs(7) }),
            21 => Fate::Lost(Outcome::Auth(failure("auth"))),
            _ => Fate::Pass,
        }
    }
}

fn failure(code: &str) -> Failure {
    Failure {
        code: format!("weather.{code}"),
        errno: None,
        status: None,
        summary: "it went wrong".to_owned(),
        detail: None,
        hint: None,
    }
}
