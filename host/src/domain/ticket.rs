//! A ServiceNow record as far as the sync needs to know it.

use serde::{Deserialize, Serialize};

use super::id::SysId;

/// Where a ticket is and what people call it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketRef {
    pub sys_id: SysId,
    /// Such as `INC0010001`; not guaranteed unique by ServiceNow.
    pub number: String,
    /// Address of its form for a person.
    pub url: String,
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
