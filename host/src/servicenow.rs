//! ServiceNow: what the sync asks of it, as a trait; the real client, authentication and the reference cache below.
//!
//! Every answer is a domain value: wire names and status codes end here. Called by `sync`.

mod auth;
mod client;
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
use crate::domain::ticket::{FieldValue, Reference, TicketRef};

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
    /// Whether a journal entry that contains `marker` exists on the record.
    async fn has_note(&self, table: &str, ticket: &SysId, marker: &str) -> Result<bool, Outcome>;
}
