//! From an event and the answers to it, to the requests that follow and to what the link remembers from then on.
//!
//! `decide` said what kind of change it is; plugins and, where it was needed, the other side have been asked. Nothing
//! here asks anybody. Sealing the same event again gives the same requests. Called by `sync::intake`.

pub mod again;
pub mod incident;
mod pairs;
pub mod ticket;

pub use pairs::{disputes, wants_incident, wants_ticket};

use super::policy::Policy;
use super::seal::{fingerprint, marker, request_key};
use crate::domain::id::{EnvironmentId, EventId, IncidentId};
use crate::domain::link::Link;
use crate::domain::request::{Cause, Extra, Operation, Request};
use crate::domain::share::ShareKind;

/// All that follows from one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    pub link: Link,
    pub requests: Vec<Request>,
    /// Sentences for the link's history.
    pub said: Vec<String>,
}

impl Plan {
    /// Tells the incident what a share asked for and does not get. Whoever asks for the same again knows it already.
    pub fn refuse(&mut self, event: EventId, sentences: &[String], policy: &Policy) {
        if sentences.is_empty() || !policy.follow_ups.comment {
            return;
        }
        let refused = fingerprint(&sentences.join("\n"));
        if self.link.memory.refused == refused {
            return;
        }
        let mut back = ToIncident::new(&self.link, event, policy);
        back.comment("refused", &format!("Tandem left out what this share asked for. {}", sentences.join(" ")));
        let ToIncident { mut requests, mut said, .. } = back;
        self.requests.append(&mut requests);
        self.said.append(&mut said);
        self.link.memory.refused = refused;
    }
}

/// Makes requests to BigPanda about one link, for one event.
struct ToIncident<'a> {
    link: &'a Link,
    event: EventId,
    policy: &'a Policy,
    requests: Vec<Request>,
    said: Vec<String>,
}

impl<'a> ToIncident<'a> {
    fn new(link: &'a Link, event: EventId, policy: &'a Policy) -> Self {
        Self { link, event, policy, requests: Vec::new(), said: Vec::new() }
    }

    fn tag(&mut self, tag: &str, value: &str) {
        let (name, tag, value) = (format!("tag/{tag}"), tag.to_owned(), value.to_owned());
        self.put(&name, |environment, incident| Operation::TagIncident { environment, incident, tag, value });
    }

    /// What the merge of mapped values asks for.
    fn tell(&mut self, tags: &[(String, String)], lost: &[String]) {
        for (tag, value) in tags {
            self.tag(tag, value);
        }
        for (number, text) in lost.iter().enumerate() {
            self.comment(&format!("lost/{number}"), text);
        }
    }

    fn resolve(&mut self, text: String) {
        self.put("resolve", |environment, incident| Operation::ResolveIncident { environment, incident, text });
    }

    /// `name` tells the comments of one event apart.
    fn comment(&mut self, name: &str, text: &str) {
        let name = format!("comment/{name}");
        let marker = marker(&self.key(&name));
        let text = format!("{text} {marker}");
        self.put(&name, |environment, incident| Operation::CommentIncident { environment, incident, text, marker });
    }

    fn key(&self, name: &str) -> crate::domain::id::RequestKey {
        request_key(self.link.id, &format!("event/{}", self.event), name)
    }

    fn put(&mut self, name: &str, operation: impl FnOnce(EnvironmentId, IncidentId) -> Operation) {
        // Without an environment BigPanda takes no write-back.
        let Some(environment) = self.link.environment.clone() else {
            self.said.push(format!("BigPanda could not be told ({name}): no environment of the incident is known"));
            return;
        };
        let cause = Cause {
            kind: ShareKind::Unnamed,
            environment: Some(environment.clone()),
            response_tag: self.policy.response_tag.clone(),
        };
        let operation = operation(environment, self.link.incident.clone());
        self.requests.push(Request {
            key: self.key(name),
            operation,
            cause,
            lineage: Vec::new(),
            generation: 0,
            extra: Extra::default(),
        });
    }
}
