//! The pair incident ⇄ ticket and all that is remembered of it.
//!
//! A link is born with the first accepted event of an incident and is never deleted by the sync.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::id::{EnvironmentId, IncidentId, IntegrationName, LinkId};
use super::ticket::TicketRef;

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
}

impl Link {
    /// `correlation_id` of the ticket: how it is found again after an unknown outcome.
    pub fn correlation_id(&self) -> String {
        format!("bigpanda:{}", self.incident)
    }
}
