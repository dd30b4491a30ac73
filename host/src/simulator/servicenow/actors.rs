//! What happens on an instance without the integration: rules that answer a write, people, nightly jobs.
//!
//! Called after writes and by the control route. Holds always: an actor's change looks like anybody's: it has its
//! own user, bumps the counters and leaves journal rows.

use std::sync::Arc;

use super::draft::Env;
use super::error::ApiError;
use super::row::SysId;
use super::schema::ClassId;
use super::world::{Caller, Role};
use super::write::{self, Written};
use super::{Instance, State};

/// A user name as a caller; unknown names act under the id zero.
pub(crate) fn acting_as(state: &State, name: &str) -> Caller {
    let id = state.world.lookup("sys_user", "user_name", name).map_or(SysId(0), |user| user.id);
    Caller { id, name: Arc::from(name), role: Role::Admin }
}

/// Changes a record as somebody else.
pub(crate) fn edit<'f>(
    state: &mut State,
    instance: &Instance,
    (class, id): (ClassId, SysId),
    user: &str,
    fields: impl Iterator<Item = (&'f str, &'f str)>,
) -> Result<Written, ApiError> {
    let caller = acting_as(state, user);
    let State { world, settings, .. } = state;
    let env = Env { now: instance.now(), caller: &caller, settings, display_input: false };
    write::update(world, &instance.random, &env, class, id, fields)
}

/// Business rules that follow a write.
pub(crate) fn after_write(state: &mut State, instance: &Instance, class: ClassId, id: SysId) {
    if state.settings.rewrites.is_empty() && !state.settings.propagate_to_children {
        return;
    }
    let table = state.world.schema.class(class).map(|class| class.name.clone());
    for rewrite in state.settings.rewrites.clone() {
        if Some(rewrite.table.as_str()) == table.as_deref() {
            let fields = [(rewrite.field.as_str(), rewrite.value.as_str())];
            // A rule that breaks a policy has no effect.
            let _ = edit(state, instance, (class, id), &rewrite.user, fields.into_iter());
        }
    }
    if state.settings.propagate_to_children && table.as_deref() == Some("incident") {
        propagate(state, instance, class, id);
    }
}

/// State, resolution and the newest notes of a parent go to its open children.
fn propagate(state: &mut State, instance: &Instance, class: ClassId, parent: SysId) {
    let Some(table) = state.world.schema.class(class) else { return };
    let Some(column) = table.column_id("parent_incident") else { return };
    let Some(heap) = state.world.heap(table.heap) else { return };
    let children: Vec<SysId> = heap
        .with_text(column, &parent.to_string())
        .iter()
        .filter_map(|no| heap.get(*no))
        .filter(|row| state.world.named_text(row, "active") == "true")
        .map(|row| row.id)
        .collect();
    let Some(row) = heap.by_id(parent) else { return };
    let value = |name: &str| state.world.named_text(row, name).into_owned();
    let mut fields: Vec<(&str, String)> = Vec::new();
    let moves = matches!(&*value("state"), "2" | "6") || value("state") == "3" && value("hold_reason") != "1";
    if moves {
        for name in ["state", "hold_reason", "close_code", "close_notes"] {
            fields.push((name, value(name)));
        }
    }
    let now = instance.now();
    for entry in state.world.journal_rows(parent) {
        // Copies are made once: only what this very write has added.
        if entry.created == now {
            let text = state.world.named_text(entry, "value").into_owned();
            match &*state.world.named_text(entry, "element") {
                "comments" => {
                    fields.push(("comments", format!("Additional comment copied from Parent Incident: {text}")));
                }
                _ => fields.push(("work_notes", format!("Work note copied from Parent Incident: {text}"))),
            }
        }
    }
    for child in children {
        let fields = fields.iter().map(|(name, text)| (*name, text.as_str()));
        let _ = edit(state, instance, (class, child), "system", fields);
    }
}

/// The nightly job: incidents resolved long enough ago become closed. Gives how many.
pub(crate) fn autoclose(state: &mut State, instance: &Instance) -> usize {
    let now = instance.now();
    let limit = now - i64::from(state.settings.autoclose_days) * 86_400;
    let Some(class) = state.world.schema.table("incident").map(|class| class.id) else {
        return 0;
    };
    let due: Vec<SysId> = state
        .world
        .schema
        .class(class)
        .and_then(|table| state.world.heap(table.heap))
        .into_iter()
        .flat_map(super::heap::Heap::iter)
        .map(|(_, row)| row)
        .filter(|row| row.class == class && state.world.named_text(row, "state") == "6")
        .filter(|row| state.world.named(row, "resolved_at").time().unwrap_or(row.updated) <= limit)
        .map(|row| row.id)
        .collect();
    due.into_iter()
        .filter(|id| {
            edit(state, instance, (class, *id), "admin", [("state", "7")].into_iter())
                .is_ok_and(|written| written.changed)
        })
        .count()
}
