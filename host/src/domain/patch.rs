//! What plugins answer: operations on a ticket's fields, each with its origin.
//!
//! A patch is a proposal. It is applied only after validation against the field dictionary (`mapping`), and
//! only by the engine, which turns it into a sealed request.

use serde::{Deserialize, Serialize};

use super::id::PluginId;
use super::ticket::{Journal, Reference};
use super::time::Timestamp;

/// A question that plugins answer. The names are those of the WIT interfaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hook {
    Gate,
    PrimaryAlert,
    ShortDescription,
    Description,
    Fields,
    Tags,
    Closure,
    Reopen,
    Conflict,
}

impl Hook {
    pub const ALL: [Self; 9] = [
        Self::Gate,
        Self::PrimaryAlert,
        Self::ShortDescription,
        Self::Description,
        Self::Fields,
        Self::Tags,
        Self::Closure,
        Self::Reopen,
        Self::Conflict,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gate => "gate",
            Self::PrimaryAlert => "primary-alert",
            Self::ShortDescription => "short-description",
            Self::Description => "description",
            Self::Fields => "fields",
            Self::Tags => "tags",
            Self::Closure => "closure",
            Self::Reopen => "reopen",
            Self::Conflict => "conflict",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|hook| hook.as_str() == name)
    }
}

/// One operation on a ticket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Op {
    Set {
        field: String,
        value: String,
    },
    /// Adds to what the chain has put into the field so far, on a new line.
    Append {
        field: String,
        value: String,
    },
    Unset {
        field: String,
    },
    SetReference(Reference),
    AddNote {
        journal: Journal,
        text: String,
    },
}

impl Op {
    /// The ticket field that the operation concerns.
    pub fn field(&self) -> &str {
        match self {
            Self::Set { field, .. } | Self::Append { field, .. } | Self::Unset { field } => field,
            Self::SetReference(reference) => &reference.field,
            Self::AddNote { journal, .. } => journal.field(),
        }
    }
}

/// Who proposed a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    pub plugin: PluginId,
    /// First twelve hexadecimal digits of the SHA-256 of the component.
    pub digest: String,
    pub hook: Hook,
}

/// An operation with its origin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    pub op: Op,
    pub origin: Origin,
    pub reason: Option<String>,
    /// Whether an update share should write this too (where *Update Fields* is empty).
    pub on_update: bool,
}

/// Where the value of a field came from: a proposal without its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lineage {
    pub field: String,
    pub origin: Origin,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Whether an event leads to anything.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    #[default]
    Proceed,
    Skip {
        reason: String,
        origin: Origin,
    },
    Hold {
        until: Timestamp,
        reason: String,
        origin: Origin,
    },
}

/// What becomes of the ticket of an incident that came back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reopening {
    /// Reopen the ticket; the note goes to its work notes.
    Reopen { note: String, origin: Origin },
    /// Create a new ticket; the note goes to both.
    Create { note: String, origin: Origin },
    /// Leave things as they are.
    Leave { reason: String, origin: Origin },
}

/// Both sides changed one mapped value since they last agreed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dispute {
    pub tag: String,
    pub field: String,
    /// The value that both sides last had, as the incident has it. None: they never agreed.
    pub agreed: Option<String>,
    pub incident_value: String,
    pub ticket_value: String,
    /// When each side changed, epoch seconds, where it is known.
    pub incident_changed: Option<i64>,
    pub ticket_changed: Option<i64>,
}

/// How a dispute was settled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settlement {
    pub tag: String,
    pub field: String,
    /// The value that both sides get.
    pub value: String,
    pub reason: Option<String>,
    pub origin: Origin,
}

/// A text that a plugin gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remark {
    pub text: String,
    pub origin: Origin,
}

/// A plugin that failed on an event, and what stood in for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginFailure {
    pub plugin: PluginId,
    pub version: String,
    pub digest: String,
    pub hook: Hook,
    /// Stable word-code such as `plugin.deadline`.
    pub code: String,
    /// One sentence, with the guest's own message when it had one.
    pub message: String,
    /// The remedy.
    pub hint: Option<String>,
    /// Demangled guest frames, innermost first, when it trapped.
    pub frames: Vec<String>,
    pub stood_in: StoodIn,
}

/// What answered in place of a failed plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StoodIn {
    /// The plugin that this one had replaced or another one in the chain.
    PreviousInChain,
    /// The bundled plugin of the hook.
    Bundled,
    /// The host's minimal record.
    Minimal,
    /// Nothing: the hook's answer is optional.
    Nothing,
}

/// All that the chain of plugins said about one event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Transformation {
    pub verdict: Verdict,
    /// Index into the incident's alerts.
    pub primary_alert: Option<usize>,
    /// In the order in which they apply; later ones win over earlier ones of the same field. Those of the `tags`
    /// hook name incident tags instead of ticket fields; `origin.hook` tells them apart.
    pub proposals: Vec<Proposal>,
    /// What the `reopen` hook said, where it was asked and answered.
    pub reopening: Option<Reopening>,
    /// The comment for the incident whose ticket was closed, where the `closure` hook was asked and gave one.
    pub closing_comment: Option<Remark>,
    /// What the `conflict` hook said, one for each dispute that it settled.
    pub settlements: Vec<Settlement>,
    pub failures: Vec<PluginFailure>,
    /// Number of the generation of plugins that answered.
    pub generation: u64,
}
