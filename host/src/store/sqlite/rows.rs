//! How values of the domain stand in rows: numbers for states and targets, JSON for the rest.
//!
//! The numbers are on disk: one is only ever added. Reading is strict; a row that does not hold what we write is
//! `Fail::Row` with the row's name in it.

use rusqlite::types::FromSql;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::fail::Fail;
use crate::domain::event::Occasion;
use crate::domain::id::{EnvironmentId, IncidentId, IntegrationName, LinkId, SysId};
use crate::domain::link::{Link, LinkState};
use crate::domain::request::Target;
use crate::domain::ticket::TicketRef;
use crate::store::RequestState;

/// The states in which a row of the outbox rests; `Leased` is a flag beside them.
pub(super) const READY: i64 = 0;
pub(super) const RETRY: i64 = 1;
pub(super) const DEAD_PENDING: i64 = 2;
pub(super) const DEAD: i64 = 3;
pub(super) const DONE: i64 = 4;
pub(super) const DISCARDED: i64 = 5;

/// States of a row of the inbox.
pub(super) const EVENT_PENDING: i64 = 0;
pub(super) const EVENT_DONE: i64 = 1;
pub(super) const EVENT_QUARANTINED: i64 = 2;

/// The number of a state at rest, or nothing for `Leased`.
pub(super) fn resting(state: RequestState) -> Option<i64> {
    match state {
        RequestState::Ready => Some(READY),
        RequestState::Retry => Some(RETRY),
        RequestState::DeadPending => Some(DEAD_PENDING),
        RequestState::Dead => Some(DEAD),
        RequestState::Done => Some(DONE),
        RequestState::Discarded => Some(DISCARDED),
        RequestState::Leased => None,
    }
}

pub(super) fn request_state(resting: i64, leased: bool) -> Option<RequestState> {
    match resting {
        READY | RETRY | DEAD_PENDING if leased => Some(RequestState::Leased),
        READY => Some(RequestState::Ready),
        RETRY => Some(RequestState::Retry),
        DEAD_PENDING => Some(RequestState::DeadPending),
        DEAD => Some(RequestState::Dead),
        DONE => Some(RequestState::Done),
        DISCARDED => Some(RequestState::Discarded),
        _ => None,
    }
}

pub(super) fn target_number(target: Target) -> i64 {
    match target {
        Target::ServiceNow => 0,
        Target::BigPanda => 1,
    }
}

pub(super) fn target(number: i64) -> Option<Target> {
    match number {
        0 => Some(Target::ServiceNow),
        1 => Some(Target::BigPanda),
        _ => None,
    }
}

pub(super) fn occasion_number(occasion: Occasion) -> i64 {
    match occasion {
        Occasion::Shared => 0,
        Occasion::IncidentChanged => 1,
        Occasion::TicketChanged => 2,
    }
}

pub(super) fn occasion(number: i64) -> Option<Occasion> {
    Occasion::ALL.into_iter().find(|occasion| occasion_number(*occasion) == number)
}

fn link_state_number(state: LinkState) -> i64 {
    match state {
        LinkState::New => 0,
        LinkState::Open => 1,
        LinkState::Parked => 2,
    }
}

fn link_state(number: i64) -> Option<LinkState> {
    match number {
        0 => Some(LinkState::New),
        1 => Some(LinkState::Open),
        2 => Some(LinkState::Parked),
        _ => None,
    }
}

/// Reads a JSON column.
pub(super) fn json<T: serde::de::DeserializeOwned>(text: &str, what: &str) -> Result<T, Fail> {
    serde_json::from_str(text).map_err(|error| Fail::Row(format!("{what}: {error}")))
}

/// Writes a JSON column.
pub(super) fn to_json<T: serde::Serialize>(value: &T, what: &str) -> Result<String, Fail> {
    serde_json::to_string(value).map_err(|error| Fail::Row(format!("{what} cannot be written as JSON: {error}")))
}

/// A link on its way into its row, encoded before it reaches the writer.
#[derive(Debug)]
pub(super) struct LinkRow {
    pub(super) link: Link,
    written: String,
    memory: String,
}

impl LinkRow {
    pub(super) fn new(link: Link) -> Result<Self, Fail> {
        let written = to_json(&link.written, "the values written")?;
        let memory = to_json(&link.memory, "what is remembered of both sides")?;
        Ok(Self { link, written, memory })
    }

    pub(super) fn save(&self, db: &Connection) -> Result<(), Fail> {
        let Link { id, environment, state, ticket, revision, error_shown, parked, .. } = &self.link;
        db.prepare_cached(
            "UPDATE links SET environment = ?2, state = ?3, sys_id = ?4, number = ?5, url = ?6, revision = ?7,
             written = ?8, error_shown = ?9, parked = ?10, memory = ?11 WHERE id = ?1",
        )?
        .execute(params![
            id.0,
            environment.as_ref().map(EnvironmentId::as_str),
            link_state_number(*state),
            ticket.as_ref().map(|ticket| ticket.sys_id.as_str()),
            ticket.as_ref().map(|ticket| ticket.number.as_str()),
            ticket.as_ref().map(|ticket| ticket.url.as_str()),
            revision,
            self.written,
            error_shown,
            parked,
            self.memory,
        ])?;
        Ok(())
    }
}

const LINK: &str = "SELECT id, integration, incident, environment, state, sys_id, number, url, revision, written,
    error_shown, parked, memory FROM links WHERE id = ?1";
const LINK_OF: &str = "SELECT id, integration, incident, environment, state, sys_id, number, url, revision, written,
    error_shown, parked, memory FROM links WHERE integration = ?1 AND incident = ?2";

pub(super) fn read_link(db: &Connection, id: LinkId) -> Result<Link, Fail> {
    let link = db.prepare_cached(LINK)?.query_row([id.0], |row| Ok(link(row))).optional()?;
    link.unwrap_or_else(|| Err(Fail::Row(format!("link {id} is missing"))))
}

pub(super) fn find_link(
    db: &Connection,
    integration: &IntegrationName,
    incident: &IncidentId,
) -> Result<Option<Link>, Fail> {
    let key = [integration.as_str(), incident.as_str()];
    db.prepare_cached(LINK_OF)?.query_row(key, |row| Ok(link(row))).optional()?.transpose()
}

fn link(row: &Row<'_>) -> Result<Link, Fail> {
    let id = LinkId(row.get(0)?);
    let bad = |column: &str| Fail::Row(format!("link {id}, column {column}"));
    let text = |index: usize| -> Result<&str, Fail> { text(row, index) };
    let environment = match optional_text(row, 3)? {
        None => None,
        Some(text) => Some(EnvironmentId::new(text).map_err(|_| bad("environment"))?),
    };
    let ticket = match optional_text(row, 5)? {
        None => None,
        Some(sys_id) => Some(TicketRef {
            sys_id: SysId::new(sys_id).map_err(|_| bad("sys_id"))?,
            number: optional_text(row, 6)?.unwrap_or_default().to_owned(),
            url: optional_text(row, 7)?.unwrap_or_default().to_owned(),
        }),
    };
    Ok(Link {
        id,
        integration: IntegrationName::new(text(1)?).map_err(|_| bad("integration"))?,
        incident: IncidentId::new(text(2)?).map_err(|_| bad("incident"))?,
        environment,
        state: link_state(row.get(4)?).ok_or_else(|| bad("state"))?,
        ticket,
        revision: row.get(8)?,
        written: json(text(9)?, "the values written").map_err(|_| bad("written"))?,
        error_shown: row.get(10)?,
        parked: optional_text(row, 11)?.map(ToOwned::to_owned),
        memory: json(text(12)?, "what is remembered of both sides").map_err(|_| bad("memory"))?,
    })
}

/// Borrows a text, to save the copy that `Row::get` would make.
pub(super) fn text<'a>(row: &'a Row<'_>, index: usize) -> Result<&'a str, Fail> {
    let value = row.get_ref(index)?;
    value.as_str().map_err(|error| Fail::Row(format!("column {index} is not a text: {error}")))
}

pub(super) fn optional_text<'a>(row: &'a Row<'_>, index: usize) -> Result<Option<&'a str>, Fail> {
    let value = row.get_ref(index)?;
    value.as_str_or_null().map_err(|error| Fail::Row(format!("column {index} is not a text: {error}")))
}

/// One value of one row, or nothing when there is no such row.
pub(super) fn one<T: FromSql>(
    db: &Connection,
    sql: &'static str,
    parameters: impl rusqlite::Params,
) -> Result<Option<T>, Fail> {
    Ok(db.prepare_cached(sql)?.query_row(parameters, |row| row.get(0)).optional()?)
}
