//! The durable queue: what it promises, as traits. `store::sqlite` keeps the promises on an embedded database.
//!
//! Invariants, for every backend:
//! - A call that returned `Ok` is durable: it survives `kill -9` and power loss.
//! - Events of one link are claimed together, by one worker, and only while no request of that link to
//!   ServiceNow is unfinished. That is how newer shares coalesce while a request waits.
//! - Requests of one link to one target form a lane: at most one is leased, and the oldest goes first.
//! - A claim raises the row's fence. A completion with an older fence changes nothing and answers
//!   [`Completion::Stale`]; nobody else is told.
//! - A lease that expired makes its row claimable again with `crashes` raised by one. `attempts` grows only by a
//!   recorded failure.
//! - Events and requests are never deleted before they are finished.
//!
//! `sync` calls it; it knows the domain only. Time is an argument. Long because every backend is to be written from this
//! one page.

mod fault;
pub mod sqlite;

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::domain::event::Occasion;
use crate::domain::id::{EnvironmentId, EventId, Fence, IncidentId, IntegrationName, LinkId, RequestId};
use crate::domain::link::Link;
use crate::domain::outcome::Failure;
use crate::domain::request::{Request, Target};
use crate::domain::ticket::{TicketRef, TicketState};
use crate::domain::time::Timestamp;

/// Something that happened and is to be made durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    pub occasion: Occasion,
    pub integration: IntegrationName,
    pub incident: IncidentId,
    pub environment: Option<EnvironmentId>,
    /// Equal for two deliveries of the same thing; hexadecimal SHA-256.
    pub dedupe: String,
    /// Orders the events of one side: see `Incident::revision` and `TicketState::version`.
    pub revision: i64,
    pub received: Timestamp,
    /// What came in; the store treats it as opaque.
    pub body: Bytes,
}

/// What became of an accepted event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accepted {
    pub event: EventId,
    pub link: LinkId,
    /// The same event had been accepted before; nothing was stored.
    pub duplicate: bool,
}

/// An event inside a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingEvent {
    pub id: EventId,
    pub occasion: Occasion,
    pub received: Timestamp,
    pub revision: i64,
    /// Of the incident's side only that of the newest in its claim (by revision, then by id), which stands for the
    /// others; empty for these. Of the ticket's side every one's: each may hold notes that the newest doesn't.
    pub body: Bytes,
}

/// All pending events of one link, leased to one worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventClaim {
    pub link: Link,
    pub fence: Fence,
    /// Requests of the link to BigPanda are unfinished: what BigPanda shows may not hold what we want to write.
    pub unsettled: bool,
    /// How many workers died while holding these events. From `crash limit` on they are poison.
    pub crashes: u32,
    /// Oldest first, never empty.
    pub events: Vec<PendingEvent>,
}

/// How the events of a claim ended. Those that the decision doesn't name are pending again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventEnd {
    /// Decided: requests were sealed, or nothing had to be done. Why is told by a note of the decision.
    Done { why: String },
    /// Kept for later without being decided (a plugin held it, or something needed is out of reach).
    Hold { until: Timestamp, why: String },
    /// Set aside for a person: it killed its worker again and again, or can't be read.
    Quarantined { why: String },
}

/// Everything that one decision changes, in one transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    pub link: Link,
    pub fence: Fence,
    pub events: Vec<EventId>,
    pub end: EventEnd,
    pub requests: Vec<NewRequest>,
    pub notes: Vec<JournalNote>,
    pub now: Timestamp,
}

/// A request on its way into the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRequest {
    pub request: Request,
    pub due: Timestamp,
    /// The event that led to it, if one did.
    pub event: Option<EventId>,
}

/// States of a row in the outbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RequestState {
    /// Waiting for its first attempt.
    Ready,
    /// A worker has it.
    Leased,
    /// Failed, and scheduled again.
    Retry,
    /// In the dead-letter queue and scheduled once more.
    DeadPending,
    /// In the dead-letter queue until a person decides.
    Dead,
    /// Applied.
    Done,
    /// Given up by a person, or made obsolete.
    Discarded,
}

impl RequestState {
    pub const ALL: [Self; 7] =
        [Self::Ready, Self::Leased, Self::Retry, Self::DeadPending, Self::Dead, Self::Done, Self::Discarded];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Leased => "leased",
            Self::Retry => "retry",
            Self::DeadPending => "dead-pending",
            Self::Dead => "dead",
            Self::Done => "done",
            Self::Discarded => "discarded",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// Whether the row still holds back newer events of its link (for the ServiceNow lane).
    pub fn is_live(self) -> bool {
        match self {
            Self::Ready | Self::Leased | Self::Retry | Self::DeadPending => true,
            Self::Dead | Self::Done | Self::Discarded => false,
        }
    }
}

/// A request leased to one worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestClaim {
    pub id: RequestId,
    pub fence: Fence,
    pub link: Link,
    pub request: Request,
    /// Failures recorded so far.
    pub attempts: u32,
    pub crashes: u32,
    /// The last attempt's outcome is unknown, or its worker died: look before repeating.
    pub uncertain: bool,
    /// When it was sealed.
    pub created: Timestamp,
}

/// What an attempt changes about its row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequestEnd {
    Done,
    /// Try again at `due`. `counted` = the attempt burns one of the budget.
    Again {
        due: Timestamp,
        state: RequestState,
        failure: Failure,
        counted: bool,
        uncertain: bool,
    },
    /// Dead letter, not scheduled. Counts an attempt. `uncertain`: a person's retry has to look first.
    Dead {
        failure: Failure,
        uncertain: bool,
    },
    /// Quarantined as poison or parked with its link; a dead letter too. Counts no attempt.
    Parked {
        failure: Failure,
    },
}

/// Everything that one attempt changes, in one transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    pub id: RequestId,
    pub fence: Fence,
    pub end: RequestEnd,
    /// The link as it is from now on, when the attempt changes it.
    pub link: Option<Link>,
    pub follow_ups: Vec<NewRequest>,
    pub notes: Vec<JournalNote>,
    /// How long the attempt took.
    pub took: Duration,
    pub now: Timestamp,
}

/// Whether a completion counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Completion {
    Recorded,
    /// Somebody else has claimed the row since; nothing was changed.
    Stale,
}

/// Room that a caller has. Requests of its link that would be claimed next are leased to it in the same transaction,
/// one for each side at most, which saves the claim that would follow. Whoever waits longer goes first: then nothing is
/// handed over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Room {
    pub servicenow: bool,
    pub bigpanda: bool,
    pub lease: Duration,
}

impl Room {
    pub fn has(self, target: Target) -> bool {
        match target {
            Target::ServiceNow => self.servicenow,
            Target::BigPanda => self.bigpanda,
        }
    }
}

/// What was accepted, and the claim on its link where the caller asked for one and nothing else of the link is under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenIn {
    pub accepted: Accepted,
    pub claim: Option<EventClaim>,
}

/// What a completion leaves: what is handed over to the caller, and whether there is work for others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    pub completion: Completion,
    pub claims: Vec<RequestClaim>,
    pub waiting: Waiting,
}

/// What waits, now or until its time comes, and is leased to nobody: events of any link, and requests of the link's
/// integration.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Waiting {
    pub events: bool,
    pub servicenow: bool,
    pub bigpanda: bool,
}

/// One line of a link's history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalNote {
    /// Dotted word such as `share.decided` or `request.applied`.
    pub kind: String,
    /// A sentence; never a body, token or e-mail address.
    pub text: String,
}

/// A line of a link's history with its time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalEntry {
    pub at: Timestamp,
    pub kind: String,
    pub text: String,
}

/// A row of the outbox, for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestView {
    pub id: RequestId,
    pub link: LinkId,
    pub integration: IntegrationName,
    pub incident: IncidentId,
    pub ticket: Option<String>,
    pub operation: String,
    pub target: Target,
    pub state: RequestState,
    pub attempts: u32,
    pub crashes: u32,
    pub due: Timestamp,
    pub created: Timestamp,
    pub failure: Option<Failure>,
    pub generation: u64,
}

/// A request with all that is kept of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestDetail {
    pub view: RequestView,
    pub request: Request,
    pub tries: Vec<AttemptView>,
    pub journal: Vec<JournalEntry>,
}

/// One recorded attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptView {
    pub at: Timestamp,
    pub took_ms: u64,
    /// `applied`, `again`, `dead` or `parked`.
    pub outcome: String,
    pub failure: Option<Failure>,
}

/// Filter of a queue listing. Newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct QueueFilter {
    pub integration: Option<IntegrationName>,
    /// Empty = every state but done and discarded.
    pub states: Vec<RequestState>,
    /// Most rows; 0 = a hundred.
    pub limit: u32,
}

/// Sizes of the queue, for metrics and health.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Depths {
    pub events_pending: u64,
    pub events_quarantined: u64,
    /// Rows of the outbox by state, those of finished states left out.
    pub requests: Vec<(RequestState, u64)>,
    /// When the oldest unfinished event or request came in.
    pub oldest: Option<Timestamp>,
    pub links: u64,
}

/// How far a poller has come, as text that only the poller reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    pub integration: IntegrationName,
    /// Which poller.
    pub poller: &'static str,
    pub place: String,
}

/// Where events become durable and wait for a decision.
#[async_trait]
pub trait Inbox: Send + Sync {
    /// Makes what a poll found durable together with the place up to which it looked: both or neither.
    async fn accept_polled(&self, events: Vec<NewEvent>, cursor: Cursor) -> Result<Vec<Accepted>, Error>;
    /// The place that a poller stored last.
    async fn cursor(&self, integration: &IntegrationName, poller: &'static str) -> Result<Option<String>, Error>;
    /// Makes an event durable. Concurrent calls share one disk sync. With a lease it is handed to the caller at once if
    /// nothing else of its link is unfinished.
    async fn take_in(&self, event: NewEvent, lease: Option<Duration>) -> Result<TakenIn, Error>;
    /// The same for a caller that leaves it to others.
    async fn accept(&self, event: NewEvent) -> Result<Accepted, Error> {
        Ok(self.take_in(event, None).await?.accepted)
    }
    /// Leases the pending events of up to `links` links, longest waiting first. The one call that may be forgotten
    /// at a power cut: then nobody has them.
    async fn claim_events(&self, links: usize, lease: Duration, now: Timestamp) -> Result<Vec<EventClaim>, Error>;
    /// Records a decision with all that follows from it, and hands over what the caller has room for.
    async fn conclude(&self, decided: Decided, room: Room) -> Result<Ended, Error>;
    /// The same for a caller that leaves what follows to others.
    async fn decided(&self, decided: Decided) -> Result<Completion, Error> {
        Ok(self.conclude(decided, Room::default()).await?.completion)
    }
    /// Keeps a body that can't be a share, capped in number and size, for a person to look at.
    async fn reject(
        &self,
        integration: &IntegrationName,
        reason: &str,
        body: &[u8],
        now: Timestamp,
    ) -> Result<(), Error>;
}

/// Where sealed requests wait for delivery.
#[async_trait]
pub trait Outbox: Send + Sync {
    /// Leases up to `limit` due requests to `target`, at most one per lane, longest due first.
    /// `paused` integrations are left alone.
    async fn claim_requests(
        &self,
        target: Target,
        limit: usize,
        lease: Duration,
        paused: &[IntegrationName],
        now: Timestamp,
    ) -> Result<Vec<RequestClaim>, Error>;
    /// The same for one integration alone, whoever else waits.
    async fn claim_requests_of(
        &self,
        integration: &IntegrationName,
        target: Target,
        limit: usize,
        lease: Duration,
        now: Timestamp,
    ) -> Result<Vec<RequestClaim>, Error>;
    /// Replaces the content of a leased request once, when its references have been resolved before its first
    /// attempt; from then on only `Desk::reseal` changes it. A second time is stale.
    async fn complete_seal(&self, id: RequestId, fence: Fence, request: Request) -> Result<Completion, Error>;
    /// Records an attempt with all that follows from it, and hands over what the caller has room for.
    async fn settle(&self, settled: Settled, room: Room) -> Result<Ended, Error>;
    /// The same for a caller that leaves what follows to others.
    async fn settled(&self, settled: Settled) -> Result<Completion, Error> {
        Ok(self.settle(settled, Room::default()).await?.completion)
    }
    /// The first moment after `now` at which a request or a held event falls due, or a lease runs out. What is due
    /// already doesn't count: give the `now` of a claim that came back empty, and nothing is missed.
    async fn next_due(&self, now: Timestamp) -> Result<Option<Timestamp>, Error>;
}

/// Links by what people know of them.
#[async_trait]
pub trait Links: Send + Sync {
    async fn link_of(&self, integration: &IntegrationName, incident: &IncidentId) -> Result<Option<Link>, Error>;
    async fn journal_of(&self, link: LinkId) -> Result<Vec<JournalEntry>, Error>;
    /// Remembers pairs whose tickets somebody else made, all in one transaction. An incident that has a ticket, or
    /// something under way, is left as it is.
    async fn adopt(&self, links: Vec<NewLink>, now: Timestamp) -> Result<Vec<Adoption>, Error>;
}

/// A pair that is not ours yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewLink {
    pub integration: IntegrationName,
    pub environment: Option<EnvironmentId>,
    /// The ticket as it stands, with its incident.
    pub ticket: TicketState,
    /// The sentence of the link's history.
    pub said: String,
}

/// What came of a pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Adoption {
    Made,
    /// It was there already.
    Same,
    /// The incident has this ticket.
    Other(TicketRef),
    /// Something of the incident is under way.
    Busy,
}

/// What became of a request that an operator wants tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Retried {
    Due,
    /// A dead create stays dead while a newer one of its incident is under way, which stands for it.
    Overtaken {
        by: RequestId,
    },
    /// There is no such row, or it is finished.
    Unknown,
}

/// Which dead letters are to be tried again, and how fast.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redrive {
    pub integration: Option<IntegrationName>,
    /// Code of the last failure.
    pub reason: Option<String>,
    /// So many fall due in each `per`, evenly spread, oldest first; at least 1.
    pub rate: u32,
    pub per: Duration,
    pub now: Timestamp,
    /// Only counts.
    pub dry_run: bool,
}

/// What a redrive came to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redriven {
    /// Requests that are due from now on, or would be.
    pub requests: u64,
    /// When the last of them falls due.
    pub last_due: Option<Timestamp>,
    /// How many of them failed for which reason, the most frequent first.
    pub reasons: Vec<(String, u64)>,
    /// Left where they are, because a newer request of their incident was delivered or is under way: what they hold is
    /// out of date.
    pub overtaken: u64,
}

/// What a request was made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    pub link: Link,
    /// `None`: no event led to it, or it isn't kept any more.
    pub event: Option<PendingEvent>,
    /// Its last attempt may have arrived.
    pub uncertain: bool,
}

/// New content for a dead letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reseal {
    pub id: RequestId,
    pub request: Request,
    /// The link that the content was made for, and what it becomes.
    pub seen: Link,
    pub link: Link,
    /// For the link's history.
    pub note: String,
    pub now: Timestamp,
}

/// What became of a dead letter's new content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resealed {
    Due,
    Overtaken {
        by: RequestId,
    },
    /// The link has changed since, or it is no dead letter any more; nothing was stored.
    Changed,
}

/// An event that was set aside, for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventView {
    pub id: EventId,
    pub link: LinkId,
    pub integration: IntegrationName,
    pub incident: IncidentId,
    pub received: Timestamp,
    /// How many hosts died over it.
    pub crashes: u32,
    pub why: String,
}

/// What an operator does to the queue.
#[async_trait]
pub trait Desk: Send + Sync {
    async fn list(&self, filter: QueueFilter) -> Result<Vec<RequestView>, Error>;
    async fn show(&self, id: RequestId) -> Result<Option<RequestDetail>, Error>;
    /// Makes a dead or waiting request due now, with a fresh budget of attempts and crashes; one that is leased
    /// only gets the budget.
    async fn retry(&self, id: RequestId, now: Timestamp) -> Result<Retried, Error>;
    /// Gives a request up. False: there is no such row, or it is finished or leased.
    async fn discard(&self, id: RequestId, now: Timestamp) -> Result<bool, Error>;
    /// Makes dead letters due, spread over time; see [`Redrive`]. All in one transaction.
    async fn redrive(&self, redrive: Redrive) -> Result<Redriven, Error>;
    /// What a request was made from.
    async fn origin(&self, id: RequestId) -> Result<Option<Origin>, Error>;
    /// Replaces the content of a dead letter and makes it due.
    async fn reseal(&self, reseal: Reseal) -> Result<Resealed, Error>;
    /// Events that were set aside, newest first, a thousand at most.
    async fn quarantined(&self, integration: Option<IntegrationName>) -> Result<Vec<EventView>, Error>;
    /// Lets an event that was set aside be decided, with a fresh count of deaths. False: it is not set aside.
    async fn release(&self, id: EventId, now: Timestamp) -> Result<bool, Error>;
    /// Gives an event up that was set aside. False: it is not set aside.
    async fn forget(&self, id: EventId, now: Timestamp) -> Result<bool, Error>;
    async fn depths(&self) -> Result<Depths, Error>;
    /// Whether a write can be made durable right now.
    async fn check(&self) -> Result<(), Error>;
}

/// How much was deleted, in rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pruned {
    pub events: u64,
    pub requests: u64,
}

/// Forgetting what is finished and old.
#[async_trait]
pub trait Retention: Send + Sync {
    /// Deletes requests that were finished a week ago and events that came in thirty days ago and are done, with
    /// their bodies and attempts; an event stays as long as a request that it led to is unfinished or dead. Works
    /// in small slices, between which others get their turn. Call it once an hour or so.
    async fn prune(&self, now: Timestamp) -> Result<Pruned, Error>;
}

/// All of the store, for the composition root.
pub trait Store: Inbox + Outbox + Links + Desk + Retention {}

impl<T: Inbox + Outbox + Links + Desk + Retention> Store for T {}

/// Why the store could not do as asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing was written; another try may succeed (disk full, busy, queue full).
    #[error("the store cannot write at the moment: {what}")]
    Unavailable {
        what: String,
        #[source]
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    /// The disk failed to make something durable, after which nothing is written until a restart; or a page is damaged.
    #[error("the store is damaged, or its disk failed; what needs it waits until the host restarts")]
    Broken(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Another host has the store.
    #[error("another host{} is using the store at {path}", holder.map(|pid| format!(" (process {pid})")).unwrap_or_default())]
    Locked { path: String, holder: Option<u32> },
    /// The store was written by a newer version.
    #[error("the store at {path} has schema {found}, and this version knows {known} at most")]
    Newer { path: String, found: i64, known: i64 },
    /// The database can't be opened or read.
    #[error("the store at {path} cannot be opened")]
    Open {
        path: String,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A row does not hold what we wrote.
    #[error("a row of the store cannot be read: {what}")]
    Corrupt { what: String },
}
