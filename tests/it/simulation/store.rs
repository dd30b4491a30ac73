//! The real store in memory, with a step of the host before and after each call: it may die at any of them. A worker
//! may stand still before it completes what it claimed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use tandem::domain::id::{EventId, Fence, IncidentId, IntegrationName, LinkId, RequestId};
use tandem::domain::link::Link;
use tandem::domain::request::{Request, Target};
use tandem::domain::time::Timestamp;
use tandem::store::sqlite::SqliteStore;
use tandem::store::{
    Accepted, Adoption, Completion, Cursor, Decided, Depths, Desk, Ended, Error, EventClaim, EventView, Inbox,
    JournalEntry, Links, NewEvent, NewLink, Origin, Outbox, Pruned, QueueFilter, Redrive, Redriven, RequestClaim,
    RequestDetail, RequestView, Reseal, Resealed, Retention, Retried, Room, Settled, TakenIn,
};

use super::weather::Weather;

pub struct Mortal {
    pub inner: SqliteStore,
    pub weather: Arc<Weather>,
    /// A must-fail variant: what both sides agreed on is forgotten.
    pub forgetful: bool,
    /// A must-fail variant: whoever completes something counts as the one that claimed it last.
    pub fences: Fences,
}

/// Whether old fences are refused.
#[derive(Default)]
pub enum Fences {
    #[default]
    On,
    Off(Mutex<Newest>),
}

/// The newest fences that were handed out.
#[derive(Default)]
pub struct Newest {
    events: HashMap<LinkId, Fence>,
    requests: HashMap<RequestId, Fence>,
}

impl Fences {
    pub fn off() -> Self {
        Self::Off(Mutex::default())
    }

    fn see(&self, claims: &[EventClaim]) {
        if let Self::Off(newest) = self {
            newest.lock().unwrap().events.extend(claims.iter().map(|claim| (claim.link.id, claim.fence)));
        }
    }

    fn see_requests(&self, claims: &[RequestClaim]) {
        if let Self::Off(newest) = self {
            newest.lock().unwrap().requests.extend(claims.iter().map(|claim| (claim.id, claim.fence)));
        }
    }

    fn of_link(&self, link: LinkId, fence: Fence) -> Fence {
        match self {
            Self::On => fence,
            Self::Off(newest) => newest.lock().unwrap().events.get(&link).copied().unwrap_or(fence),
        }
    }

    fn of_request(&self, request: RequestId, fence: Fence) -> Fence {
        match self {
            Self::On => fence,
            Self::Off(newest) => newest.lock().unwrap().requests.get(&request).copied().unwrap_or(fence),
        }
    }
}

impl Mortal {
    fn remembered(&self, link: Link) -> Link {
        if !self.forgetful {
            return link;
        }
        let mut link = link;
        link.memory.version = 0;
        link.memory.notes.clear();
        link.memory.comments.clear();
        link
    }
}

macro_rules! stepped {
    ($self:ident, $call:expr) => {{
        $self.weather.step().await;
        let answer = $call.await;
        $self.weather.step().await;
        answer
    }};
}

#[async_trait]
impl Inbox for Mortal {
    async fn accept_polled(&self, events: Vec<NewEvent>, cursor: Cursor) -> Result<Vec<Accepted>, Error> {
        stepped!(self, self.inner.accept_polled(events, cursor))
    }
    async fn cursor(&self, integration: &IntegrationName, poller: &'static str) -> Result<Option<String>, Error> {
        self.inner.cursor(integration, poller).await
    }
    async fn take_in(&self, event: NewEvent, lease: Option<Duration>) -> Result<TakenIn, Error> {
        let taken = stepped!(self, self.inner.take_in(event, lease))?;
        self.fences.see(taken.claim.as_slice());
        Ok(taken)
    }
    async fn claim_events(&self, links: usize, lease: Duration, now: Timestamp) -> Result<Vec<EventClaim>, Error> {
        let claims = stepped!(self, self.inner.claim_events(links, lease, now))?;
        self.fences.see(&claims);
        Ok(claims)
    }
    async fn conclude(&self, mut decided: Decided, room: Room) -> Result<Ended, Error> {
        self.weather.frost().await;
        decided.fence = self.fences.of_link(decided.link.id, decided.fence);
        decided.link = self.remembered(decided.link);
        let ended = stepped!(self, self.inner.conclude(decided, room))?;
        self.fences.see_requests(&ended.claims);
        Ok(ended)
    }
    async fn reject(&self, of: &IntegrationName, reason: &str, body: &[u8], now: Timestamp) -> Result<(), Error> {
        self.inner.reject(of, reason, body, now).await
    }
}

#[async_trait]
impl Outbox for Mortal {
    async fn claim_requests(
        &self,
        target: Target,
        limit: usize,
        lease: Duration,
        paused: &[IntegrationName],
        now: Timestamp,
    ) -> Result<Vec<RequestClaim>, Error> {
        let claims = stepped!(self, self.inner.claim_requests(target, limit, lease, paused, now))?;
        self.fences.see_requests(&claims);
        Ok(claims)
    }
    async fn claim_requests_of(
        &self,
        integration: &IntegrationName,
        target: Target,
        limit: usize,
        lease: Duration,
        now: Timestamp,
    ) -> Result<Vec<RequestClaim>, Error> {
        self.inner.claim_requests_of(integration, target, limit, lease, now).await
    }
    async fn complete_seal(&self, id: RequestId, fence: Fence, request: Request) -> Result<Completion, Error> {
        self.weather.frost().await;
        let fence = self.fences.of_request(id, fence);
        stepped!(self, self.inner.complete_seal(id, fence, request))
    }
    async fn settle(&self, mut settled: Settled, room: Room) -> Result<Ended, Error> {
        self.weather.frost().await;
        settled.fence = self.fences.of_request(settled.id, settled.fence);
        let ended = stepped!(self, self.inner.settle(settled, room))?;
        self.fences.see_requests(&ended.claims);
        Ok(ended)
    }
    async fn next_due(&self, now: Timestamp) -> Result<Option<Timestamp>, Error> {
        self.inner.next_due(now).await
    }
}

#[async_trait]
impl Links for Mortal {
    async fn link_of(&self, integration: &IntegrationName, incident: &IncidentId) -> Result<Option<Link>, Error> {
        self.inner.link_of(integration, incident).await
    }
    async fn journal_of(&self, link: LinkId) -> Result<Vec<JournalEntry>, Error> {
        self.inner.journal_of(link).await
    }
    async fn adopt(&self, links: Vec<NewLink>, now: Timestamp) -> Result<Vec<Adoption>, Error> {
        self.inner.adopt(links, now).await
    }
}

#[async_trait]
impl Desk for Mortal {
    async fn list(&self, filter: QueueFilter) -> Result<Vec<RequestView>, Error> {
        self.inner.list(filter).await
    }
    async fn show(&self, id: RequestId) -> Result<Option<RequestDetail>, Error> {
        self.inner.show(id).await
    }
    async fn retry(&self, id: RequestId, now: Timestamp) -> Result<Retried, Error> {
        self.inner.retry(id, now).await
    }
    async fn discard(&self, id: RequestId, now: Timestamp) -> Result<bool, Error> {
        self.inner.discard(id, now).await
    }
    async fn redrive(&self, redrive: Redrive) -> Result<Redriven, Error> {
        self.inner.redrive(redrive).await
    }
    async fn origin(&self, id: RequestId) -> Result<Option<Origin>, Error> {
        self.inner.origin(id).await
    }
    async fn reseal(&self, reseal: Reseal) -> Result<Resealed, Error> {
        self.inner.reseal(reseal).await
    }
    async fn quarantined(&self, integration: Option<IntegrationName>) -> Result<Vec<EventView>, Error> {
        self.inner.quarantined(integration).await
    }
    async fn release(&self, id: EventId, now: Timestamp) -> Result<bool, Error> {
        self.inner.release(id, now).await
    }
    async fn forget(&self, id: EventId, now: Timestamp) -> Result<bool, Error> {
        self.inner.forget(id, now).await
    }
    async fn depths(&self) -> Result<Depths, Error> {
        self.inner.depths().await
    }
    async fn check(&self) -> Result<(), Error> {
        self.inner.check().await
    }
}

#[async_trait]
impl Retention for Mortal {
    async fn prune(&self, now: Timestamp) -> Result<Pruned, Error> {
        self.inner.prune(now).await
    }
}
