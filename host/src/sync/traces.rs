//! What is exported of the sync: a span for the events of a link that are decided together, and one for each attempt.
//!
//! An event's span belongs to the trace of its share, an attempt's to that of the event, and what follows from an attempt
//! to the attempt's. The places are remembered in memory only: what comes from before a restart begins a new trace.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

use tracing::Span;
use tracing::field::Empty;

use crate::domain::id::{EventId, RequestKey};
use crate::domain::link::Link;
use crate::domain::patch::PluginFailure;
use crate::domain::request::Request;
use crate::engine::settle::{Settlement, Step};
use crate::store::EventEnd;
use crate::telemetry::traces::{Place, TRACES, are_exported, failed};

/// How many places are remembered of each kind; then the oldest is forgotten.
const CAPACITY: usize = 4096;

/// Places in traces that something is to follow from.
#[derive(Default)]
pub(super) struct Traces {
    events: Places<EventId>,
    requests: Places<RequestKey>,
}

impl Traces {
    /// The event will follow from the span.
    pub(super) fn accepted(&self, event: EventId, span: &Span) {
        if are_exported()
            && let Some(place) = Place::of(span)
        {
            self.events.put(event, place);
        }
    }

    /// The span of deciding about events. It follows from the newest whose share is known, and names the others'.
    pub(super) fn event(&self, link: &Link, events: &[EventId]) -> Span {
        let span = tracing::info_span!(
            target: TRACES,
            parent: None,
            "event",
            otel.kind = "consumer",
            integration = %link.integration,
            incident.id = %link.incident,
            events = events.len(),
            requests = Empty,
            outcome = Empty,
            ticket.number = Empty,
            error.code = Empty,
            otel.status_code = Empty,
            otel.status_description = Empty,
        );
        if span.is_disabled() {
            return span;
        }
        let mut places: Vec<Place> = events.iter().filter_map(|event| self.events.take(event)).collect();
        if let Some(newest) = places.pop() {
            newest.leads_to(&span);
        }
        for older in places {
            older.concerns(&span);
        }
        span
    }

    /// The span of an attempt, which follows from whatever the request was sealed for.
    pub(super) fn attempt(&self, link: &Link, request: &Request, attempts: u32) -> Span {
        let span = tracing::info_span!(
            target: TRACES,
            parent: None,
            "attempt",
            otel.kind = "client",
            integration = %link.integration,
            incident.id = %link.incident,
            ticket.number = link.ticket.as_ref().map(|ticket| ticket.number.as_str()),
            target = request.operation.target().as_str(),
            request.key = %request.key,
            request.operation = request.operation.name(),
            request.attempt = attempts.saturating_add(1),
            outcome = Empty,
            http.status = Empty,
            error.code = Empty,
            otel.status_code = Empty,
            otel.status_description = Empty,
        );
        if !span.is_disabled()
            && let Some(place) = self.requests.get(&request.key)
        {
            place.leads_to(&span);
        }
        span
    }

    /// The attempts of these requests will follow from the span.
    pub(super) fn sealed<'r>(&self, span: &Span, requests: impl Iterator<Item = &'r Request>) {
        let Some(place) = Place::of(span) else { return };
        for request in requests {
            self.requests.put(request.key.clone(), place.clone());
        }
    }

    /// No attempt of the request will follow.
    pub(super) fn ended(&self, span: &Span, request: &Request) {
        if !span.is_disabled() {
            self.requests.take(&request.key);
        }
    }
}

/// What was decided about events.
pub(super) fn decided(span: &Span, link: &Link, end: &EventEnd, requests: usize, parked: bool) {
    if span.is_disabled() {
        return;
    }
    span.record("requests", requests);
    if let Some(ticket) = &link.ticket {
        span.record("ticket.number", ticket.number.as_str());
    }
    let outcome = match end {
        EventEnd::Done { .. } => "done",
        EventEnd::Hold { .. } => "held",
        EventEnd::Quarantined { .. } => "quarantined",
    };
    span.record("outcome", outcome);
    if matches!(end, EventEnd::Quarantined { .. }) {
        failed(span, "event.quarantined");
    } else if parked {
        failed(span, "link.parked");
    }
}

/// How an attempt ended: `outcome` is the word that metrics have for it.
pub(super) fn settled(span: &Span, settlement: &Settlement, outcome: &'static str) {
    if span.is_disabled() {
        return;
    }
    span.record("outcome", outcome);
    if let Some(ticket) = settlement.link.as_ref().and_then(|link| link.ticket.as_ref()) {
        span.record("ticket.number", ticket.number.as_str());
    }
    match &settlement.step {
        Step::Done => {}
        Step::Again { failure, .. } | Step::Dead { failure } | Step::Parked { failure } => {
            if let Some(status) = failure.status {
                span.record("http.status", status);
            }
            failed(span, &failure.code);
        }
    }
}

/// A plugin failed while events were decided; another one answered, so the span is not failed.
pub(super) fn plugin_failed(failure: &PluginFailure) {
    tracing::event!(
        target: TRACES,
        tracing::Level::WARN,
        plugin.id = failure.plugin.as_str(),
        plugin.digest = failure.digest.as_str(),
        plugin.hook = failure.hook.as_str(),
        error.code = failure.code.as_str(),
        "a plugin failed"
    );
}

/// A bounded memory of places.
struct Places<K> {
    known: Mutex<(HashMap<K, Place>, VecDeque<K>)>,
}

impl<K> Default for Places<K> {
    fn default() -> Self {
        Self { known: Mutex::default() }
    }
}

impl<K: Clone + Eq + Hash> Places<K> {
    fn put(&self, key: K, place: Place) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let (places, order) = &mut *known;
        if places.insert(key.clone(), place).is_none() {
            order.push_back(key);
        }
        // What was taken is still in line.
        while order.len() > CAPACITY {
            if let Some(oldest) = order.pop_front() {
                places.remove(&oldest);
            }
        }
    }

    fn get(&self, key: &K) -> Option<Place> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).0.get(key).cloned()
    }

    fn take(&self, key: &K) -> Option<Place> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).0.remove(key)
    }
}
