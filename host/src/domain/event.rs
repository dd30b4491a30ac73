//! What can happen on a side. The engine decides about each kind in a file of its own.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::share::Share;

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

/// Something that happened and that the engine decides about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// BigPanda shared an incident, for the first time or again.
    Shared(Arc<Share>),
}
