//! The store on an embedded SQLite database. (Longer than other module docs: it documents a durable format.)
//!
//! **Files.** `<path>` the database, `<path>-wal` and `<path>-shm` SQLite's write-ahead log, `<path>.lock` the lock
//! with its owner's process id. All of them belong together; a copy of the first alone is not a backup.
//!
//! **Invariants on disk**, at every commit:
//! - A link has a row for ever. An event or request is in exactly one row, with its body in a row of its own that
//!   is written once (`request_bodies` once more by `complete_seal`, and when a person has it sealed again).
//! - An event is unfinished while `events.state <> 1`, a request while `requests.state < 4`; the partial indexes
//!   `events_open` and `requests_open` hold these rows and nothing else.
//! - `leased = 1` says that a worker had the row when the host last committed. At open there are no workers.
//! - Numbers of rows only grow and are not given twice: pruning leaves the newest row of a table.
//! - `host.epoch` has grown by one at each opening; a fence is `epoch << 32` plus a counter.
//!
//! **In memory**, in the writer alone: `ledger::Ledger`, from which claims are answered without a scan. A change
//! of the rows and of the ledger is one step: both are rolled back together.
//!
//! **Operations.** A write is a task for the writer thread, which commits many of them at once (`writer`) and
//! answers after the commit. Everything is synced to disk, with one exception: a claim of events survives the
//! death of the process only, because after a power cut an unclaimed event is just as right. A claim of requests
//! is synced, because it says that a request may have been sent. Most claims are no task of their own: whoever stores an
//! event, a decision or an attempt's end gets what follows from it in the same transaction (`handover`). Reads for people
//! go beside the writer (`reader`).
//!
//! **Failure.** A full disk answers `Unavailable` and the store goes on. A failed sync answers `Broken` from then
//! on, until the host is restarted.

mod adopt;
mod checkpoint;
mod desk;
mod fail;
mod handover;
mod inbox;
mod journal;
mod ledger;
mod outbox;
mod owner;
mod packing;
mod prune;
mod reader;
mod recover;
mod redrive;
mod rows;
mod schema;
pub mod upkeep;
mod warm;
mod writer;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::mpsc;

use self::checkpoint::Checkpoints;
use self::fail::{Fail, closed};
use self::inbox::DecidedRow;
use self::outbox::{RequestRow, SettledRow};
use self::owner::Owner;
use self::packing::EventRow;
use self::reader::Readers;
use self::redrive::ResealRow;
use self::rows::LinkRow;
use self::warm::Warm;
use self::writer::{BATCH, Durability, State, Work, Writer};
use super::{
    Accepted, Adoption, Completion, Cursor, Decided, Depths, Desk, Ended, Error, EventClaim, EventView, Inbox,
    JournalEntry, Links, NewEvent, NewLink, NewRequest, Origin, Outbox, Pruned, QueueFilter, Redrive, Redriven,
    RequestClaim, RequestDetail, RequestView, Reseal, Resealed, Retention, Retried, Room, Settled, TakenIn,
};
use crate::domain::id::{EventId, Fence, IncidentId, IntegrationName, LinkId, RequestId};
use crate::domain::link::Link;
use crate::domain::request::{Request, Target};
use crate::domain::time::Timestamp;

/// A slice of [`Retention::prune`], in rows.
const SLICE: usize = 500;
/// Tasks that may wait for the writer before callers wait for room.
const QUEUE: usize = 1024;

/// How to run a store. The default is right for production.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Gives every write a commit of its own; only for measuring what sharing commits is worth.
    pub commit_each: bool,
    /// Page size of a new database, in bytes.
    pub page_bytes: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self { commit_each: false, page_bytes: 4096 }
    }
}

/// The embedded store. Dropping it finishes what was queued, then lets the lock go.
pub struct SqliteStore {
    /// Gone only while dropping.
    tasks: Option<mpsc::Sender<Box<dyn Work>>>,
    writer: Option<JoinHandle<()>>,
    /// The writer itself, of a store without a thread.
    inline: Option<Mutex<Writer>>,
    readers: Readers,
    broken: Arc<AtomicBool>,
    /// Somebody read a page that is damaged. Other pages may be sound, so the work goes on.
    damaged: AtomicBool,
    _owner: Option<Owner>,
}

impl SqliteStore {
    /// Opens the store at `path`, creating or migrating it. Blocks for the time that this takes.
    pub fn open(path: &Path, options: &Options) -> Result<Self, Error> {
        let owner = Owner::take(path)?;
        upkeep::make(path).map_err(|source| schema::unopened(path, source))?;
        let mut db = schema::open_writer(path, options.page_bytes)?;
        let ledger = recover::ledger(&db).map_err(Fail::into_error)?;
        let checkpoints = Checkpoints::watch(&mut db, path)?;
        let (tasks, queue) = mpsc::channel(QUEUE);
        let broken = Arc::new(AtomicBool::new(false));
        let writer = Writer {
            state: State { db, ledger, warm: Warm::default() },
            tasks: queue,
            broken: Arc::clone(&broken),
            cause: None,
            checkpoints: Some(checkpoints),
            batch: if options.commit_each { 1 } else { BATCH },
            syncs: true,
        };
        let thread = std::thread::Builder::new().name("store".to_owned()).spawn(|| writer.serve());
        let thread =
            thread.map_err(|source| Error::Open { path: path.display().to_string(), source: source.into() })?;
        Ok(Self {
            tasks: Some(tasks),
            writer: Some(thread),
            inline: None,
            readers: Readers::new(path),
            broken,
            damaged: AtomicBool::new(false),
            _owner: Some(owner),
        })
    }

    /// A store in memory that works on its callers' threads: the same statements without a thread and a disk, so that
    /// a simulation repeats exactly. Nothing of it outlives the value.
    pub fn in_memory() -> Result<Self, Error> {
        let path = Path::new(":memory:");
        let db = schema::open_writer(path, Options::default().page_bytes)?;
        let ledger = recover::ledger(&db).map_err(Fail::into_error)?;
        let (_, tasks) = mpsc::channel(1);
        let broken = Arc::new(AtomicBool::new(false));
        let state = State { db, ledger, warm: Warm::default() };
        let writer = Writer {
            state,
            tasks,
            broken: Arc::clone(&broken),
            cause: None,
            checkpoints: None,
            batch: BATCH,
            syncs: true,
        };
        let inline = Some(Mutex::new(writer));
        let (readers, damaged) = (Readers::new(path), AtomicBool::new(false));
        Ok(Self { tasks: None, writer: None, inline, readers, broken, damaged, _owner: None })
    }

    /// Forgets what only a process knows, as if another one had opened the store. For one in memory; no other can
    /// be opened twice.
    pub fn reopen(&self) -> Result<(), Error> {
        let Some(inline) = &self.inline else { return Ok(()) };
        let mut writer = inline.lock().unwrap_or_else(PoisonError::into_inner);
        writer.state.ledger = recover::ledger(&writer.state.db).map_err(Fail::into_error)?;
        writer.state.warm = Warm::default();
        Ok(())
    }

    /// Whether a failed disk has made the store read-only.
    pub fn is_broken(&self) -> bool {
        self.broken.load(Ordering::Acquire)
    }

    async fn write<O, F>(&self, durability: Durability, run: F) -> Result<O, Error>
    where
        O: Send + 'static,
        F: FnMut(&mut State) -> Result<O, Fail> + Send + 'static,
    {
        let (work, answer) = writer::task(durability, run);
        if let Some(inline) = &self.inline {
            inline.lock().unwrap_or_else(PoisonError::into_inner).commit(&mut vec![work]);
            return answer.await.map_err(|_| closed())?;
        }
        let tasks = self.tasks.as_ref().ok_or_else(closed)?;
        tasks.send(work).await.map_err(|_| closed())?;
        answer.await.map_err(|_| closed())?
    }
}

impl SqliteStore {
    async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&rusqlite::Connection) -> Result<T, Fail> + Send + 'static,
    ) -> Result<T, Error> {
        if let Some(inline) = &self.inline {
            let writer = inline.lock().unwrap_or_else(PoisonError::into_inner);
            return query(&writer.state.db).map_err(Fail::into_error);
        }
        let answer = self.readers.read(query).await;
        if matches!(answer, Err(Error::Broken(_))) {
            self.damaged.store(true, Ordering::Release);
        }
        answer
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        self.tasks = None;
        if self.writer.take().is_some_and(|writer| writer.join().is_err()) {
            tracing::error!("store.writer.panicked: the writer of the store ended by a panic");
        }
    }
}

fn request_rows(requests: Vec<NewRequest>) -> Result<Vec<RequestRow>, Error> {
    requests.into_iter().map(RequestRow::new).collect::<Result<_, _>>().map_err(Fail::into_error)
}

#[async_trait]
impl Inbox for SqliteStore {
    async fn accept_polled(&self, events: Vec<NewEvent>, cursor: Cursor) -> Result<Vec<Accepted>, Error> {
        let events: Vec<EventRow> = events.into_iter().map(EventRow::new).collect();
        self.write(Durability::Power, move |state| state.accept_polled(&events, &cursor)).await
    }

    async fn cursor(&self, integration: &IntegrationName, poller: &'static str) -> Result<Option<String>, Error> {
        let integration = integration.clone();
        self.read(move |db| inbox::cursor(db, &integration, poller)).await
    }

    async fn take_in(&self, event: NewEvent, lease: Option<Duration>) -> Result<TakenIn, Error> {
        let row = EventRow::new(event);
        self.write(Durability::Power, move |state| state.take_in(&row, lease)).await
    }

    async fn claim_events(&self, links: usize, lease: Duration, now: Timestamp) -> Result<Vec<EventClaim>, Error> {
        self.write(Durability::Process, move |state| state.claim_events(links, lease, now)).await
    }

    async fn conclude(&self, decided: Decided, room: Room) -> Result<Ended, Error> {
        let Decided { link, fence, events, end, requests, notes, now } = decided;
        let requests = request_rows(requests)?;
        let link = LinkRow::new(link).map_err(Fail::into_error)?;
        let mut row = DecidedRow { link, fence, events, end, requests, notes, now };
        self.write(Durability::Power, move |state| state.conclude(&mut row, room)).await
    }

    async fn reject(
        &self,
        integration: &IntegrationName,
        reason: &str,
        body: &[u8],
        now: Timestamp,
    ) -> Result<(), Error> {
        let (integration, reason, body) = (integration.clone(), reason.to_owned(), body.to_owned());
        self.write(Durability::Power, move |state| state.reject(&integration, &reason, &body, now)).await
    }
}

#[async_trait]
impl Outbox for SqliteStore {
    async fn claim_requests(
        &self,
        target: Target,
        limit: usize,
        lease: Duration,
        paused: &[IntegrationName],
        now: Timestamp,
    ) -> Result<Vec<RequestClaim>, Error> {
        let paused = paused.to_owned();
        let may = move |name: &IntegrationName| !paused.contains(name);
        self.write(Durability::Power, move |state| state.claim_requests(target, limit, lease, &may, now)).await
    }

    async fn claim_requests_of(
        &self,
        integration: &IntegrationName,
        target: Target,
        limit: usize,
        lease: Duration,
        now: Timestamp,
    ) -> Result<Vec<RequestClaim>, Error> {
        let only = integration.clone();
        let may = move |name: &IntegrationName| *name == only;
        self.write(Durability::Power, move |state| state.claim_requests(target, limit, lease, &may, now)).await
    }

    async fn complete_seal(&self, id: RequestId, fence: Fence, request: Request) -> Result<Completion, Error> {
        let operation = request.operation.name();
        let body = rows::to_json(&request, "a request").map_err(Fail::into_error)?;
        self.write(Durability::Power, move |state| state.complete_seal(id, fence, operation, &body)).await
    }

    async fn settle(&self, settled: Settled, room: Room) -> Result<Ended, Error> {
        let Settled { id, fence, end, link, follow_ups, notes, took, now } = settled;
        let follow_ups = request_rows(follow_ups)?;
        let link = link.map(LinkRow::new).transpose().map_err(Fail::into_error)?;
        let mut row = SettledRow { id, fence, end, link, follow_ups, notes, took, now };
        self.write(Durability::Power, move |state| state.settle(&mut row, room)).await
    }

    async fn next_due(&self, now: Timestamp) -> Result<Option<Timestamp>, Error> {
        self.write(Durability::Memory, move |state| Ok(state.ledger.next_due(now))).await
    }
}

#[async_trait]
impl Links for SqliteStore {
    async fn link_of(&self, integration: &IntegrationName, incident: &IncidentId) -> Result<Option<Link>, Error> {
        let (integration, incident) = (integration.clone(), incident.clone());
        self.read(move |db| rows::find_link(db, &integration, &incident)).await
    }

    async fn journal_of(&self, link: LinkId) -> Result<Vec<JournalEntry>, Error> {
        self.read(move |db| journal::read(db, link)).await
    }

    async fn adopt(&self, links: Vec<NewLink>, now: Timestamp) -> Result<Vec<Adoption>, Error> {
        self.write(Durability::Power, move |state| state.adopt(&links, now)).await
    }
}

#[async_trait]
impl Desk for SqliteStore {
    async fn list(&self, filter: QueueFilter) -> Result<Vec<RequestView>, Error> {
        self.read(move |db| reader::list(db, &filter)).await
    }

    async fn show(&self, id: RequestId) -> Result<Option<RequestDetail>, Error> {
        self.read(move |db| reader::show(db, id)).await
    }

    async fn retry(&self, id: RequestId, now: Timestamp) -> Result<Retried, Error> {
        self.write(Durability::Power, move |state| state.retry(id, now)).await
    }

    async fn discard(&self, id: RequestId, now: Timestamp) -> Result<bool, Error> {
        self.write(Durability::Power, move |state| state.discard(id, now)).await
    }

    async fn redrive(&self, redrive: Redrive) -> Result<Redriven, Error> {
        self.write(Durability::Power, move |state| state.redrive(&redrive)).await
    }

    async fn origin(&self, id: RequestId) -> Result<Option<Origin>, Error> {
        self.read(move |db| redrive::origin(db, id)).await
    }

    async fn reseal(&self, reseal: Reseal) -> Result<Resealed, Error> {
        let Reseal { id, request, seen, link, note, now } = reseal;
        let body = rows::to_json(&request, "a request").map_err(Fail::into_error)?;
        let link = LinkRow::new(link).map_err(Fail::into_error)?;
        let generation = i64::try_from(request.generation).unwrap_or(i64::MAX);
        let mut row = ResealRow { id, generation, body, seen, link, note, now };
        self.write(Durability::Power, move |state| state.reseal(&mut row)).await
    }

    async fn quarantined(&self, integration: Option<IntegrationName>) -> Result<Vec<EventView>, Error> {
        self.read(move |db| redrive::quarantined(db, integration.as_ref())).await
    }

    async fn release(&self, id: EventId, now: Timestamp) -> Result<bool, Error> {
        self.write(Durability::Power, move |state| state.release(id, now)).await
    }

    async fn forget(&self, id: EventId, now: Timestamp) -> Result<bool, Error> {
        self.write(Durability::Power, move |state| state.forget(id, now)).await
    }

    async fn depths(&self) -> Result<Depths, Error> {
        self.write(Durability::Memory, |state| Ok(state.ledger.depths())).await
    }

    async fn check(&self) -> Result<(), Error> {
        if self.damaged.load(Ordering::Acquire) {
            return Err(Error::Broken("a damaged page was read".into()));
        }
        self.write(Durability::Power, State::probe).await
    }
}

#[async_trait]
impl Retention for SqliteStore {
    async fn prune(&self, now: Timestamp) -> Result<Pruned, Error> {
        let mut pruned = Pruned::default();
        let mut after = Some(0);
        while let Some(id) = after {
            let slice = self.write(Durability::Process, move |state| state.prune_requests(id, SLICE, now)).await?;
            pruned.requests += slice.deleted;
            after = slice.next;
        }
        after = Some(0);
        while let Some(id) = after {
            let slice = self.write(Durability::Process, move |state| state.prune_events(id, SLICE, now)).await?;
            pruned.events += slice.deleted;
            after = slice.next;
        }
        Ok(pruned)
    }
}

#[cfg(test)]
mod tests;
