//! What can happen on a side. The engine decides about each kind in a file of its own.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::share::Share;
use super::ticket::TicketState;

/// The kinds of event as plugins see them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Occasion {
    /// BigPanda shared the incident, for the first time or again.
    Shared,
    /// The incident was found changed in BigPanda.
    IncidentChanged,
    /// The ticket was found changed in ServiceNow.
    TicketChanged,
}

impl Occasion {
    pub const ALL: [Self; 3] = [Self::Shared, Self::IncidentChanged, Self::TicketChanged];

    /// Whether it happened on ServiceNow's side.
    pub fn is_of_ticket(self) -> bool {
        match self {
            Self::Shared | Self::IncidentChanged => false,
            Self::TicketChanged => true,
        }
    }
}

/// Something that happened and that the engine decides about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// BigPanda shared an incident, for the first time or again.
    Shared(Arc<Share>),
    /// A poll found the incident changed. What it says is what a share would say.
    IncidentChanged(Arc<Share>),
    /// A poll found the ticket changed.
    TicketChanged(Arc<TicketState>),
}
