//! The running sync: its shared state, the handle through which shares come in, start and orderly stop.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::handover::{self, Side};
use super::ports::{self, Integration, Reader, Transform};
use super::traces::Traces;
use super::{deliver, intake, poll};
use crate::clock::Clock;
use crate::domain::event::Occasion;
use crate::domain::id::{EventId, IntegrationName, LinkId};
use crate::domain::request::Target;
use crate::domain::share::Share;
use crate::domain::time::Timestamp;
use crate::steps::{Step, reached};
use crate::store::{self, Accepted, NewEvent, Store};

/// How much the shell does at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Links whose resting events are decided at the same time.
    pub intake_links: usize,
    /// Shares that are taken in and decided straight away at the same time.
    pub at_the_door: usize,
    /// Requests to BigPanda under way at the same time, for each integration.
    pub to_bigpanda: usize,
    /// Longest time that events of one link may be held by a worker.
    pub event_lease: Duration,
    /// Longest time without looking for due work, in case a wake-up was missed.
    pub idle: Duration,
}

impl Default for Options {
    fn default() -> Self {
        let (event_lease, idle) = (Duration::from_mins(1), Duration::from_secs(2));
        Self { intake_links: 64, at_the_door: 192, to_bigpanda: 16, event_lease, idle }
    }
}

/// What the sync is made of.
pub struct Parts {
    pub store: Arc<dyn Store>,
    pub transform: Arc<dyn Transform>,
    pub notify: Arc<dyn ports::Notify>,
    pub clock: Arc<dyn Clock>,
    pub integrations: Vec<Integration>,
    pub reader: Reader,
    pub options: Options,
}

pub(super) struct Shared {
    pub(super) store: Arc<dyn Store>,
    pub(super) transform: Arc<dyn Transform>,
    pub(super) notify: Arc<dyn ports::Notify>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) integrations: HashMap<IntegrationName, Integration>,
    pub(super) reader: Reader,
    pub(super) options: Options,
    pub(super) traces: Traces,
    pub(super) events: Notify,
    pub(super) door: Arc<Semaphore>,
    to_servicenow: Side,
    to_bigpanda: Side,
    /// Requests under way at the same time, by side and integration.
    places: HashMap<(Target, IntegrationName), Arc<Semaphore>>,
    /// How long a request is leased: the longest that any integration asks for.
    pub(super) lease: Duration,
    pauses: Mutex<HashMap<(Target, IntegrationName), Timestamp>>,
    /// Plugins that a person has tried for an event, by its link: whatever it is decided with uses them too.
    trials: Mutex<HashMap<LinkId, (EventId, Arc<dyn Transform>)>>,
    pub(super) stop: CancellationToken,
    pub(super) tasks: TaskTracker,
}

impl Shared {
    pub(super) fn side(&self, target: Target) -> &Side {
        match target {
            Target::ServiceNow => &self.to_servicenow,
            Target::BigPanda => &self.to_bigpanda,
        }
    }

    /// Where requests of an integration to a side have their places; `None` where we don't call.
    pub(super) fn places(&self, target: Target, integration: &IntegrationName) -> Option<&Arc<Semaphore>> {
        self.places.get(&(target, integration.clone()))
    }

    /// The plugins that answer about a link: those of everybody, unless a person has others tried.
    pub(super) fn plugins(&self, link: LinkId) -> Arc<dyn Transform> {
        let trials = self.trials.lock().unwrap_or_else(PoisonError::into_inner);
        trials.get(&link).map_or(&self.transform, |(_, plugins)| plugins).clone()
    }

    /// Has other plugins answer about a link until this event of it has been decided.
    pub(super) fn try_out(&self, link: LinkId, event: EventId, plugins: Arc<dyn Transform>) {
        self.trials.lock().unwrap_or_else(PoisonError::into_inner).insert(link, (event, plugins));
    }

    pub(super) fn forget_trial(&self, link: LinkId, events: &[EventId]) {
        let mut trials = self.trials.lock().unwrap_or_else(PoisonError::into_inner);
        trials.retain(|of, (event, _)| *of != link || !events.contains(event));
    }

    /// Leaves a side of an integration alone for a while.
    pub(super) fn pause(&self, target: Target, integration: &IntegrationName, until: Timestamp) {
        let mut pauses = self.pauses.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = pauses.entry((target, integration.clone())).or_insert(until);
        *entry = (*entry).max(until);
    }

    pub(super) fn is_paused(&self, target: Target, integration: &IntegrationName, now: Timestamp) -> bool {
        let pauses = self.pauses.lock().unwrap_or_else(PoisonError::into_inner);
        pauses.iter().any(|((of, name), until)| *of == target && name == integration && *until > now)
    }

    /// The integrations whose side is to be left alone now, and when the first of them may be used again.
    pub(super) fn paused(&self, target: Target, now: Timestamp) -> (Vec<IntegrationName>, Option<Timestamp>) {
        let mut pauses = self.pauses.lock().unwrap_or_else(PoisonError::into_inner);
        pauses.retain(|_, until| *until > now);
        let of_target = pauses.iter().filter(|((of, _), _)| *of == target);
        let first = of_target.clone().map(|(_, until)| *until).min();
        (of_target.map(|((_, name), _)| name.clone()).collect(), first)
    }
}

/// The way into the running sync. Cheap to clone.
#[derive(Clone)]
pub struct Handle {
    pub(super) shared: Arc<Shared>,
}

impl Handle {
    /// Starts the loops. They first take up whatever an earlier process left.
    pub fn start(parts: Parts) -> Self {
        let Parts { store, transform, notify, clock, integrations, reader, options } = parts;
        let places = places(&integrations, &options);
        let leases = integrations.iter().map(|one| one.settings.plain().policy.retry.lease);
        let lease = leases.max().unwrap_or(Duration::from_mins(2));
        let door = Arc::new(Semaphore::new(options.at_the_door));
        let shared = Arc::new(Shared {
            store,
            transform,
            notify,
            clock,
            integrations: integrations.into_iter().map(|one| (one.name.clone(), one)).collect(),
            reader,
            options,
            traces: Traces::default(),
            events: Notify::new(),
            door,
            to_servicenow: Side::default(),
            to_bigpanda: Side::default(),
            places,
            lease,
            pauses: Mutex::default(),
            trials: Mutex::default(),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
        });
        shared.tasks.spawn(intake::run(shared.clone()));
        shared.tasks.spawn(deliver::run(shared.clone(), Target::ServiceNow));
        shared.tasks.spawn(deliver::run(shared.clone(), Target::BigPanda));
        for name in shared.integrations.keys() {
            for side in [Target::BigPanda, Target::ServiceNow] {
                shared.tasks.spawn(poll::run(shared.clone(), name.clone(), side));
            }
        }
        Self { shared }
    }

    /// Makes a share durable and wakes the intake. `Ok` means that it survives a crash.
    pub async fn accept(
        &self,
        integration: &IntegrationName,
        share: Share,
        dedupe: String,
        body: Bytes,
    ) -> Result<Accepted, store::Error> {
        reached(Step::Received);
        let event = NewEvent {
            occasion: Occasion::Shared,
            integration: integration.clone(),
            incident: share.incident.id.clone(),
            environment: share.environment_id.clone(),
            dedupe,
            revision: share.incident.revision(),
            received: self.shared.clock.now(),
            body,
        };
        let told = handover::take_in(self.shared.clone(), event, Arc::new(share));
        let gone = |_| store::Error::Unavailable { what: "the host is stopping".to_owned(), source: None };
        told.await.map_err(gone)?
    }

    /// Looks for due work now: after an operator changed the queue.
    pub fn wake(&self) {
        self.shared.events.notify_one();
        self.shared.to_servicenow.woken.notify_one();
        self.shared.to_bigpanda.woken.notify_one();
    }

    /// Ends the pauses of an integration, when an operator says so.
    pub fn unpause(&self, integration: &IntegrationName) {
        let mut pauses = self.shared.pauses.lock().unwrap_or_else(PoisonError::into_inner);
        pauses.retain(|(_, name), _| name != integration);
        drop(pauses);
        self.wake();
    }

    /// The sides that are being left alone at the moment: target, integration, until when.
    pub fn pauses(&self) -> Vec<(Target, IntegrationName, Timestamp)> {
        let now = self.shared.clock.now();
        let pauses = self.shared.pauses.lock().unwrap_or_else(PoisonError::into_inner);
        pauses
            .iter()
            .filter(|(_, until)| **until > now)
            .map(|((target, name), until)| (*target, name.clone(), *until))
            .collect()
    }

    /// Stops taking up work, finishes what is under way, and returns whether all of it ended within the limit.
    pub async fn drain(&self, limit: Duration) -> bool {
        self.shared.stop.cancel();
        self.shared.tasks.close();
        reached(Step::Draining);
        tokio::time::timeout(limit, self.shared.tasks.wait()).await.is_ok()
    }

    /// The time as the sync sees it.
    pub fn now(&self) -> Timestamp {
        self.shared.clock.now()
    }
}

/// Every integration has its own places, so that one whose instance is slow keeps nobody else waiting.
fn places(integrations: &[Integration], options: &Options) -> HashMap<(Target, IntegrationName), Arc<Semaphore>> {
    let mut places = HashMap::new();
    for one in integrations {
        let mut put = |target, count| {
            places.insert((target, one.name.clone()), Arc::new(Semaphore::new(count)));
        };
        put(Target::BigPanda, options.to_bigpanda);
        // An instance that pulls is not called; see `retrieve`.
        if !one.on_premises {
            put(Target::ServiceNow, one.to_servicenow);
        }
    }
    places
}
