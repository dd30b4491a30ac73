//! ServiceNow: what the sync asks of it, as a trait; the real client, authentication and the reference cache below.
//!
//! Every answer is a domain value: wire names and status codes end here. Called by `sync`.

mod auth;
mod client;
mod delta;
mod inspect;
mod references;
pub mod update_set;
mod wire;

use async_trait::async_trait;

pub use self::auth::{Credentials, Grant};
pub use self::client::{Client, Settings};
pub use self::inspect::{Cells, Page};
pub use self::references::CacheSettings;

use crate::domain::id::SysId;
use crate::domain::outcome::Outcome;
use crate::domain::ticket::{FieldValue, Note, Reference, TicketRef, TicketState};
use crate::domain::time::Timestamp;

/// Which changed tickets to ask for: a place in the order of (`sys_updated_on`, `sys_id`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum From {
    /// Changed then or later; UTC as ServiceNow writes it.
    Since(String),
    /// Changed in that very second, with a `sys_id` after this one.
    Within(String, SysId),
    /// Changed after that second.
    After(String),
}

/// A page of changed tickets, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    pub tickets: Vec<TicketState>,
    /// There is nothing after it.
    pub is_last: bool,
    /// Where the page ended.
    pub last: Option<(String, SysId)>,
    /// What the instance's clock said.
    pub clock: Option<Timestamp>,
}

/// What a delta asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    pub table: String,
    /// Encoded query that finds the tickets of ours.
    pub query: String,
    /// Columns beyond those that every look at a ticket brings.
    pub columns: Vec<String>,
}

/// What is known of a reference without asking ServiceNow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cached {
    /// The `sys_id` it resolves to.
    Found(SysId),
    /// ServiceNow said, not long ago, that it names nothing.
    Absent,
    /// Has to be asked.
    Unknown,
}

/// What the sync asks of ServiceNow. Each call makes at most one HTTP request (two after an expired token).
#[async_trait]
pub trait Api: Send + Sync {
    /// Creates a record. Never repeated by the client itself.
    async fn create(&self, table: &str, fields: &[FieldValue]) -> Outcome;
    /// Changes a record. Repeating it is harmless unless a journal field is among the fields.
    async fn update(&self, table: &str, ticket: &SysId, fields: &[FieldValue]) -> Outcome;
    /// The records that carry the correlation id, oldest first.
    async fn find(&self, table: &str, correlation_id: &str) -> Result<Vec<TicketRef>, Outcome>;
    /// What the cache knows of a reference. Never asks the network.
    fn cached(&self, reference: &Reference) -> Cached;
    /// Resolves a reference through the cache, else through ServiceNow. `None`: it names nothing.
    async fn resolve(&self, reference: &Reference) -> Result<Option<SysId>, Outcome>;
    /// A ticket as it is now. `None`: there is no such record, or it is hidden from us.
    async fn ticket(&self, scope: &Scope, ticket: &SysId) -> Result<Option<TicketState>, Outcome>;
    /// The next page of changed tickets.
    async fn changes(&self, scope: &Scope, from: &From) -> Result<Changes, Outcome>;
    /// Entries of the journals of these tickets, written then or later; oldest first.
    async fn notes(&self, table: &str, tickets: &[SysId], since: &str) -> Result<Vec<(SysId, Note)>, Outcome>;
    /// Whether a journal entry that contains `marker` exists on the record.
    async fn has_note(&self, table: &str, ticket: &SysId, marker: &str) -> Result<bool, Outcome>;
}
