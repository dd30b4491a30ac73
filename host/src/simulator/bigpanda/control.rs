//! BigPanda's own control routes: incidents, channels, shares, people's actions, the limiter.
//!
//! Faults, requests, counters and the clock are in [`crate::simulator::control`]. The same things are methods of
//! `Handle`. Holds always: nothing here needs a login.

use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::activity::Params as What;
use super::error::Refusal;
use super::incident::{Incident, capitalised};
use super::share::{Channel, Delivery};
use super::store::{CONSOLE_USER, Callback, Comment};
use super::{BigPanda, Store, alerts, routes, share, store, tags};
use crate::simulator::control::{done, refused, unknown, with_body};
use crate::simulator::http::{Reply, Request};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ShareNow {
    incident_id: String,
    #[serde(default = "first")]
    event: String,
    #[serde(default)]
    channel: Option<String>,
}

fn first() -> String {
    "incident#new".to_owned()
}

/// What a person in front of the console, or the monitoring behind it, does to an incident.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Doing {
    Comment {
        text: String,
    },
    Tag {
        id: String,
        value: String,
    },
    Untag {
        id: String,
    },
    Status {
        status: String,
    },
    Resolve {
        #[serde(default)]
        comment: Option<String>,
    },
    Reopen,
    AddAlert {
        alert: Json,
    },
}

#[derive(Deserialize)]
struct Do {
    incident_id: String,
    #[serde(flatten)]
    what: Doing,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Options {
    #[serde(default)]
    requests_per_second: Option<u32>,
    #[serde(default)]
    accept_unknown_incidents: Option<bool>,
}

pub(crate) fn answer(bigpanda: &BigPanda, request: &Request<'_>, segments: &[&str]) -> Reply {
    match (&request.method, segments) {
        (&Method::POST, ["incidents"]) => with_body(request, |body: Json| {
            let list = if let Json::Array(list) = body { list } else { vec![body] };
            let loaded: Result<Vec<String>, String> =
                list.into_iter().map(|incident| bigpanda.load(incident)).collect();
            match loaded {
                Ok(ids) => Reply::json(StatusCode::OK, &json!({ "loaded": ids })),
                Err(why) => refused(why),
            }
        }),
        (&Method::GET, ["incidents"]) => {
            let store = store(bigpanda);
            let list: Vec<Json> =
                store.order.iter().filter_map(|id| store.incidents.get(id)).map(Incident::summary).collect();
            Reply::json(StatusCode::OK, &list)
        }
        (&Method::GET, ["incidents", id]) => match store(bigpanda).incidents.get(*id) {
            Some(incident) => {
                let mut out = incident.json(true);
                if let Some(map) = out.as_object_mut() {
                    map.insert("comments".to_owned(), json!(incident.comments()));
                    map.insert("tags".to_owned(), json!(incident.tag_list()));
                }
                Reply::json(StatusCode::OK, &out)
            }
            None => Refusal::missing(format!("Incident {id} was not found")).reply(),
        },
        (&Method::GET, ["callbacks"]) => Reply::json(StatusCode::OK, &bigpanda.callbacks()),
        (&Method::GET, ["shares"]) => Reply::json(StatusCode::OK, &bigpanda.deliveries()),
        (&Method::GET, ["channels"]) => Reply::json(StatusCode::OK, &bigpanda.shares.channels()),
        (&Method::POST, ["channels"]) => with_body(request, |channel: Channel| {
            bigpanda.shares.set_channel(channel);
            done()
        }),
        (&Method::POST, ["share"]) => with_body(request, |now: ShareNow| {
            match bigpanda.share(&now.incident_id, &now.event, now.channel.as_deref()) {
                Ok(channels) => Reply::json(StatusCode::OK, &json!({ "channels": channels })),
                Err(refusal) => refusal.reply(),
            }
        }),
        (&Method::POST, ["do"]) => with_body(request, |todo: Do| match bigpanda.act(&todo.incident_id, todo.what) {
            Ok(()) => done(),
            Err(refusal) => refusal.reply(),
        }),
        (&Method::POST, ["options"]) => with_body(request, |options: Options| {
            if let Some(limit) = options.requests_per_second {
                bigpanda.limiter.set(limit);
            }
            if let Some(on) = options.accept_unknown_incidents {
                store(bigpanda).accept_unknown(on);
            }
            done()
        }),
        (&Method::POST, ["reset"]) => {
            *store(bigpanda) = Store::new(&bigpanda.profile);
            bigpanda.shares.clear();
            bigpanda.limiter.set(0);
            done()
        }
        _ => unknown(request),
    }
}

impl BigPanda {
    /// Takes an incident in; gives its id. Channels with `auto_share` get it at once.
    pub(crate) fn load(&self, incident: Json) -> Result<String, String> {
        let now = self.now();
        let mut incident = Incident::load(incident, &self.profile.environment_id, now)?;
        let (id, updated) = (incident.id.clone(), incident.updated);
        incident.happened(&self.random, "incident_created", now, CONSOLE_USER, What::Other(json!({})));
        incident.updated = updated;
        let mut store = store(self);
        store.put(incident);
        let automatic: Vec<String> = self
            .shares
            .channels()
            .into_iter()
            .filter(|channel| channel.auto_share)
            .map(|channel| channel.name)
            .collect();
        for channel in automatic {
            share::share(self, &mut store, &id, "incident#new", Some(&channel))
                .map_err(|_| format!("incident {id} is gone"))?;
        }
        Ok(id)
    }

    pub(crate) fn share(&self, id: &str, event: &str, channel: Option<&str>) -> Result<usize, Refusal> {
        share::share(self, &mut store(self), id, event, channel)
    }

    pub(crate) fn act(&self, id: &str, what: Doing) -> Result<(), Refusal> {
        let now = self.now();
        let mut store = store(self);
        match what {
            Doing::Comment { text } => {
                let incident = store.incident(None, id, now)?;
                let what = What::Comment(text.into());
                incident.happened(&self.random, "incident_commented", now, CONSOLE_USER, what);
                share::changed(self, &mut store, id, "incident#commented");
            }
            Doing::Tag { id: tag, value } => {
                store.definitions.ensure(&tag);
                tags::set(self, &mut store, (None, id), &tag, &value)?;
            }
            Doing::Untag { id: tag } => {
                let incident = store.incident(None, id, now)?;
                incident.tags.retain(|known| *known.id != *tag);
                let what = What::Other(json!({ "tag_id": tag }));
                incident.happened(&self.random, "incident_tag_removed", now, CONSOLE_USER, what);
                share::changed(self, &mut store, id, "incident-tag#removed");
            }
            Doing::Status { status } => {
                let incident = store.incident(None, id, now)?;
                incident.status = capitalised(&status);
                incident.changed = now;
                incident.updated = now;
                share::changed(self, &mut store, id, "incident#updated");
            }
            Doing::Resolve { comment } => {
                routes::resolve(self, &mut store, None, id, comment.as_deref(), "incident_resolved_ui_manually")?;
            }
            Doing::Reopen => {
                let incident = store.incident(None, id, now)?;
                incident.active = true;
                incident.status = incident.severity.clone();
                incident.end = None;
                incident.changed = now;
                let what = What::Other(json!({}));
                incident.happened(&self.random, "incident_reopen", now, CONSOLE_USER, what);
                share::changed(self, &mut store, id, "incident#reopen");
            }
            Doing::AddAlert { alert } => {
                let incident = store.incident(None, id, now)?;
                incident.alerts.push(alerts::normalised(alert));
                incident.changed = now;
                incident.updated = now;
                share::changed(self, &mut store, id, "incident#updated");
            }
        }
        Ok(())
    }

    pub(crate) fn set_channel(&self, channel: Channel) {
        self.shares.set_channel(channel);
    }

    pub(crate) fn deliveries(&self) -> Vec<Delivery> {
        self.shares.deliveries()
    }

    pub(crate) fn pending_shares(&self) -> usize {
        self.shares.pending()
    }

    pub(crate) fn callbacks(&self) -> Vec<Callback> {
        store(self).callbacks.clone()
    }

    pub(crate) fn comments(&self, id: &str) -> Vec<Comment> {
        store(self).incidents.get(id).map(Incident::comments).unwrap_or_default()
    }

    pub(crate) fn tag(&self, id: &str, tag: &str) -> Option<String> {
        let store = store(self);
        store.incidents.get(id)?.tag(tag).map(|tag| tag.value.to_string())
    }

    pub(crate) fn tags(&self, id: &str) -> std::collections::BTreeMap<String, String> {
        store(self)
            .incidents
            .get(id)
            .map(|incident| incident.tags.iter().map(|tag| (tag.id.to_string(), tag.value.to_string())).collect())
            .unwrap_or_default()
    }

    pub(crate) fn incident_json(&self, id: &str) -> Option<Json> {
        store(self).incidents.get(id).map(|incident| incident.json(true))
    }

    pub(crate) fn set_rate_limit(&self, per_second: u32) {
        self.limiter.set(per_second);
    }
}
