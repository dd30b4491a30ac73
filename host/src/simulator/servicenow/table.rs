//! The Table API: list, read, create, change, delete.
//!
//! Called by the router of [`super`]. Holds always: the total in `X-Total-Count` is blind to what the caller may
//! read, as measured on a live instance.

use std::collections::HashSet;

use http::header::{LINK, LOCATION};
use http::{Method, StatusCode};

use super::draft::Env;
use super::error::ApiError;
use super::filter::{Context, Filter};
use super::heap::RowNo;
use super::input::Fields;
use super::link;
use super::query::{Op, Query, Term};
use super::render::View;
use super::row::SysId;
use super::schema::{Class, ClassId};
use super::select::{self, Page};
use super::world::{Caller, Role, World};
use super::write;
use super::{Instance, State};
use crate::simulator::http::{Params, Reply, Request};

/// Rows of a list when the caller does not say how many.
const DEFAULT_LIMIT: usize = 10_000;
/// Largest request body, bytes.
pub(crate) const MAX_BODY: usize = 10_485_760;

/// Version in the path, where it changes the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    One,
    Latest,
}

/// One call with what every step needs.
pub(crate) struct Call<'a> {
    pub(crate) instance: &'a Instance,
    pub(crate) request: &'a Request<'a>,
    pub(crate) params: &'a Params<'a>,
    pub(crate) caller: &'a Caller,
    pub(crate) version: Version,
}

pub(crate) fn collection(call: &Call<'_>, state: &mut State, table: &str) -> Result<Reply, ApiError> {
    let class = class(&state.world, table)?;
    match call.request.method {
        Method::GET | Method::HEAD => list(call, state, class),
        Method::POST => create(call, state, class),
        _ => Err(ApiError::method_not_supported()),
    }
}

pub(crate) fn item(call: &Call<'_>, state: &mut State, table: &str, id: &str) -> Result<Reply, ApiError> {
    let class = class(&state.world, table)?;
    let id = SysId::parse(id).ok_or_else(ApiError::no_record)?;
    match call.request.method {
        Method::GET | Method::HEAD => read(call, state, class, id),
        Method::PUT | Method::PATCH => change(call, state, class, id),
        Method::DELETE => delete(call, state, class, id),
        _ => Err(ApiError::method_not_supported()),
    }
}

fn class(world: &World, table: &str) -> Result<ClassId, ApiError> {
    world.schema.table(table).map(|class| class.id).ok_or_else(|| ApiError::invalid_table(table))
}

fn table(world: &World, class: ClassId) -> Result<&Class, ApiError> {
    world.schema.class(class).ok_or_else(ApiError::no_resource)
}

/// Whether the caller sees rows of this table.
pub(crate) fn readable(state: &State, class: &Class, caller: &Caller) -> bool {
    let ticket = class.column_id("work_notes").is_some();
    !state.settings.unreadable_tables.contains(&*class.name)
        && match caller.role {
            Role::Admin => true,
            Role::Itil => !matches!(&*class.name, "sys_dictionary" | "sys_properties"),
            Role::IncidentRead => {
                &*class.name == "incident" || !ticket && !matches!(&*class.name, "sys_dictionary" | "sys_properties")
            }
            Role::None => false,
        }
}

fn may_write(class: &Class, caller: &Caller) -> bool {
    match caller.role {
        Role::Admin => true,
        Role::Itil => class.column_id("work_notes").is_some() || class.name.starts_with("cmdb"),
        Role::IncidentRead | Role::None => false,
    }
}

/// What `sysparm_query` and the plain `name=value` parameters select together.
pub(crate) fn wanted(world: &World, class: &Class, params: &Params<'_>) -> Query {
    let mut query = Query::parse(params.get("sysparm_query").unwrap_or_default());
    for (name, value) in params.iter() {
        if name.starts_with("sysparm_") || name.starts_with("x-sn-") {
            continue;
        }
        let column = world.schema.named(class, name);
        let by_label = column
            .filter(|column| column.choice)
            .and_then(|column| world.choice(class.id, &column.name, |choice| choice.label.eq_ignore_ascii_case(value)))
            .map(|choice| choice.value.to_string());
        let by_name = column
            .filter(|column| !column.reference.is_empty() && SysId::parse(value).is_none())
            .filter(|_| !value.is_empty())
            .and_then(|column| {
                let target = world.schema.table(&column.reference)?;
                let row = world
                    .lookup(&column.reference, &target.display, value)
                    .or_else(|| world.lookup(&column.reference, "user_name", value))?;
                Some(row.id.to_string())
            });
        query.require(&Term {
            field: name.to_owned(),
            op: Op::Equal,
            operand: by_label.or(by_name).unwrap_or_else(|| value.to_owned()),
        });
    }
    query
}

/// The rows that a request selects, and how many there are in all.
pub(crate) fn selected(
    call: &Call<'_>,
    state: &State,
    class: &Class,
    query: &Query,
    range: (usize, usize),
) -> Result<Page, ApiError> {
    let context = Context {
        world: &state.world,
        caller: call.caller,
        now: call.instance.now(),
        strict: state.settings.invalid_query_returns_no_rows,
    };
    let filter = Filter::compile(&context, class, query);
    let hidden = filter
        .columns()
        .filter_map(|column| state.world.schema.column(column))
        .any(|column| state.settings.hidden_fields.contains(&*column.name));
    if hidden {
        return Err(ApiError::query_rights(Some("Field(s) present in the query do not have permission to be read")));
    }
    let filters = filter.columns().next().is_some();
    if call.caller.role != Role::Admin && &*class.name == "sys_choice" && filters {
        return Err(ApiError::query_rights(None));
    }
    let rows = select::matching(&state.world, class, &filter);
    Ok(select::page(&state.world, class, query, rows, range, (state.settings.tie_order, call.instance.shuffle())))
}

fn list(call: &Call<'_>, state: &State, class: ClassId) -> Result<Reply, ApiError> {
    let class = table(&state.world, class)?;
    if call.caller.role != Role::Admin && (&*class.name == "sys_db_object" || class.name.starts_with("metric_")) {
        return Err(ApiError::query_rights(None));
    }
    let (offset, limit) = range(call.params)?;
    let query = wanted(&state.world, class, call.params);
    let page = selected(call, state, class, &query, (offset, limit))?;
    if call.version == Version::One && page.total == 0 {
        return Err(ApiError::no_record());
    }
    let view = View::from_params(&state.world, class, call.params, call.request.base);
    let mut body = Vec::with_capacity(64 + page.rows.len().min(1_000) * 256);
    body.extend_from_slice(b"{\"result\":[");
    if readable(state, class, call.caller) {
        rows(&mut body, state, class, &view, &page.rows);
    }
    body.extend_from_slice(b"]}");
    let mut reply = Reply::raw_json(StatusCode::OK, body);
    let no_count = call.params.flag("sysparm_no_count");
    if !no_count {
        reply.number_header("x-total-count", page.total as u64);
    }
    if !call.params.flag("sysparm_suppress_pagination_header") {
        let known_total = (!no_count).then_some(page.total);
        let more = offset.saturating_add(limit) < page.total;
        if let Some(links) = link::header(call.request, (offset, limit), known_total, more)? {
            reply.text_header(LINK, &links);
        }
    }
    Ok(reply)
}

fn rows(body: &mut Vec<u8>, state: &State, class: &Class, view: &View<'_>, rows: &[RowNo]) {
    let Some(heap) = state.world.heap(class.heap) else {
        return;
    };
    let hidden = hidden(state);
    for (index, row) in rows.iter().filter_map(|no| heap.get(*no)).enumerate() {
        if index > 0 {
            body.push(b',');
        }
        view.record(body, &state.world, class, row, &hidden);
    }
}

fn hidden(state: &State) -> HashSet<String> {
    state.settings.hidden_fields.iter().cloned().collect()
}

/// Offset and limit of a list.
pub(crate) fn range(params: &Params<'_>) -> Result<(usize, usize), ApiError> {
    Ok((number(params, "sysparm_offset")?.unwrap_or(0), number(params, "sysparm_limit")?.unwrap_or(DEFAULT_LIMIT)))
}

fn number(params: &Params<'_>, name: &str) -> Result<Option<usize>, ApiError> {
    let Some(text) = params.filled(name) else {
        return Ok(None);
    };
    match text.trim().parse::<i64>() {
        Ok(number) if number >= 0 => Ok(Some(number as usize)),
        Ok(_) => Err(ApiError::new(
            StatusCode::BAD_REQUEST,
            &format!("Invalid value for {name}: negative numbers are not allowed"),
            None,
        )),
        Err(_) => Ok(None),
    }
}

/// One record as the body of an answer.
pub(crate) fn single(
    call: &Call<'_>,
    state: &State,
    class: ClassId,
    id: SysId,
    status: StatusCode,
) -> Result<Reply, ApiError> {
    let suppressed = status != StatusCode::OK || call.request.method != Method::GET;
    if suppressed && call.request.header("x-no-response-body").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
        return Ok(Reply::empty(status));
    }
    let class = table(&state.world, class)?;
    let (_, row) = state.world.record(class, id).ok_or_else(ApiError::no_record)?;
    let view = View::from_params(&state.world, class, call.params, call.request.base);
    let mut body = Vec::with_capacity(4_096);
    body.extend_from_slice(b"{\"result\":");
    view.record(&mut body, &state.world, class, row, &hidden(state));
    body.push(b'}');
    Ok(Reply::raw_json(status, body))
}

fn read(call: &Call<'_>, state: &State, class: ClassId, id: SysId) -> Result<Reply, ApiError> {
    if !readable(state, table(&state.world, class)?, call.caller) {
        return Err(ApiError::no_record());
    }
    single(call, state, class, id, StatusCode::OK)
}

fn fields<'a>(call: &'a Call<'_>) -> Result<Fields<'a>, ApiError> {
    if call.request.body.len() > MAX_BODY {
        return Err(ApiError::too_large(call.request.body.len() as u64));
    }
    match call.request.header("content-type") {
        None => Err(ApiError::new(StatusCode::BAD_REQUEST, "Content-Type header is missing", None)),
        Some(kind) if !kind.contains("json") => {
            Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "Unsupported Media Type", Some(kind)))
        }
        Some(_) => Fields::parse(&call.request.body).ok_or_else(ApiError::bad_json),
    }
}

fn env<'a>(call: &'a Call<'_>, settings: &'a super::settings::Settings) -> Env<'a> {
    Env {
        now: call.instance.now(),
        caller: call.caller,
        settings,
        display_input: call.params.flag("sysparm_input_display_value"),
    }
}

fn create(call: &Call<'_>, state: &mut State, class: ClassId) -> Result<Reply, ApiError> {
    let fields = fields(call)?;
    if !may_write(table(&state.world, class)?, call.caller) {
        return Err(ApiError::operation_failed("ACL Exception Insert Failed due to security constraints"));
    }
    let State { world, settings, .. } = state;
    let env = env(call, settings);
    let written = write::create(world, &call.instance.random, &env, class, fields.iter())?;
    super::actors::after_write(state, call.instance, class, written.id);
    let mut reply = single(call, state, class, written.id, StatusCode::CREATED)?;
    let location = format!("{}/api/now/table/{}/{}", call.request.base, table(&state.world, class)?.name, written.id);
    reply.text_header(LOCATION, &location);
    Ok(reply)
}

fn change(call: &Call<'_>, state: &mut State, class: ClassId, id: SysId) -> Result<Reply, ApiError> {
    let fields = fields(call)?;
    let definition = table(&state.world, class)?;
    if !readable(state, definition, call.caller) {
        return Err(ApiError::no_record());
    }
    if !may_write(definition, call.caller) {
        return Err(ApiError::operation_failed("ACL Exception Update Failed due to security constraints"));
    }
    let State { world, settings, .. } = state;
    let env = env(call, settings);
    let written = write::update(world, &call.instance.random, &env, class, id, fields.iter())?;
    if written.changed {
        super::actors::after_write(state, call.instance, class, id);
    }
    single(call, state, class, id, StatusCode::OK)
}

fn delete(call: &Call<'_>, state: &mut State, class: ClassId, id: SysId) -> Result<Reply, ApiError> {
    if !may_write(table(&state.world, class)?, call.caller) {
        return Err(ApiError::operation_failed("ACL Exception Delete Failed due to security constraints"));
    }
    let State { world, settings, .. } = state;
    let env = env(call, settings);
    write::delete(world, &call.instance.random, &env, class, id)?;
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}
