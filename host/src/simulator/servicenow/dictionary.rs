//! The tables and columns that the simulated ServiceNow knows: names, labels, kinds, defaults.
//!
//! Data and its types only; rows live in `store`. Read once when a simulator starts. Holds always: a table's parent
//! stands before it in [`tables`], and a column is declared by exactly one table of a hierarchy line.

mod assets;
mod people;
mod platform;
mod task;

/// How a column's values behave. The internal type names are the ones `sys_dictionary` shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Integer,
    Boolean,
    Reference,
    DateTime,
    Date,
    Duration,
    /// Write-only: each write appends a row to `sys_journal_field`.
    Journal,
    /// Journal columns shown together.
    JournalList,
    /// Write-only and never shown.
    Password,
    Guid,
    ClassName,
}

impl Kind {
    pub(crate) fn internal_type(self) -> &'static str {
        match self {
            Self::Text => "string",
            Self::Integer => "integer",
            Self::Boolean => "boolean",
            Self::Reference => "reference",
            Self::DateTime => "glide_date_time",
            Self::Date => "glide_date",
            Self::Duration => "glide_duration",
            Self::Journal => "journal_input",
            Self::JournalList => "journal_list",
            Self::Password => "password",
            Self::Guid => "GUID",
            Self::ClassName => "sys_class_name",
        }
    }

    /// The kind behind a `sys_dictionary.internal_type`; unknown types behave as text.
    pub(crate) fn from_internal_type(name: &str) -> Self {
        match name {
            "integer" => Self::Integer,
            "boolean" => Self::Boolean,
            "reference" => Self::Reference,
            "glide_date_time" => Self::DateTime,
            "glide_date" => Self::Date,
            "glide_duration" => Self::Duration,
            "journal_input" | "journal" => Self::Journal,
            "journal_list" => Self::JournalList,
            "password" | "password2" => Self::Password,
            _ => Self::Text,
        }
    }
}

/// One column as declared.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ColumnDef {
    pub(crate) name: &'static str,
    pub(crate) label: &'static str,
    pub(crate) kind: Kind,
    pub(crate) max_length: u32,
    /// Table that a reference points to; empty otherwise.
    pub(crate) reference: &'static str,
    pub(crate) default: &'static str,
    /// Labels come from `sys_choice`.
    pub(crate) choice: bool,
    /// Equality look-ups do not scan.
    pub(crate) indexed: bool,
    /// Writes through the API are dropped silently.
    pub(crate) read_only: bool,
}

impl ColumnDef {
    const fn new(name: &'static str, label: &'static str, kind: Kind, max_length: u32) -> Self {
        Self {
            name,
            label,
            kind,
            max_length,
            reference: "",
            default: "",
            choice: false,
            indexed: false,
            read_only: false,
        }
    }

    const fn default(mut self, value: &'static str) -> Self {
        self.default = value;
        self
    }

    const fn choice(mut self) -> Self {
        self.choice = true;
        self
    }

    const fn indexed(mut self) -> Self {
        self.indexed = true;
        self
    }

    const fn read_only(mut self) -> Self {
        self.read_only = true;
        self
    }
}

const fn text(name: &'static str, label: &'static str, max_length: u32) -> ColumnDef {
    ColumnDef::new(name, label, Kind::Text, max_length)
}

const fn integer(name: &'static str, label: &'static str) -> ColumnDef {
    ColumnDef::new(name, label, Kind::Integer, 40)
}

const fn flag(name: &'static str, label: &'static str, default: &'static str) -> ColumnDef {
    ColumnDef::new(name, label, Kind::Boolean, 40).default(default)
}

const fn date_time(name: &'static str, label: &'static str) -> ColumnDef {
    ColumnDef::new(name, label, Kind::DateTime, 40)
}

const fn duration(name: &'static str, label: &'static str) -> ColumnDef {
    ColumnDef::new(name, label, Kind::Duration, 40)
}

const fn journal(name: &'static str, label: &'static str) -> ColumnDef {
    ColumnDef::new(name, label, Kind::Journal, 4_000)
}

const fn reference(name: &'static str, label: &'static str, table: &'static str) -> ColumnDef {
    let mut column = ColumnDef::new(name, label, Kind::Reference, 32);
    column.reference = table;
    column
}

/// One table as declared; inherits its parent's columns.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TableDef {
    pub(crate) name: &'static str,
    pub(crate) label: &'static str,
    pub(crate) parent: Option<&'static str>,
    /// Prefix of generated numbers; empty: rows have none.
    pub(crate) prefix: &'static str,
    /// Column whose value stands for a row in references.
    pub(crate) display: &'static str,
    pub(crate) columns: &'static [ColumnDef],
    /// Defaults that differ from those of inherited columns.
    pub(crate) defaults: &'static [(&'static str, &'static str)],
}

const fn table(
    name: &'static str,
    label: &'static str,
    display: &'static str,
    columns: &'static [ColumnDef],
) -> TableDef {
    TableDef { name, label, parent: None, prefix: "", display, columns, defaults: &[] }
}

impl TableDef {
    const fn extends(mut self, parent: &'static str) -> Self {
        self.parent = Some(parent);
        self
    }

    const fn numbered(mut self, prefix: &'static str) -> Self {
        self.prefix = prefix;
        self
    }

    const fn defaults(mut self, defaults: &'static [(&'static str, &'static str)]) -> Self {
        self.defaults = defaults;
        self
    }
}

/// Columns that every table has.
pub(crate) const SYSTEM: &[ColumnDef] = &[
    ColumnDef::new("sys_id", "Sys ID", Kind::Guid, 32).read_only(),
    date_time("sys_created_on", "Created").read_only(),
    text("sys_created_by", "Created by", 40).read_only(),
    date_time("sys_updated_on", "Updated").read_only(),
    text("sys_updated_by", "Updated by", 40).read_only(),
    integer("sys_mod_count", "Updates").read_only(),
    text("sys_tags", "Tags", 255).read_only(),
];

/// Shown by tables that have, or are, a parent.
pub(crate) const CLASS_NAME: ColumnDef = ColumnDef::new("sys_class_name", "Task type", Kind::ClassName, 80).read_only();

/// All tables, parents before children.
pub(crate) fn tables() -> impl Iterator<Item = &'static TableDef> {
    task::TABLES.iter().chain(people::TABLES).chain(assets::TABLES).chain(platform::TABLES)
}

/// The columns that BigPanda's update set adds to `incident`.
pub(crate) const BIGPANDA_COLUMNS: &[ColumnDef] = task::BIGPANDA;

/// The columns that BigPanda's own application adds to `incident`.
pub(crate) const ORIGINAL_COLUMNS: &[ColumnDef] = task::ORIGINAL;

impl ColumnDef {
    /// A column that is added while the simulator runs.
    pub(crate) fn added(name: &'static str, label: &'static str, kind: Kind, max_length: u32) -> Self {
        Self::new(name, if label.is_empty() { name } else { label }, kind, max_length)
    }
}
