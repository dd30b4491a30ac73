//! Incident tags and their definitions over HTTP.
//!
//! Called by the routes. Holds always: setting a tag to the value it has changes nothing and shares nothing.

use http::{Method, StatusCode};
use serde_json::{Value as Json, json};

use super::activity::Params as What;
use super::error::Refusal;
use super::routes::{body, no_content};
use super::store::{API_USER, Store};
use super::wire::{TagBody, TagPair};
use super::{BigPanda, share};
use crate::simulator::http::{Reply, Request, decode_segment};

pub(crate) fn all(
    bigpanda: &BigPanda,
    store: &mut Store,
    request: &Request<'_>,
    environment: &str,
    id: &str,
) -> Result<Reply, Refusal> {
    let now = bigpanda.now();
    match request.method {
        Method::GET => {
            let incident = store.incident(Some(environment), id, now)?;
            Ok(Reply::json(StatusCode::OK, &incident.tag_list()))
        }
        Method::POST => {
            let pairs: Vec<TagPair> = body(request)?;
            for pair in &pairs {
                store.definitions.check(&pair.tag_id, &pair.tag_value)?;
            }
            for pair in pairs {
                set(bigpanda, store, (Some(environment), id), &pair.tag_id, &pair.tag_value)?;
            }
            Ok(no_content())
        }
        Method::DELETE => {
            let incident = store.incident(Some(environment), id, now)?;
            let gone = std::mem::take(&mut incident.tags);
            for tag in gone {
                let what = What::Other(json!({ "tag_id": tag.id }));
                incident.happened(&bigpanda.random, "incident_tag_removed", now, API_USER, what);
            }
            share::changed(bigpanda, store, id, "incident-tag#removed");
            Ok(no_content())
        }
        _ => Err(Refusal::of(StatusCode::NOT_IMPLEMENTED)),
    }
}

pub(crate) fn one(
    bigpanda: &BigPanda,
    store: &mut Store,
    request: &Request<'_>,
    (environment, id): (&str, &str),
    tag: &str,
) -> Result<Reply, Refusal> {
    let now = bigpanda.now();
    match request.method {
        Method::GET => {
            let incident = store.incident(Some(environment), id, now)?;
            let found = incident.tag(tag).ok_or_else(|| Refusal::missing("NotExistTag"))?;
            Ok(Reply::json(
                StatusCode::OK,
                &json!({
                    "tag_id": found.id, "incident_id": id, "tag_value": found.value,
                    "name": "API User", "email": "api@example.com", "timestamp": found.at,
                }),
            ))
        }
        Method::POST => {
            let body: TagBody<'_> = body(request)?;
            store.definitions.check(tag, &body.tag_value)?;
            set(bigpanda, store, (Some(environment), id), tag, &body.tag_value)?;
            Ok(no_content())
        }
        Method::DELETE => {
            let incident = store.incident(Some(environment), id, now)?;
            let before = incident.tags.len();
            incident.tags.retain(|known| &*known.id != tag);
            if incident.tags.len() == before {
                return Err(Refusal::missing("NotExistTag"));
            }
            let what = What::Other(json!({ "tag_id": tag }));
            incident.happened(&bigpanda.random, "incident_tag_removed", now, API_USER, what);
            share::changed(bigpanda, store, id, "incident-tag#removed");
            Ok(no_content())
        }
        _ => Err(Refusal::of(StatusCode::NOT_IMPLEMENTED)),
    }
}

/// Sets a tag whose definition was checked before.
pub(crate) fn set(
    bigpanda: &BigPanda,
    store: &mut Store,
    (environment, id): (Option<&str>, &str),
    tag: &str,
    value: &str,
) -> Result<(), Refusal> {
    let now = bigpanda.now();
    let incident = store.incident(environment, id, now)?;
    if incident.set_tag(tag, value, now) {
        let what = What::Tag(tag.into(), value.into());
        incident.happened(&bigpanda.random, "incident_tag_updated", now, API_USER, what);
        share::changed(bigpanda, store, id, "incident-tag#upserted");
    }
    Ok(())
}

/// `/resources/v2.0/incidents/tags/definitions[/{id}]`.
pub(crate) fn definitions(store: &mut Store, request: &Request<'_>, rest: &[&str]) -> Result<Reply, Refusal> {
    match (&request.method, rest) {
        (&Method::GET, []) => {
            let params = request.params();
            let active = params.get("active").is_none_or(|text| text != "false");
            Ok(Reply::json(StatusCode::OK, &store.definitions.list(params.filled("type"), active)))
        }
        (&Method::POST, []) => {
            let body: Json = body(request)?;
            Ok(Reply::json(StatusCode::OK, &store.definitions.create(&body)?))
        }
        (&Method::GET, [id]) => {
            let id = decode_segment(id);
            let found = store.definitions.get(&id).ok_or_else(|| Refusal::missing("NotExistTag"))?;
            Ok(Reply::json(StatusCode::OK, &found.json()))
        }
        (&Method::PUT, [id]) => {
            let body: Json = body(request)?;
            store.definitions.update(&decode_segment(id), &body)?;
            Ok(no_content())
        }
        _ => Err(Refusal::of(StatusCode::NOT_IMPLEMENTED)),
    }
}
