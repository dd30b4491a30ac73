//! BigPanda: what the sync asks of it, as a trait; the real client and the reading of shares below.
//!
//! Every answer is a domain value: wire names and status codes end here. Called by `sync`; `web` uses `share`.

mod client;
mod convert;
mod dialect;
mod history;
mod inspect;
mod search;
pub mod share;
mod tags;
mod tolerant;
mod wire;

use async_trait::async_trait;
use bytes::Bytes;

pub use self::client::{Client, Settings};
pub use self::inspect::{Environment, Listing, Tag, TaggedIncident};

use crate::domain::id::{EnvironmentId, IncidentId};
use crate::domain::incident::{Activity, Incident};
use crate::domain::outcome::Outcome;
use crate::domain::share::ShareKind;

/// An incident as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Without its alerts.
    pub incident: Incident,
    /// What the inbox keeps of it; see [`Api::mention`].
    pub stored: Bytes,
}

/// One page of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    pub incidents: Vec<Listed>,
    /// The page was full, so there may be another.
    pub more: bool,
}

/// What the sync asks of BigPanda. Each call makes at most one HTTP request, unless its doc says otherwise.
#[async_trait]
pub trait Api: Send + Sync {
    /// Tells the callback service that a share was handled, which releases the updates that BigPanda held back.
    async fn callback(&self, incident: &IncidentId, kind: ShareKind) -> Outcome;
    /// Sets an incident tag. Repeating it is harmless.
    async fn set_tag(&self, environment: &EnvironmentId, incident: &IncidentId, tag: &str, value: &str) -> Outcome;
    /// Adds a comment. BigPanda has no idempotency key: a repeat makes a second comment.
    async fn comment(&self, environment: &EnvironmentId, incident: &IncidentId, text: &str) -> Outcome;
    /// Whether a comment that contains `marker` is among the incident's newest hundred activities.
    async fn has_comment(&self, incident: &IncidentId, marker: &str) -> Result<bool, Outcome>;
    /// Takes an incident tag away. Repeating it is harmless.
    async fn remove_tag(&self, environment: &EnvironmentId, incident: &IncidentId, tag: &str) -> Outcome;
    /// Resolves an incident. BigPanda does it some time later; one that is resolved already counts as applied.
    async fn resolve(&self, environment: &EnvironmentId, incident: &IncidentId, text: &str) -> Outcome;
    /// The newest comments, merges and splits of an incident, oldest first.
    async fn activities(&self, incident: &IncidentId) -> Result<Vec<Activity>, Outcome>;
    /// A page of an environment's shared incidents, last changed first; the first page is 1.
    async fn shared(&self, environment: &EnvironmentId, page: u32) -> Result<Page, Outcome>;
    /// What the inbox keeps of an incident that is to be fetched when it is handled. Asks nobody.
    fn mention(&self, environment: &EnvironmentId, incident: &IncidentId) -> Bytes;
    /// Fetches an incident with its alerts.
    async fn incident(&self, environment: &EnvironmentId, incident: &IncidentId) -> Result<Incident, Outcome>;
}
