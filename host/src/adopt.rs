//! Taking over tickets that the store does not know: those of BigPanda's own application, or ours from after the backup
//! that was restored. Pairs of incident and ticket become links, so that the next share updates the ticket that is there.
//!
//! Reads both sides only: no ticket is made and none is changed. Called by `cli`, which has the store keep the pairs, or
//! say what would come of them.

mod pairs;

use std::collections::BTreeMap;

use crate::config::Integration;
use crate::domain::id::{IncidentId, SysId};
use crate::domain::link::{CORRELATION, Link};
use crate::domain::outcome::Outcome;
use crate::domain::ticket::{TicketRef, TicketState};
use crate::store::{Adoption, NewLink};

/// Whose tickets are taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Maker {
    /// BigPanda's own application.
    Original,
    /// A Tandem; this one, before its store was lost or restored.
    Tandem,
}

impl Maker {
    /// Where a ticket names its incident.
    fn column(self) -> &'static str {
        match self {
            Self::Original => COLUMN,
            Self::Tandem => "correlation_id",
        }
    }

    /// What stands before the incident's id there.
    fn prefix(self) -> &'static str {
        match self {
            Self::Original => "",
            Self::Tandem => CORRELATION,
        }
    }

    /// The incident that a ticket names there.
    fn incident(self, named: &str) -> Option<IncidentId> {
        match self {
            Self::Original => IncidentId::new(named).ok(),
            Self::Tandem => Link::incident_of(named),
        }
    }

    /// What the history of a link says that was taken over.
    fn said(self, number: &str) -> String {
        match self {
            Self::Original => format!("The ticket {number} was made by another integration and taken over."),
            Self::Tandem => {
                format!("The ticket {number} was made by Tandem, was not known to this store, and was taken over.")
            }
        }
    }

    fn condition(self) -> String {
        match self {
            Self::Original => format!("{COLUMN}ISNOTEMPTY"),
            Self::Tandem => format!("correlation_idSTARTSWITH{}", self.prefix()),
        }
    }
}

/// The original's column of the ticket, with the incident's id.
pub const COLUMN: &str = "x_bip_panda_bigpanda_id";

/// Rows asked for at once.
const PAGE: u32 = 500;

/// Why a pair is left to a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Doubt {
    /// Several tickets name the incident: its tag leads to none of them, and not just one of them is open.
    Several { incident: IncidentId, numbers: Vec<String> },
    /// The store has another ticket for the incident.
    Other { incident: IncidentId, number: String, known: TicketRef },
    /// A request of the incident waits in the queue.
    Busy { incident: IncidentId },
    /// What stands in the column can be no incident's id.
    Unreadable { number: String },
}

/// What there is to take over, as both sides say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    pub found: Vec<TicketState>,
    pub doubts: Vec<Doubt>,
}

/// The same in the light of what the store has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sorted {
    /// What is taken over.
    pub new: Vec<TicketState>,
    /// How many were links already.
    pub known: usize,
    pub doubts: Vec<Doubt>,
}

/// Why nothing could be looked up.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the table {table} has no column {column}, or it may not be read")]
    NoColumn { table: String, column: &'static str },
    #[error("{what}: {summary}")]
    Side { what: &'static str, summary: String, hint: Option<String> },
}

/// Looks at both sides.
pub async fn plan(
    maker: Maker,
    integration: &Integration,
    servicenow: &crate::servicenow::Client,
    bigpanda: &crate::bigpanda::Client,
) -> Result<Plan, Error> {
    let (tickets, mut doubts) = tickets(maker, integration, servicenow).await?;
    let tags =
        if tickets.values().any(|all| all.len() > 1) { tags(integration, bigpanda).await? } else { BTreeMap::new() };
    let (found, several) = pairs::choose(tickets, &tags);
    doubts.extend(several);
    Ok(Plan { found, doubts })
}

impl Plan {
    /// What the store is to keep.
    pub fn links(&self, maker: Maker, integration: &Integration) -> Vec<NewLink> {
        let link = |found: &TicketState| NewLink {
            integration: integration.name.clone(),
            environment: integration.bigpanda.environment_id.clone(),
            said: maker.said(&found.ticket.number),
            ticket: found.clone(),
        };
        self.found.iter().map(link).collect()
    }

    /// Sorts by what the store said of each of its links.
    pub fn sorted(self, adoptions: Vec<Adoption>) -> Sorted {
        let mut sorted = Sorted { doubts: self.doubts, ..Sorted::default() };
        for (found, adoption) in self.found.into_iter().zip(adoptions) {
            match adoption {
                Adoption::Made => sorted.new.push(found),
                Adoption::Same => sorted.known += 1,
                Adoption::Other(known) => {
                    let TicketState { incident, ticket, .. } = found;
                    sorted.doubts.push(Doubt::Other { incident, number: ticket.number, known });
                }
                Adoption::Busy => sorted.doubts.push(Doubt::Busy { incident: found.incident }),
            }
        }
        sorted
    }
}

type Tickets = BTreeMap<IncidentId, Vec<TicketState>>;

/// The tickets that name an incident and are not closed, oldest id first. Resolved ones are among them.
async fn tickets(
    maker: Maker,
    integration: &Integration,
    client: &crate::servicenow::Client,
) -> Result<(Tickets, Vec<Doubt>), Error> {
    let table = &integration.servicenow.table;
    let column = maker.column();
    let columns = format!("sys_id,number,state,sys_mod_count,{column}");
    let mut tickets = Tickets::new();
    let mut doubts = Vec::new();
    let mut after = String::new();
    loop {
        let from = if after.is_empty() { String::new() } else { format!("^sys_id>{after}") };
        let query = format!("{}^active=true{from}^ORDERBYsys_id", maker.condition());
        let page = client
            .rows(table, &query, &columns, PAGE)
            .await
            .map_err(|outcome| side("ServiceNow cannot be asked", &outcome))?;
        let Some(last) = page.rows.last().and_then(|row| row.get("sys_id")) else { return Ok((tickets, doubts)) };
        if *last <= after {
            let summary = "ServiceNow does not give the tickets in the order of their ids".to_owned();
            return Err(Error::Side { what: "the tickets cannot be gone through", summary, hint: None });
        }
        after.clone_from(last);
        for row in page.rows {
            // The instance drops a condition on a column that it doesn't have, and then shows every ticket.
            let named = row.get(column).filter(|named| !named.is_empty() && named.starts_with(maker.prefix()));
            let Some(named) = named else {
                return Err(Error::NoColumn { table: table.clone(), column });
            };
            let number = row.get("number").cloned().unwrap_or_default();
            match (maker.incident(named), row.get("sys_id").and_then(|id| SysId::new(id).ok())) {
                (Some(incident), Some(sys_id)) => {
                    let ticket = client.ticket_ref(table, sys_id, number);
                    let state = TicketState { ticket, incident: incident.clone(), fields: row, notes: Vec::new() };
                    tickets.entry(incident).or_default().push(state);
                }
                (Some(_) | None, _) => doubts.push(Doubt::Unreadable { number }),
            }
        }
    }
}

/// What the response tag of each active incident says. Only asked for when it has to decide.
async fn tags(
    integration: &Integration,
    client: &crate::bigpanda::Client,
) -> Result<BTreeMap<IncidentId, String>, Error> {
    let asked = |outcome: Outcome| side("BigPanda cannot be asked which of several tickets an incident has", &outcome);
    let Some(environment) = &integration.bigpanda.environment_id else { return Ok(BTreeMap::new()) };
    let name = &integration.settings.response_incident_tag;
    let definitions = client.tag_definitions().await.map_err(asked)?;
    let Some(tag) = definitions.into_iter().find(|tag| tag.name == *name) else { return Ok(BTreeMap::new()) };
    let mut values = BTreeMap::new();
    for page in 1.. {
        let (tagged, more) = client.tagged(environment, &tag.id, page).await.map_err(asked)?;
        values.extend(tagged.into_iter().map(|incident| (incident.id, incident.value)));
        if !more {
            break;
        }
    }
    Ok(values)
}

fn side(what: &'static str, outcome: &Outcome) -> Error {
    let (summary, hint) = match outcome {
        Outcome::Applied(_) => (String::new(), None),
        Outcome::NotApplied(failure)
        | Outcome::Unknown(failure)
        | Outcome::Refused(failure)
        | Outcome::Missing(failure)
        | Outcome::Paused { failure, .. }
        | Outcome::Auth(failure) => (failure.summary.clone(), failure.hint.clone()),
    };
    Error::Side { what, summary, hint }
}
