//! Straight on: whoever stores something takes up what follows from it, where there is room.
//!
//! A share that finds a place at the door is decided by the task that made it durable, and what is decided is sent by
//! whoever decided it, so on a quiet way nobody has to be woken and nothing is claimed anew. What finds no room rests in
//! the store, where the loops of `intake` and `deliver` find it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{Notify, OwnedSemaphorePermit, oneshot};
use tracing::Span;

use super::deliver;
use super::intake::{self, Read};
use super::runtime::Shared;
use crate::domain::id::IntegrationName;
use crate::domain::request::Target;
use crate::domain::share::Share;
use crate::steps::{Step, reached};
use crate::store::{self, Accepted, Ended, NewEvent, Room, TakenIn};

/// How long a share waits for a place at the door. Senders are slowed down to what can be decided, for a moment: what is
/// decided at once needs no second reading. Then it is made durable all the same, and rests.
const AT_THE_DOOR: Duration = Duration::from_millis(100);

/// The loop of one side, as others see it.
#[derive(Default)]
pub(super) struct Side {
    pub(super) woken: Notify,
    /// The loop found no free place and wants to hear of one.
    short: AtomicBool,
}

impl Side {
    /// Before the loop looks for places once more and goes to sleep.
    pub(super) fn runs_short(&self) {
        self.short.store(true, Ordering::SeqCst);
    }

    /// A place was given back.
    pub(super) fn freed(&self) {
        if self.short.swap(false, Ordering::SeqCst) {
            self.woken.notify_one();
        }
    }
}

/// Makes a share durable and decides about it. The answer comes when it is durable.
///
/// All of it is a task of its own: what the store hands over is to be taken up even if the sender goes away.
pub(super) fn take_in(
    shared: Arc<Shared>,
    event: NewEvent,
    share: Arc<Share>,
) -> oneshot::Receiver<Result<Accepted, store::Error>> {
    let (tell, told) = oneshot::channel();
    let span = Span::current();
    shared.tasks.clone().spawn(async move {
        let place = place_at_the_door(&shared).await;
        let lease = place.as_ref().map(|_| shared.options.event_lease);
        let TakenIn { accepted, claim } = match shared.store.take_in(event, lease).await {
            Ok(taken) => taken,
            Err(error) => {
                let _ = tell.send(Err(error));
                return;
            }
        };
        reached(Step::Accepted);
        if !accepted.duplicate {
            shared.traces.accepted(accepted.event, &span);
        }
        // The share's own span ends with its answer.
        drop(span);
        let _ = tell.send(Ok(accepted));
        // The sender has his answer before plugins get the processor.
        tokio::task::yield_now().await;
        match claim {
            // In a box of its own, which shares that rest never need.
            Some(claim) => {
                let read = Read { event: accepted.event, share };
                Box::pin(intake::handle(&shared, claim, Some(read))).await;
            }
            None if accepted.duplicate => {}
            None => shared.events.notify_one(),
        }
        drop(place);
    });
    told
}

async fn place_at_the_door(shared: &Shared) -> Option<OwnedSemaphorePermit> {
    if shared.options.at_the_door == 0 || shared.stop.is_cancelled() {
        return None;
    }
    tokio::time::timeout(AT_THE_DOOR, shared.door.clone().acquire_owned()).await.ok()?.ok()
}

/// Places that somebody has for what may follow from what he is about to store.
pub(super) struct Offer {
    servicenow: Option<OwnedSemaphorePermit>,
    bigpanda: Option<OwnedSemaphorePermit>,
    lease: Duration,
    /// When the lease begins at the latest, by the clock that never jumps.
    asked: Duration,
}

impl Offer {
    /// Places for requests of an integration to these sides, as far as there are any.
    pub(super) fn of(shared: &Shared, integration: &IntegrationName, targets: impl Iterator<Item = Target>) -> Self {
        let asked = shared.clock.elapsed();
        let mut offer = Self { servicenow: None, bigpanda: None, lease: shared.lease, asked };
        if shared.stop.is_cancelled() {
            return offer;
        }
        let now = shared.clock.now();
        for target in targets {
            let place = offer.place(target);
            if place.is_none()
                && !shared.is_paused(target, integration, now)
                && let Some(places) = shared.places(target, integration)
            {
                *place = places.clone().try_acquire_owned().ok();
            }
        }
        offer
    }

    pub(super) fn room(&self) -> Room {
        Room { servicenow: self.servicenow.is_some(), bigpanda: self.bigpanda.is_some(), lease: self.lease }
    }

    fn place(&mut self, target: Target) -> &mut Option<OwnedSemaphorePermit> {
        match target {
            Target::ServiceNow => &mut self.servicenow,
            Target::BigPanda => &mut self.bigpanda,
        }
    }

    /// Gives the places back: nothing was stored.
    pub(super) fn withdraw(mut self, shared: &Shared) {
        for target in [Target::ServiceNow, Target::BigPanda] {
            if self.place(target).take().is_some() {
                shared.side(target).freed();
            }
        }
    }

    /// Takes up what was handed over, and wakes those that have to see to the rest.
    pub(super) fn take_up(mut self, shared: &Arc<Shared>, ended: Ended) {
        for claim in ended.claims {
            let place = self.place(claim.request.operation.target()).take();
            deliver::start(shared, claim, place, self.asked);
        }
        self.withdraw(shared);
        if ended.waiting.events {
            shared.events.notify_one();
        }
        if ended.waiting.servicenow {
            shared.side(Target::ServiceNow).woken.notify_one();
        }
        if ended.waiting.bigpanda {
            shared.side(Target::BigPanda).woken.notify_one();
        }
    }
}
