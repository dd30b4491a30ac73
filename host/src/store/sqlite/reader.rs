//! Reading for people: links, histories, the queue. On connections that cannot write, beside the writer.
//!
//! Each call sees one committed state. A query is stopped after a fixed amount of work, so that it cannot keep
//! the write-ahead log from being emptied.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, OptionalExtension, Row, params, params_from_iter};
use tokio::sync::Semaphore;

use super::fail::{Fail, closed};
use super::outbox::OUTCOMES;
use super::rows::{self, json, optional_text, text};
use super::{journal, schema};
use crate::domain::id::{IncidentId, IntegrationName, LinkId, RequestId};
use crate::domain::time::Timestamp;
use crate::store::{AttemptView, Error, QueueFilter, RequestDetail, RequestState, RequestView};

/// Queries at a time.
const CONNECTIONS: usize = 4;
/// A query is asked every so many steps of SQLite's machine whether it may go on,
const STEPS: i32 = 10_000;
/// and stopped at this many answers: about two seconds of work.
const PATIENCE: u32 = 20_000;
/// Rows of a list whose filter names no limit.
const DEFAULT_LIMIT: u32 = 100;

struct Connected {
    db: Connection,
    asked: Arc<AtomicU32>,
}

/// A few read-only connections, opened when first needed.
pub(super) struct Readers {
    path: PathBuf,
    idle: Arc<Mutex<Vec<Connected>>>,
    permits: Arc<Semaphore>,
}

impl Readers {
    pub(super) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), idle: Arc::default(), permits: Arc::new(Semaphore::new(CONNECTIONS)) }
    }

    /// Runs a query off the async threads.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T, Fail> + Send + 'static,
    ) -> Result<T, Error> {
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(|_| closed())?;
        let (idle, path) = (Arc::clone(&self.idle), self.path.clone());
        let work = move || {
            let _permit = permit;
            let rested = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let connected = match rested {
                Some(connected) => connected,
                None => connect(&path)?,
            };
            connected.asked.store(0, Ordering::Relaxed);
            let answer = query(&connected.db).map_err(Fail::into_error);
            idle.lock().unwrap_or_else(PoisonError::into_inner).push(connected);
            answer
        };
        tokio::task::spawn_blocking(work).await.map_err(|_| closed())?
    }
}

fn connect(path: &Path) -> Result<Connected, Error> {
    let mut db = schema::open_reader(path)?;
    let asked = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&asked);
    db.progress_handler(STEPS, Some(move || count.fetch_add(1, Ordering::Relaxed) >= PATIENCE))
        .map_err(|error| Fail::from(error).into_error())?;
    Ok(Connected { db, asked })
}

const VIEW: &str = "SELECT r.id, r.link, l.integration, l.incident, l.number, r.operation, r.target, r.state, r.leased,
    r.attempts, r.crashes, r.due, r.created, r.failure, r.generation FROM requests r JOIN links l ON l.id = r.link";

fn view(row: &Row<'_>) -> Result<RequestView, Fail> {
    let id = RequestId(row.get(0)?);
    let bad = |column: &str| Fail::Row(format!("request {id}, column {column}"));
    Ok(RequestView {
        id,
        link: LinkId(row.get(1)?),
        integration: IntegrationName::new(text(row, 2)?).map_err(|_| bad("integration"))?,
        incident: IncidentId::new(text(row, 3)?).map_err(|_| bad("incident"))?,
        ticket: optional_text(row, 4)?.map(ToOwned::to_owned),
        operation: text(row, 5)?.to_owned(),
        target: rows::target(row.get(6)?).ok_or_else(|| bad("target"))?,
        state: rows::request_state(row.get(7)?, row.get(8)?).ok_or_else(|| bad("state"))?,
        attempts: row.get(9)?,
        crashes: row.get(10)?,
        due: Timestamp(row.get(11)?),
        created: Timestamp(row.get(12)?),
        failure: optional_text(row, 13)?.map(|failure| json(failure, "a failure")).transpose()?,
        generation: row.get::<_, i64>(14)?.max(0) as u64,
    })
}

pub(super) fn list(db: &Connection, filter: &QueueFilter) -> Result<Vec<RequestView>, Fail> {
    let states = if filter.states.is_empty() {
        "r.state < 4".to_owned()
    } else {
        let conditions: Vec<String> = filter.states.iter().map(|state| condition(*state)).collect();
        // The first part lets SQLite use the index of unfinished rows.
        let open = filter.states.iter().all(|state| state.is_live() || *state == RequestState::Dead);
        format!("{} ({})", if open { "r.state < 4 AND" } else { "" }, conditions.join(" OR "))
    };
    let owner = if filter.integration.is_some() { " AND l.integration = ?2" } else { "" };
    let limit = if filter.limit == 0 { DEFAULT_LIMIT } else { filter.limit };
    let mut parameters = vec![rusqlite::types::Value::from(limit)];
    parameters.extend(filter.integration.iter().map(|name| name.as_str().to_owned().into()));
    let mut statement = db.prepare_cached(&format!("{VIEW} WHERE {states}{owner} ORDER BY r.id DESC LIMIT ?1"))?;
    let mut found = statement.query(params_from_iter(parameters))?;
    let mut views = Vec::new();
    while let Some(row) = found.next()? {
        views.push(view(row)?);
    }
    Ok(views)
}

fn condition(state: RequestState) -> String {
    match rows::resting(state) {
        None => "r.leased = 1".to_owned(),
        Some(number) => format!("(r.state = {number} AND r.leased = 0)"),
    }
}

pub(super) fn show(db: &Connection, id: RequestId) -> Result<Option<RequestDetail>, Fail> {
    // One transaction, so that the parts belong together.
    let snapshot = db.unchecked_transaction()?;
    let found = snapshot
        .prepare_cached(&format!("{VIEW} WHERE r.id = ?1"))?
        .query_row([id.0], |row| Ok(view(row)))
        .optional()?
        .transpose()?;
    let Some(view) = found else { return Ok(None) };
    let body: Option<String> = rows::one(&snapshot, "SELECT body FROM request_bodies WHERE request = ?1", [id.0])?;
    let body = body.ok_or_else(|| Fail::Row(format!("request {id} has no content")))?;
    let request = json(&body, "a sealed request")?;
    let journal = journal::read(&snapshot, view.link)?;
    Ok(Some(RequestDetail { request, tries: tries(&snapshot, id)?, journal, view }))
}

fn tries(db: &Connection, id: RequestId) -> Result<Vec<AttemptView>, Fail> {
    let mut statement =
        db.prepare_cached("SELECT at, took, outcome, failure FROM attempts WHERE request = ?1 ORDER BY n")?;
    let mut found = statement.query(params![id.0])?;
    let mut tries = Vec::new();
    while let Some(row) = found.next()? {
        let outcome: usize = row.get::<_, u32>(2)? as usize;
        let outcome = OUTCOMES.get(outcome).ok_or_else(|| Fail::Row(format!("an attempt of request {id}")))?;
        tries.push(AttemptView {
            at: Timestamp(row.get(0)?),
            took_ms: row.get::<_, i64>(1)?.max(0) as u64,
            outcome: (*outcome).to_owned(),
            failure: optional_text(row, 3)?.map(|failure| json(failure, "a failure")).transpose()?,
        });
    }
    Ok(tries)
}
