//! What hooks answer: texts, patches, choices, and why not.

use std::fmt;

/// A hook's answer, or why there is none.
pub type Answer<T> = Result<T, Error>;

/// Why a hook has no answer. Each carries one sentence for the operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// Nothing to say about this event; the answer of an earlier plugin stands. Not a failure.
    Skip(String),
    /// The event lacks something without which no answer is possible.
    InvalidInput(String),
    /// The settings of this plugin are wrong; the operator has to change them.
    InvalidConfig(String),
    /// It may work later.
    Transient(String),
    /// Anything else.
    Failed(String),
}

impl Error {
    /// Nothing to say.
    pub fn skip(why: impl Into<String>) -> Self {
        Self::Skip(why.into())
    }

    /// Failed for a reason of its own.
    pub fn failed(why: impl Into<String>) -> Self {
        Self::Failed(why.into())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, why) = match self {
            Self::Skip(why) => ("nothing to say", why),
            Self::InvalidInput(why) => ("invalid input", why),
            Self::InvalidConfig(why) => ("invalid settings", why),
            Self::Transient(why) => ("failed for now", why),
            Self::Failed(why) => ("failed", why),
        };
        write!(f, "{what}: {why}")
    }
}

impl std::error::Error for Error {}

/// The value of one text field.
///
/// ```
/// use tandem_guest::Text;
///
/// let line = Text::new("db-1: disk full").on_update().because("the primary alert changed");
/// assert!(line.on_update);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Text {
    /// The value.
    pub text: String,
    /// Whether an update share should write it too.
    pub on_update: bool,
    /// Why the value is what it is, for the operator.
    pub reason: Option<String>,
}

impl Text {
    /// A value that only the first share writes.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), on_update: false, reason: None }
    }

    /// Written by update shares too.
    #[must_use]
    pub fn on_update(mut self) -> Self {
        self.on_update = true;
        self
    }

    /// With a reason.
    #[must_use]
    pub fn because(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }
}

/// The description of a ticket.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Body {
    /// The description.
    pub text: String,
    /// A work note to go with it.
    pub work_note: Option<String>,
    /// Whether an update share should write it too.
    pub on_update: bool,
    /// Why the value is what it is, for the operator.
    pub reason: Option<String>,
}

impl Body {
    /// A description that only the first share writes, without a work note.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    /// With a work note.
    #[must_use]
    pub fn with_work_note(mut self, note: impl Into<String>) -> Self {
        self.work_note = Some(note.into());
        self
    }

    /// Written by update shares too.
    #[must_use]
    pub fn on_update(mut self) -> Self {
        self.on_update = true;
        self
    }

    /// With a reason.
    #[must_use]
    pub fn because(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }
}

/// The two journals of a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Journal {
    /// Seen by staff only.
    WorkNotes,
    /// Seen by the caller too.
    Comments,
}

/// A reference field given by name; the host finds the `sys_id`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The ticket's field, such as `assignment_group`.
    pub field: String,
    /// The table to look in, such as `sys_user_group`.
    pub table: String,
    /// The column to compare, such as `name`.
    pub by: String,
    /// What to look for.
    pub value: String,
}

/// What one step of a patch does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Op {
    /// Sets a field.
    Set {
        /// The field.
        field: String,
        /// Its value as it goes over the wire.
        value: String,
    },
    /// Adds a line to what the chain has put into the field so far.
    Append {
        /// The field.
        field: String,
        /// The line.
        value: String,
    },
    /// Empties a field.
    Unset {
        /// The field.
        field: String,
    },
    /// Sets a reference by name.
    SetReference(Reference),
    /// Adds a note.
    AddNote {
        /// To which journal.
        journal: Journal,
        /// The note.
        text: String,
    },
}

/// One step of a patch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// What it does.
    pub op: Op,
    /// Why, for the operator.
    pub reason: Option<String>,
    /// Whether an update share should write the field too.
    pub on_update: bool,
}

impl Operation {
    /// Written by update shares too.
    pub fn on_update(&mut self) -> &mut Self {
        self.on_update = true;
        self
    }

    /// With a reason.
    pub fn because(&mut self, reason: impl Into<String>) -> &mut Self {
        self.reason = Some(reason.into());
        self
    }
}

/// Operations in order; later ones win over earlier ones of the same field.
///
/// ```
/// use tandem_guest::{Journal, Patch};
///
/// let mut patch = Patch::new();
/// patch.set("urgency", "1").because("the incident is critical").on_update();
/// patch.reference("assignment_group", "sys_user_group", "name", "Database");
/// patch.note(Journal::WorkNotes, "Opened from BigPanda.");
/// assert_eq!(patch.operations().len(), 3);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Patch(Vec<Operation>);

impl Patch {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a field.
    pub fn set(&mut self, field: impl Into<String>, value: impl Into<String>) -> &mut Operation {
        self.push(Op::Set { field: field.into(), value: value.into() })
    }

    /// Adds a line to what the chain has put into the field so far.
    pub fn append(&mut self, field: impl Into<String>, value: impl Into<String>) -> &mut Operation {
        self.push(Op::Append { field: field.into(), value: value.into() })
    }

    /// Empties a field.
    pub fn unset(&mut self, field: impl Into<String>) -> &mut Operation {
        self.push(Op::Unset { field: field.into() })
    }

    /// Sets a reference field to the record of `table` whose column `by` is `value`.
    pub fn reference(
        &mut self,
        field: impl Into<String>,
        table: impl Into<String>,
        by: impl Into<String>,
        value: impl Into<String>,
    ) -> &mut Operation {
        self.push(Op::SetReference(Reference {
            field: field.into(),
            table: table.into(),
            by: by.into(),
            value: value.into(),
        }))
    }

    /// Adds a note.
    pub fn note(&mut self, journal: Journal, text: impl Into<String>) -> &mut Operation {
        self.push(Op::AddNote { journal, text: text.into() })
    }

    /// Adds an operation made elsewhere.
    pub fn push(&mut self, op: Op) -> &mut Operation {
        self.0.push(Operation { op, reason: None, on_update: false });
        let last = self.0.len() - 1;
        #[expect(clippy::indexing_slicing, reason = "pushed just above")]
        &mut self.0[last]
    }

    /// The operations in order.
    pub fn operations(&self) -> &[Operation] {
        &self.0
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    #[cfg(target_arch = "wasm32")]
    pub(crate) fn into_operations(self) -> Vec<Operation> {
        self.0
    }
}

/// Which alert stands for the incident.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choice {
    /// [`Alert::index`](crate::event::Alert::index), or none.
    pub alert: Option<usize>,
    /// Why, for the operator.
    pub reason: Option<String>,
}

impl Choice {
    /// The alert at this place.
    pub fn of(index: usize) -> Self {
        Self { alert: Some(index), reason: None }
    }

    /// No alert.
    pub fn none() -> Self {
        Self::default()
    }

    /// With a reason.
    #[must_use]
    pub fn because(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }
}

/// Put off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// Milliseconds since 1970-01-01 UTC; see [`clock::now`](crate::clock::now).
    pub until: i64,
    /// Why, for the operator.
    pub reason: String,
}

/// Whether an event leads to anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It does.
    Proceed,
    /// Nothing is done, for the reason given.
    Skip(String),
    /// Asked again later.
    Hold(Hold),
}

/// What to do when an incident comes back. The texts are for the work notes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Reopen the ticket.
    Reopen(String),
    /// Create a new one.
    Create(String),
    /// Leave things as they are.
    Leave(String),
}

/// The value that both sides shall have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    /// The value.
    pub value: String,
    /// Why, for the operator.
    pub reason: Option<String>,
}
