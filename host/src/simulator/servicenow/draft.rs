//! A record in the making: what stands there, what the caller wants, what the rules add.
//!
//! Nothing is stored before `write` applies it. Called by `write` and `rules`. Holds always: reading a field gives
//! the new value where there is one, else the old one, else the default.

use std::borrow::Cow;

use super::dictionary::Kind;
use super::row::{Row, SysId, Value};
use super::schema::{Class, Column, ColumnId};
use super::settings::{Settings, Unresolved};
use super::world::{Caller, World};
use crate::simulator::calendar;

/// New texts by column.
pub(crate) type Changes = Vec<(ColumnId, Box<str>)>;
/// Journal column and text.
pub(crate) type Notes = Vec<(Box<str>, Box<str>)>;

/// What a write needs to know besides the fields.
#[derive(Clone, Copy)]
pub(crate) struct Env<'a> {
    pub(crate) now: i64,
    pub(crate) caller: &'a Caller,
    pub(crate) settings: &'a Settings,
    /// `sysparm_input_display_value`.
    pub(crate) display_input: bool,
}

#[derive(Debug)]
pub(crate) struct Draft<'w> {
    pub(crate) world: &'w World,
    pub(crate) class: &'w Class,
    /// Absent for a new record.
    pub(crate) row: Option<&'w Row>,
    changes: Changes,
    pub(crate) notes: Notes,
    pub(crate) wanted_id: Option<SysId>,
}

impl<'w> Draft<'w> {
    pub(crate) fn new(world: &'w World, class: &'w Class, row: Option<&'w Row>) -> Self {
        Self { world, class, row, changes: Vec::with_capacity(24), notes: Vec::new(), wanted_id: None }
    }

    pub(crate) fn into_parts(self) -> (Changes, Notes) {
        (self.changes, self.notes)
    }

    /// Takes the caller's fields over; unknown and read-only ones are dropped without a word.
    pub(crate) fn take(&mut self, env: &Env<'_>, name: &str, text: &str) {
        if name == "sys_id" && self.row.is_none() && env.settings.accept_client_sys_id {
            self.wanted_id = SysId::parse(text);
            return;
        }
        let Some(column) = self.world.schema.named(self.class, name) else {
            return;
        };
        if column.read_only {
            return;
        }
        match column.kind {
            Kind::Journal => {
                if !text.is_empty() {
                    self.notes.push((column.name.clone(), text.into()));
                }
            }
            Kind::Password | Kind::JournalList | Kind::Guid | Kind::ClassName => {}
            Kind::Text
            | Kind::Integer
            | Kind::Boolean
            | Kind::Reference
            | Kind::DateTime
            | Kind::Date
            | Kind::Duration => {
                if let Some(stored) = self.normalised(env, column, text) {
                    self.put(column.id, stored.into());
                }
            }
        }
    }

    /// The text that is stored for an input; `None` drops it.
    fn normalised<'t>(&self, env: &Env<'_>, column: &Column, text: &'t str) -> Option<Cow<'t, str>> {
        match column.kind {
            _ if text.is_empty() => Some(Cow::Borrowed("")),
            Kind::Boolean => match text {
                "1" => Some(Cow::Borrowed("true")),
                "0" => Some(Cow::Borrowed("false")),
                other if other.eq_ignore_ascii_case("true") => Some(Cow::Borrowed("true")),
                other if other.eq_ignore_ascii_case("false") => Some(Cow::Borrowed("false")),
                _ => None,
            },
            Kind::DateTime => {
                let shift = if env.display_input { env.settings.display_offset_minutes * 60 } else { 0 };
                calendar::parse_stamp(text).map(|at| Cow::Owned(calendar::stamp(at - shift)))
            }
            Kind::Reference => Some(self.reference(env, column, text)),
            Kind::Integer | Kind::Text if column.choice => self.chosen(env, column, text),
            Kind::Integer => text.trim().parse::<i64>().ok().map(|number| {
                if number.to_string() == text { Cow::Borrowed(text) } else { Cow::Owned(number.to_string()) }
            }),
            Kind::Text
            | Kind::Date
            | Kind::Duration
            | Kind::Journal
            | Kind::JournalList
            | Kind::Password
            | Kind::Guid
            | Kind::ClassName => Some(cut(text, column.max_length)),
        }
    }

    fn reference<'t>(&self, env: &Env<'_>, column: &Column, text: &'t str) -> Cow<'t, str> {
        if SysId::parse(text).is_some() || &*column.name == "sys_domain" {
            return Cow::Borrowed(text);
        }
        let found = (env.display_input || env.settings.resolve_names)
            .then(|| self.by_display(&column.reference, text))
            .flatten();
        match (found, env.settings.unresolved_reference) {
            (Some(id), _) => Cow::Owned(id.to_string()),
            (None, Unresolved::Empty) => Cow::Borrowed(""),
            (None, Unresolved::Raw) => Cow::Borrowed(text),
        }
    }

    fn by_display(&self, table: &str, text: &str) -> Option<SysId> {
        let class = self.world.schema.table(table)?;
        self.world.lookup(table, &class.display, text).map(|row| row.id)
    }

    /// Choices: labels where display values are sent; values outside a closed list are dropped.
    fn chosen<'t>(&self, env: &Env<'_>, column: &Column, text: &'t str) -> Option<Cow<'t, str>> {
        let list = self.world.choices(self.class.id, &column.name);
        if env.display_input
            && let Some(choice) = list.iter().find(|choice| choice.label.eq_ignore_ascii_case(text))
        {
            return Some(Cow::Owned(choice.value.to_string()));
        }
        let known = list.iter().any(|choice| &*choice.value == text && !choice.inactive);
        let closed = column.kind == Kind::Integer || &*column.name == "close_code";
        if known || list.is_empty() && column.kind == Kind::Text || !closed {
            return Some(cut(text, column.max_length));
        }
        (list.is_empty() && text.parse::<i64>().is_ok()).then_some(Cow::Borrowed(text))
    }

    fn put(&mut self, column: ColumnId, text: Box<str>) {
        match self.changes.iter_mut().find(|(id, _)| *id == column) {
            Some(change) => change.1 = text,
            None => self.changes.push((column, text)),
        }
    }

    /// A rule sets a field; nothing happens where the table has no such column.
    pub(crate) fn set(&mut self, name: &str, text: impl Into<Box<str>>) {
        if let Some(column) = self.class.column_id(name) {
            self.put(column, text.into());
        }
    }

    /// Forgets what was wanted for a field.
    pub(crate) fn forget(&mut self, name: &str) {
        if let Some(column) = self.class.column_id(name) {
            self.changes.retain(|(id, _)| *id != column);
        }
    }

    /// The new value of a field where there is one.
    pub(crate) fn wanted(&self, name: &str) -> Option<&str> {
        let column = self.class.column_id(name)?;
        self.changes.iter().find(|(id, _)| *id == column).map(|(_, text)| &**text)
    }

    /// What stands there before this write; the default for a new record.
    pub(crate) fn old(&self, name: &str) -> Cow<'_, str> {
        let Some(column) = self.world.schema.named(self.class, name) else {
            return Cow::Borrowed("");
        };
        match self.row {
            Some(row) => self.world.value(row, column).text(),
            None => Value::Text(self.world.schema.default_of(self.class.id, column)).text(),
        }
    }

    /// What will stand there.
    pub(crate) fn get(&self, name: &str) -> Cow<'_, str> {
        match self.wanted(name) {
            Some(text) => Cow::Borrowed(text),
            None => self.old(name),
        }
    }

    pub(crate) fn changes_field(&self, name: &str) -> bool {
        self.wanted(name).is_some_and(|wanted| wanted != self.old(name))
    }
}

/// Short columns are as long as the database made them; long ones take what comes.
fn cut(text: &str, max_length: u32) -> Cow<'_, str> {
    if max_length > 255 || text.len() <= max_length as usize {
        return Cow::Borrowed(text);
    }
    match text.char_indices().nth(max_length as usize) {
        Some((at, _)) => Cow::Borrowed(text.get(..at).unwrap_or(text)),
        None => Cow::Borrowed(text),
    }
}
