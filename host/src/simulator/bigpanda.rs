//! BigPanda behind HTTP: incidents, tags, comments, activities, callback, and AutoShare towards a configured URL.
//!
//! Routing, login and the rate limiter are here, behaviour in the files below. Called by `serve`. Holds always: one
//! lock guards the incidents; shares leave it as finished bytes and are sent by tasks of their own.

mod activity;
mod alerts;
mod control;
mod definitions;
mod dialect;
mod error;
mod incident;
mod limiter;
mod routes;
mod search;
mod share;
mod store;
mod tags;
mod wire;

use std::sync::{Arc, Mutex};

use http::StatusCode;

pub use share::{Channel, Delivery, Dialect};
pub use store::{Callback, Comment};

pub(crate) use error::Refusal;

use self::limiter::Limiter;
use self::share::Shares;
use self::store::Store;
use super::fault::Action;
use super::http::{Reply, Request};
use super::locked;
use super::random::Random;
use super::serve::{Controls, Site, add_headers};

/// Names and secrets that this BigPanda starts with.
#[derive(Clone, Debug)]
pub(crate) struct Profile {
    pub(crate) api_key: String,
    pub(crate) environment_id: String,
    pub(crate) seed: u64,
    pub(crate) accept_unknown_incidents: bool,
}

/// One simulated organisation.
#[derive(Debug)]
pub(crate) struct BigPanda {
    controls: Controls,
    profile: Profile,
    random: Random,
    limiter: Limiter,
    store: Mutex<Store>,
    shares: Shares,
}

impl BigPanda {
    pub(crate) fn new(profile: Profile) -> Self {
        let controls = Controls::default();
        Self {
            shares: Shares::new(Arc::clone(&controls.clock)),
            controls,
            random: Random::seeded(profile.seed ^ 0xb19_9a4d),
            limiter: Limiter::default(),
            store: Mutex::new(Store::new(&profile)),
            profile,
        }
    }

    pub(crate) fn now(&self) -> i64 {
        self.controls.clock.now()
    }

    fn route(&self, request: &Request<'_>) -> Result<Reply, Refusal> {
        let authorised = request
            .header("authorization")
            .and_then(|header| header.split_once(' '))
            .is_some_and(|(scheme, key)| scheme.eq_ignore_ascii_case("bearer") && key.trim() == self.profile.api_key);
        if !authorised {
            return Err(Refusal::unauthorized());
        }
        if !self.limiter.admits(self.controls.clock.now_ms(), request) {
            return Err(Refusal::too_many());
        }
        routes::answer(self, request)
    }
}

impl Site for BigPanda {
    fn controls(&self) -> &Controls {
        &self.controls
    }

    fn answer(&self, request: &Request<'_>) -> Reply {
        self.route(request).unwrap_or_else(|refusal| refusal.reply())
    }

    fn control(&self, request: &Request<'_>, segments: &[&str]) -> Reply {
        control::answer(self, request, segments)
    }

    fn fault_reply(&self, action: &Action, request: &Request<'_>) -> Reply {
        match action {
            Action::Status { status, headers, after_commit, .. } => {
                if *after_commit {
                    let _ = self.answer(request);
                }
                let status = StatusCode::from_u16(*status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                let mut reply = Refusal::of(status).reply();
                add_headers(&mut reply, headers);
                reply
            }
            Action::RateLimit { .. } | Action::SemaphoreFull => Refusal::too_many().reply(),
            Action::Unauthorized => Refusal::unauthorized().reply(),
            Action::NullBody => Reply::raw_json(StatusCode::OK, "null"),
            Action::Dropped => Reply::empty(StatusCode::ACCEPTED),
            Action::UriTooLong => Refusal::of(StatusCode::URI_TOO_LONG).reply(),
            Action::TransactionCancelled => Refusal::of(StatusCode::INTERNAL_SERVER_ERROR).reply(),
            Action::BusinessRule { name } => Refusal::new(StatusCode::FORBIDDEN, name).reply(),
            Action::Hibernating => Reply::bytes(StatusCode::OK, "text/html", "<html><body>Sign in</body></html>"),
            Action::Delay { .. }
            | Action::DelayAnswer { .. }
            | Action::ResetBeforeHandling
            | Action::ResetAfterCommit
            | Action::HalfBody
            | Action::Stall
            | Action::PartialResult
            | Action::HiddenRows => self.answer(request),
        }
    }

    fn too_large(&self, _announced: u64) -> Reply {
        Refusal::of(StatusCode::PAYLOAD_TOO_LARGE).reply()
    }
}

/// The lock of an organisation's incidents.
fn store(bigpanda: &BigPanda) -> std::sync::MutexGuard<'_, Store> {
    locked(&bigpanda.store)
}
