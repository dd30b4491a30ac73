//! The Batch API, and the short URLs that stand in for long queries.
//!
//! Items are played through the same router, one after the other. Called by the router before it takes the lock.
//! Holds always: an item without its own login acts as the caller of the batch.

use std::collections::HashMap;
use std::sync::Mutex;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{AUTHORIZATION, HeaderName, HeaderValue};
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::Instance;
use super::error::ApiError;
use crate::simulator::http::{Reply, Request};
use crate::simulator::locked;
use crate::simulator::serve::Site as _;

#[derive(Deserialize)]
struct Batch {
    #[serde(default)]
    batch_request_id: Json,
    rest_requests: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    id: Json,
    #[serde(default = "get")]
    method: String,
    url: String,
    #[serde(default)]
    headers: Vec<Header>,
    #[serde(default)]
    body: String,
    #[serde(default)]
    exclude_response_headers: bool,
}

#[derive(Deserialize)]
struct Header {
    name: String,
    value: String,
}

fn get() -> String {
    "GET".to_owned()
}

pub(crate) fn answer(instance: &Instance, request: &Request<'_>) -> Result<Reply, ApiError> {
    let batch: Batch = serde_json::from_slice(&request.body).map_err(|_| ApiError::bad_json())?;
    let mut serviced = Vec::new();
    let mut unserviced = Vec::new();
    for item in batch.rest_requests {
        let id = item.id.clone();
        match one(instance, request, &item) {
            Some(answer) => serviced.push(answer),
            None => unserviced.push(id),
        }
    }
    Ok(Reply::json(
        StatusCode::OK,
        &json!({
            "batch_request_id": batch.batch_request_id,
            "serviced_requests": serviced,
            "unserviced_requests": unserviced,
        }),
    ))
}

fn one(instance: &Instance, outer: &Request<'_>, item: &Item) -> Option<Json> {
    let mut headers = HeaderMap::new();
    if let Some(login) = outer.headers.get(AUTHORIZATION) {
        headers.insert(AUTHORIZATION, login.clone());
    }
    for header in &item.headers {
        headers
            .insert(HeaderName::from_bytes(header.name.as_bytes()).ok()?, HeaderValue::from_str(&header.value).ok()?);
    }
    let local = item.url.strip_prefix(outer.base).unwrap_or(&item.url);
    if local.contains("/batch") {
        return None;
    }
    let (path, query) = local.split_once('?').unwrap_or((local, ""));
    let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    let request = Request {
        method: item.method.parse().ok()?,
        path: &path,
        query,
        headers: &headers,
        body: Bytes::from(STANDARD.decode(&item.body).ok()?),
        base: outer.base,
    };
    let reply = instance.answer(&request);
    let mut answer = json!({
        "id": item.id,
        "body": STANDARD.encode(&reply.body),
        "status_code": reply.status.as_u16(),
        "status_text": reply.status.canonical_reason().unwrap_or_default(),
        "execution_time": 1,
        "redirect_url": Json::Null,
    });
    if !item.exclude_response_headers {
        let headers: Vec<Json> = reply
            .headers
            .iter()
            .map(|(name, value)| json!({ "name": name.as_str(), "value": value.to_str().unwrap_or_default() }))
            .collect();
        answer.as_object_mut()?.insert("headers".to_owned(), Json::Array(headers));
    }
    Some(answer)
}

/// Queries too long for a URL, under short keys.
#[derive(Debug, Default)]
pub(crate) struct ShortUrls(Mutex<HashMap<String, String>>);

#[derive(Deserialize)]
struct Long {
    url: String,
}

impl ShortUrls {
    /// `POST /api/now/tinyurl`.
    pub(crate) fn shorten(&self, key: String, request: &Request<'_>) -> Result<Reply, ApiError> {
        let long: Long = serde_json::from_slice(&request.body).map_err(|_| ApiError::bad_json())?;
        let (page, query) = long.url.split_once('?').unwrap_or((&long.url, ""));
        let short = format!("{}?sysparm_tiny={key}", page.trim_start_matches('/'));
        locked(&self.0).insert(key, query.to_owned());
        Ok(Reply::json(StatusCode::OK, &json!({ "result": short })))
    }

    /// The query that a key stands for.
    pub(crate) fn query(&self, key: &str) -> Option<String> {
        locked(&self.0).get(key).cloned()
    }
}
