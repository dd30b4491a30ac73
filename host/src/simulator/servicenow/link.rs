//! The `Link` header of paged lists.
//!
//! Called by the table and attachment routes. Holds always: no header when one page holds everything; every URL is
//! absolute and repeats the caller's parameters with only offset and limit replaced.

use http::StatusCode;

use super::error::ApiError;
use crate::simulator::http::Request;

/// Beyond this the platform refuses to write the header, bytes.
const MAX_HEADER: usize = 16_384;

/// `more`: rows follow this page. `total` is unknown when the caller asked not to count.
pub(crate) fn header(
    request: &Request<'_>,
    (offset, limit): (usize, usize),
    total: Option<usize>,
    more: bool,
) -> Result<Option<String>, ApiError> {
    if limit == 0 || !more && offset == 0 {
        return Ok(None);
    }
    let mut kept = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in request.params().iter() {
        if name != "sysparm_offset" && name != "sysparm_limit" {
            kept.append_pair(name, value);
        }
    }
    let kept = kept.finish();
    let joint = if kept.is_empty() { "" } else { "&" };
    let mut links = Vec::with_capacity(4);
    let mut add = |at: usize, rel: &str| {
        links.push(format!(
            "<{}{}?{kept}{joint}sysparm_limit={limit}&sysparm_offset={at}>;rel=\"{rel}\"",
            request.base, request.path
        ));
    };
    add(0, "first");
    if offset > 0 {
        add(offset.saturating_sub(limit), "prev");
    }
    if more {
        add(offset + limit, "next");
    }
    if let Some(total) = total {
        add(total.saturating_sub(1) / limit * limit, "last");
    }
    let header = links.join(",");
    if header.len() > MAX_HEADER {
        return Err(ApiError::new(
            StatusCode::BAD_REQUEST,
            "Pagination not supported",
            Some(&format!(
                "The requested query is too long to build the response pagination header URLs. Please do one of the following: shorten the sysparm_query, or query without pagination by setting the parameter 'sysparm_suppress_pagination_header' to true, or set 'sysparm_limit' with a value larger than {} to bypass the need for pagination.",
                total.unwrap_or(offset + limit)
            )),
        ));
    }
    Ok(Some(header))
}
