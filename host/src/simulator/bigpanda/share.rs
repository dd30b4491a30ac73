//! AutoShare: sends incidents to configured channels, first and after each change, in order, with retries.
//!
//! A channel that expects callbacks is locked for an incident after its first share until the receiver calls back or
//! the lock runs out; changes wait and are then sent one by one. Called by the routes and the control. Holds always:
//! shares of one incident to one channel are sent one after the other; every attempt is recorded.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::BigPanda;
use super::activity::Params as What;
use super::dialect;
pub use super::dialect::Dialect;
use super::error::Refusal;
use super::store::Store;
use crate::simulator::clock::Clock;
use crate::simulator::{locked, post};

/// Where shares go, and how.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Channel {
    pub name: String,
    /// `http://host:port/path`.
    pub url: String,
    /// Sent with every share: `Authorization`, `x-bp-config-*`, `x-bp-field-*`, …
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    #[serde(default)]
    pub dialect: Dialect,
    /// What a callback names this channel by.
    #[serde(default)]
    pub app_key: String,
    #[serde(default)]
    pub expects_callbacks: bool,
    /// The lock after a first share opens by itself after this long.
    #[serde(default = "default_unlock")]
    pub auto_unlock_ms: u64,
    /// Sends of one share at most, the first included.
    #[serde(default = "default_attempts")]
    pub attempts: u32,
    /// Time between two sends of one share.
    #[serde(default = "default_spacing")]
    pub spacing_ms: u64,
    /// Event kinds that are shared; absent: all.
    #[serde(default)]
    pub events: Option<Vec<String>>,
    /// First shares happen by themselves when an incident is loaded.
    #[serde(default)]
    pub auto_share: bool,
}

const fn default_unlock() -> u64 {
    15 * 60 * 1_000
}

const fn default_attempts() -> u32 {
    6
}

const fn default_spacing() -> u64 {
    15 * 60 * 1_000
}

impl Channel {
    /// A channel to `url` with the documented retries and without callbacks.
    pub fn new(name: &str, url: &str) -> Self {
        Self {
            name: name.to_owned(),
            url: url.to_owned(),
            headers: BTreeMap::new(),
            dialect: Dialect::default(),
            app_key: String::new(),
            expects_callbacks: false,
            auto_unlock_ms: default_unlock(),
            attempts: default_attempts(),
            spacing_ms: default_spacing(),
            events: None,
            auto_share: false,
        }
    }

    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.insert(name.to_owned(), value.to_owned());
        self
    }

    fn wants(&self, event: &str) -> bool {
        self.events.as_ref().is_none_or(|events| events.iter().any(|wanted| wanted == event))
    }
}

/// One attempt to deliver a share.
#[derive(Clone, Debug, Serialize)]
pub struct Delivery {
    pub channel: String,
    pub incident_id: String,
    pub event: String,
    /// 1 is the first.
    pub attempt: u32,
    /// Milliseconds since 1970 by BigPanda's clock.
    pub at_ms: i64,
    pub status: Option<u16>,
    /// What went wrong before an answer came.
    pub error: Option<String>,
    /// The first 4,096 bytes of the answer.
    pub answer: String,
}

#[derive(Clone, Debug)]
struct Share {
    event: String,
    body: Bytes,
}

/// The shares of one incident to one channel.
#[derive(Debug, Default)]
struct Lane {
    waiting: VecDeque<Share>,
    /// A task is sending.
    busy: bool,
    locked: bool,
    /// Counts locks, so that a late unlock does not open a newer lock.
    lock: u64,
    first_done: bool,
}

#[derive(Debug)]
struct Inner {
    clock: Arc<Clock>,
    channels: Vec<Arc<Channel>>,
    lanes: HashMap<(String, String), Lane>,
    deliveries: Vec<Delivery>,
}

#[derive(Debug)]
pub(crate) struct Shares(Arc<Mutex<Inner>>);

impl Shares {
    pub(crate) fn new(clock: Arc<Clock>) -> Self {
        Self(Arc::new(Mutex::new(Inner { clock, channels: Vec::new(), lanes: HashMap::new(), deliveries: Vec::new() })))
    }

    pub(crate) fn set_channel(&self, channel: Channel) {
        let mut inner = locked(&self.0);
        inner.channels.retain(|known| known.name != channel.name);
        inner.channels.push(Arc::new(channel));
    }

    pub(crate) fn channels(&self) -> Vec<Channel> {
        locked(&self.0).channels.iter().map(|channel| (**channel).clone()).collect()
    }

    pub(crate) fn deliveries(&self) -> Vec<Delivery> {
        locked(&self.0).deliveries.clone()
    }

    /// Shares that wait for a callback, a retry, or their turn.
    pub(crate) fn pending(&self) -> usize {
        locked(&self.0).lanes.values().map(|lane| lane.waiting.len() + usize::from(lane.busy)).sum()
    }

    pub(crate) fn clear(&self) {
        let mut inner = locked(&self.0);
        inner.channels.clear();
        inner.lanes.clear();
        inner.deliveries.clear();
    }

    /// The receiver is done: the channel with this key is unlocked for the incident.
    pub(crate) fn called_back(&self, incident: &str, app_key: &str) {
        let names: Vec<String> = {
            let mut inner = locked(&self.0);
            let channels = inner.channels.clone();
            channels
                .iter()
                .filter(|channel| channel.app_key == app_key)
                .filter(|channel| {
                    let lane = inner.lanes.get_mut(&(channel.name.clone(), incident.to_owned()));
                    lane.is_some_and(|lane| std::mem::take(&mut lane.locked))
                })
                .map(|channel| channel.name.clone())
                .collect()
        };
        for name in names {
            let key = (name, incident.to_owned());
            Self::start(&self.0, &key);
        }
    }

    fn push(&self, channel: &Channel, incident: &str, share: Share) {
        let key = (channel.name.clone(), incident.to_owned());
        locked(&self.0).lanes.entry(key.clone()).or_default().waiting.push_back(share);
        Self::start(&self.0, &key);
    }

    /// Sends what waits in a lane, unless it is locked or being sent already.
    fn start(shared: &Arc<Mutex<Inner>>, key: &(String, String)) {
        {
            let mut inner = locked(shared);
            let Some(lane) = inner.lanes.get_mut(key) else { return };
            if lane.busy || lane.locked || lane.waiting.is_empty() {
                return;
            }
            lane.busy = true;
        }
        let (shared, key) = (Arc::clone(shared), key.clone());
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(drain(shared, key));
        } else if let Some(lane) = locked(&shared).lanes.get_mut(&key) {
            lane.busy = false;
        }
    }
}

/// Sends the shares of one lane until it is empty or locked.
async fn drain(shared: Arc<Mutex<Inner>>, key: (String, String)) {
    loop {
        let next = {
            let mut guard = locked(&shared);
            let inner = &mut *guard;
            let channel = inner.channels.iter().find(|channel| channel.name == key.0).cloned();
            let Some(lane) = inner.lanes.get_mut(&key) else { return };
            match (channel, !lane.locked && !lane.waiting.is_empty()) {
                (Some(channel), true) => lane.waiting.pop_front().map(|share| {
                    let first = !lane.first_done;
                    lane.first_done = true;
                    if first && channel.expects_callbacks {
                        lane.locked = true;
                        lane.lock += 1;
                        unlock_later(&shared, &key, lane.lock, channel.auto_unlock_ms);
                    }
                    (channel, share)
                }),
                _ => None,
            }
        };
        let Some((channel, share)) = next else {
            if let Some(lane) = locked(&shared).lanes.get_mut(&key) {
                lane.busy = false;
            }
            return;
        };
        send(&shared, &channel, &key.1, &share).await;
    }
}

fn unlock_later(shared: &Arc<Mutex<Inner>>, key: &(String, String), lock: u64, after_ms: u64) {
    let (shared, key) = (Arc::clone(shared), key.clone());
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(after_ms)).await;
        if let Some(lane) = locked(&shared).lanes.get_mut(&key)
            && lane.lock == lock
        {
            lane.locked = false;
        }
        Shares::start(&shared, &key);
    });
}

/// Statuses of 501 and above and broken connections are tried again; everything else is final.
async fn send(shared: &Arc<Mutex<Inner>>, channel: &Channel, incident: &str, share: &Share) {
    for attempt in 1..=channel.attempts {
        let outcome = post::json(&channel.url, &channel.headers, share.body.clone()).await;
        let again = match &outcome {
            Ok(answer) => answer.status >= 501,
            Err(_) => true,
        };
        let (status, error, answer) = match outcome {
            Ok(answer) => (Some(answer.status), None, answer.text),
            Err(error) => (None, Some(error.to_string()), String::new()),
        };
        {
            let mut inner = locked(shared);
            let at_ms = inner.clock.now_ms();
            inner.deliveries.push(Delivery {
                channel: channel.name.clone(),
                incident_id: incident.to_owned(),
                event: share.event.clone(),
                attempt,
                at_ms,
                status,
                error,
                answer,
            });
        }
        if !again || attempt == channel.attempts {
            return;
        }
        tokio::time::sleep(Duration::from_millis(channel.spacing_ms)).await;
    }
}

/// Shares an incident for the first time (or by hand) with one channel, or with all.
pub(crate) fn share(
    bigpanda: &BigPanda,
    store: &mut Store,
    id: &str,
    event: &str,
    only: Option<&str>,
) -> Result<usize, Refusal> {
    let now = bigpanda.now();
    let channels: Vec<Channel> =
        bigpanda.shares.channels().into_iter().filter(|channel| only.is_none_or(|name| channel.name == name)).collect();
    let incident = store.incident(None, id, now)?;
    incident.shared = true;
    for channel in &channels {
        let what = What::Other(serde_json::json!({
            "share_target": format!("webhook.{}", channel.name),
            "share_auto": channel.auto_share,
            "firstTime": true,
        }));
        incident.happened(&bigpanda.random, "incident_shared", now, super::store::CONSOLE_USER, what);
    }
    for channel in &channels {
        queue(bigpanda, store, channel, id, event)?;
    }
    Ok(channels.len())
}

/// Sends a change of an incident to every channel that already has it.
pub(crate) fn changed(bigpanda: &BigPanda, store: &mut Store, id: &str, event: &str) {
    let channels: Vec<Arc<Channel>> = {
        let inner = locked(&bigpanda.shares.0);
        if inner.channels.is_empty() {
            return;
        }
        inner
            .channels
            .iter()
            .filter(|channel| channel.wants(event))
            .filter(|channel| inner.lanes.contains_key(&(channel.name.clone(), id.to_owned())))
            .cloned()
            .collect()
    };
    for channel in channels {
        // The incident was found by whoever changed it.
        let _ = queue(bigpanda, store, &channel, id, event);
    }
}

fn queue(bigpanda: &BigPanda, store: &mut Store, channel: &Channel, id: &str, event: &str) -> Result<(), Refusal> {
    let incident = store.incidents.get(id).ok_or_else(|| Refusal::missing(format!("Incident {id} was not found")))?;
    let environment =
        incident.environments.first().and_then(|id| store.environments.iter().find(|known| known.id == *id));
    let body = dialect::body(channel.dialect, incident, event, environment);
    let share = Share { event: event.to_owned(), body: serde_json::to_vec(&body).unwrap_or_default().into() };
    bigpanda.shares.push(channel, id, share);
    Ok(())
}
