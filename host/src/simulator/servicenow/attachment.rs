//! The Attachment API: upload raw or as a form, list, read, download, delete.
//!
//! File bytes are kept beside the rows of `sys_attachment`. Called by the router. Holds always: `hash` is the SHA-256
//! of the bytes, and lists carry `X-Total-Count`.

use std::fmt::Write as _;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, LINK, LOCATION};
use http::{Method, StatusCode};
use sha2::{Digest as _, Sha256};

use super::error::ApiError;
use super::link;
use super::render::View;
use super::row::SysId;
use super::table::{self, Call};
use super::write;
use super::{State, draft::Env};
use crate::simulator::http::{Params, Reply};

const TABLE: &str = "sys_attachment";

pub(crate) fn answer(call: &Call<'_>, state: &mut State, rest: &[&str]) -> Result<Reply, ApiError> {
    match (&call.request.method, rest) {
        (&Method::POST, ["file"]) => {
            let file = File {
                table: needed(call.params, "table_name")?,
                record: needed(call.params, "table_sys_id")?,
                name: needed(call.params, "file_name")?,
                content_type: call.request.header("content-type").unwrap_or("application/octet-stream").to_owned(),
                bytes: call.request.body.clone(),
            };
            upload(call, state, &file)
        }
        (&Method::POST, ["upload"]) => {
            let file = form(call).ok_or_else(|| {
                ApiError::new(
                    StatusCode::BAD_REQUEST,
                    "Failed to create the attachment",
                    Some("The form is incomplete."),
                )
            })?;
            upload(call, state, &file)
        }
        (&Method::GET | &Method::HEAD, []) => list(call, state),
        (&Method::GET | &Method::HEAD, [id]) => {
            let body = metadata(call, state, id)?;
            let mut out = b"{\"result\":".to_vec();
            out.extend_from_slice(&body);
            out.push(b'}');
            Ok(Reply::raw_json(StatusCode::OK, out))
        }
        (&Method::GET | &Method::HEAD, [id, "file"]) => download(call, state, id),
        (&Method::DELETE, [id]) => delete(call, state, id),
        (_, [] | [_] | [_, "file"]) => Err(ApiError::method_not_supported()),
        _ => Err(ApiError::no_resource()),
    }
}

struct File {
    table: String,
    record: String,
    name: String,
    content_type: String,
    bytes: Bytes,
}

fn needed(params: &Params<'_>, name: &str) -> Result<String, ApiError> {
    params
        .filled(name)
        .map(str::to_owned)
        .ok_or_else(|| ApiError::new(StatusCode::BAD_REQUEST, &format!("Required parameter {name} is missing"), None))
}

fn upload(call: &Call<'_>, state: &mut State, file: &File) -> Result<Reply, ApiError> {
    let target = state.world.schema.table(&file.table).ok_or_else(|| ApiError::invalid_table(&file.table))?;
    let record = SysId::parse(&file.record).ok_or_else(ApiError::no_record)?;
    if state.world.record(target, record).is_none() {
        return Err(ApiError::no_record());
    }
    let id = SysId(call.instance.random.wide());
    let hash = hex(&Sha256::digest(&file.bytes));
    let size = file.bytes.len().to_string();
    let State { world, settings, files } = state;
    let env = Env { now: call.instance.now(), caller: call.caller, settings, display_input: false };
    write::insert_as(
        world,
        &env,
        TABLE,
        id,
        &[
            ("file_name", &file.name),
            ("table_name", &file.table),
            ("table_sys_id", &file.record),
            ("content_type", &file.content_type),
            ("size_bytes", &size),
            ("size_compressed", &size),
            ("hash", &hash),
            ("download_link", &format!("{}/api/now/attachment/{id}/file", call.request.base)),
        ],
    )
    .ok_or_else(ApiError::no_resource)?;
    files.insert(id, file.bytes.clone());
    let mut out = b"{\"result\":".to_vec();
    out.extend_from_slice(&metadata(call, state, &id.to_string())?);
    out.push(b'}');
    let mut reply = Reply::raw_json(StatusCode::CREATED, out);
    reply.text_header(LOCATION, &format!("{}/api/now/attachment/{id}", call.request.base));
    Ok(reply)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(64), |mut out, byte| {
        // Writing to a string cannot fail.
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// The row of an attachment as a JSON object.
fn metadata(call: &Call<'_>, state: &State, id: &str) -> Result<Vec<u8>, ApiError> {
    let class = state.world.schema.table(TABLE).ok_or_else(ApiError::no_resource)?;
    let id = SysId::parse(id).ok_or_else(ApiError::no_record)?;
    let (_, row) = state.world.record(class, id).ok_or_else(ApiError::no_record)?;
    let view = View::from_params(&state.world, class, call.params, call.request.base);
    let mut out = Vec::with_capacity(1_024);
    view.record(&mut out, &state.world, class, row, &std::collections::HashSet::new());
    Ok(out)
}

fn list(call: &Call<'_>, state: &State) -> Result<Reply, ApiError> {
    let class = state.world.schema.table(TABLE).ok_or_else(ApiError::no_resource)?;
    let query = table::wanted(&state.world, class, call.params);
    let range = table::range(call.params)?;
    let page = table::selected(call, state, class, &query, range)?;
    let heap = state.world.heap(class.heap).ok_or_else(ApiError::no_resource)?;
    let mut body = b"{\"result\":[".to_vec();
    for (index, row) in page.rows.iter().filter_map(|no| heap.get(*no)).enumerate() {
        if index > 0 {
            body.push(b',');
        }
        body.extend_from_slice(&metadata(call, state, &row.id.to_string())?);
    }
    body.extend_from_slice(b"]}");
    let mut reply = Reply::raw_json(StatusCode::OK, body);
    reply.number_header("x-total-count", page.total as u64);
    let more = range.0.saturating_add(range.1) < page.total;
    if let Some(links) = link::header(call.request, range, Some(page.total), more)? {
        reply.text_header(LINK, &links);
    }
    Ok(reply)
}

fn download(call: &Call<'_>, state: &State, id: &str) -> Result<Reply, ApiError> {
    let metadata = metadata(call, state, id)?;
    let class = state.world.schema.table(TABLE).ok_or_else(ApiError::no_resource)?;
    let id = SysId::parse(id).ok_or_else(ApiError::no_record)?;
    let (_, row) = state.world.record(class, id).ok_or_else(ApiError::no_record)?;
    let bytes = state.files.get(&id).cloned().unwrap_or_default();
    let kind = state.world.named_text(row, "content_type").into_owned();
    let mut reply = Reply::bytes(StatusCode::OK, &kind, bytes);
    if !reply.headers.contains_key(CONTENT_TYPE) {
        reply.text_header(CONTENT_TYPE, "application/octet-stream");
    }
    let name = state.world.named_text(row, "file_name").replace('"', "");
    Ok(reply
        .with("content-disposition", &format!("attachment;filename=\"{name}\""))
        .with("x-attachment-metadata", &String::from_utf8_lossy(&metadata)))
}

fn delete(call: &Call<'_>, state: &mut State, id: &str) -> Result<Reply, ApiError> {
    let id = SysId::parse(id).ok_or_else(ApiError::no_record)?;
    let class = state.world.schema.table(TABLE).map(|class| class.id).ok_or_else(ApiError::no_resource)?;
    let State { world, settings, files } = state;
    let env = Env { now: call.instance.now(), caller: call.caller, settings, display_input: false };
    write::delete(world, &call.instance.random, &env, class, id)?;
    files.remove(&id);
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}

/// `multipart/form-data` with `table_name`, `table_sys_id` and one file.
fn form(call: &Call<'_>) -> Option<File> {
    let kind = call.request.header("content-type")?;
    let boundary = kind.split("boundary=").nth(1)?.split(';').next()?.trim_matches('"');
    let (mut table, mut record, mut found) = (None, None, None);
    let body = &call.request.body;
    let marker = format!("--{boundary}");
    for (start, end) in parts(body, marker.as_bytes()) {
        let part = body.get(start..end)?;
        let split = find(part, b"\r\n\r\n")?;
        let head = String::from_utf8_lossy(part.get(..split)?).into_owned();
        let content = start + split + 4..end.saturating_sub(2).max(start + split + 4);
        let value = |name: &str| {
            let from = head.split(&format!("{name}=\"")).nth(1)?;
            from.split('"').next().map(str::to_owned)
        };
        match (value(" name").as_deref(), value("filename")) {
            (_, Some(name)) => {
                let kind = head
                    .lines()
                    .find_map(|line| line.split_once(':').filter(|(name, _)| name.eq_ignore_ascii_case("content-type")))
                    .map_or("application/octet-stream", |(_, kind)| kind.trim())
                    .to_owned();
                found = Some((name, kind, body.slice(content)));
            }
            (Some("table_name"), None) => table = text(body, content),
            (Some("table_sys_id"), None) => record = text(body, content),
            _ => {}
        }
    }
    let (name, content_type, bytes) = found?;
    Some(File { table: table?, record: record?, name, content_type, bytes })
}

fn text(body: &Bytes, range: std::ops::Range<usize>) -> Option<String> {
    Some(String::from_utf8_lossy(body.get(range)?).trim().to_owned())
}

/// Where the parts between boundaries lie.
fn parts(body: &[u8], marker: &[u8]) -> Vec<(usize, usize)> {
    let mut starts = Vec::new();
    let mut at = 0;
    while let Some(found) = body.get(at..).and_then(|rest| find(rest, marker)) {
        starts.push(at + found);
        at += found + marker.len();
    }
    starts.iter().zip(starts.iter().skip(1)).map(|(start, end)| (start + marker.len(), *end)).collect()
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}
