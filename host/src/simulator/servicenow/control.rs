//! ServiceNow's own control routes: records, settings, people, bulk data, actors.
//!
//! Faults, requests, counters and the clock are in [`crate::simulator::control`]. The same things are methods of
//! `Handle`. Holds always: nothing here needs a login.

use std::collections::BTreeMap;

use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::dictionary::{BIGPANDA_COLUMNS, ColumnDef, Kind};
use super::draft::Env;
use super::error::ApiError;
use super::row::SysId;
use super::settings::Settings;
use super::world::{Caller, Role};
use super::{Instance, actors, seed, ticket, write};
use crate::simulator::control::{done, refused, unknown, with_body};
use crate::simulator::http::{Reply, Request, decode_segment};
use crate::simulator::locked;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Edit {
    #[serde(default = "incident")]
    table: String,
    sys_id: String,
    #[serde(default = "somebody")]
    user: String,
    fields: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Bulk {
    count: usize,
    #[serde(default = "incident")]
    table: String,
    /// `{n}` becomes the running number.
    #[serde(default)]
    fields: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Touch {
    #[serde(default = "incident")]
    table: String,
    #[serde(default)]
    query: String,
    /// UTC, `YYYY-MM-DD HH:MM:SS`; now when absent.
    #[serde(default)]
    at: Option<String>,
    #[serde(default = "somebody")]
    user: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewUser {
    user: String,
    password: String,
    role: Role,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Columns {
    #[serde(default = "incident")]
    table: String,
    #[serde(default)]
    add: Vec<NewColumn>,
    #[serde(default)]
    remove: Vec<String>,
    /// Adds or removes all `u_bp_*` columns of `incident`.
    #[serde(default)]
    bigpanda: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewColumn {
    name: String,
    #[serde(default)]
    label: String,
    #[serde(default)]
    internal_type: String,
    #[serde(default)]
    max_length: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expire {
    #[serde(default)]
    refresh_too: bool,
}

fn incident() -> String {
    "incident".to_owned()
}

fn somebody() -> String {
    "beth.anglin".to_owned()
}

pub(crate) fn answer(instance: &Instance, request: &Request<'_>, segments: &[&str]) -> Reply {
    let params = request.params();
    let table = params.filled("table").unwrap_or("incident");
    match (&request.method, segments) {
        (&Method::GET, ["tickets"]) => {
            let state = locked(&instance.state);
            match params.get("correlation_id") {
                Some(key) => Reply::json(StatusCode::OK, &ticket::find(&state, table, key)),
                None => Reply::json(StatusCode::OK, &ticket::all(&state, table)),
            }
        }
        (&Method::GET, ["tickets", key]) => {
            let state = locked(&instance.state);
            Reply::json(StatusCode::OK, &ticket::find(&state, table, &decode_segment(key)))
        }
        (&Method::GET, ["sizes"]) => {
            let state = locked(&instance.state);
            let sizes: BTreeMap<&str, usize> = state
                .world
                .schema
                .classes()
                .iter()
                .map(|class| (&*class.name, ticket::count(&state, &class.name)))
                .collect();
            Reply::json(StatusCode::OK, &sizes)
        }
        (&Method::GET, ["settings"]) => Reply::json(StatusCode::OK, &locked(&instance.state).settings),
        (&Method::POST, ["settings"]) => with_body(request, |change| merge(instance, change)),
        (&Method::POST, ["edit"]) => {
            with_body(request, |edit: Edit| match instance.edit(&edit.table, &edit.sys_id, &edit.user, &edit.fields) {
                Ok(_) => done(),
                Err(error) => error.reply(),
            })
        }
        (&Method::POST, ["bulk"]) => {
            with_body(request, |bulk: Bulk| match instance.bulk(&bulk.table, bulk.count, &bulk.fields) {
                Ok(()) => done(),
                Err(error) => error.reply(),
            })
        }
        (&Method::POST, ["touch"]) => with_body(request, |touch: Touch| {
            Reply::json(
                StatusCode::OK,
                &json!({ "touched": instance.touch(&touch.table, &touch.query, touch.at.as_deref(), &touch.user) }),
            )
        }),
        (&Method::POST, ["autoclose"]) => {
            let closed = actors::autoclose(&mut locked(&instance.state), instance);
            Reply::json(StatusCode::OK, &json!({ "closed": closed }))
        }
        (&Method::POST, ["users"]) => with_body(request, |user: NewUser| {
            instance.add_user(&user.user, &user.password, user.role);
            done()
        }),
        (&Method::POST, ["columns"]) => with_body(request, |change: Columns| {
            columns(instance, change);
            done()
        }),
        (&Method::POST, ["expire-tokens"]) => with_body(request, |expire: Expire| {
            instance.accounts.expire_tokens(expire.refresh_too);
            done()
        }),
        (&Method::POST, ["reset"]) => {
            instance.reset();
            done()
        }
        _ => unknown(request),
    }
}

/// Lays the given members over the settings in force.
fn merge(instance: &Instance, change: BTreeMap<String, Json>) -> Reply {
    let mut state = locked(&instance.state);
    let Ok(Json::Object(mut all)) = serde_json::to_value(&state.settings) else {
        return refused("the settings cannot be written as JSON");
    };
    all.extend(change);
    match serde_json::from_value::<Settings>(Json::Object(all)) {
        Ok(settings) => {
            state.set(settings);
            done()
        }
        Err(error) => refused(error),
    }
}

fn columns(instance: &Instance, change: Columns) {
    let mut state = locked(&instance.state);
    for column in change.add {
        // Definitions are static everywhere else; one leaked name per added column is the price.
        let def = ColumnDef::added(
            Box::leak(column.name.into_boxed_str()),
            Box::leak(column.label.into_boxed_str()),
            Kind::from_internal_type(&column.internal_type),
            column.max_length.unwrap_or(255),
        );
        add(&mut state.world, &change.table, def);
    }
    for name in change.remove {
        if state.world.schema.remove_column(&change.table, &name) {
            seed::forget_column(&mut state.world, &change.table, &name);
        }
    }
    match change.bigpanda {
        Some(true) => {
            for def in BIGPANDA_COLUMNS {
                add(&mut state.world, "incident", *def);
            }
        }
        Some(false) => {
            for def in BIGPANDA_COLUMNS {
                if state.world.schema.remove_column("incident", def.name) {
                    seed::forget_column(&mut state.world, "incident", def.name);
                }
            }
        }
        None => {}
    }
}

fn add(world: &mut super::world::World, table: &str, def: ColumnDef) {
    if let Some(id) = world.schema.add_column(table, def) {
        if def.indexed
            && let Some(heap) = world.schema.table(table).map(|class| class.heap)
            && let Some(heap) = world.heap_mut(heap)
        {
            heap.index(id);
        }
        seed::describe_column(world, table, def.name);
    }
}

impl Instance {
    /// Changes a record as `user` would on the form.
    pub(crate) fn edit(
        &self,
        table: &str,
        id: &str,
        user: &str,
        fields: &BTreeMap<String, String>,
    ) -> Result<bool, ApiError> {
        let mut state = locked(&self.state);
        let class =
            state.world.schema.table(table).map(|class| class.id).ok_or_else(|| ApiError::invalid_table(table))?;
        let id = SysId::parse(id).ok_or_else(ApiError::no_record)?;
        let fields = fields.iter().map(|(name, text)| (name.as_str(), text.as_str()));
        let written = actors::edit(&mut state, self, (class, id), user, fields)?;
        if written.changed {
            actors::after_write(&mut state, self, class, id);
        }
        Ok(written.changed)
    }

    /// Makes `count` records at once.
    pub(crate) fn bulk(&self, table: &str, count: usize, fields: &BTreeMap<String, String>) -> Result<(), ApiError> {
        let mut state = locked(&self.state);
        let class =
            state.world.schema.table(table).map(|class| class.id).ok_or_else(|| ApiError::invalid_table(table))?;
        let caller = actors::acting_as(&state, "admin");
        for number in 0..count {
            let running = number.to_string();
            let mut all: Vec<(&str, String)> = vec![
                ("short_description", format!("Seeded record {number}")),
                ("correlation_id", format!("seed:{number}")),
            ];
            all.extend(fields.iter().map(|(name, text)| (name.as_str(), text.replace("{n}", &running))));
            let super::State { world, settings, .. } = &mut *state;
            let env = Env { now: self.now(), caller: &caller, settings, display_input: false };
            let fields = all.iter().map(|(name, text)| (*name, text.as_str()));
            write::create(world, &self.random, &env, class, fields)?;
        }
        Ok(())
    }

    /// Gives all records of a query the same time of update, as a bulk job does.
    pub(crate) fn touch(&self, table: &str, query: &str, at: Option<&str>, user: &str) -> usize {
        let mut state = locked(&self.state);
        let at = at.and_then(crate::simulator::calendar::parse_stamp).unwrap_or_else(|| self.now());
        let caller = actors::acting_as(&state, user);
        let Some(class) = state.world.schema.table(table) else { return 0 };
        let heap = class.heap;
        let context = super::filter::Context { world: &state.world, caller: &caller, now: self.now(), strict: false };
        let filter = super::filter::Filter::compile(&context, class, &super::query::Query::parse(query));
        let rows = super::select::matching(&state.world, class, &filter);
        if let Some(heap) = state.world.heap_mut(heap) {
            for no in &rows {
                heap.touch(*no, |row| {
                    row.updated = at;
                    row.updated_by = std::sync::Arc::clone(&caller.name);
                    row.mods += 1;
                });
            }
        }
        rows.len()
    }

    /// Opens an account with its `sys_user` row.
    pub(crate) fn add_user(&self, name: &str, password: &str, role: Role) {
        let mut state = locked(&self.state);
        let admin = actors::acting_as(&state, "admin");
        let known = state.world.lookup("sys_user", "user_name", name).map(|user| user.id);
        let id = known.or_else(|| {
            let super::State { world, settings, .. } = &mut *state;
            let env = Env { now: self.now(), caller: &admin, settings, display_input: false };
            write::insert(
                world,
                &self.random,
                &env,
                "sys_user",
                &[("user_name", name), ("name", name), ("email", &format!("{name}@example.com"))],
            )
        });
        self.accounts.add_user(password, Caller { id: id.unwrap_or(SysId(0)), name: name.into(), role });
        self.accounts.set_role(name, role);
    }

    /// All records of a table.
    pub(crate) fn tickets(&self, table: &str) -> Vec<super::Ticket> {
        ticket::all(&locked(&self.state), table)
    }

    /// Records by correlation id, number or sys_id.
    pub(crate) fn find(&self, table: &str, key: &str) -> Vec<super::Ticket> {
        ticket::find(&locked(&self.state), table, key)
    }

    /// Number of records of a table.
    pub(crate) fn count(&self, table: &str) -> usize {
        ticket::count(&locked(&self.state), table)
    }

    /// Changes the settings in place.
    pub(crate) fn configure(&self, change: impl FnOnce(&mut Settings)) {
        let mut state = locked(&self.state);
        let mut settings = state.settings.clone();
        change(&mut settings);
        state.set(settings);
    }
}
