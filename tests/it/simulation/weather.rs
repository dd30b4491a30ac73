//! What goes wrong between the host and everything that it talks to: delays, lost requests, lost answers, refusals to
//! be spoken to; workers that stand still for longer than their leases; and the death of the host at any step.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use tandem::domain::outcome::{Failure, Outcome};
use tokio::sync::Notify;

use super::chance::Chance;

/// When the clients give up.
const TIMEOUT: Duration = Duration::from_secs(30);

/// How long a worker stands still: longer than a lease of events, perhaps than one of a request. Seconds.
const FROST: std::ops::Range<u64> = 65..200;

/// How bad it is.
#[derive(Debug)]
pub struct Weather {
    chance: Mutex<Chance>,
    /// Of its own, so that frost leaves everything else as it is.
    frost: Mutex<Chance>,
    /// In so many of a thousand places at which a worker may freeze, it does.
    frosty: u64,
    bad: AtomicBool,
    /// Nothing takes time.
    still: AtomicBool,
    servicenow_down: AtomicBool,
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
    pub fn new(seed: u64, frosty: u64) -> Self {
        Self {
            chance: Mutex::new(Chance::new(seed)),
            frost: Mutex::new(Chance::new(seed ^ 0xF057)),
            frosty,
            bad: AtomicBool::new(false),
            still: AtomicBool::new(false),
            servicenow_down: AtomicBool::new(false),
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

    pub fn set_servicenow_down(&self, down: bool) {
        self.servicenow_down.store(down, Ordering::Relaxed);
    }

    /// The way to ServiceNow.
    pub async fn fate_to_servicenow(&self) -> Fate {
        if self.servicenow_down.load(Ordering::Relaxed) {
            tokio::time::sleep(Duration::from_millis(50)).await;
            return Fate::Lost(Outcome::NotApplied(failure("connect")));
        }
        self.fate().await
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

    /// A place at which a worker may stand still, while the rest of the host goes on and takes its work away from it.
    pub async fn frost(&self) {
        if !self.bad.load(Ordering::Relaxed) {
            return;
        }
        let wait = {
            let mut frost = self.frost.lock().unwrap();
            (frost.below(1_000) < self.frosty).then(|| FROST.start + frost.below(FROST.end - FROST.start))
        };
        if let Some(wait) = wait {
            tokio::time::sleep(Duration::from_secs(wait)).await;
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
