//! A record as tests, the demo and the control route see it: plain texts, with its notes.
//!
//! Read-only copies. Called by the handle and by `control`. Holds always: `fields` has only what is not empty.

use std::collections::BTreeMap;

use serde::Serialize;

use super::State;
use super::dictionary::Kind;
use super::row::Row;
use super::schema::ClassId;

/// One journal entry of a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Note {
    pub sys_id: String,
    /// `comments` or `work_notes`.
    pub element: String,
    pub text: String,
    pub by: String,
    /// UTC, `YYYY-MM-DD HH:MM:SS`.
    pub at: String,
}

/// A stored record with its notes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Ticket {
    pub sys_id: String,
    pub number: String,
    pub table: String,
    pub correlation_id: String,
    pub mod_count: u32,
    pub created_by: String,
    pub updated_by: String,
    /// Every column that is not empty, as stored.
    pub fields: BTreeMap<String, String>,
    /// Oldest first.
    pub notes: Vec<Note>,
}

impl Ticket {
    /// The stored text of a column; empty when nothing is there.
    pub fn get(&self, column: &str) -> &str {
        self.fields.get(column).map_or("", String::as_str)
    }

    /// The texts of one journal column, oldest first.
    pub fn texts(&self, element: &str) -> Vec<&str> {
        self.notes.iter().filter(|note| note.element == element).map(|note| note.text.as_str()).collect()
    }

    pub(crate) fn read(state: &State, row: &Row) -> Self {
        let world = &state.world;
        let mut fields = BTreeMap::new();
        if let Some(class) = world.schema.class(row.class) {
            for column in world.schema.columns_of(class) {
                let value = world.value(row, column);
                if !value.is_empty() && column.kind != Kind::Password {
                    fields.insert(column.name.to_string(), value.text().into_owned());
                }
            }
        }
        let notes = world
            .journal_rows(row.id)
            .into_iter()
            .map(|entry| Note {
                sys_id: entry.id.to_string(),
                element: world.named_text(entry, "element").into_owned(),
                text: world.named_text(entry, "value").into_owned(),
                by: entry.created_by.to_string(),
                at: crate::simulator::calendar::stamp(entry.created),
            })
            .collect();
        Self {
            sys_id: row.id.to_string(),
            number: world.named_text(row, "number").into_owned(),
            table: world.schema.class(row.class).map_or("", |class| &class.name).to_owned(),
            correlation_id: world.named_text(row, "correlation_id").into_owned(),
            mod_count: row.mods,
            created_by: row.created_by.to_string(),
            updated_by: row.updated_by.to_string(),
            fields,
            notes,
        }
    }
}

/// All records of a table in order of creation.
pub(crate) fn all(state: &State, table: &str) -> Vec<Ticket> {
    let Some(class) = state.world.schema.table(table) else { return Vec::new() };
    let Some(heap) = state.world.heap(class.heap) else { return Vec::new() };
    heap.iter().filter(|(_, row)| class.family.contains(&row.class)).map(|(_, row)| Ticket::read(state, row)).collect()
}

/// The records whose correlation id, number or sys_id is `key`, oldest first.
pub(crate) fn find(state: &State, table: &str, key: &str) -> Vec<Ticket> {
    let Some(class) = state.world.schema.table(table) else { return Vec::new() };
    let Some(heap) = state.world.heap(class.heap) else { return Vec::new() };
    let mut rows: Vec<u32> = ["correlation_id", "number"]
        .iter()
        .filter_map(|name| class.column_id(name))
        .flat_map(|column| heap.with_text(column, key))
        .copied()
        .collect();
    rows.extend(super::row::SysId::parse(key).and_then(|id| heap.find(id)));
    rows.sort_unstable();
    rows.dedup();
    rows.iter()
        .filter_map(|no| heap.get(*no))
        .filter(|row| class.family.contains(&row.class))
        .map(|row| Ticket::read(state, row))
        .collect()
}

/// How many records a table holds, those of tables that extend it included.
pub(crate) fn count(state: &State, table: &str) -> usize {
    let Some(class) = state.world.schema.table(table) else { return 0 };
    let members: Vec<ClassId> = class.family.clone();
    state.world.heap(class.heap).map_or(0, |heap| members.iter().map(|class| heap.count(*class)).sum())
}
