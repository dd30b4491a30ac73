//! The settings that decisions depend on, already resolved for one integration and one share.

use std::time::Duration;

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
        }
    }
}
