//! ServiceNow's refusals with the exact texts that clients look for.
//!
//! Called by every route. Holds always: the body has `message`, a `detail` that may be null, and `status: failure`.

use http::StatusCode;
use http::header::WWW_AUTHENTICATE;

use crate::simulator::http::Reply;
use crate::simulator::json;

/// A refusal; [`ApiError::reply`] makes it an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ApiError {
    pub(crate) status: StatusCode,
    pub(crate) message: String,
    pub(crate) detail: Option<String>,
}

impl ApiError {
    pub(crate) fn new(status: StatusCode, message: &str, detail: Option<&str>) -> Self {
        Self { status, message: message.to_owned(), detail: detail.map(str::to_owned) }
    }

    pub(crate) fn invalid_table(name: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, &format!("Invalid table {name}"), None)
    }

    pub(crate) fn no_resource() -> Self {
        Self::new(StatusCode::BAD_REQUEST, "Requested URI does not represent any resource", None)
    }

    pub(crate) fn no_record() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "No Record found",
            Some("Record doesn't exist or ACL restricts the record retrieval"),
        )
    }

    pub(crate) fn unauthenticated() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "User Not Authenticated", Some("Required to provide Auth information"))
    }

    pub(crate) fn operation_failed(detail: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, "Operation Failed", Some(detail))
    }

    pub(crate) fn business_rule(table: &str, rule: &str, id: &str) -> Self {
        Self::operation_failed(&format!(
            "Operation against file '{table}' was aborted by Business Rule '{rule}^{id}'. Business Rule Stack:{rule}"
        ))
    }

    pub(crate) fn query_rights(detail: Option<&str>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "Insufficient rights to query records", detail)
    }

    pub(crate) fn method_not_supported() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "Method not supported", None)
    }

    pub(crate) fn bad_json() -> Self {
        Self::new(StatusCode::BAD_REQUEST, "Exception while reading request", Some("The payload is not valid JSON."))
    }

    pub(crate) fn too_large(length: u64) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "Exception while reading request",
            Some(&format!(
                "Rejected large REST payload with content-length = {length} bytes. Max allowed: 10485760 bytes."
            )),
        )
    }

    pub(crate) fn transaction_cancelled() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "Transaction cancelled: maximum execution time exceeded",
            Some(
                "Transaction cancelled: maximum execution time exceeded Check logs for error trace or enable glide.rest.debug property to verify REST request processing",
            ),
        )
    }

    /// `"error":{…},"status":"failure"`, without the outer braces.
    pub(crate) fn members(&self) -> Vec<u8> {
        let mut out = b"\"error\":{\"message\":".to_vec();
        json::string(&mut out, &self.message);
        out.extend_from_slice(b",\"detail\":");
        match &self.detail {
            Some(detail) => json::string(&mut out, detail),
            None => out.extend_from_slice(b"null"),
        }
        out.extend_from_slice(b"},\"status\":\"failure\"");
        out
    }

    pub(crate) fn reply(&self) -> Reply {
        let mut body = vec![b'{'];
        body.extend_from_slice(&self.members());
        body.push(b'}');
        let mut reply = Reply::raw_json(self.status, body);
        if self.status == StatusCode::UNAUTHORIZED {
            reply.text_header(WWW_AUTHENTICATE, "BASIC realm=\"Service-now\"");
        }
        reply
    }
}
