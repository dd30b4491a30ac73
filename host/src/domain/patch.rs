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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    Proceed,
    Skip { reason: String, origin: Origin },
    Hold { until: Timestamp, reason: String, origin: Origin },
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transformation {
    pub verdict: Verdict,
    /// Index into the incident's alerts.
    pub primary_alert: Option<usize>,
    /// In the order in which they apply; later ones win over earlier ones of the same field.
    pub proposals: Vec<Proposal>,
    pub failures: Vec<PluginFailure>,
    /// Number of the generation of plugins that answered.
    pub generation: u64,
}
