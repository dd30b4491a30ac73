//! The control routes that both vendors share: faults, recorded requests, counters, clock.
//!
//! Not the vendors' own state: unknown routes go on to [`Site::control`]. Called by `serve` for every path under
//! `/_control/`. Holds always: a change answers 200 with `{"ok":true}`, a mistake 400 with a sentence.

use std::time::Duration;

use http::{Method, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::capacity::Limits;
use super::fault::Fault;
use super::http::{Reply, Request};
use super::serve::Site;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockChange {
    #[serde(default)]
    advance_seconds: Option<u64>,
    #[serde(default)]
    skew_ms: Option<i64>,
    #[serde(default)]
    freeze_at: Option<i64>,
    #[serde(default)]
    reset: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RecordingChange {
    #[serde(default)]
    bodies: Option<bool>,
    #[serde(default)]
    capacity: Option<usize>,
}

pub(crate) fn answer(site: &impl Site, request: &Request<'_>, segments: &[&str]) -> Reply {
    let controls = site.controls();
    match (&request.method, segments) {
        (&Method::GET, ["faults"]) => Reply::json(StatusCode::OK, &controls.faults.list()),
        (&Method::DELETE, ["faults"]) => {
            controls.faults.clear();
            done()
        }
        (&Method::POST, ["faults"]) => with_body(request, |body: Value| match faults(body) {
            Ok(faults) => {
                for fault in faults {
                    controls.faults.add(fault);
                }
                done()
            }
            Err(why) => refused(why),
        }),
        (&Method::GET, ["requests"]) => Reply::json(StatusCode::OK, &controls.recorder.requests()),
        (&Method::GET, ["counts"]) => Reply::json(StatusCode::OK, &controls.recorder.counts()),
        (&Method::DELETE, ["requests" | "counts"]) => {
            controls.recorder.clear();
            done()
        }
        (&Method::POST, ["requests"]) => with_body(request, |change: RecordingChange| {
            if let Some(on) = change.bodies {
                controls.recorder.record_bodies(on);
            }
            if let Some(capacity) = change.capacity {
                controls.recorder.set_capacity(capacity);
            }
            done()
        }),
        (&Method::GET, ["clock"]) => Reply::json(StatusCode::OK, &json!({ "now_ms": controls.clock.now_ms() })),
        (&Method::POST, ["clock"]) => with_body(request, |change: ClockChange| {
            if change.reset {
                controls.clock.reset();
            }
            if let Some(at) = change.freeze_at {
                controls.clock.freeze(at);
            }
            if let Some(skew) = change.skew_ms {
                controls.clock.skew(skew);
            }
            if let Some(by) = change.advance_seconds {
                controls.clock.advance(Duration::from_secs(by));
            }
            done()
        }),
        (&Method::POST, ["capacity"]) => with_body(request, |limits: Option<Limits>| {
            controls.capacity.set(limits);
            done()
        }),
        (&Method::DELETE, ["capacity"]) => {
            controls.capacity.set(None);
            done()
        }
        _ => site.control(request, segments),
    }
}

/// One fault or a list of them.
fn faults(body: Value) -> Result<Vec<Fault>, String> {
    let one = |fault: Value| serde_json::from_value(fault);
    let read = if let Value::Array(all) = body {
        all.into_iter().map(one).collect()
    } else {
        one(body).map(|fault| vec![fault])
    };
    read.map_err(|error: serde_json::Error| {
        format!(
            "the body does not fit: {error}; send one fault or a list of them, each such as {}",
            r#"{"method":"POST","path":"/table/incident","count":1,"action":{"kind":"status","status":503}}"#
        )
    })
}

/// The answer to a change that went through.
pub(crate) fn done() -> Reply {
    Reply::json(StatusCode::OK, &json!({ "ok": true }))
}

/// The answer to a control request that makes no sense.
pub(crate) fn refused(why: impl std::fmt::Display) -> Reply {
    Reply::json(StatusCode::BAD_REQUEST, &json!({ "error": why.to_string() }))
}

/// The answer to a control route that does not exist.
pub(crate) fn unknown(request: &Request<'_>) -> Reply {
    Reply::json(
        StatusCode::NOT_FOUND,
        &json!({ "error": format!("no control route {} {}", request.method, request.path) }),
    )
}

/// Parses the JSON body (an empty one counts as `{}`) and goes on with it.
pub(crate) fn with_body<T: DeserializeOwned>(request: &Request<'_>, then: impl FnOnce(T) -> Reply) -> Reply {
    let body: &[u8] = if request.body.is_empty() { b"{}" } else { &request.body };
    match serde_json::from_slice(body) {
        Ok(parsed) => then(parsed),
        Err(error) => refused(format_args!("the body does not fit: {error}")),
    }
}
