//! BigPanda's refusals: `{"status": 404, "errors": ["…"]}`.
//!
//! Called by every route. Holds always: the status in the body is the one of the response.

use http::StatusCode;
use serde_json::json;

use crate::simulator::http::Reply;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    status: StatusCode,
    text: String,
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, text: impl Into<String>) -> Self {
        Self { status, text: text.into() }
    }

    pub(crate) fn of(status: StatusCode) -> Self {
        Self::new(status, status.canonical_reason().unwrap_or("Error"))
    }

    pub(crate) fn bad(text: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, text)
    }

    pub(crate) fn missing(text: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, text)
    }

    pub(crate) fn unauthorized() -> Self {
        Self::of(StatusCode::UNAUTHORIZED)
    }

    pub(crate) fn too_many() -> Self {
        Self::of(StatusCode::TOO_MANY_REQUESTS)
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn reply(&self) -> Reply {
        Reply::json(self.status, &json!({ "status": self.status.as_u16(), "errors": [self.text] }))
    }
}
