//! The settings that decisions depend on, already resolved for one integration and one share.

use std::time::Duration;

use crate::domain::ticket::Journal;

/// How one integration wants its links to be treated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Table of the tickets, usually `incident`.
    pub table: String,
    /// Fields that an update share may write. Empty: those that hooks marked.
    pub update_fields: Vec<String>,
    /// Incident tag that receives the ticket's address, or `error`.
    pub response_tag: String,
    pub follow_ups: FollowUps,
    pub retry: Retry,
    /// Whether an incident's end resolves its ticket; otherwise a note says so.
    pub resolve_ticket: bool,
    /// Closure code of the open ticket of an incident that was merged into another one. Empty: a note says so.
    pub merged_close_code: String,
    /// Whether a ticket's end resolves its incident.
    pub resolve_incident: bool,
    pub reopen: Reopen,
    /// Values that are kept equal on both sides.
    pub pairs: Vec<Pair>,
    /// Journal that receives BigPanda's comments; none: they stay where they are.
    pub comments_to: Option<Journal>,
    /// Journals whose entries become comments of the incident.
    pub notes_from: Vec<Journal>,
}

/// What becomes of a ticket whose incident comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reopen {
    /// Whether tickets are reopened at all; otherwise a new one is created.
    pub enabled: bool,
    /// How long after its resolution a ticket may be reopened.
    pub window: Duration,
}

/// One row of the tag mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// Incident tag, in exact case.
    pub tag: String,
    /// Ticket field.
    pub field: String,
    pub direction: Direction,
}

/// Which side of a pair follows the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    ToServiceNow,
    ToBigPanda,
    Both,
}

impl Direction {
    /// Whether a change of the ticket reaches the incident.
    pub fn is_to_bigpanda(self) -> bool {
        match self {
            Self::ToServiceNow => false,
            Self::ToBigPanda | Self::Both => true,
        }
    }
}

/// What goes back to BigPanda after a ticket was created.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FollowUps {
    pub callback: bool,
    pub tag: bool,
    pub comment: bool,
}

/// The schedule of attempts, as data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retry {
    /// Attempts in all; at least 1.
    pub attempts: u32,
    /// Time between two attempts.
    pub spacing: Duration,
    /// Short retries inside one attempt, for failures that were certainly not applied.
    pub within_attempt: Vec<Duration>,
    /// Longest time that a row may be held before its worker counts as dead.
    pub lease: Duration,
    /// How many workers may die over one row before it is set aside as poison.
    pub crash_limit: u32,
}

impl Default for Policy {
    /// The values of the original integration, for tests; the host's come from its configuration.
    fn default() -> Self {
        Self {
            table: "incident".to_owned(),
            update_fields: Vec::new(),
            response_tag: "servicenow_link".to_owned(),
            follow_ups: FollowUps { callback: true, tag: true, comment: true },
            retry: Retry {
                attempts: 6,
                spacing: Duration::from_mins(15),
                within_attempt: Vec::new(),
                lease: Duration::from_mins(2),
                crash_limit: 3,
            },
            resolve_ticket: true,
            merged_close_code: String::new(),
            resolve_incident: true,
            reopen: Reopen { enabled: true, window: Duration::from_mins(30) },
            pairs: Vec::new(),
            comments_to: Some(Journal::WorkNotes),
            notes_from: Vec::new(),
        }
    }
}
