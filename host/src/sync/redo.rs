//! What a person has tried again with another plugin: a dead letter, or an event that was set aside.
//!
//! A dead letter's event is asked about again, and its request is sealed again under the same key; delivery is as ever.
//! An event is decided as if it had just come in. The other plugin answers for these alone. `web` calls it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::fetch::{self, Trouble};
use super::incident::{go_ahead, hooks};
use super::intake::Halt;
use super::ports::{Effective, Integration, Transform, TransformJob};
use super::runtime::Handle;
use crate::domain::fault::{Class, Fault};
use crate::domain::id::{EventId, PluginId, RequestId};
use crate::domain::link::Link;
use crate::domain::patch::Transformation;
use crate::domain::request::{Operation, Request};
use crate::domain::share::Share;
use crate::domain::ticket::FieldValue;
use crate::engine::decide::Decision;
use crate::engine::plan::again::{self, Anew};
use crate::store::{self, Origin, PendingEvent, RequestDetail, RequestState, Reseal, Resealed};

/// The plugins to ask, among them the one that is tried.
#[derive(Clone)]
pub struct Tried {
    pub id: PluginId,
    /// For people: id, version, digest.
    pub name: String,
    pub plugins: Arc<dyn Transform>,
}

/// What became of a dead letter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redone {
    pub request: RequestId,
    /// Who answered, for people.
    pub plugin: String,
    pub changes: Vec<Change>,
}

/// A field that is sent with another value than before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    pub field: String,
    pub before: Option<String>,
    pub after: Option<String>,
}

/// Why nothing was done. The request stays as it is.
#[derive(Debug, thiserror::Error)]
pub enum NotRedone {
    #[error("there is no request {0}")]
    NoSuchRequest(RequestId),
    #[error("request {0} is no dead letter: it is {state}", state = .1.as_str())]
    NotDead(RequestId, RequestState),
    #[error("no plugin wrote what request {0} holds: it is a {1} of the host's own")]
    NotOfPlugins(RequestId, &'static str),
    #[error("the last attempt of request {0} may have arrived, so its content must not change")]
    Uncertain(RequestId),
    #[error("the incident of request {0} has another ticket by now, or has one already")]
    OtherTicket(RequestId),
    #[error("the event that led to request {0} is not kept any more, or can't be read")]
    NoEvent(RequestId),
    #[error("the integration of request {0} is not configured")]
    NoIntegration(RequestId),
    #[error("a plugin stopped it: {0}")]
    Stopped(String),
    #[error("{plugin} failed: {message}")]
    PluginFailed { plugin: String, message: String, hint: Option<String> },
    #[error("with this plugin nothing is left that request {0} would write")]
    Nothing(RequestId),
    #[error("what has to be asked of the other side can't be had: {0}")]
    OutOfReach(String),
    #[error("request {0} stays dead: request {1} is newer and under way")]
    Overtaken(RequestId, RequestId),
    #[error("something about the incident of request {0} changed meanwhile")]
    Changed(RequestId),
    #[error("the store does not answer")]
    Store(#[from] store::Error),
}

impl Fault for NotRedone {
    fn class(&self) -> Class {
        match self {
            Self::NoSuchRequest(_) => Class::Missing,
            Self::NotDead(..)
            | Self::NotOfPlugins(..)
            | Self::Uncertain(_)
            | Self::OtherTicket(_)
            | Self::NoEvent(_)
            | Self::NoIntegration(_)
            | Self::Stopped(_)
            | Self::PluginFailed { .. }
            | Self::Nothing(_)
            | Self::Overtaken(..)
            | Self::Changed(_) => Class::Refused,
            Self::OutOfReach(_) => Class::Transient,
            Self::Store(_) => Class::Store,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NoSuchRequest(_) => "redo.no-request",
            Self::NotDead(..) => "redo.not-dead",
            Self::NotOfPlugins(..) => "redo.no-plugin",
            Self::Uncertain(_) => "redo.uncertain",
            Self::OtherTicket(_) => "redo.other-ticket",
            Self::NoEvent(_) => "redo.no-event",
            Self::NoIntegration(_) => "redo.no-integration",
            Self::Stopped(_) => "redo.stopped",
            Self::PluginFailed { .. } => "redo.plugin-failed",
            Self::Nothing(_) => "redo.nothing",
            Self::OutOfReach(_) => "redo.out-of-reach",
            Self::Overtaken(..) => "redo.overtaken",
            Self::Changed(_) => "redo.changed",
            Self::Store(_) => "store.unavailable",
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::NoSuchRequest(_) | Self::NotDead(..) => {
                "`tandem queue list --state dead,dead-pending` shows what may be tried".to_owned()
            }
            Self::NotOfPlugins(id, _) | Self::Uncertain(id) => {
                format!("`tandem queue retry {id}` tries it as it is, and looks first where that is needed")
            }
            Self::OtherTicket(id) | Self::Nothing(id) | Self::NoEvent(id) => {
                format!("`tandem queue discard {id}` gives it up; sharing the incident again from BigPanda begins anew")
            }
            Self::NoIntegration(_) => "add it to the configuration again, or discard the request".to_owned(),
            Self::Stopped(_) => "the gate of a plugin decides whether an event leads to anything".to_owned(),
            Self::PluginFailed { hint, .. } => return hint.clone(),
            Self::OutOfReach(_) | Self::Changed(_) | Self::Store(_) => "try again".to_owned(),
            Self::Overtaken(id, _) => format!("wait for the newer one, then discard request {id}"),
        };
        Some(hint)
    }
}

impl Handle {
    /// Seals a dead letter again from what these plugins say about its event, and makes it due.
    pub async fn retry_with(&self, id: RequestId, tried: &Tried) -> Result<Redone, NotRedone> {
        let store = &self.shared.store;
        let detail = store.show(id).await?.ok_or(NotRedone::NoSuchRequest(id))?;
        let RequestDetail { view, request: before, .. } = detail;
        match view.state {
            RequestState::Dead | RequestState::DeadPending => {}
            RequestState::Ready
            | RequestState::Leased
            | RequestState::Retry
            | RequestState::Done
            | RequestState::Discarded => return Err(NotRedone::NotDead(id, view.state)),
        }
        let Origin { link, event, uncertain } = store.origin(id).await?.ok_or(NotRedone::NoSuchRequest(id))?;
        let decision = kind(id, &link, &before)?;
        if uncertain || (matches!(before.operation, Operation::CreateTicket { .. }) && link.memory.unsure) {
            return Err(NotRedone::Uncertain(id));
        }
        let event = event.filter(|event| !event.occasion.is_of_ticket()).ok_or(NotRedone::NoEvent(id))?;
        let integration = self.shared.integrations.get(&link.integration).ok_or(NotRedone::NoIntegration(id))?;
        let share = self.share_of(id, integration, &link, &event).await?;
        let effective = integration.settings.effective(&share.overrides);
        let Effective { policy, plugin_settings, .. } = &*effective;
        let closing = again::closes(&before, &share);
        let event_id = event.id;
        let transformation =
            tried.plugins.transform(job(integration, event, &share, plugin_settings, &decision(closing)));
        let transformation = transformation.await;
        answered(tried, &transformation)?;
        let anew = Anew { event: event_id, share: &share, transformation: &transformation, policy };
        let Some((changed, request)) = again::seal(&link, &before, anew, &|reference| integration.known(reference))
        else {
            return Err(NotRedone::Nothing(id));
        };
        let changes = changes(&before, &request);
        let names: Vec<&str> = changes.iter().map(|change| change.field.as_str()).collect();
        let what =
            if names.is_empty() { "nothing differs".to_owned() } else { format!("other values: {}", names.join(", ")) };
        let note = format!("Request {id} was sealed again with {} by an operator; {what}.", tried.name);
        let reseal = Reseal { id, request, seen: link, link: changed, note, now: self.shared.clock.now() };
        match store.reseal(reseal).await? {
            Resealed::Due => {}
            Resealed::Overtaken { by } => return Err(NotRedone::Overtaken(id, by)),
            Resealed::Changed => return Err(NotRedone::Changed(id)),
        }
        self.wake();
        Ok(Redone { request: id, plugin: tried.name.clone(), changes })
    }

    /// Lets an event that was set aside be decided, with other plugins where they are given. False: it is not set aside.
    pub async fn release(&self, id: EventId, tried: Option<&Tried>) -> Result<bool, store::Error> {
        let set_aside = self.shared.store.quarantined(None).await?;
        let Some(event) = set_aside.into_iter().find(|event| event.id == id) else { return Ok(false) };
        if let Some(tried) = tried {
            self.shared.try_out(event.link, id, tried.plugins.clone());
        }
        let released = self.shared.store.release(id, self.shared.clock.now()).await;
        if !matches!(released, Ok(true)) {
            self.shared.forget_trial(event.link, &[id]);
        }
        self.wake();
        released
    }

    async fn share_of(
        &self,
        id: RequestId,
        integration: &Integration,
        link: &Link,
        event: &PendingEvent,
    ) -> Result<Arc<Share>, NotRedone> {
        let share = (self.shared.reader)(&event.body).map_err(|_| NotRedone::NoEvent(id))?;
        fetch::complete(integration, link, Arc::new(share)).await.map_err(|trouble| {
            NotRedone::OutOfReach(match trouble {
                Trouble::Later(failure) => failure.summary,
                Trouble::Gone(why) | Trouble::Never(why) => why,
            })
        })
    }
}

/// What was decided when the request was sealed first, given whether it ends the ticket.
fn kind(id: RequestId, link: &Link, before: &Request) -> Result<fn(bool) -> Decision, NotRedone> {
    match &before.operation {
        Operation::CreateTicket { .. } if link.ticket.is_some() => Err(NotRedone::OtherTicket(id)),
        Operation::CreateTicket { .. } => Ok(|closing| Decision::Create { closing }),
        Operation::UpdateTicket { ticket, .. } => match &link.ticket {
            // Notes that the host passes on by itself.
            _ if before.generation == 0 => Err(NotRedone::NotOfPlugins(id, "note")),
            Some(known) if known.sys_id == *ticket => Ok(|closing| Decision::Update { closing }),
            Some(_) | None => Err(NotRedone::OtherTicket(id)),
        },
        Operation::Callback { .. }
        | Operation::TagIncident { .. }
        | Operation::CommentIncident { .. }
        | Operation::ResolveIncident { .. } => Err(NotRedone::NotOfPlugins(id, before.operation.name())),
    }
}

fn job(
    integration: &Integration,
    event: PendingEvent,
    share: &Arc<Share>,
    settings: &Arc<str>,
    decision: &Decision,
) -> TransformJob {
    TransformJob {
        integration: integration.name.clone(),
        event: event.id,
        occasion: event.occasion,
        share: share.clone(),
        stored: event.body,
        ticket: None,
        disputes: Vec::new(),
        settings: settings.clone(),
        hooks: hooks(decision, false),
        now: event.received,
    }
}

/// Whether the answer is that of the plugin that was to be tried, and leads to anything.
fn answered(tried: &Tried, transformation: &Transformation) -> Result<(), NotRedone> {
    if let Some(failure) = transformation.failures.iter().find(|failure| failure.plugin == tried.id) {
        return Err(NotRedone::PluginFailed {
            plugin: tried.name.clone(),
            message: failure.message.clone(),
            hint: failure.hint.clone(),
        });
    }
    match go_ahead(transformation) {
        Ok(()) => Ok(()),
        Err(Halt::Done(why) | Halt::Hold { why, .. } | Halt::Park(why) | Halt::Quarantine(why)) => {
            Err(NotRedone::Stopped(why))
        }
    }
}

/// Which fields are sent with other values, by name.
fn changes(before: &Request, after: &Request) -> Vec<Change> {
    let (before, after) = (fields(before), fields(after));
    let mut names: Vec<&String> = before.keys().chain(after.keys()).collect();
    names.sort();
    names.dedup();
    let differing = names.into_iter().filter(|name| before.get(*name) != after.get(*name));
    let value = |of: &BTreeMap<String, String>, name: &String| of.get(name).cloned();
    differing
        .map(|name| Change { field: name.clone(), before: value(&before, name), after: value(&after, name) })
        .collect()
}

fn fields(request: &Request) -> BTreeMap<String, String> {
    match &request.operation {
        Operation::CreateTicket { fields, .. } | Operation::UpdateTicket { fields, .. } => {
            fields.iter().map(|FieldValue { field, value }| (field.clone(), value.clone())).collect()
        }
        Operation::Callback { .. }
        | Operation::TagIncident { .. }
        | Operation::CommentIncident { .. }
        | Operation::ResolveIncident { .. } => BTreeMap::new(),
    }
}
