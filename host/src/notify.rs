//! Tells operators what they have to know now: into a chat that takes Slack's JSON, and by mail.
//!
//! Knows notices, its own settings and the transport; `app` hands it to the sync, `tandem notify test` tries it out. A
//! notice never holds anybody up: the queues are bounded, and what doesn't fit is counted and dropped. Equal notices
//! are gathered, so that an outage makes a few messages and not thousands. Nothing here survives the process: what is
//! told is in the queue and in the log anyway.

mod chat;
mod digest;
mod mail;
mod target;
mod words;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use chat::Chat;
pub use mail::Mail;
pub use target::{SetupError, Target, Undelivered};

use crate::clock::Clock;
use crate::domain::id::IntegrationName;
use crate::domain::notice::Notice;
use digest::Digest;

/// Notices that wait to be looked at, and messages that wait for one target.
const QUEUE: usize = 256;
/// Longest time between two looks at what is gathered.
const TICK: Duration = Duration::from_mins(1);

/// How operators are told.
pub struct Settings {
    /// Shortest time between two messages of one integration for one reason.
    pub interval: Duration,
    /// How long to wait before each further try of a message.
    pub retries: Vec<Duration>,
    pub targets: HashMap<IntegrationName, Vec<Target>>,
}

/// The way in. Dropping it changes nothing; [`Notifier::stop`] ends it in order.
pub struct Notifier {
    inlet: mpsc::Sender<Notice>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Notifier {
    /// Starts one task that gathers, and one for each target that sends.
    pub fn start(settings: Settings, clock: Arc<dyn Clock>) -> Self {
        let Settings { interval, retries, targets } = settings;
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let mut outlets: HashMap<IntegrationName, Vec<mpsc::Sender<Notice>>> = HashMap::new();
        for (integration, targets) in targets {
            for target in targets {
                let (outlet, queue) = mpsc::channel(QUEUE);
                outlets.entry(integration.clone()).or_default().push(outlet);
                tasks.spawn(target::run(target, queue, retries.clone(), stop.clone()));
            }
        }
        let (inlet, notices) = mpsc::channel(QUEUE);
        tasks.spawn(gather(notices, outlets, Digest::new(interval), clock, stop.clone()));
        Self { inlet, stop, tasks }
    }

    /// Takes a notice over, at once.
    pub fn tell(&self, notice: Notice) {
        if self.inlet.try_send(notice).is_err() {
            dropped();
        }
    }

    /// Sends what is gathered, once, and ends. False: not within the limit.
    pub async fn stop(&self, limit: Duration) -> bool {
        self.stop.cancel();
        self.tasks.close();
        tokio::time::timeout(limit, self.tasks.wait()).await.is_ok()
    }
}

/// Looks at every notice and passes on what is to be told now. Ends with the stop, and with it the targets' queues.
async fn gather(
    mut notices: mpsc::Receiver<Notice>,
    outlets: HashMap<IntegrationName, Vec<mpsc::Sender<Notice>>>,
    mut digest: Digest,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
) {
    let post = |notice: Notice| {
        for outlet in outlets.get(&notice.integration).into_iter().flatten() {
            if outlet.try_send(notice.clone()).is_err() {
                dropped();
            }
        }
    };
    loop {
        let wait = digest.next(clock.elapsed()).unwrap_or(TICK).min(TICK);
        tokio::select! {
            notice = notices.recv() => match notice {
                Some(notice) => digest.add(notice, clock.elapsed()).into_iter().for_each(post),
                None => break,
            },
            () = tokio::time::sleep(wait) => digest.due(clock.elapsed()).into_iter().for_each(post),
            () = stop.cancelled() => break,
        }
    }
    while let Ok(notice) = notices.try_recv() {
        digest.add(notice, clock.elapsed()).into_iter().for_each(post);
    }
    digest.rest().into_iter().for_each(post);
}

fn dropped() {
    metrics::counter!("tandem_notices_total", "outcome" => "dropped").increment(1);
}

#[cfg(test)]
mod tests;
