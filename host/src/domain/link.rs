//! The pair incident ⇄ ticket and all that is remembered of it.
//!
//! A link is born with the first accepted event of an incident and is never deleted by the sync.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::id::{EnvironmentId, IncidentId, IntegrationName, LinkId, SysId};
use super::incident::Change;
use super::ticket::{Phase, TicketRef, TicketState};
use super::time::Timestamp;

/// Where a link stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LinkState {
    /// No ticket yet: nothing was decided, or the create is on its way.
    New,
    /// The ticket exists.
    Open,
    /// Set aside for a person; `Link::parked` says why.
    Parked,
}

impl LinkState {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Open => "open",
            Self::Parked => "parked",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::New, Self::Open, Self::Parked].into_iter().find(|state| state.as_str() == text)
    }
}

/// What is remembered of both sides, to tell what changed since.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Memory {
    /// Fingerprint of the incident as it was when it was last handled; see `Incident::outline`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub outline: String,
    /// The same without what we change ourselves; see `engine::echo::essence`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub essence: String,
    /// A create was given up whose outcome is unknown: whoever creates next looks first.
    #[serde(skip_serializing_if = "is_false")]
    pub unsure: bool,
    /// The incident was resolved when it was last handled.
    #[serde(skip_serializing_if = "is_false")]
    pub resolved: bool,
    /// We asked BigPanda to resolve the incident, at that time, and have not seen it resolved yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resolving: Option<Timestamp>,
    /// What was last said about the incident's special states, such as `snoozed`; one word each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub marks: Vec<String>,
    /// Ids of the newest activities of the incident that were passed on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub comments: Vec<String>,
    /// Fingerprint of what the incident was last told of overrides that were ignored.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub refused: String,
    /// Root-cause changes that shares told of; see `Incident::recall`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
    /// Likewise, the AI analysis.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    #[serde(skip_serializing_if = "is_open")]
    pub phase: Phase,
    /// The newest version of the ticket that was handled.
    #[serde(skip_serializing_if = "is_zero")]
    pub version: i64,
    /// Ids of the newest entries of the ticket's journals that were passed on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// By incident tag: the values that both sides last agreed on.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub agreed: BTreeMap<String, Agreed>,
    /// How many tickets the incident had before those that this store knows, as the number of an adopted one says.
    #[serde(skip_serializing_if = "none")]
    pub earlier: usize,
    /// Tickets that the incident had before this one, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub former: Vec<Former>,
}

/// One value in the forms that both sides give it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agreed {
    pub tag: String,
    pub field: String,
    /// We wrote the tag, and have not seen it on the incident yet.
    #[serde(default, skip_serializing_if = "is_false")]
    pub unseen: bool,
}

/// A ticket that the incident had earlier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Former {
    pub sys_id: SysId,
    pub number: String,
}

impl Memory {
    /// Ids that are kept to recognise what was passed on; older ones can't come again.
    const KEPT: usize = 200;

    /// Notes that something was passed on; false when it had been before.
    pub fn pass_on(ids: &mut Vec<String>, id: &str) -> bool {
        if ids.iter().any(|known| known == id) {
            return false;
        }
        ids.push(id.to_owned());
        let surplus = ids.len().saturating_sub(Self::KEPT);
        ids.drain(..surplus);
        true
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes fields so")]
fn is_false(flag: &bool) -> bool {
    !flag
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes fields so")]
fn is_zero(number: &i64) -> bool {
    *number == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes fields so")]
fn none(count: &usize) -> bool {
    *count == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes fields so")]
fn is_open(phase: &Phase) -> bool {
    *phase == Phase::Open
}

/// What the sync knows of one incident and its ticket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    pub id: LinkId,
    pub integration: IntegrationName,
    pub incident: IncidentId,
    pub environment: Option<EnvironmentId>,
    pub state: LinkState,
    pub ticket: Option<TicketRef>,
    /// Revision of the newest incident state that was sealed into a request; see `Incident::revision`.
    pub revision: i64,
    /// Fingerprint of the value that we last wrote, per ticket field. An echo is a value that is equal.
    pub written: BTreeMap<String, String>,
    /// Whether the incident at present carries our comment and tag of a failure.
    pub error_shown: bool,
    pub parked: Option<String>,
    pub memory: Memory,
}

/// How every `correlation_id` of ours begins.
pub const CORRELATION: &str = "bigpanda:";

impl Link {
    /// From here on this ticket is the incident's. It is remembered as it stands, so that only what happens to it
    /// later is news.
    pub fn found(&mut self, ticket: &TicketState) {
        self.state = LinkState::Open;
        self.ticket = Some(ticket.ticket.clone());
        self.memory.phase = ticket.phase();
        self.memory.version = ticket.version();
        let before = Self::number_in(ticket.field("correlation_id")).saturating_sub(1);
        self.memory.earlier = before.saturating_sub(self.memory.former.len());
    }

    /// `correlation_id` of the ticket: how it is found again after an unknown outcome. A ticket that takes the place
    /// of an earlier one gets a number, so that looking for it never finds its predecessor.
    pub fn correlation_id(&self) -> String {
        match self.memory.earlier.saturating_add(self.memory.former.len()) {
            0 => format!("{CORRELATION}{}", self.incident),
            before => format!("{CORRELATION}{}:{}", self.incident, before.saturating_add(1)),
        }
    }

    /// Which of its incident's tickets one is, from 1, by its `correlation_id`; 0 where that is none of ours.
    fn number_in(correlation_id: &str) -> usize {
        let Some(id) = correlation_id.strip_prefix(CORRELATION) else { return 0 };
        id.split_once(':').map_or(1, |(_, number)| number.parse().unwrap_or(1))
    }

    /// The incident that a `correlation_id` of ours names.
    pub fn incident_of(correlation_id: &str) -> Option<IncidentId> {
        let id = correlation_id.strip_prefix(CORRELATION)?;
        IncidentId::new(id.split_once(':').map_or(id, |(id, _)| id)).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::seal::samples;

    #[test]
    fn a_ticket_that_is_found_says_how_many_there_were_before() {
        let number_after = |correlation: &str| {
            let mut link = samples::link();
            let correlation = correlation.replace("ID", link.incident.as_str());
            link.found(&samples::ticket_state(&[("correlation_id", &correlation)]));
            let former = link.ticket.take().map(|TicketRef { sys_id, number, .. }| Former { sys_id, number });
            link.memory.former.extend(former);
            link.correlation_id().replace(link.incident.as_str(), "ID")
        };
        assert_eq!(number_after("bigpanda:ID"), "bigpanda:ID:2");
        assert_eq!(number_after("bigpanda:ID:2"), "bigpanda:ID:3");
        assert_eq!(number_after("something of the original's"), "bigpanda:ID:2");
    }
}
