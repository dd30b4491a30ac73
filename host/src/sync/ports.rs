//! What the shell needs from the outside, beyond the traits of the store and of the clients.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use crate::domain::event::Occasion;
use crate::domain::id::{EnvironmentId, EventId, IntegrationName};
use crate::domain::notice::Notice;
use crate::domain::patch::{Dispute, Hook, Transformation};
use crate::domain::share::{Overrides, Share};
use crate::domain::ticket::Reference;
use crate::domain::time::Timestamp;
use crate::engine::Policy;
use crate::engine::compose::Known;
use crate::servicenow::Cached;
use crate::{bigpanda, servicenow};

/// One event for the chain of plugins.
#[derive(Debug, Clone)]
pub struct TransformJob {
    pub integration: IntegrationName,
    pub event: EventId,
    pub occasion: Occasion,
    pub share: Arc<Share>,
    /// The share as the inbox keeps it, with the body as it came in.
    pub stored: Bytes,
    /// Fields of the existing ticket, where they are known.
    pub ticket: Option<Arc<BTreeMap<String, String>>>,
    pub disputes: Vec<Dispute>,
    /// Settings as plugins see them, a JSON object.
    pub settings: Arc<str>,
    pub hooks: &'static [Hook],
    pub now: Timestamp,
}

/// The chain of plugins.
#[async_trait]
pub trait Transform: Send + Sync {
    /// Asks the plugins. Always answers: whatever fails, something safe stands in and the failure is reported.
    async fn transform(&self, job: TransformJob) -> Transformation;
}

/// Tells operators what they have to know now.
pub trait Notify: Send + Sync {
    /// Takes the notice over and returns at once; whether it arrives is not the caller's business.
    fn notify(&self, notice: Notice);
}

/// Settings as they hold for one share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effective {
    pub policy: Policy,
    /// What plugins see, a JSON object.
    pub plugin_settings: Arc<str>,
    /// Sentences about overrides that were ignored.
    pub ignored: Vec<String>,
}

/// The settings of one integration.
pub trait Settings: Send + Sync {
    /// The settings with a share's overrides on top.
    fn effective(&self, overrides: &Overrides) -> Arc<Effective>;
    /// The settings without any override.
    fn plain(&self) -> &Effective;
}

/// Reads a stored share again, after a restart.
pub type Reader = Arc<dyn Fn(&[u8]) -> Result<Share, String> + Send + Sync>;

/// How an integration looks for changes by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Polls {
    pub bigpanda: bool,
    pub servicenow: bool,
    pub interval: Duration,
    /// How far each look goes back behind the last one, because changes may show late.
    pub overlap: Duration,
    /// Whether an incident that only a poll has seen gets a ticket.
    pub creates: bool,
    /// Encoded query that finds the tickets of ours.
    pub query: String,
}

impl Default for Polls {
    /// What is switched off looks for nothing.
    fn default() -> Self {
        Self {
            bigpanda: false,
            servicenow: false,
            interval: Duration::from_secs(15),
            overlap: Duration::from_mins(1),
            creates: true,
            query: "correlation_idSTARTSWITHbigpanda:".to_owned(),
        }
    }
}

/// One configured pair of BigPanda and ServiceNow.
#[derive(Clone)]
pub struct Integration {
    pub name: IntegrationName,
    pub settings: Arc<dyn Settings>,
    pub bigpanda: Arc<dyn bigpanda::Api>,
    pub servicenow: Arc<dyn servicenow::Api>,
    /// Nobody calls this ServiceNow: it pulls its requests itself and answers about each.
    pub on_premises: bool,
    /// Environment to use for an incident whose share names none.
    pub environment: Option<EnvironmentId>,
    /// BigPanda's console, for links that a share does not carry; without a slash at the end.
    pub console: Option<String>,
    /// Requests to ServiceNow under way at the same time; at least 1.
    pub to_servicenow: usize,
    pub polls: Polls,
}

impl Integration {
    /// What a look at tickets asks for.
    pub(super) fn scope(&self, policy: &Policy) -> servicenow::Scope {
        servicenow::Scope {
            table: policy.table.clone(),
            query: self.polls.query.clone(),
            columns: policy.pairs.iter().map(|pair| pair.field.clone()).collect(),
        }
    }

    /// What is known of a record that is to be referred to, without asking anybody.
    pub(super) fn known(&self, reference: &Reference) -> Known {
        match self.servicenow.cached(reference) {
            Cached::Found(sys_id) => Known::Found(sys_id.as_str().to_owned()),
            Cached::Absent => Known::Absent,
            Cached::Unknown => Known::Unasked,
        }
    }
}
