//! From accepted events to sealed requests: lease, decide, ask the plugins, seal, store; all in one go per link.
//!
//! Events of one link come in one claim and the newest stands for all. Nothing is sent from here. A crash anywhere
//! leaves the events leased; they come back and are decided again, under the same request keys.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use super::fetch::{self, Trouble};
use super::ports::{Effective, Integration, TransformJob};
use super::runtime::Shared;
use crate::domain::event::{Event, Occasion};
use crate::domain::id::EventId;
use crate::domain::link::Link;
use crate::domain::patch::{Hook, PluginFailure, Transformation, Verdict};
use crate::domain::request::{Request, Target};
use crate::domain::share::Share;
use crate::domain::ticket::Reference;
use crate::domain::time::Timestamp;
use crate::engine::compose::Known;
use crate::engine::{self, Decision, seal};
use crate::servicenow::Cached;
use crate::steps::{Step, reached};
use crate::store::{Completion, Decided, EventClaim, EventEnd, JournalNote, NewRequest, PendingEvent};

/// The hooks that a share asks, in the order in which they depend on each other.
const SHARE_HOOKS: &[Hook] = &[Hook::Gate, Hook::PrimaryAlert, Hook::ShortDescription, Hook::Description, Hook::Fields];

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
                        handle(&shared, claim).await;
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

async fn handle(shared: &Shared, claim: EventClaim) {
    reached(Step::EventLeased);
    let EventClaim { link, fence, crashes, events } = claim;
    let ids: Vec<EventId> = events.iter().map(|event| event.id).collect();
    let Outcome { link, end, requests, notes } = work(shared, link, crashes, events).await;
    reached(Step::Transformed);
    let woken: Vec<Target> = requests.iter().map(|request| request.operation.target()).collect();
    let now = shared.clock.now();
    let event = ids.last().copied();
    let decided = Decided {
        link,
        fence,
        events: ids,
        end,
        requests: requests.into_iter().map(|request| NewRequest { request, due: now, event }).collect(),
        notes,
        now,
    };
    match shared.store.decided(decided).await {
        Ok(Completion::Recorded) => {
            for target in woken {
                shared.requests(target).notify_one();
            }
        }
        Ok(Completion::Stale) => {
            metrics::counter!("tandem_stale_completions_total").increment(1);
            tracing::warn!(error.code = "store.stale", "a decision came too late: its lease had expired");
        }
        Err(error) => tracing::error!(error.code = "store.decided", error = %error, "a decision was not stored"),
    }
}

/// What a claim comes to.
struct Outcome {
    link: Link,
    end: EventEnd,
    requests: Vec<Request>,
    notes: Vec<JournalNote>,
}

impl Outcome {
    fn ended(link: Link, end: EventEnd) -> Self {
        let (kind, text) = match &end {
            EventEnd::Done { why } => ("share.decided", why),
            EventEnd::Hold { why, .. } => ("share.held", why),
            EventEnd::Quarantined { why } => ("share.quarantined", why),
        };
        let notes = vec![JournalNote { kind: kind.to_owned(), text: text.clone() }];
        Self { link, end, requests: Vec::new(), notes }
    }
}

async fn work(shared: &Shared, link: Link, crashes: u32, events: Vec<PendingEvent>) -> Outcome {
    let quarantine = |link, why: String| {
        tracing::error!(error.code = "share.quarantined", why, "a share is set aside for a person");
        Outcome::ended(link, EventEnd::Quarantined { why })
    };
    let hold = |link, why: String| {
        let until = shared.clock.now().plus(OUT_OF_REACH);
        Outcome::ended(link, EventEnd::Hold { until, why })
    };
    let Some(integration) = shared.integrations.get(&link.integration) else {
        let why = format!("the integration {} is not configured; add it, or discard the share", link.integration);
        return hold(link, why);
    };
    let coalesced = events.len().saturating_sub(1);
    let Some(newest) = events.into_iter().max_by_key(|event| (event.revision, event.id)) else {
        return Outcome::ended(link, EventEnd::Done { why: "nothing was pending".to_owned() });
    };
    let share = match shared.warm.take(newest.id) {
        Some(share) => share,
        None => match (shared.reader)(&newest.body) {
            Ok(share) => Arc::new(share),
            Err(why) => return quarantine(link, format!("the stored share cannot be read: {why}")),
        },
    };
    let effective = integration.settings.effective(&share.overrides);
    let Effective { policy, plugin_settings, ignored } = &*effective;
    if crashes >= policy.retry.crash_limit {
        let why = format!("the host died {crashes} times while handling it");
        return quarantine(link, why);
    }
    let share = match fetch::complete(integration, share).await {
        Ok(share) => share,
        Err(Trouble::Later(failure)) => return hold(link, failure.summary),
        Err(Trouble::Never(why)) => return quarantine(link, why),
    };
    let event = Event::Shared(share.clone());
    match engine::decide::decide(&link, &event) {
        Decision::Nothing { why } => Outcome::ended(link, EventEnd::Done { why }),
        decision @ (Decision::Create | Decision::Update) => {
            let job = TransformJob {
                integration: integration.name.clone(),
                event: newest.id,
                occasion: Occasion::Shared,
                share: share.clone(),
                stored: newest.body,
                ticket: None,
                disputes: Vec::new(),
                settings: plugin_settings.clone(),
                hooks: SHARE_HOOKS,
                now: newest.received,
            };
            reached(Step::PluginCalled);
            let transformation = shared.transform.transform(job).await;
            let mut outcome = sealed(integration, link, &share, newest.id, &transformation, policy, &decision);
            outcome.notes.extend(remarks(coalesced, &share, ignored, &transformation.failures));
            outcome
        }
    }
}

fn sealed(
    integration: &Integration,
    mut link: Link,
    share: &Share,
    event: EventId,
    transformation: &Transformation,
    policy: &engine::Policy,
    decision: &Decision,
) -> Outcome {
    match &transformation.verdict {
        Verdict::Proceed => {}
        Verdict::Skip { reason, origin } => {
            let why = format!("{} skipped it: {reason}", origin.plugin);
            return Outcome::ended(link, EventEnd::Done { why });
        }
        Verdict::Hold { until, reason, origin } => {
            let why = format!("{} holds it: {reason}", origin.plugin);
            return Outcome::ended(link, EventEnd::Hold { until: *until, why });
        }
    }
    let look_up = |reference: &Reference| match integration.servicenow.cached(reference) {
        Cached::Found(sys_id) => Known::Found(sys_id.as_str().to_owned()),
        Cached::Absent => Known::Absent,
        Cached::Unknown => Known::Unasked,
    };
    let request = match (&link.ticket, decision) {
        (Some(ticket), Decision::Update) => {
            seal::update(&link, &ticket.sys_id, share, event, transformation, policy, &look_up)
        }
        (_, Decision::Create | Decision::Update | Decision::Nothing { .. }) => {
            Some(seal::create(&link, share, event, transformation, policy, &look_up))
        }
    };
    link.revision = link.revision.max(share.incident.revision());
    if share.environment_id.is_some() {
        link.environment.clone_from(&share.environment_id);
    }
    match request {
        None => Outcome::ended(link, EventEnd::Done { why: "nothing differs from what was written".to_owned() }),
        Some(request) => {
            let why = format!("{} was sealed as {}", request.operation.name(), request.key);
            let note = JournalNote { kind: "share.decided".to_owned(), text: why.clone() };
            Outcome { link, end: EventEnd::Done { why }, requests: vec![request], notes: vec![note] }
        }
    }
}

/// What else belongs into the link's history.
fn remarks(coalesced: usize, share: &Share, ignored: &[String], failures: &[PluginFailure]) -> Vec<JournalNote> {
    let mut notes = Vec::new();
    let mut note = |kind: &str, text: String| notes.push(JournalNote { kind: kind.to_owned(), text });
    if coalesced > 0 {
        note("share.coalesced", format!("{coalesced} older shares were covered by it"));
    }
    for sentence in share.overrides.ignored.iter().chain(ignored) {
        tracing::warn!(incident.id = %share.incident.id, "an override was ignored: {sentence}");
        note("share.override-ignored", sentence.clone());
    }
    for failure in failures {
        metrics::counter!("tandem_plugin_failures_total", "plugin" => failure.plugin.to_string(), "code" => failure.code.clone()).increment(1);
        tracing::error!(
            incident.id = %share.incident.id,
            plugin.id = %failure.plugin,
            plugin.digest = failure.digest,
            plugin.hook = failure.hook.as_str(),
            error.code = failure.code,
            frames = ?failure.frames,
            hint = failure.hint,
            "a plugin failed: {}",
            failure.message
        );
        note(
            "plugin.failed",
            format!("{} {} ({}): {}", failure.plugin, failure.version, failure.code, failure.message),
        );
    }
    notes
}
