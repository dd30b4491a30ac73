//! The real BigPanda: callback service, incident tags, comments, activities and incidents over HTTP.
//!
//! Each endpoint has a limiter of its own, because BigPanda's limit is per endpoint; a request waits for its place
//! before it is sent, and a 429 slows the endpoint down for some minutes. Nothing is repeated here: BigPanda has no idempotency key.

use std::num::NonZeroU32;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::header::HeaderValue;
use http::{Method, StatusCode};
use serde::Serialize;
use url::Url;

use super::tags::Definitions;
use super::tolerant::Found;
use super::wire::{Activity, Callback, Comment, Listed, Resolve, TagValue, explain};
use super::{Api, Page, convert, dialect, history, search};
use crate::clock::Clock;
use crate::domain::fault;
use crate::domain::id::{EnvironmentId, IncidentId};
use crate::domain::incident::{self as domain, Incident};
use crate::domain::outcome::{Failure, Outcome, Receipt};
use crate::domain::secret::Secret;
use crate::domain::share::ShareKind;
use crate::transport::{self, Call, JSON, Limiter, Peer, Reply, SetupError, Vendor, page_title};

const VENDOR: Vendor = Vendor { name: "BigPanda", prefix: "bigpanda", explain };

/// Which BigPanda, with which keys, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// `https://api.bigpanda.io`, or that of another region.
    pub base_url: Url,
    /// A user API key (`BPU…`).
    pub api_key: Secret,
    /// The app key of the channel, for the callback service.
    pub app_key: Secret,
    /// Requests per second for each endpoint; `None` for no limit of ours.
    pub rate: Option<NonZeroU32>,
    pub transport: transport::Settings,
}

impl Settings {
    /// Defaults for everything but the address and the keys: five requests a second as BigPanda documents.
    pub fn new(base_url: Url, api_key: Secret, app_key: Secret) -> Self {
        Self { base_url, api_key, app_key, rate: NonZeroU32::new(5), transport: transport::Settings::default() }
    }
}

/// The endpoints that have a limit of their own.
#[derive(Debug, Clone, Copy)]
pub(super) enum Endpoint {
    Callback,
    Tag,
    Comment,
    Activities,
    Incident,
    Definitions,
    Resolve,
    Search,
    Listings,
}

struct Limiters {
    callback: Limiter,
    tag: Limiter,
    comment: Limiter,
    activities: Limiter,
    incident: Limiter,
    definitions: Limiter,
    resolve: Limiter,
    search: Limiter,
    listings: Limiter,
}

impl Limiters {
    fn new(rate: Option<NonZeroU32>) -> Self {
        let limiter = || Limiter::per_second(rate);
        Self {
            callback: limiter(),
            tag: limiter(),
            comment: limiter(),
            activities: limiter(),
            incident: limiter(),
            definitions: limiter(),
            resolve: limiter(),
            search: limiter(),
            listings: limiter(),
        }
    }

    fn of(&self, endpoint: Endpoint) -> &Limiter {
        match endpoint {
            Endpoint::Callback => &self.callback,
            Endpoint::Tag => &self.tag,
            Endpoint::Comment => &self.comment,
            Endpoint::Activities => &self.activities,
            Endpoint::Incident => &self.incident,
            Endpoint::Definitions => &self.definitions,
            Endpoint::Resolve => &self.resolve,
            Endpoint::Search => &self.search,
            Endpoint::Listings => &self.listings,
        }
    }
}

/// One BigPanda organisation, seen through one API key and one app key.
pub struct Client {
    pub(super) line: Line,
    definitions: Definitions,
    app_key: Secret,
}

/// What every call goes through.
pub(super) struct Line {
    base: Url,
    authorization: HeaderValue,
    pub(super) peer: Peer,
    limiters: Limiters,
}

impl Client {
    pub fn new(settings: Settings, clock: Arc<dyn Clock>) -> Result<Self, SetupError> {
        let Settings { base_url, api_key, app_key, rate, transport } = settings;
        let mut authorization = HeaderValue::from_str(&format!("Bearer {}", api_key.expose().trim()))
            // A key that no header can hold is refused by BigPanda like any wrong one.
            .unwrap_or_else(|_| HeaderValue::from_static("Bearer"));
        authorization.set_sensitive(true);
        let peer = Peer::new(VENDOR, transport, clock, vec![api_key, app_key.clone()])?;
        let line = Line { base: base_url, authorization, peer, limiters: Limiters::new(rate) };
        Ok(Self { line, definitions: Definitions::default(), app_key })
    }
}

impl Line {
    /// The base with segments added to its path.
    pub(super) fn at(&self, segments: &[&str]) -> Url {
        let mut url = self.base.clone();
        // Only an address such as `mailto:` has no path to add to, and the configuration admits none.
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        url
    }

    pub(super) fn incident(&self, environment: &EnvironmentId, incident: &IncidentId, more: &[&str]) -> Url {
        let mut segments =
            vec!["resources", "v2.0", "environments", environment.as_str(), "incidents", incident.as_str()];
        segments.extend(more);
        self.at(&segments)
    }

    pub(super) async fn ask(
        &self,
        endpoint: Endpoint,
        method: Method,
        url: Url,
        body: Option<Bytes>,
    ) -> Result<Reply, Outcome> {
        let limiter = self.limiters.of(endpoint);
        limiter.place().await;
        let body = body.map(|body| (JSON, body));
        let asked = self.peer.ask(Call { method, url, authorization: Some(self.authorization.clone()), body }).await;
        if matches!(&asked, Err(Outcome::Paused { failure, .. }) if failure.status == Some(429)) {
            limiter.refused();
        }
        let reply = asked?;
        if reply.html {
            let summary = "BigPanda answered with a web page instead of data".to_owned();
            return Err(Outcome::Refused(Failure {
                status: Some(reply.status.as_u16()),
                detail: page_title(&reply.body).map(|title| self.peer.clean(&title, None)),
                hint: Some("check the address: it should be the API's, such as https://api.bigpanda.io".to_owned()),
                ..self.peer.coded("not-data", summary)
            }));
        }
        Ok(reply)
    }

    /// A POST whose answer matters only as yes or no: BigPanda answers most writes without a body.
    pub(super) async fn post<T: Serialize>(&self, endpoint: Endpoint, url: Url, body: &T) -> Result<Reply, Outcome> {
        let Ok(body) = serde_json::to_vec(body) else {
            return Err(Outcome::Refused(self.peer.coded("unwritable", "the request has no JSON form".to_owned())));
        };
        self.ask(endpoint, Method::POST, url, Some(body.into())).await
    }

    /// A list, in whichever envelope.
    pub(super) async fn list<T: serde::de::DeserializeOwned>(
        &self,
        endpoint: Endpoint,
        url: Url,
    ) -> Result<Vec<T>, Outcome> {
        let reply = self.ask(endpoint, Method::GET, url, None).await?;
        match serde_json::from_slice::<Listed<T>>(&reply.body) {
            Ok(listed) => Ok(listed.into_items()),
            Err(error) => Err(self.unreadable(&reply, &error.to_string())),
        }
    }

    pub(super) fn unreadable(&self, reply: &Reply, why: &str) -> Outcome {
        Outcome::Unknown(Failure {
            status: Some(reply.status.as_u16()),
            detail: Some(self.peer.clean(why, None)),
            ..self.peer.coded("unreadable", "BigPanda answered in a way that cannot be read".to_owned())
        })
    }
}

fn applied(asked: Result<Reply, Outcome>) -> Outcome {
    match asked {
        Ok(_) => Outcome::Applied(Receipt::default()),
        Err(outcome) => outcome,
    }
}

fn done_before() -> Outcome {
    Outcome::Applied(Receipt { adopted: true, ..Receipt::default() })
}

#[async_trait]
impl Api for Client {
    async fn callback(&self, incident: &IncidentId, kind: ShareKind) -> Outcome {
        // An older dialect names no event; what waits for a callback is the first share.
        let kind = if kind == ShareKind::Unnamed { ShareKind::New } else { kind };
        let body =
            Callback { event_type: kind.as_str(), incident_id: incident.as_str(), app_key: self.app_key.expose() };
        let url = self.line.at(&["resources", "v2.1", "outbound", "callback"]);
        applied(self.line.post(Endpoint::Callback, url, &body).await)
    }

    async fn set_tag(&self, environment: &EnvironmentId, incident: &IncidentId, tag: &str, value: &str) -> Outcome {
        let id = match self.definitions.id_of(tag, &self.line).await {
            Ok(id) => id,
            Err(outcome) => return outcome,
        };
        let url = self.line.incident(environment, incident, &["tags", &id]);
        let outcome = applied(self.line.post(Endpoint::Tag, url, &TagValue { tag_value: value }).await);
        if matches!(outcome, Outcome::Missing(_) | Outcome::Refused(_)) {
            // The definition may have changed since it was read.
            self.definitions.forget();
        }
        outcome
    }

    async fn comment(&self, environment: &EnvironmentId, incident: &IncidentId, text: &str) -> Outcome {
        let url = self.line.incident(environment, incident, &["comments"]);
        applied(self.line.post(Endpoint::Comment, url, &Comment { comment: text }).await)
    }

    async fn has_comment(&self, incident: &IncidentId, marker: &str) -> Result<bool, Outcome> {
        let mut url = self.line.at(&["resources", "v2.0", "incidents", incident.as_str(), "activities"]);
        url.query_pairs_mut().append_pair("types", "incident_commented").append_pair("per_page", "100");
        let activities: Vec<Activity> = self.line.list(Endpoint::Activities, url).await?;
        let ours = |activity: &Activity| activity.params.comment.as_ref().is_some_and(|text| text.contains(marker));
        Ok(activities.iter().any(ours))
    }

    async fn remove_tag(&self, environment: &EnvironmentId, incident: &IncidentId, tag: &str) -> Outcome {
        let id = match self.definitions.id_of(tag, &self.line).await {
            Ok(id) => id,
            Err(outcome) => return outcome,
        };
        let url = self.line.incident(environment, incident, &["tags", &id]);
        let outcome = applied(self.line.ask(Endpoint::Tag, Method::DELETE, url, None).await);
        // It may be gone already.
        if matches!(outcome, Outcome::Missing(_)) { done_before() } else { outcome }
    }

    async fn resolve(&self, environment: &EnvironmentId, incident: &IncidentId, text: &str) -> Outcome {
        let url = self.line.incident(environment, incident, &["resolve"]);
        let body = Resolve { comments: text };
        let outcome = applied(self.line.post(Endpoint::Resolve, url, &body).await);
        let conflict = Some(StatusCode::CONFLICT.as_u16());
        // A conflict says that the incident is resolved already.
        if matches!(&outcome, Outcome::Refused(failure) if failure.status == conflict) {
            done_before()
        } else {
            outcome
        }
    }

    async fn activities(&self, incident: &IncidentId) -> Result<Vec<domain::Activity>, Outcome> {
        history::read(&self.line, incident).await
    }

    fn mention(&self, environment: &EnvironmentId, incident: &IncidentId) -> Bytes {
        search::mention(environment, incident)
    }

    async fn shared(&self, environment: &EnvironmentId, page: u32) -> Result<Page, Outcome> {
        search::shared(&self.line, environment, page).await
    }

    async fn incident(&self, environment: &EnvironmentId, incident: &IncidentId) -> Result<Incident, Outcome> {
        let mut url = self.line.incident(environment, incident, &[]);
        url.query_pairs_mut().append_pair("expand", "alerts");
        let reply = self.line.ask(Endpoint::Incident, Method::GET, url, None).await?;
        let raw = match serde_json::from_slice::<Found<dialect::Incident<'_>>>(&reply.body) {
            Ok(Found::Value(raw)) => raw,
            Ok(Found::Missing | Found::Odd(_)) => return Err(self.line.unreadable(&reply, "not an object")),
            Err(error) => return Err(self.line.unreadable(&reply, &error.to_string())),
        };
        match convert::incident(raw, "$") {
            Ok(read) if read.complete && read.incident.id == *incident => {
                for remark in &read.remarks {
                    tracing::warn!(incident.id = %incident, "reading the fetched incident: {remark}");
                }
                Ok(read.incident)
            }
            Ok(_) => Err(self.line.unreadable(&reply, "not the incident that was asked for, or without its alerts")),
            Err(error) => Err(self.line.unreadable(&reply, &fault::chain(&error).join(": "))),
        }
    }
}
