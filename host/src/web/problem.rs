//! The one shape of every refusal: `{"error": {"code", "message", "hint"}}`.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::domain::fault::{Class, Fault, chain};

/// A refusal on its way out.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    code: &'static str,
    message: String,
    hint: Option<String>,
    retry_after: Option<u32>,
}

impl Problem {
    pub(super) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), hint: None, retry_after: None }
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Asks the caller to come again after so many seconds.
    pub(super) fn again_in(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    pub(super) fn status(&self) -> StatusCode {
        self.status
    }

    pub(super) fn code(&self) -> &'static str {
        self.code
    }

    /// A fault of ours or of the input; the class makes the status.
    pub(super) fn of(fault: &(impl Fault + 'static)) -> Self {
        let status = match fault.class() {
            Class::Input | Class::Config => StatusCode::BAD_REQUEST,
            Class::Auth => StatusCode::UNAUTHORIZED,
            Class::Missing => StatusCode::NOT_FOUND,
            Class::Limit => StatusCode::TOO_MANY_REQUESTS,
            Class::Refused => StatusCode::CONFLICT,
            Class::Transient | Class::Unknown | Class::Store => StatusCode::SERVICE_UNAVAILABLE,
            Class::Plugin | Class::Bug => StatusCode::INTERNAL_SERVER_ERROR,
        };
        let problem = Self::new(status, fault.code(), chain(fault).join(": "));
        let problem = match fault.hint() {
            Some(hint) => problem.hint(hint),
            None => problem,
        };
        if status == StatusCode::SERVICE_UNAVAILABLE { problem.again_in(5) } else { problem }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut error = json!({ "code": self.code, "message": self.message });
        if let (Some(hint), Some(object)) = (self.hint, error.as_object_mut()) {
            object.insert("hint".to_owned(), hint.into());
        }
        let mut response = (self.status, axum::Json(json!({ "error": error }))).into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
