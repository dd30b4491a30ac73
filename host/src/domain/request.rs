//! A sealed request: one change to one side, complete and immutable.
//!
//! Delivery makes no choice about content. A retry, a restart or a plugin upgrade sends the same operation under
//! the same key. The JSON of [`Operation`] is stored in the outbox, so a variant or field is only ever added.

use serde::{Deserialize, Serialize};

use super::id::{EnvironmentId, IncidentId, RequestKey, SysId};
use super::patch::Lineage;
use super::share::ShareKind;
use super::ticket::{FieldValue, Journal, Reference};

/// Which side a request goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Target {
    ServiceNow,
    BigPanda,
}

impl Target {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ServiceNow => "servicenow",
            Self::BigPanda => "bigpanda",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::ServiceNow, Self::BigPanda].into_iter().find(|target| target.as_str() == text)
    }
}

/// The content of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "kebab-case")]
pub enum Operation {
    CreateTicket {
        table: String,
        /// Looked up before a create is ever repeated. Also among `fields`.
        correlation_id: String,
        fields: Vec<FieldValue>,
        /// Not known at sealing time; resolved and added to `fields` before the first attempt.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        references: Vec<Reference>,
    },
    UpdateTicket {
        table: String,
        ticket: SysId,
        fields: Vec<FieldValue>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        references: Vec<Reference>,
    },
    /// Tells BigPanda's callback service that the share was handled, which releases queued updates.
    Callback {
        incident: IncidentId,
        kind: ShareKind,
    },
    TagIncident {
        environment: EnvironmentId,
        incident: IncidentId,
        tag: String,
        /// Empty: the tag is taken away.
        value: String,
    },
    CommentIncident {
        environment: EnvironmentId,
        incident: IncidentId,
        text: String,
        /// Stands at the end of `text`; looked for before a comment is repeated.
        marker: String,
    },
    ResolveIncident {
        environment: EnvironmentId,
        incident: IncidentId,
        text: String,
    },
}

impl Operation {
    pub fn target(&self) -> Target {
        match self {
            Self::CreateTicket { .. } | Self::UpdateTicket { .. } => Target::ServiceNow,
            Self::Callback { .. }
            | Self::TagIncident { .. }
            | Self::CommentIncident { .. }
            | Self::ResolveIncident { .. } => Target::BigPanda,
        }
    }

    /// The word for logs, metrics and lists.
    pub fn name(&self) -> &'static str {
        match self {
            Self::CreateTicket { .. } => "create-ticket",
            Self::UpdateTicket { .. } => "update-ticket",
            Self::Callback { .. } => "callback",
            Self::TagIncident { .. } => "tag-incident",
            Self::CommentIncident { .. } => "comment-incident",
            Self::ResolveIncident { .. } => "resolve-incident",
        }
    }
}

/// What delivery needs to know of the share behind a request, to send the right follow-ups.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    pub kind: ShareKind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<EnvironmentId>,
    /// The incident tag that receives the ticket's address, or `error`.
    pub response_tag: String,
}

/// What a ticket gets beyond what plugins propose for its fields.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Extra {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<(Journal, String)>,
    /// Values that the host itself sets, whatever plugins say.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub set: Vec<FieldValue>,
    /// Fields that an update writes though no setting allows them and though they were written before.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub forced: Vec<String>,
    /// Fields that an update leaves alone.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub withheld: Vec<String>,
}

impl Extra {
    fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

/// One change to one side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    pub key: RequestKey,
    pub operation: Operation,
    pub cause: Cause,
    /// Who wrote each field, for people; delivery doesn't read it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lineage: Vec<Lineage>,
    /// Generation of plugins that answered; 0 for a request that no plugin took part in.
    #[serde(default)]
    pub generation: u64,
    /// The host's own part of the content, for sealing it again; delivery doesn't read it.
    #[serde(default, skip_serializing_if = "Extra::is_nothing")]
    pub extra: Extra,
}
