//! Stores, changes and deletes records: draft, rules, then rows, journals and audit.
//!
//! Who may write is decided before. Called by the routes, the actors and the seeds. Holds always: a write that
//! changes nothing leaves the record's counters and times alone; each note becomes one `sys_journal_field` row.

use std::sync::Arc;

use super::draft::{Changes, Draft, Env, Notes};
use super::error::ApiError;
use super::heap::RowNo;
use super::row::{Row, SysId};
use super::rules;
use super::schema::{ClassId, ColumnId};
use super::world::World;
use crate::simulator::random::Random;

/// What became of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) no: RowNo,
    pub(crate) id: SysId,
    pub(crate) changed: bool,
}

pub(crate) fn create<'f>(
    world: &mut World,
    random: &Random,
    env: &Env<'_>,
    class: ClassId,
    fields: impl Iterator<Item = (&'f str, &'f str)>,
) -> Result<Written, ApiError> {
    let (mut changes, notes, id) = {
        let table = world.schema.class(class).ok_or_else(ApiError::no_resource)?;
        let mut draft = Draft::new(world, table, None);
        for (name, text) in fields {
            draft.take(env, name, text);
        }
        rules::apply(&mut draft, env)?;
        let id = match draft.wanted_id {
            Some(id) if world.record(table, id).is_some() => {
                return Err(ApiError::operation_failed(&format!(
                    "Unique Key violation detected by database (Duplicate entry '{id}' for key 'PRIMARY')"
                )));
            }
            Some(id) => id,
            None => SysId(random.wide()),
        };
        let (changes, notes) = draft.into_parts();
        (changes, notes, id)
    };
    number(world, class, &mut changes);
    let mut row = Row::new(id, class, env.now, &env.caller.name);
    for (column, text) in changes {
        let stored =
            world.schema.column(column).is_some_and(|definition| world.schema.default_of(class, definition) != &*text);
        if stored {
            row.put(column, Some(text));
        }
    }
    let heap = world.schema.class(class).map(|class| class.heap);
    let no =
        heap.and_then(|heap| world.heap_mut(heap)).map(|heap| heap.insert(row)).ok_or_else(ApiError::no_resource)?;
    journal(world, random, env, class, id, notes);
    changed(world, class);
    Ok(Written { no, id, changed: true })
}

pub(crate) fn update<'f>(
    world: &mut World,
    random: &Random,
    env: &Env<'_>,
    class: ClassId,
    id: SysId,
    fields: impl Iterator<Item = (&'f str, &'f str)>,
) -> Result<Written, ApiError> {
    let (no, own_class, heap, changes, notes) = {
        let table = world.schema.class(class).ok_or_else(ApiError::no_resource)?;
        let (no, row) = world.record(table, id).ok_or_else(ApiError::no_record)?;
        // A ticket updated through `task` still obeys the rules of its own table.
        let own = world.schema.class(row.class).unwrap_or(table);
        let mut draft = Draft::new(world, own, Some(row));
        for (name, text) in fields {
            draft.take(env, name, text);
        }
        rules::apply(&mut draft, env)?;
        let (changes, notes) = draft.into_parts();
        let changes: Vec<(ColumnId, Option<Box<str>>)> = changes
            .into_iter()
            .filter_map(|(column, text)| {
                let definition = world.schema.column(column)?;
                let differs = world.value(row, definition).text() != *text;
                let default = world.schema.default_of(own.id, definition) == &*text;
                differs.then_some((column, (!default).then_some(text)))
            })
            .collect();
        (no, own.id, own.heap, changes, notes)
    };
    let changes_anything = !changes.is_empty() || !notes.is_empty();
    if changes_anything && let Some(heap) = world.heap_mut(heap) {
        for (column, text) in changes {
            heap.put(no, column, text);
        }
        let by = Arc::clone(&env.caller.name);
        heap.touch(no, |row| {
            row.updated = env.now;
            row.updated_by = by;
            row.mods += 1;
        });
        journal(world, random, env, own_class, id, notes);
        changed(world, own_class);
    }
    Ok(Written { no, id, changed: changes_anything })
}

pub(crate) fn delete(
    world: &mut World,
    random: &Random,
    env: &Env<'_>,
    class: ClassId,
    id: SysId,
) -> Result<(), ApiError> {
    let table = world.schema.class(class).ok_or_else(ApiError::no_resource)?;
    let (no, row) = world.record(table, id).ok_or_else(ApiError::no_record)?;
    let own = row.class;
    let name = world.schema.class(own).map_or("", |class| &class.name).to_owned();
    let display = world.display_of(row).into_owned();
    let heap = table.heap;
    if let Some(heap) = world.heap_mut(heap) {
        heap.remove(no);
    }
    let id = id.to_string();
    insert(
        world,
        random,
        env,
        "sys_audit_delete",
        &[("tablename", &name), ("documentkey", &id), ("display_value", &display)],
    );
    changed(world, own);
    Ok(())
}

/// Adds a row to one of the platform's own tables, whose columns need no rules.
pub(crate) fn insert(
    world: &mut World,
    random: &Random,
    env: &Env<'_>,
    table: &str,
    cells: &[(&str, &str)],
) -> Option<SysId> {
    insert_as(world, env, table, SysId(random.wide()), cells)
}

/// The same under an id that the caller has chosen.
pub(crate) fn insert_as(
    world: &mut World,
    env: &Env<'_>,
    table: &str,
    id: SysId,
    cells: &[(&str, &str)],
) -> Option<SysId> {
    let class = world.schema.table(table)?;
    let heap = class.heap;
    let mut row = Row::new(id, class.id, env.now, &env.caller.name);
    for (name, text) in cells {
        if let Some(column) = world.schema.named(class, name)
            && &*column.default != *text
        {
            row.put(column.id, Some((*text).into()));
        }
    }
    world.heap_mut(heap)?.insert(row);
    Some(id)
}

fn journal(world: &mut World, random: &Random, env: &Env<'_>, class: ClassId, id: SysId, notes: Notes) {
    if notes.is_empty() {
        return;
    }
    let table = world.schema.class(class).map_or("", |class| &class.name).to_owned();
    let id = id.to_string();
    for (element, text) in notes {
        insert(
            world,
            random,
            env,
            "sys_journal_field",
            &[("name", &table), ("element", &element), ("element_id", &id), ("value", &text)],
        );
    }
}

/// Gives the record the next number of its table, unless the caller gave one.
fn number(world: &mut World, class: ClassId, changes: &mut Changes) {
    let Some(table) = world.schema.class(class) else {
        return;
    };
    let (prefix, effective) = (table.prefix, table.column_id("task_effective_number"));
    let Some(column) = table.column_id("number").filter(|_| !prefix.is_empty()) else {
        return;
    };
    let given = changes.iter().find(|(id, text)| *id == column && !text.is_empty()).map(|(_, text)| text.clone());
    let number: Box<str> = given.unwrap_or_else(|| {
        let next = world.numbers.entry(class).or_insert(10_000);
        *next += 1;
        format!("{prefix}{next:07}").into()
    });
    changes.retain(|(id, _)| *id != column && Some(*id) != effective);
    if let Some(effective) = effective {
        changes.push((effective, number.clone()));
    }
    changes.push((column, number));
}

/// Tables that steer the platform take effect at once.
fn changed(world: &mut World, class: ClassId) {
    let name = world.schema.class(class).map(|class| class.name.clone());
    if name.as_deref() == Some("sys_choice") {
        world.reload_choices();
    }
}
