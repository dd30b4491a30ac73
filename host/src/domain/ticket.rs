//! A ServiceNow record as far as the sync needs to know it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::id::{IncidentId, SysId};

/// Where a ticket is and what people call it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketRef {
    pub sys_id: SysId,
    /// Such as `INC0010001`; not guaranteed unique by ServiceNow.
    pub number: String,
    /// Address of its form for a person.
    pub url: String,
}

/// Where a ticket stands in its life, as far as the sync cares.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    #[default]
    Open,
    /// May be reopened.
    Resolved,
    /// Closed or cancelled: never reopened.
    Closed,
}

/// One entry of a ticket's journals.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// `sys_id` of the entry.
    pub id: String,
    pub journal: Journal,
    pub text: String,
    /// Who wrote it, as the instance names people.
    pub by: String,
    /// `sys_created_on`, UTC as it came.
    pub at: String,
}

/// A ticket as it was found at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketState {
    pub ticket: TicketRef,
    /// The incident that it belongs to.
    pub incident: IncidentId,
    /// Actual values; where a column's display value differs, that one stands under `dv_` and its name.
    pub fields: BTreeMap<String, String>,
    /// New entries of its journals, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Note>,
}

impl TicketState {
    pub fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }

    /// Orders the versions of one ticket: the instance's counter of changes.
    pub fn version(&self) -> i64 {
        self.field("sys_mod_count").parse().unwrap_or(0)
    }

    pub fn phase(&self) -> Phase {
        Phase::of_state(self.field("state"))
    }
}

impl Phase {
    /// Reads the value of `state`: 6 is Resolved, 7 Closed, 8 Canceled; all others are open.
    pub fn of_state(state: &str) -> Self {
        match state {
            "6" => Self::Resolved,
            "7" | "8" => Self::Closed,
            _ => Self::Open,
        }
    }
}

/// A field with the raw value that goes over the wire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldValue {
    pub field: String,
    pub value: String,
}

/// A reference field that is given by name and still has to be resolved to a `sys_id`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Reference {
    /// The ticket's field, such as `assignment_group`.
    pub field: String,
    /// The table to look in, such as `sys_user_group`.
    pub table: String,
    /// The column to compare, such as `name`.
    pub by: String,
    pub value: String,
}

/// The two journals of a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Journal {
    /// Seen by staff only.
    WorkNotes,
    /// Seen by the caller too.
    Comments,
}

impl Journal {
    /// The column of the ticket table.
    pub fn field(self) -> &'static str {
        match self {
            Self::WorkNotes => "work_notes",
            Self::Comments => "comments",
        }
    }
}
