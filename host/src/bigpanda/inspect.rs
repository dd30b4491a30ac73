//! Reading an organisation for an operator: environments, tag definitions, and incidents that carry a tag.
//!
//! Not for the sync, which asks narrow questions through [`Api`](super::Api). Nothing here writes.

use http::Method;
use serde::Deserialize;

use super::client::{Client, Endpoint};
use super::wire::Definition;
use crate::domain::id::{EnvironmentId, IncidentId};
use crate::domain::outcome::Outcome;
use crate::domain::time::Timestamp;
use crate::transport::server_time;

/// An environment that the key may see.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Environment {
    pub id: String,
    #[serde(default)]
    pub name: String,
}

/// A tag's definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    pub id: String,
    pub name: String,
    /// Such as `Text`; empty when BigPanda did not say.
    pub kind: String,
    pub active: bool,
}

/// The environments, with what else the answer told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    pub environments: Vec<Environment>,
    pub server_time: Option<Timestamp>,
}

/// An incident with the value of one of its tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaggedIncident {
    pub id: IncidentId,
    pub value: String,
}

/// Largest page that BigPanda gives.
const PAGE: usize = 100;

#[derive(Deserialize)]
struct Found {
    #[serde(default)]
    items: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    id: String,
    #[serde(default)]
    incident_tags: Vec<ItemTag>,
}

#[derive(Deserialize)]
struct ItemTag {
    tag_id: String,
    #[serde(default)]
    tag_value: serde_json::Value,
}

impl Client {
    pub async fn environments(&self) -> Result<Listing, Outcome> {
        let url = self.line.at(&["resources", "v2.0", "environments"]);
        let reply = self.line.ask(Endpoint::Listings, Method::GET, url, None).await?;
        let server_time = server_time(&reply.headers);
        match serde_json::from_slice(&reply.body) {
            Ok(environments) => Ok(Listing { environments, server_time }),
            Err(error) => Err(self.line.unreadable(&reply, &error.to_string())),
        }
    }

    pub async fn tag_definitions(&self) -> Result<Vec<Tag>, Outcome> {
        let mut tags = Vec::new();
        for active in ["true", "false"] {
            let mut url = self.line.at(&["resources", "v2.0", "incidents", "tags", "definitions"]);
            url.query_pairs_mut().append_pair("active", active);
            let definitions: Vec<Definition> = self.line.list(Endpoint::Definitions, url).await?;
            let told =
                definitions.into_iter().map(|Definition { id, name, kind, active }| Tag { id, name, kind, active });
            tags.extend(told);
        }
        tags.sort_by(|one, other| one.name.cmp(&other.name));
        tags.dedup();
        Ok(tags)
    }

    /// One page of the active incidents of an environment, with the value of a tag where they carry it; and whether
    /// there may be more.
    pub async fn tagged(
        &self,
        environment: &EnvironmentId,
        tag_id: &str,
        page: usize,
    ) -> Result<(Vec<TaggedIncident>, bool), Outcome> {
        let mut url = self.line.at(&["resources", "v2.0", "environments", environment.as_str(), "incidents"]);
        url.query_pairs_mut()
            .append_pair("folder", "active")
            .append_pair("sort_by", "start")
            .append_pair("page", &page.to_string())
            .append_pair("page_size", &PAGE.to_string());
        let reply = self.line.ask(Endpoint::Listings, Method::GET, url, None).await?;
        let found: Found =
            serde_json::from_slice(&reply.body).map_err(|error| self.line.unreadable(&reply, &error.to_string()))?;
        let more = found.items.len() >= PAGE;
        let tagged = found.items.into_iter().filter_map(|item| {
            let value = item.incident_tags.into_iter().find(|carried| carried.tag_id == tag_id)?.tag_value;
            Some(TaggedIncident { id: IncidentId::new(&item.id).ok()?, value: value.as_str()?.to_owned() })
        });
        Ok((tagged.collect(), more))
    }
}
