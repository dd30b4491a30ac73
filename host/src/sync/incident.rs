//! One event of the incident's side: a share, or what a poll found.
//!
//! Decide, ask whoever has to be asked, plan. Called by `intake`, which stores what comes of it.

use std::sync::Arc;
use std::time::Duration;

use super::fetch::{self, Trouble};
use super::intake::{Halt, Handled, failed};
use super::ports::{Effective, Integration, TransformJob};
use super::runtime::Shared;
use crate::domain::event::{Event, Occasion};
use crate::domain::id::IncidentId;
use crate::domain::link::{Link, LinkState};
use crate::domain::patch::{Hook, Settlement, Transformation, Verdict};
use crate::domain::share::{Share, ShareKind};
use crate::domain::ticket::TicketState;
use crate::engine::Policy;
use crate::engine::decide::{self, Decision};
use crate::engine::echo;
use crate::engine::plan::{self, incident::Answers};
use crate::steps::{Step, reached};
use crate::store::{JournalNote, PendingEvent};

/// The hooks that every event of an incident asks, in the order in which they depend on each other; then those that
/// are asked for some.
const ORDINARY: &[Hook] = &[Hook::Gate, Hook::PrimaryAlert, Hook::ShortDescription, Hook::Description, Hook::Fields];
const CLOSING: &[Hook] = &[
    Hook::Gate,
    Hook::PrimaryAlert,
    Hook::ShortDescription,
    Hook::Description,
    Hook::Fields,
    Hook::Tags,
    Hook::Closure,
];
const RETURNING: &[Hook] = &[
    Hook::Gate,
    Hook::PrimaryAlert,
    Hook::ShortDescription,
    Hook::Description,
    Hook::Fields,
    Hook::Tags,
    Hook::Reopen,
];
const COMPARING: &[Hook] =
    &[Hook::Gate, Hook::PrimaryAlert, Hook::ShortDescription, Hook::Description, Hook::Fields, Hook::Tags];

/// What came in about the incident.
pub(super) struct Found {
    pub(super) event: PendingEvent,
    /// Its share, where somebody has read it already.
    pub(super) share: Option<Arc<Share>>,
    /// How many older events it stands for.
    pub(super) covered: usize,
    /// Another one is as new, so the incident itself has to say which of them holds.
    pub(super) tied: bool,
    /// BigPanda has not got everything yet that we want to write there.
    pub(super) unsettled: bool,
}

/// How long an event waits for what we write to BigPanda.
const UNTOLD: Duration = Duration::from_secs(5);

pub(super) async fn handle(
    shared: &Shared,
    integration: &Integration,
    mut link: Link,
    Found { event, share, covered, tied, unsettled }: Found,
) -> Result<Handled, Halt> {
    let share = match share {
        Some(share) => share,
        None => match (shared.reader)(&event.body) {
            Ok(share) => Arc::new(share),
            Err(why) => return Err(Halt::Quarantine(format!("the stored share cannot be read: {why}"))),
        },
    };
    let effective = integration.settings.effective(&share.overrides);
    let Effective { policy, plugin_settings, ignored } = &*effective;
    let now = shared.clock.now();
    let mut share = match fetch::complete(integration, &link, share).await {
        Ok(share) => share,
        Err(Trouble::Gone(why)) if link.ticket.is_none() => return Err(Halt::Done(why)),
        Err(trouble) => return Err(Halt::of(trouble, now)),
    };
    let compares = plan::wants_ticket(&link, &share.incident, policy);
    // Before one side's value goes over the other's it has to be sure that it is newer: a share that was made before our
    // own write shows the value that we replaced.
    if compares && unsettled && link.memory.agreed.values().any(|agreed| agreed.unseen) {
        let why = "BigPanda has not been told of the ticket's values yet".to_owned();
        return Err(Halt::Hold { until: now.plus(UNTOLD), why });
    }
    let tied = tied || echo::as_new_as_known(&link, &share.incident);
    if compares || tied {
        match fetch::incident(integration, &link).await {
            Ok(Share { mut incident, .. }) => {
                incident.recall(&share.incident.changes, share.incident.summary.as_deref());
                share = Arc::new(Share { incident, ..(*share).clone() });
            }
            // Where the incident can't be read, what was shared last has to do.
            Err(Trouble::Gone(_) | Trouble::Never(_)) if !compares => {}
            Err(trouble) => return Err(Halt::of(trouble, now)),
        }
    }
    let happened = match event.occasion {
        Occasion::Shared | Occasion::TicketChanged => Event::Shared(share.clone()),
        Occasion::IncidentChanged => Event::IncidentChanged(share.clone()),
    };
    let decision = decide::decide(&link, &happened, policy, now);
    match &decision {
        Decision::Nothing { why } => return Err(Halt::Done(why.clone())),
        Decision::Wait { until, why } => return Err(Halt::Hold { until: *until, why: why.clone() }),
        Decision::Create { .. }
        | Decision::Update { .. }
        | Decision::Notes
        | Decision::Reopen
        | Decision::Follow(_) => {}
    }
    let parked = link.state == LinkState::Parked;
    let ticket = if parked || decision == Decision::Reopen || plan::wants_ticket(&link, &share.incident, policy) {
        Some(fetch::ticket(integration, &link, policy).await.map_err(|trouble| Halt::of(trouble, now))?)
    } else {
        None
    };
    if parked {
        // It is there after all.
        link.state = LinkState::Open;
        link.parked = None;
    }
    // Which of the covered ones told of a comment isn't known any more.
    let commented = covered > 0 || share.kind == ShareKind::Commented || event.occasion == Occasion::IncidentChanged;
    let activities = if wants_activities(&share, commented, policy) {
        fetch::activities(integration, &link).await.map_err(|trouble| Halt::of(trouble, now))?
    } else {
        Vec::new()
    };
    let fields = ticket.as_ref().map(|ticket| Arc::new(ticket.fields.clone()));
    let job = TransformJob {
        integration: integration.name.clone(),
        event: event.id,
        occasion: event.occasion,
        share: share.clone(),
        stored: event.body,
        ticket: fields,
        disputes: Vec::new(),
        settings: plugin_settings.clone(),
        hooks: hooks(&decision, ticket.is_some()),
        now: event.received,
    };
    reached(Step::PluginCalled);
    let transformation = if decision == Decision::Notes {
        Transformation::default()
    } else {
        shared.plugins(link.id).transform(job.clone()).await
    };
    go_ahead(&transformation)?;
    let settlements = settled(shared, &link, &share, ticket.as_ref(), &transformation, policy, job).await;
    let answers = Answers {
        event: event.id,
        occasion: event.occasion,
        share: &share,
        decision: &decision,
        transformation: &transformation,
        settlements: &settlements,
        ticket: ticket.as_ref(),
        activities: &activities,
        policy,
        now: event.received,
    };
    let mut plan = plan::incident::plan(link, answers, &|reference| integration.known(reference));
    let refused: Vec<String> = share.overrides.ignored.iter().chain(ignored).map(|said| sentence(said)).collect();
    plan.refuse(event.id, &refused, policy);
    let mut notes = overridden(&share.incident.id, &refused);
    notes.extend(failed(&share.incident.id, &transformation.failures));
    Ok(Handled { event: event.id, plan, notes })
}

pub(super) fn hooks(decision: &Decision, compares: bool) -> &'static [Hook] {
    match decision {
        Decision::Create { closing: true } | Decision::Update { closing: true } => CLOSING,
        Decision::Reopen => RETURNING,
        Decision::Create { closing: false } | Decision::Update { closing: false } if compares => COMPARING,
        Decision::Create { closing: false }
        | Decision::Update { closing: false }
        | Decision::Notes
        | Decision::Follow(_)
        | Decision::Wait { .. }
        | Decision::Nothing { .. } => ORDINARY,
    }
}

/// A share says that something was commented, not what. An incident without alerts was merged away.
fn wants_activities(share: &Share, commented: bool, policy: &Policy) -> bool {
    (commented && policy.comments_to.is_some()) || (!share.incident.active && share.incident.alerts.is_empty())
}

/// What a gate said.
pub(super) fn go_ahead(transformation: &Transformation) -> Result<(), Halt> {
    match &transformation.verdict {
        Verdict::Proceed => Ok(()),
        Verdict::Skip { reason, origin } => Err(Halt::Done(format!("{} skipped it: {reason}", origin.plugin))),
        Verdict::Hold { until, reason, origin } => {
            Err(Halt::Hold { until: *until, why: format!("{} holds it: {reason}", origin.plugin) })
        }
    }
}

/// Asks plugins about values that both sides changed.
pub(super) async fn settled(
    shared: &Shared,
    link: &Link,
    share: &Share,
    ticket: Option<&TicketState>,
    transformation: &Transformation,
    policy: &Policy,
    job: TransformJob,
) -> Vec<Settlement> {
    let Some(ticket) = ticket else { return Vec::new() };
    let disputes = plan::disputes(link, &share.incident, ticket, transformation, policy);
    if disputes.is_empty() {
        return Vec::new();
    }
    shared.plugins(link.id).transform(TransformJob { disputes, hooks: &[Hook::Conflict], ..job }).await.settlements
}

/// With a capital letter and a full stop, whoever it comes from.
fn sentence(said: &str) -> String {
    let mut letters = said.trim_end_matches('.').chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}

fn overridden(incident: &IncidentId, refused: &[String]) -> Vec<JournalNote> {
    let note = |sentence: &String| {
        tracing::warn!(incident.id = %incident, "an override was ignored: {sentence}");
        JournalNote { kind: "share.override-ignored".to_owned(), text: sentence.clone() }
    };
    refused.iter().map(note).collect()
}
