//! What was asked of a simulated vendor: the last requests one by one, and counters per endpoint.
//!
//! Control requests are not recorded. Read by tests and the demo. Holds always: the counters count every request,
//! the list keeps the newest `capacity` ones.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Mutex;

use serde::Serialize;

use super::http::Request;

/// One request and how it ended.
#[derive(Clone, Debug, Serialize)]
pub struct Recorded {
    /// Milliseconds since 1970 by the vendor's clock.
    pub at_ms: i64,
    pub method: String,
    /// With the query, as sent.
    pub path: String,
    /// 0 when the connection was reset instead of answered.
    pub status: u16,
    /// Only while bodies are recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
}

/// How often an endpoint was called, and with which outcomes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Count {
    pub total: u64,
    pub by_status: BTreeMap<u16, u64>,
}

#[derive(Debug)]
struct Inner {
    requests: VecDeque<Recorded>,
    counts: HashMap<Box<str>, Count>,
    capacity: usize,
    bodies: bool,
    label: String,
}

/// The memory of requests of one simulated vendor.
#[derive(Debug)]
pub struct Recorder(Mutex<Inner>);

impl Default for Recorder {
    fn default() -> Self {
        Self(Mutex::new(Inner {
            requests: VecDeque::new(),
            counts: HashMap::new(),
            capacity: 10_000,
            bodies: false,
            label: String::new(),
        }))
    }
}

impl Recorder {
    /// Whether request bodies are kept too. Off at first.
    pub fn record_bodies(&self, on: bool) {
        super::locked(&self.0).bodies = on;
    }

    /// How many requests are kept one by one; 0 keeps only the counters.
    pub fn set_capacity(&self, capacity: usize) {
        let mut inner = super::locked(&self.0);
        inner.capacity = capacity;
        while inner.requests.len() > capacity {
            inner.requests.pop_front();
        }
    }

    /// The newest requests, oldest first.
    pub fn requests(&self) -> Vec<Recorded> {
        super::locked(&self.0).requests.iter().cloned().collect()
    }

    /// Counters by endpoint such as `PATCH /api/now/table/incident/{id}`.
    pub fn counts(&self) -> BTreeMap<String, Count> {
        super::locked(&self.0).counts.iter().map(|(label, count)| (label.to_string(), count.clone())).collect()
    }

    /// How many requests of this method had a path starting with `path`, ids written as `{id}`.
    pub fn total(&self, method: &str, path: &str) -> u64 {
        super::locked(&self.0)
            .counts
            .iter()
            .filter(|(label, _)| {
                label.split_once(' ').is_some_and(|(verb, rest)| verb == method && rest.starts_with(path))
            })
            .map(|(_, count)| count.total)
            .sum()
    }

    /// Forgets everything.
    pub fn clear(&self) {
        let mut inner = super::locked(&self.0);
        inner.requests.clear();
        inner.counts.clear();
    }

    pub(crate) fn record(&self, at_ms: i64, request: &Request<'_>, status: u16) {
        let mut guard = super::locked(&self.0);
        let inner = &mut *guard;
        label(&mut inner.label, request);
        if !inner.counts.contains_key(inner.label.as_str()) {
            inner.counts.insert(inner.label.as_str().into(), Count::default());
        }
        if let Some(count) = inner.counts.get_mut(inner.label.as_str()) {
            count.total += 1;
            *count.by_status.entry(status).or_default() += 1;
        }
        if inner.capacity == 0 {
            return;
        }
        if inner.requests.len() >= inner.capacity {
            inner.requests.pop_front();
        }
        let mut path = request.path.to_owned();
        if !request.query.is_empty() {
            path.push('?');
            path.push_str(request.query);
        }
        inner.requests.push_back(Recorded {
            at_ms,
            method: request.method.as_str().to_owned(),
            path,
            status,
            body: inner.bodies.then(|| String::from_utf8_lossy(&request.body).into_owned()),
        });
    }
}

/// `METHOD /path` with ids replaced, so that the number of counters stays small.
fn label(out: &mut String, request: &Request<'_>) {
    out.clear();
    out.push_str(request.method.as_str());
    out.push(' ');
    let mut before = "";
    for segment in request.path.split('/').skip(1) {
        out.push('/');
        let is_id = (segment.len() >= 24 && segment.bytes().all(|byte| byte.is_ascii_hexdigit()))
            || (matches!(before, "environments" | "incidents") && segment != "tags");
        out.push_str(if is_id && !segment.is_empty() { "{id}" } else { segment });
        before = segment;
    }
}
