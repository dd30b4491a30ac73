//! How ServiceNow words a scripted fault.
//!
//! Which request is hit is decided in `fault`. Called by `serve` through [`super::Site`]. Holds always: a fault that
//! lets the request through carries it out exactly once.

use http::StatusCode;

use super::Instance;
use super::error::ApiError;
use crate::simulator::fault::Action;
use crate::simulator::http::{Ending, Reply, Request};
use crate::simulator::serve::{Site as _, add_headers};

/// The rule that limits requests.
pub(crate) const RULE_ID: &str = "7f2b6e0cdb2123001f4ff9b61d9619b0";

const HIBERNATING: &str = "<html><head><title>Instance Hibernating page</title></head><body><h1>Your instance is hibernating</h1><p>Want to find out why instances hibernate?</p></body></html>";

pub(crate) fn reply(instance: &Instance, action: &Action, request: &Request<'_>) -> Reply {
    match action {
        Action::Status { status, headers, after_commit, .. } => {
            if *after_commit {
                let _ = instance.answer(request);
            }
            let mut reply = plain(*status);
            add_headers(&mut reply, headers);
            reply
        }
        Action::RateLimit { limit, retry_after } => {
            rate_limited(*limit, *retry_after, instance.now() + i64::from(*retry_after))
        }
        Action::SemaphoreFull => ApiError::new(StatusCode::TOO_MANY_REQUESTS, "Too many requests", None).reply(),
        Action::Hibernating => Reply::bytes(StatusCode::OK, "text/html;charset=UTF-8", HIBERNATING),
        Action::NullBody => Reply::raw_json(StatusCode::OK, "null"),
        Action::Dropped => Reply::empty(StatusCode::ACCEPTED),
        Action::Unauthorized => ApiError::unauthenticated().reply(),
        Action::BusinessRule { name } => {
            let table = request.path.split('/').skip_while(|part| *part != "table").nth(1).unwrap_or("incident");
            ApiError::business_rule(table, name, "b2a1f6d7dba3e300bd1f7c1e3f9619a1").reply()
        }
        Action::TransactionCancelled => ApiError::transaction_cancelled().reply(),
        Action::PartialResult => partial(instance.answer(request)),
        Action::UriTooLong => uri_too_long(),
        Action::HiddenRows => {
            let mut reply = instance.answer(request);
            if reply.status == StatusCode::OK {
                reply.body = "{\"result\":[]}".into();
            }
            reply
        }
        Action::ResetBeforeHandling => {
            let mut reply = Reply::empty(StatusCode::OK);
            reply.ending = Ending::Reset;
            reply
        }
        Action::Delay { .. }
        | Action::DelayAnswer { .. }
        | Action::ResetAfterCommit
        | Action::HalfBody
        | Action::Stall => instance.answer(request),
    }
}

/// 429 as a rate-limit rule gives it. `reset` is in UNIX seconds.
pub(crate) fn rate_limited(limit: u32, retry_after: u32, reset: i64) -> Reply {
    ApiError::new(
        StatusCode::TOO_MANY_REQUESTS,
        "Rate limit exceeded",
        Some(&format!("Rate limit of {limit} requests per hour for Table API exceeded")),
    )
    .reply()
    .with("x-ratelimit-limit", &limit.to_string())
    .with("x-ratelimit-reset", &reset.to_string())
    .with("x-ratelimit-rule", RULE_ID)
    .with("retry-after", &retry_after.to_string())
}

/// The front door's page, not the platform's JSON.
pub(crate) fn uri_too_long() -> Reply {
    Reply::bytes(
        StatusCode::URI_TOO_LONG,
        "text/html;charset=utf-8",
        "<html><head><title>414 Request-URI Too Large</title></head><body><h1>414 Request-URI Too Large</h1></body></html>",
    )
}

fn plain(status: u16) -> Reply {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    match status {
        StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => Reply::bytes(
            status,
            "text/html;charset=UTF-8",
            format!("<html><head><title>{status}</title></head><body><h1>{status}</h1></body></html>"),
        ),
        StatusCode::UNAUTHORIZED => ApiError::unauthenticated().reply(),
        other => ApiError::new(other, other.canonical_reason().unwrap_or("Error"), None).reply(),
    }
}

/// The body is streamed: the error comes after the rows that were already written.
fn partial(mut reply: Reply) -> Reply {
    let mut body = reply.body.to_vec();
    if body.pop() == Some(b'}') {
        body.push(b',');
        body.extend_from_slice(&ApiError::transaction_cancelled().members());
        body.push(b'}');
        reply.body = body.into();
        reply.status = StatusCode::OK;
    }
    reply
}
