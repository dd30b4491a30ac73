//! Something that a person has to know now, in words.

use serde::{Deserialize, Serialize};

use super::id::{IncidentId, IntegrationName};
use super::ticket::TicketRef;

/// One message to the operators. Holds no secrets, and no bodies of requests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    pub integration: IntegrationName,
    /// Why, as a stable word-code. Notices of one integration with one code are told together.
    pub code: String,
    /// One line.
    pub title: String,
    /// Sentences, one a line.
    pub lines: Vec<String>,
    pub incident: Option<IncidentId>,
    pub ticket: Option<TicketRef>,
}
