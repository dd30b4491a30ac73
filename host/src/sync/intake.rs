//! From accepted events to sealed requests: lease, decide, ask the plugins, seal, store; all in one go per link.
//!
//! Events of one link come in one claim and the newest stands for all. Nothing is sent from here. A crash anywhere
//! leaves the events leased; they come back and are decided again, under the same request keys.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tracing::{Instrument as _, Span};

use super::fetch::Trouble;
use super::handover::Offer;
use super::runtime::Shared;
use super::{alarm, incident, ticket, traces};
use crate::domain::id::{EnvironmentId, EventId, IncidentId};
use crate::domain::link::{Link, LinkState};
use crate::domain::notice::Notice;
use crate::domain::patch::PluginFailure;
use crate::domain::request::Request;
use crate::domain::share::Share;
use crate::domain::time::Timestamp;
use crate::engine::plan::Plan;
use crate::steps::{Step, reached};
use crate::store::{Completion, Decided, Ended, EventClaim, EventEnd, JournalNote, NewRequest, PendingEvent};
use crate::telemetry;

/// How long an event waits whose integration isn't configured, or whose incident can't be fetched.
const OUT_OF_REACH: Duration = Duration::from_mins(1);

/// Runs until the sync stops.
pub(super) async fn run(shared: Arc<Shared>) {
    let permits = Arc::new(Semaphore::new(shared.options.intake_links));
    while !shared.stop.is_cancelled() {
        let now = shared.clock.now();
        let free = permits.available_permits();
        let claims = if free == 0 {
            Ok(Vec::new())
        } else {
            shared.store.claim_events(free, shared.options.event_lease, now).await
        };
        match claims {
            Ok(claims) if !claims.is_empty() => {
                for claim in claims {
                    let Ok(permit) = permits.clone().acquire_owned().await else { return };
                    let shared = shared.clone();
                    shared.tasks.clone().spawn(async move {
                        handle(&shared, claim, None).await;
                        drop(permit);
                        // A free place may let the next link in; a finished link may have newer events.
                        shared.events.notify_one();
                    });
                }
                continue;
            }
            Ok(_) => {}
            Err(error) => tracing::error!(error.code = "store.claim", error = %error, "events cannot be claimed"),
        }
        let wait = next_wake(&shared, now).await;
        tokio::select! {
            () = shared.events.notified() => {}
            () = tokio::time::sleep(wait) => {}
            () = shared.stop.cancelled() => {}
        }
    }
}

/// How long there is nothing to do, as far as is known now.
pub(super) async fn next_wake(shared: &Shared, now: Timestamp) -> Duration {
    match shared.store.next_due(now).await {
        Ok(Some(due)) => due.since(now).clamp(Duration::from_millis(5), shared.options.idle),
        Ok(None) | Err(_) => shared.options.idle,
    }
}

/// A share that was read before its event was claimed.
pub(super) struct Read {
    pub(super) event: EventId,
    pub(super) share: Arc<Share>,
}

pub(super) async fn handle(shared: &Arc<Shared>, claim: EventClaim, read: Option<Read>) {
    reached(Step::EventLeased);
    let ids: Vec<EventId> = claim.events.iter().map(|event| event.id).collect();
    let span = shared.traces.event(&claim.link, &ids);
    decide(shared, claim, read, ids, &span).instrument(span.clone()).await;
}

async fn decide(shared: &Arc<Shared>, claim: EventClaim, read: Option<Read>, ids: Vec<EventId>, span: &Span) {
    let EventClaim { link, fence, unsettled, crashes, events } = claim;
    let before = link.state;
    let Outcome { link, end, requests, notes } = work(shared, link, unsettled, crashes, events, read).await;
    let notices = notices(before, &link, &ids, &end);
    reached(Step::Transformed);
    let targets = requests.iter().map(|(_, request)| request.operation.target());
    let offer = Offer::of(shared, &link.integration, targets);
    let parked = before != LinkState::Parked && link.state == LinkState::Parked;
    traces::decided(span, &link, &end, requests.len(), parked);
    shared.traces.sealed(span, requests.iter().map(|(_, request)| request));
    let now = shared.clock.now();
    let over = match &end {
        EventEnd::Done { .. } | EventEnd::Quarantined { .. } => ids.clone(),
        EventEnd::Hold { .. } => Vec::new(),
    };
    let of = link.id;
    let decided = Decided {
        link,
        fence,
        events: ids,
        end,
        requests: requests
            .into_iter()
            .map(|(event, request)| NewRequest { request, due: now, event: Some(event) })
            .collect(),
        notes,
        now,
    };
    match shared.store.conclude(decided, offer.room()).await {
        Ok(ended @ Ended { completion: Completion::Recorded, .. }) => {
            for notice in notices {
                shared.notify.notify(notice);
            }
            shared.forget_trial(of, &over);
            offer.take_up(shared, ended);
        }
        Ok(Ended { completion: Completion::Stale, .. }) => {
            offer.withdraw(shared);
            metrics::counter!("tandem_stale_completions_total").increment(1);
            telemetry::traces::failed(span, "store.stale");
            tracing::warn!(error.code = "store.stale", "a decision came too late: its lease had expired");
        }
        Err(error) => {
            offer.withdraw(shared);
            telemetry::traces::failed(span, "store.decided");
            tracing::error!(error.code = "store.decided", error = %error, "a decision was not stored");
        }
    }
}

/// What a person has to know of a decision.
fn notices(before: LinkState, link: &Link, events: &[EventId], end: &EventEnd) -> Vec<Notice> {
    let mut notices = Vec::new();
    if let (LinkState::New | LinkState::Open, LinkState::Parked, Some(why)) = (before, link.state, &link.parked) {
        notices.push(alarm::parked(link, why));
    }
    match end {
        EventEnd::Quarantined { why } => notices.push(alarm::quarantined(link, events, why)),
        EventEnd::Done { .. } | EventEnd::Hold { .. } => {}
    }
    notices
}

/// What a claim comes to.
struct Outcome {
    link: Link,
    end: EventEnd,
    /// Each with the event that it comes from.
    requests: Vec<(EventId, Request)>,
    notes: Vec<JournalNote>,
}

/// How the handling of one event ended, when it led to no plan.
pub(super) enum Halt {
    /// Nothing follows; why.
    Done(String),
    Hold {
        until: Timestamp,
        why: String,
    },
    /// The link waits for a person from here on.
    Park(String),
    Quarantine(String),
}

impl Halt {
    /// What could not be had from the other side.
    pub(super) fn of(trouble: Trouble, now: Timestamp) -> Self {
        match trouble {
            Trouble::Later(failure) => Self::out_of_reach(failure.summary, now),
            Trouble::Gone(why) => Self::Park(why),
            Trouble::Never(why) => Self::Quarantine(why),
        }
    }

    pub(super) fn out_of_reach(why: String, now: Timestamp) -> Self {
        Self::Hold { until: now.plus(OUT_OF_REACH), why }
    }
}

/// What the handling of one event led to.
pub(super) struct Handled {
    /// The event that stood for all of its side.
    pub(super) event: EventId,
    pub(super) plan: Plan,
    pub(super) notes: Vec<JournalNote>,
}

impl Outcome {
    fn new(link: Link) -> Self {
        let end = EventEnd::Done { why: "nothing was pending".to_owned() };
        Self { link, end, requests: Vec::new(), notes: Vec::new() }
    }

    fn note(&mut self, kind: &str, text: String) {
        self.notes.push(JournalNote { kind: kind.to_owned(), text });
    }

    /// Takes in what one side's event came to. What holds or quarantines one side's events does so for the other's:
    /// they are decided again together, and what was done already is then no news.
    fn take(&mut self, side: &str, handled: Result<Handled, Halt>) {
        match handled {
            Ok(Handled { event, plan: Plan { link, requests, said }, notes }) => {
                self.link = link;
                for request in &requests {
                    let why = format!("{} was sealed as {}", request.operation.name(), request.key);
                    self.note(&format!("{side}.decided"), why);
                }
                for sentence in said {
                    self.note(&format!("{side}.decided"), sentence);
                }
                if requests.is_empty() {
                    self.note(&format!("{side}.decided"), "nothing differs from what was written".to_owned());
                }
                self.requests.extend(requests.into_iter().map(|request| (event, request)));
                self.notes.extend(notes);
            }
            Err(Halt::Done(why)) => self.note(&format!("{side}.decided"), why),
            Err(Halt::Hold { until, why }) => {
                self.note(&format!("{side}.held"), why.clone());
                self.end = EventEnd::Hold { until, why };
            }
            Err(Halt::Park(why)) => {
                tracing::error!(error.code = "link.parked", why, "a link is set aside for a person");
                self.note("link.parked", why.clone());
                self.link.state = LinkState::Parked;
                self.link.parked = Some(why);
            }
            Err(Halt::Quarantine(why)) => {
                tracing::error!(error.code = "event.quarantined", why, "an event is set aside for a person");
                self.note(&format!("{side}.quarantined"), why.clone());
                self.end = EventEnd::Quarantined { why };
            }
        }
    }
}

/// Where the incident is, if only an event that waits says so: what the ticket's events need must not wait for them.
fn environment_of(shared: &Shared, events: &[PendingEvent]) -> Option<EnvironmentId> {
    let shares = events.iter().filter(|event| !event.body.is_empty());
    shares.filter_map(|event| (shared.reader)(&event.body).ok()?.environment_id).next_back()
}

async fn work(
    shared: &Shared,
    link: Link,
    unsettled: bool,
    crashes: u32,
    events: Vec<PendingEvent>,
    read: Option<Read>,
) -> Outcome {
    let mut outcome = Outcome::new(link);
    let Some(integration) = shared.integrations.get(&outcome.link.integration) else {
        let why =
            format!("the integration {} is not configured; add it, or discard the share", outcome.link.integration);
        outcome.take("event", Err(Halt::out_of_reach(why, shared.clock.now())));
        return outcome;
    };
    if crashes >= integration.settings.plain().policy.retry.crash_limit {
        let why = format!("the host died {crashes} times while handling it");
        outcome.take("event", Err(Halt::Quarantine(why)));
        return outcome;
    }
    let (of_ticket, of_incident): (Vec<_>, Vec<_>) =
        events.into_iter().partition(|event| event.occasion.is_of_ticket());
    // The ticket first: whether the incident's state means anything for it depends on how it stands.
    if !of_ticket.is_empty() {
        if outcome.link.environment.is_none() {
            outcome.link.environment = integration.environment.clone().or_else(|| environment_of(shared, &of_incident));
        }
        let covered = of_ticket.len().saturating_sub(1);
        let handled = ticket::handle(shared, integration, outcome.link.clone(), of_ticket).await;
        outcome.take("ticket", handled);
        outcome.covered("ticket", covered);
    }
    if let Some(Newest { event, covered, tied }) = newest(of_incident) {
        // The ticket's part may just have made requests of its own.
        let unsettled = unsettled || !outcome.requests.is_empty();
        let share = read.filter(|read| read.event == event.id).map(|read| read.share);
        let found = incident::Found { event, share, covered, tied, unsettled };
        let handled = incident::handle(shared, integration, outcome.link.clone(), found).await;
        outcome.take("share", handled);
        outcome.covered("share", covered);
    }
    if let EventEnd::Done { why } = &mut outcome.end
        && let Some(last) = outcome.notes.last()
    {
        why.clone_from(&last.text);
    }
    outcome
}

impl Outcome {
    fn covered(&mut self, side: &str, covered: usize) {
        if covered > 0 {
            self.note(&format!("{side}.coalesced"), format!("{covered} older ones were covered by it"));
        }
    }
}

/// The newest of the incident's events.
struct Newest {
    event: PendingEvent,
    /// How many others it stands for.
    covered: usize,
    /// Whether another one is as new by BigPanda's clock, which counts in seconds. Which of the two states is the later
    /// one can't be told from them then: shares overtake each other.
    tied: bool,
}

fn newest(events: Vec<PendingEvent>) -> Option<Newest> {
    let covered = events.len().saturating_sub(1);
    let revision = events.iter().map(|event| event.revision).max()?;
    let tied = events.iter().filter(|event| event.revision == revision).count() > 1;
    let event = events.into_iter().filter(|event| event.revision == revision).max_by_key(|event| event.id)?;
    Some(Newest { event, covered, tied })
}

/// Plugins that failed, for the link's history and for the log.
pub(super) fn failed(incident: &IncidentId, failures: &[PluginFailure]) -> Vec<JournalNote> {
    let mut notes = Vec::new();
    let mut note = |kind: &str, text: String| notes.push(JournalNote { kind: kind.to_owned(), text });
    for failure in failures {
        metrics::counter!("tandem_plugin_failures_total", "plugin" => failure.plugin.to_string(), "code" => failure.code.clone()).increment(1);
        tracing::error!(
            incident.id = %incident,
            plugin.id = %failure.plugin,
            plugin.digest = failure.digest,
            plugin.hook = failure.hook.as_str(),
            error.code = failure.code,
            frames = ?failure.frames,
            hint = failure.hint,
            "a plugin failed: {}",
            failure.message
        );
        traces::plugin_failed(failure);
        note(
            "plugin.failed",
            format!("{} {} ({}): {}", failure.plugin, failure.version, failure.code, failure.message),
        );
    }
    notes
}
