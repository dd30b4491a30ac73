//! Looking at tickets: one, those that changed, and what was written into their journals.
//!
//! The order of a delta is (`sys_updated_on`, `sys_id`) and is checked: a row out of order, or one that the query
//! should not have found, means that the instance dropped a condition, and then nothing of the answer is believed.
//! Dates go over the wire as the actual values, which are UTC whatever the user's time zone is.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::Method;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::client::{Client, at, condition};
use super::{Changes, From, Scope};
use crate::domain::id::{IncidentId, SysId};
use crate::domain::link::{CORRELATION, Link};
use crate::domain::outcome::{Failure, Outcome};
use crate::domain::ticket::{Journal, Note, TicketState};
use crate::domain::time::Timestamp;
use crate::transport::Reply;

/// Columns that every look at a ticket brings.
const COLUMNS: &str = "sys_id,number,state,active,correlation_id,sys_mod_count,sys_updated_on,sys_updated_by,\
    sys_created_on,close_code,close_notes,resolved_at,resolved_by,closed_at,assigned_to,assignment_group,priority,\
    urgency,impact,short_description,x_bip_panda_bigpanda_id";

/// Column of the original integration that names the incident.
const ORIGINAL: &str = "x_bip_panda_bigpanda_id";

/// Rows on a page of changes.
const PAGE: usize = 200;
/// Entries of journals that one answer may hold.
const NOTES: &str = "1000";

/// A column's two forms.
#[derive(Deserialize, Default)]
#[serde(untagged)]
enum Cell {
    Both {
        #[serde(default)]
        display_value: Option<String>,
        #[serde(default)]
        value: Option<String>,
    },
    Plain(String),
    #[default]
    Empty,
}

#[derive(Deserialize)]
struct Answer<T> {
    #[serde(default = "Option::default")]
    result: Option<T>,
    #[serde(default)]
    error: Option<IgnoredAny>,
}

type Cells = BTreeMap<String, Cell>;

fn fields(cells: Cells) -> BTreeMap<String, String> {
    let mut fields = BTreeMap::new();
    for (name, cell) in cells {
        match cell {
            Cell::Plain(value) => {
                fields.insert(name, value);
            }
            Cell::Empty => {
                fields.insert(name, String::new());
            }
            Cell::Both { display_value, value } => {
                let value = value.unwrap_or_default();
                // Dates have a display form in the user's own zone, which nobody should rely on.
                let is_date = name.ends_with("_on") || name.ends_with("_at");
                if let Some(display) = display_value.filter(|display| !is_date && *display != value) {
                    fields.insert(format!("dv_{name}"), display);
                }
                fields.insert(name, value);
            }
        }
    }
    fields
}

fn columns(scope: &Scope) -> String {
    let mut columns = COLUMNS.to_owned();
    for column in scope.columns.iter().filter(|column| !COLUMNS.split(',').any(|known| known == column.as_str())) {
        columns.push(',');
        columns.push_str(column);
    }
    columns
}

async fn get(client: &Client, path: &[&str], parameters: &[(&str, &str)]) -> Result<Reply, Outcome> {
    let mut url = at(&client.base, path);
    url.query_pairs_mut()
        .append_pair("sysparm_display_value", "all")
        .append_pair("sysparm_exclude_reference_link", "true")
        .extend_pairs(parameters);
    client.ask(Method::GET, url, None::<Bytes>).await
}

/// The incident that a ticket belongs to, by our correlation or by the original's column.
fn incident_of(fields: &BTreeMap<String, String>) -> Option<IncidentId> {
    let text = |name: &str| fields.get(name).map(String::as_str).filter(|text| !text.is_empty());
    let ours = text("correlation_id").and_then(Link::incident_of);
    ours.or_else(|| IncidentId::new(text(ORIGINAL)?).ok())
}

fn state(client: &Client, scope: &Scope, fields: BTreeMap<String, String>) -> Option<TicketState> {
    let incident = incident_of(&fields)?;
    let ticket = client.named(&scope.table, fields.get("sys_id")?, fields.get("number").map(String::as_str))?;
    Some(TicketState { ticket, incident, fields, notes: Vec::new() })
}

pub(super) async fn ticket(client: &Client, scope: &Scope, ticket: &SysId) -> Result<Option<TicketState>, Outcome> {
    let path = ["api", "now", "table", &scope.table, ticket.as_str()];
    let reply = match get(client, &path, &[("sysparm_fields", &columns(scope))]).await {
        Ok(reply) => reply,
        Err(Outcome::Missing(_)) => return Ok(None),
        Err(outcome) => return Err(outcome),
    };
    match serde_json::from_slice::<Answer<Cells>>(&reply.body) {
        Ok(Answer { result: Some(cells), error: None }) => Ok(state(client, scope, fields(cells))),
        Ok(_) | Err(_) => Err(client.unreadable(&reply, "ServiceNow showed a ticket in a way that cannot be read")),
    }
}

pub(super) async fn changes(client: &Client, scope: &Scope, from: &From) -> Result<Changes, Outcome> {
    let place = match from {
        From::Since(second) => condition("sys_updated_on", ">=", second),
        From::After(second) => condition("sys_updated_on", ">", second),
        From::Within(second, sys_id) => condition("sys_updated_on", "=", second)
            .zip(condition("sys_id", ">", sys_id.as_str()))
            .map(|(second, id)| format!("{second}^{id}")),
    };
    let Some(place) = place else {
        let summary = "the place up to which ServiceNow was read is not a time".to_owned();
        return Err(Outcome::Refused(client.peer.coded("delta", summary)));
    };
    let query = format!("{}^{place}^ORDERBYsys_updated_on^ORDERBYsys_id", scope.query);
    let columns = columns(scope);
    let limit = PAGE.to_string();
    let parameters = [
        ("sysparm_query", query.as_str()),
        ("sysparm_fields", &columns),
        ("sysparm_limit", &limit),
        ("sysparm_suppress_pagination_header", "true"),
    ];
    let reply = get(client, &["api", "now", "table", &scope.table], &parameters).await?;
    let clock = reply.headers.get(http::header::DATE).and_then(|date| date.to_str().ok()).and_then(moment);
    let Ok(Answer { result: Some(rows), error: None }) = serde_json::from_slice::<Answer<Vec<Cells>>>(&reply.body)
    else {
        return Err(client.unreadable(&reply, "ServiceNow answered a query in a way that cannot be read"));
    };
    // A page may be short because rows are hidden from us; the count is taken before that.
    let count = reply.headers.get("x-total-count").and_then(|count| count.to_str().ok()?.trim().parse::<usize>().ok());
    let ends = rows.is_empty() || (rows.len() < PAGE && count.is_some_and(|count| count <= PAGE));
    // What follows within a second is followed by the seconds after it.
    let is_last = ends && !matches!(from, From::Within(..));
    let mut changes = Changes { is_last, clock, ..Changes::default() };
    let came = rows.len();
    for cells in rows {
        let fields = fields(cells);
        let text = |name: &str| fields.get(name).cloned().unwrap_or_default();
        let Ok(sys_id) = SysId::new(&text("sys_id")) else { continue };
        let here = (text("sys_updated_on"), sys_id);
        let after = match from {
            From::Since(second) => here.0 >= *second,
            From::After(second) => here.0 > *second,
            From::Within(second, id) => here.0 == *second && here.1 > *id,
        };
        if !after || changes.last.as_ref().is_some_and(|last| *last >= here) {
            return Err(disorder(client, scope));
        }
        changes.last = Some(here);
        if let Some(state) = state(client, scope, fields) {
            changes.tickets.push(state);
        }
    }
    if came > 0 && changes.tickets.is_empty() && scope.query.contains(CORRELATION) {
        return Err(disorder(client, scope));
    }
    Ok(changes)
}

/// The instance dropped a condition, an order, or a column that we need.
fn disorder(client: &Client, scope: &Scope) -> Outcome {
    let summary = format!("ServiceNow did not filter or order {} as it was asked to", scope.table);
    let hint = "check that the integration user may read correlation_id, sys_updated_on and sys_id, and that its time \
                zone is UTC"
        .to_owned();
    Outcome::Refused(Failure { hint: Some(hint), ..client.peer.coded("delta", summary) })
}

fn moment(date: &str) -> Option<Timestamp> {
    let date = jiff::fmt::rfc2822::parse(date).ok()?;
    Some(Timestamp::from_seconds(date.timestamp().as_second()))
}

/// Tickets that one query for journals may name.
const TICKETS: usize = 200;

pub(super) async fn notes(
    client: &Client,
    table: &str,
    tickets: &[SysId],
    since: &str,
) -> Result<Vec<(SysId, Note)>, Outcome> {
    let mut notes = Vec::new();
    for tickets in tickets.chunks(TICKETS) {
        let ids = tickets.iter().map(SysId::as_str).collect::<Vec<_>>().join(",");
        let terms = [
            condition("element_id", "IN", &ids),
            condition("name", "=", table),
            condition("sys_created_on", ">=", since),
        ];
        let Some(terms) = terms.into_iter().collect::<Option<Vec<_>>>() else { continue };
        let journals = [Journal::WorkNotes, Journal::Comments].map(Journal::field).join(",");
        let query = format!("{}^elementIN{journals}^ORDERBYsys_created_on^ORDERBYsys_id", terms.join("^"));
        let columns = "sys_id,element_id,element,value,sys_created_on,sys_created_by";
        let rows = client.query("sys_journal_field", &query, columns, NOTES).await?;
        for row in rows {
            let text = |name: &str| row.get(name).unwrap_or_default().to_owned();
            let journal = match row.get("element") {
                Some("work_notes") => Journal::WorkNotes,
                Some("comments") => Journal::Comments,
                Some(_) | None => continue,
            };
            let Ok(ticket) = SysId::new(&text("element_id")) else { continue };
            // A dropped condition would show the journals of the whole instance.
            if !tickets.contains(&ticket) {
                continue;
            }
            let (id, at, by) = (text("sys_id"), text("sys_created_on"), text("sys_created_by"));
            notes.push((ticket, Note { id, journal, text: text("value"), by, at }));
        }
    }
    Ok(notes)
}
