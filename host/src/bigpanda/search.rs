//! The list of shared incidents, last changed first. Without alerts, so that a page may hold a hundred.

use bytes::Bytes;
use serde_json::json;

use super::client::{Endpoint, Line};
use super::tolerant::Found;
use super::{Listed, Page, convert, dialect, share, wire};
use crate::domain::fault;
use crate::domain::id::{EnvironmentId, IncidentId};
use crate::domain::outcome::Outcome;
use crate::domain::share::Overrides;

/// The most that BigPanda shows on a page.
const PAGE: usize = 100;

pub(super) async fn shared(line: &Line, environment: &EnvironmentId, page: u32) -> Result<Page, Outcome> {
    let mut url = line.at(&["resources", "v2.0", "environments", environment.as_str(), "incidents"]);
    url.query_pairs_mut()
        .append_pair("folder", "shared")
        .append_pair("sort_by", "last_change")
        .append_pair("page", &page.to_string())
        .append_pair("page_size", &PAGE.to_string());
    let reply = line.ask(Endpoint::Search, http::Method::GET, url, None).await?;
    let items = match serde_json::from_slice::<wire::Listed<Item<'_>>>(&reply.body) {
        Ok(listed) => listed.into_items(),
        Err(error) => return Err(line.unreadable(&reply, &error.to_string())),
    };
    let more = items.len() >= PAGE;
    let mut incidents = Vec::with_capacity(items.len());
    for Item(item) in items {
        let Found::Value(raw) = item else { continue };
        match convert::incident(raw, "$.items") {
            Ok(read) => {
                let stored = mention(environment, &read.incident.id);
                incidents.push(Listed { incident: read.incident, stored });
            }
            // One that can't be read must not hide the others.
            Err(error) => tracing::warn!(
                error.code = "bigpanda.unreadable",
                "an incident of the list is passed over: {}",
                fault::chain(&error).join(": ")
            ),
        }
    }
    Ok(Page { incidents, more })
}

/// A share that holds the ids only.
pub(super) fn mention(environment: &EnvironmentId, incident: &IncidentId) -> Bytes {
    let ids = json!({
        "incident": { "id": incident.as_str() },
        "metadata": { "environment_id": environment.as_str() },
    });
    share::stored(&Overrides::default(), ids.to_string().as_bytes())
}

/// An item that is read from the answer's own text.
struct Item<'a>(Found<dialect::Incident<'a>>);

impl<'de: 'a, 'a> serde::Deserialize<'de> for Item<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Found::deserialize(deserializer).map(Self)
    }
}
