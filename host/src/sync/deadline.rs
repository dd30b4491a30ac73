//! Until when a claim may be used to send: nothing leaves in the last quarter of its lease, or after it.
//!
//! When a lease runs out, the request is claimed anew, and whoever has it then looks whether it arrived. What left just
//! before, or leaves from a host that was frozen and goes on, would arrive after that look, and have its effect twice:
//! the store's fences keep its completion out, but nobody can call it back from the other side. `deliver` asks before
//! everything that changes the other side. With the defaults a quarter is what one exchange may take.

use std::time::Duration;

use super::runtime::Shared;
use crate::clock::Clock;
use crate::domain::id::{Fence, RequestId};
use crate::domain::outcome::Failure;
use crate::domain::request::Request;
use crate::steps::{Safeguard, broken};
use crate::store::{Completion, JournalNote, RequestEnd, RequestState, Settled};

/// The time is over: nothing was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Late;

/// When a claim's time is over, by the clock that never jumps.
#[derive(Clone, Copy)]
pub(super) struct Deadline<'a> {
    clock: &'a dyn Clock,
    at: Duration,
}

impl<'a> Deadline<'a> {
    /// Of a claim that was asked for at that time.
    pub(super) fn new(clock: &'a dyn Clock, asked: Duration, lease: Duration) -> Self {
        Self { clock, at: asked.saturating_add(lease.saturating_sub(lease / 4)) }
    }

    pub(super) fn check(&self) -> Result<(), Late> {
        if self.clock.elapsed() < self.at || broken(Safeguard::Deadline) { Ok(()) } else { Err(Late) }
    }
}

/// Gives a request back that was not sent. It burns no attempt, and whoever gets it next has a whole lease.
pub(super) async fn give_back(shared: &Shared, id: RequestId, fence: Fence, request: &Request, uncertain: bool) {
    let now = shared.clock.now();
    metrics::counter!("tandem_late_claims_total").increment(1);
    tracing::warn!(error.code = "sync.late", request.key = %request.key, "a lease was about to run out; nothing was sent");
    let failure = Failure {
        code: "sync.late".to_owned(),
        errno: None,
        status: None,
        summary: "its lease was about to run out before it could be sent".to_owned(),
        detail: None,
        hint: Some("if it happens again: `retry.lease` has to be several times the time-outs of both sides".to_owned()),
    };
    let note = JournalNote { kind: "request.late".to_owned(), text: failure.summary.clone() };
    let end = RequestEnd::Again { due: now, state: RequestState::Retry, failure, counted: false, uncertain };
    let follow_ups = Vec::new();
    let settled = Settled { id, fence, end, link: None, follow_ups, notes: vec![note], took: Duration::ZERO, now };
    match shared.store.settled(settled).await {
        Ok(Completion::Recorded) => shared.side(request.operation.target()).woken.notify_one(),
        // Somebody else has it already.
        Ok(Completion::Stale) => metrics::counter!("tandem_stale_completions_total").increment(1),
        Err(error) => tracing::error!(error.code = "store.settled", error = %error, "a request was not given back"),
    }
}
