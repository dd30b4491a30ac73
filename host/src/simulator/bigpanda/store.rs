//! What one organisation stores: incidents, tag definitions, environments, callbacks received.
//!
//! Called under one lock by the routes and the control. Holds always: an incident is found by its id in constant
//! time, and changes leave their trace among its activities.

use std::collections::HashMap;

use serde::Serialize;
use serde_json::{Value as Json, json};

use super::Profile;
use super::activity::{Activity, Params};
use super::definitions::Definitions;
use super::error::Refusal;
use super::incident::Incident;
use crate::simulator::random::Random;

/// The user behind the API key.
pub(crate) const API_USER: &str = "6553d04d2463e49f8eb30001";
/// Somebody in front of the console.
pub(crate) const CONSOLE_USER: &str = "6553d04d2463e49f8eb30002";

/// A call of the callback service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Callback {
    pub incident_id: String,
    pub event_type: String,
    pub app_key: String,
    /// Milliseconds since 1970 by BigPanda's clock.
    pub at_ms: i64,
}

/// A comment on an incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Comment {
    pub text: String,
    /// User id; the API key's user is `6553d04d2463e49f8eb30001`.
    pub by: String,
    /// UTC seconds.
    pub at: i64,
}

#[derive(Debug)]
pub(crate) struct Environment {
    pub(crate) id: String,
    pub(crate) name: String,
}

#[derive(Debug)]
pub(crate) struct Store {
    pub(crate) incidents: HashMap<String, Incident>,
    /// Ids in order of arrival.
    pub(crate) order: Vec<String>,
    pub(crate) definitions: Definitions,
    pub(crate) environments: Vec<Environment>,
    pub(crate) callbacks: Vec<Callback>,
    accept_unknown: bool,
}

impl Store {
    pub(crate) fn new(profile: &Profile) -> Self {
        Self {
            incidents: HashMap::new(),
            order: Vec::new(),
            definitions: Definitions::seeded(),
            environments: vec![Environment { id: profile.environment_id.clone(), name: "All Incidents".to_owned() }],
            callbacks: Vec::new(),
            accept_unknown: profile.accept_unknown_incidents,
        }
    }

    pub(crate) fn accept_unknown(&mut self, on: bool) {
        self.accept_unknown = on;
    }

    pub(crate) fn put(&mut self, incident: Incident) {
        for environment in &incident.environments {
            if !self.environments.iter().any(|known| known.id == *environment) {
                self.environments
                    .push(Environment { id: environment.clone(), name: format!("Environment {environment}") });
            }
        }
        for tag in &incident.tags {
            self.definitions.ensure(&tag.id);
        }
        if !self.incidents.contains_key(&incident.id) {
            self.order.push(incident.id.clone());
        }
        self.incidents.insert(incident.id.clone(), incident);
    }

    pub(crate) fn environment(&self, id: &str) -> Result<&Environment, Refusal> {
        self.environments
            .iter()
            .find(|environment| environment.id == id)
            .ok_or_else(|| Refusal::missing(format!("Environment {id} was not found")))
    }

    /// The incident as seen from an environment; made up on the spot where unknown ones are accepted.
    pub(crate) fn incident(&mut self, environment: Option<&str>, id: &str, now: i64) -> Result<&mut Incident, Refusal> {
        if let Some(environment) = environment
            && !self.accept_unknown
        {
            self.environment(environment)?;
        }
        if self.accept_unknown && !self.incidents.contains_key(id) {
            let environment = environment.unwrap_or_default();
            self.order.push(id.to_owned());
            self.incidents.insert(id.to_owned(), Incident::stub(id, environment, now));
        }
        self.incidents.get_mut(id).ok_or_else(|| Refusal::missing(format!("Incident {id} was not found")))
    }
}

impl Incident {
    pub(crate) fn happened(&mut self, random: &Random, kind: &'static str, at: i64, by: &'static str, params: Params) {
        self.updated = at;
        self.activities.push_front(Activity { id: random.wide(), kind, at, by, params });
    }

    pub(crate) fn comments(&self) -> Vec<Comment> {
        self.activities
            .iter()
            .rev()
            .filter_map(|activity| match &activity.params {
                Params::Comment(text) => {
                    Some(Comment { text: text.to_string(), by: activity.by.to_owned(), at: activity.at })
                }
                Params::Tag(..) | Params::Other(_) => None,
            })
            .collect()
    }

    /// Comments, tags and state for tests and the demo.
    pub(crate) fn summary(&self) -> Json {
        json!({
            "id": self.id,
            "status": self.status,
            "active": self.active,
            "shared": self.shared,
            "tags": self.tags.iter().map(|tag| (tag.id.to_string(), json!(tag.value))).collect::<serde_json::Map<_, _>>(),
            "comments": self.comments(),
        })
    }
}
