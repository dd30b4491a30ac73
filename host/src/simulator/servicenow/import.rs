//! The Import Set API with BigPanda's staging table: rows are transformed into incidents at once.
//!
//! One transform map, `ShareIncident`: columns of equal name, coalescing on the BigPanda incident id. Called by the
//! router. Holds always: two imports of one incident id make one incident.

use http::{Method, StatusCode};
use serde_json::{Value as Json, json};

use super::error::ApiError;
use super::input::Fields;
use super::row::SysId;
use super::schema::ClassId;
use super::table::Call;
use super::write::{self, Written};
use super::{State, draft::Env};
use crate::simulator::http::Reply;

const MAP: &str = "ShareIncident";
const ROW: &str = "sys_import_set_row";
const KEY: &str = "u_bp_incident_id";

pub(crate) fn answer(call: &Call<'_>, state: &mut State, rest: &[&str]) -> Result<Reply, ApiError> {
    let (staging, many) = match rest {
        [staging] => (*staging, false),
        [staging, "insertMultiple"] => (*staging, true),
        _ => return Err(ApiError::no_resource()),
    };
    if call.request.method != Method::POST {
        return Err(ApiError::method_not_supported());
    }
    let known = state
        .world
        .schema
        .table(staging)
        .is_some_and(|class| state.world.schema.line(class.id).any(|parent| &*parent.name == ROW));
    if !known {
        return Err(ApiError::invalid_table(staging));
    }
    let set = set(call, state, staging)?;
    if !many {
        let fields = Fields::parse(&call.request.body).ok_or_else(ApiError::bad_json)?;
        let row = import(call, state, staging, &set.0, &fields)?;
        return Ok(Reply::json(
            StatusCode::CREATED,
            &json!({ "import_set": set.0, "staging_table": staging, "result": [row] }),
        ));
    }
    let body: Json = serde_json::from_slice(&call.request.body).map_err(|_| ApiError::bad_json())?;
    let records = body.get("records").and_then(Json::as_array).ok_or_else(ApiError::bad_json)?;
    for record in records {
        let text = record.to_string();
        let fields = Fields::parse(text.as_bytes()).ok_or_else(ApiError::bad_json)?;
        import(call, state, staging, &set.0, &fields)?;
    }
    Ok(Reply::json(
        StatusCode::CREATED,
        &json!({ "import_set_id": set.1, "multi_import_set_id": call.instance.random.hex() }),
    ))
}

/// Opens an import set; gives its number and id.
fn set(call: &Call<'_>, state: &mut State, staging: &str) -> Result<(String, String), ApiError> {
    let class = class(state, "sys_import_set")?;
    let State { world, settings, .. } = state;
    let env = Env { now: call.instance.now(), caller: call.caller, settings, display_input: false };
    let fields = [("table_name", staging), ("state", "processed")];
    let written = write::create(world, &call.instance.random, &env, class, fields.into_iter())?;
    let number = world
        .schema
        .class(class)
        .and_then(|class| world.record(class, written.id))
        .map(|(_, row)| world.named_text(row, "number").into_owned())
        .unwrap_or_default();
    Ok((number, written.id.to_string()))
}

fn class(state: &State, name: &str) -> Result<ClassId, ApiError> {
    state.world.schema.table(name).map(|class| class.id).ok_or_else(|| ApiError::invalid_table(name))
}

fn import(call: &Call<'_>, state: &mut State, staging: &str, set: &str, fields: &Fields<'_>) -> Result<Json, ApiError> {
    let (outcome, status) = match transform(call, state, fields) {
        Ok((written, "updated")) if !written.changed => (Ok(written), "ignored"),
        Ok((written, status)) => (Ok(written), status),
        Err(error) => (Err(error), "error"),
    };
    let target = outcome.as_ref().map(|written| written.id.to_string()).unwrap_or_default();
    let class = class(state, staging)?;
    let State { world, settings, .. } = &mut *state;
    let env = Env { now: call.instance.now(), caller: call.caller, settings, display_input: false };
    let all = fields.iter().chain([
        ("sys_import_set", set),
        ("sys_import_state", status),
        ("sys_target_table", "incident"),
        ("sys_target_sys_id", target.as_str()),
        ("sys_transform_map", MAP),
    ]);
    write::create(world, &call.instance.random, &env, class, all)?;
    Ok(match outcome {
        Ok(written) => json!({
            "transform_map": MAP,
            "table": "incident",
            "display_name": "number",
            "display_value": number(state, written.id),
            "record_link": format!("{}/api/now/table/incident/{}", call.request.base, written.id),
            "status": status,
            "sys_id": written.id.to_string(),
        }),
        Err(error) => json!({
            "transform_map": MAP,
            "table": "incident",
            "status": status,
            "error_message": error.detail.unwrap_or(error.message),
        }),
    })
}

fn number(state: &State, id: SysId) -> String {
    state
        .world
        .schema
        .table("incident")
        .and_then(|class| state.world.record(class, id))
        .map(|(_, row)| state.world.named_text(row, "number").into_owned())
        .unwrap_or_default()
}

/// Finds the incident of this BigPanda id and updates it, or makes one.
fn transform(call: &Call<'_>, state: &mut State, fields: &Fields<'_>) -> Result<(Written, &'static str), ApiError> {
    let key = fields.iter().find(|(name, _)| *name == KEY).map_or("", |(_, text)| text);
    let known = (!key.is_empty())
        .then(|| {
            state.world.lookup("incident", KEY, key).or_else(|| state.world.lookup("incident", "correlation_id", key))
        })
        .flatten()
        .map(|row| row.id);
    let class = class(state, "incident")?;
    let State { world, settings, .. } = &mut *state;
    let env = Env { now: call.instance.now(), caller: call.caller, settings, display_input: false };
    let random = &call.instance.random;
    if let Some(id) = known {
        let written = write::update(world, random, &env, class, id, fields.iter())?;
        return Ok((written, "updated"));
    }
    let extra = [("correlation_id", key), ("correlation_display", "BigPanda")];
    let written = write::create(world, random, &env, class, fields.iter().chain(extra))?;
    Ok((written, "inserted"))
}
