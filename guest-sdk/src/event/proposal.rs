//! What earlier plugins of the chain have proposed.

use crate::table::{Row, Table};

/// The operations proposed so far, in the order in which they apply.
#[derive(Debug, Clone)]
pub struct Proposed(Table);

impl Proposed {
    pub(crate) fn new(table: Table) -> Self {
        Self(table)
    }

    /// Every proposal.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Proposal<'_>> {
        self.0.rows().map(Proposal)
    }

    /// What the field would become: the last value that was set for it, without later appends.
    pub fn value(&self, field: &str) -> Option<&str> {
        let sets = self.iter().filter(|proposal| proposal.op() == ProposedOp::Set && proposal.field() == field);
        sets.last().map(|proposal| proposal.value())
    }
}

/// What a proposal does with its field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProposedOp {
    /// Sets it.
    Set,
    /// Adds a line to it.
    Append,
    /// Empties it.
    Unset,
    /// Sets a reference by name.
    SetReference,
    /// Adds a note.
    AddNote,
    /// An operation that this version of the SDK doesn't know.
    Unknown,
}

/// One proposal.
#[derive(Debug, Clone, Copy)]
pub struct Proposal<'a>(Row<'a>);

impl<'a> Proposal<'a> {
    /// What it does.
    pub fn op(&self) -> ProposedOp {
        match self.0.number(0) {
            0 => ProposedOp::Set,
            1 => ProposedOp::Append,
            2 => ProposedOp::Unset,
            3 => ProposedOp::SetReference,
            4 => ProposedOp::AddNote,
            _ => ProposedOp::Unknown,
        }
    }

    /// The ticket field that it concerns.
    pub fn field(&self) -> &'a str {
        self.0.text(1)
    }

    /// The value or the note's text.
    pub fn value(&self) -> &'a str {
        self.0.text(3)
    }

    /// Id of the plugin that proposed it.
    pub fn plugin(&self) -> &'a str {
        self.0.text(5)
    }
}
