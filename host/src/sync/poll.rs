//! Looks for changes by itself, side by side with what is told: one loop for each side of each integration.
//!
//! A look never starts while the one before runs, and a missed one is skipped. What a look finds goes into the inbox
//! in one commit with the place up to which it looked. Only the peers' own times are compared, never ours with theirs.

use std::sync::Arc;
use std::time::Duration;

use super::ports::Integration;
use super::runtime::Shared;
use super::{alarm, poll_bigpanda, poll_servicenow};
use crate::domain::id::IntegrationName;
use crate::domain::outcome::Outcome;
use crate::domain::request::Target;
use crate::engine::settle::CREDENTIALS_PAUSE;
use crate::store;

/// Why a look ended early.
pub(super) enum Trouble {
    Peer(Outcome),
    Store(store::Error),
}

impl From<Outcome> for Trouble {
    fn from(outcome: Outcome) -> Self {
        Self::Peer(outcome)
    }
}

impl From<store::Error> for Trouble {
    fn from(error: store::Error) -> Self {
        Self::Store(error)
    }
}

/// Runs until the sync stops.
pub(super) async fn run(shared: Arc<Shared>, name: IntegrationName, side: Target) {
    let Some(integration) = shared.integrations.get(&name) else { return };
    let wanted = match side {
        Target::BigPanda => integration.polls.bigpanda,
        // Nobody calls an instance that pulls.
        Target::ServiceNow => integration.polls.servicenow && !integration.on_premises,
    };
    if !wanted {
        return;
    }
    let interval = integration.polls.interval.max(Duration::from_millis(100));
    let mut well = shared.clock.elapsed();
    while !shared.stop.is_cancelled() {
        let started = shared.clock.elapsed();
        let (paused, _) = shared.paused(side, shared.clock.now());
        if !paused.contains(&name) {
            match look(&shared, integration, side).await {
                Ok(found) => {
                    well = shared.clock.elapsed();
                    metrics::counter!("tandem_polled_changes_total", "side" => side.as_str()).increment(found);
                    if found > 0 {
                        shared.events.notify_one();
                    }
                }
                Err(trouble) => told(&shared, &name, side, trouble),
            }
        }
        let now = shared.clock.elapsed();
        metrics::gauge!("tandem_poll_lag_seconds", "integration" => name.to_string(), "side" => side.as_str())
            .set(now.saturating_sub(well).as_secs_f64());
        let rest = interval.saturating_sub(now.saturating_sub(started));
        tokio::select! {
            () = tokio::time::sleep(rest.max(Duration::from_millis(10))) => {}
            () = shared.stop.cancelled() => {}
        }
    }
}

async fn look(shared: &Shared, integration: &Integration, side: Target) -> Result<u64, Trouble> {
    match side {
        Target::BigPanda => poll_bigpanda::look(shared, integration).await,
        Target::ServiceNow => poll_servicenow::look(shared, integration).await,
    }
}

fn told(shared: &Shared, name: &IntegrationName, side: Target, trouble: Trouble) {
    metrics::counter!("tandem_poll_failures_total", "side" => side.as_str()).increment(1);
    let (failure, pause) = match trouble {
        Trouble::Store(error) => {
            tracing::error!(error.code = "store.poll", error = %error, "what a poll found was not stored");
            return;
        }
        Trouble::Peer(Outcome::Applied(_)) => return,
        Trouble::Peer(Outcome::Paused { failure, wait }) => (failure, Some(wait)),
        Trouble::Peer(Outcome::Auth(failure)) => {
            alarm::refused(shared, name, side, &failure);
            (failure, Some(CREDENTIALS_PAUSE))
        }
        Trouble::Peer(
            Outcome::NotApplied(failure)
            | Outcome::Unknown(failure)
            | Outcome::Refused(failure)
            | Outcome::Missing(failure),
        ) => (failure, None),
    };
    if let Some(wait) = pause {
        shared.pause(side, name, shared.clock.now().plus(wait));
    }
    tracing::warn!(
        integration = %name,
        target = side.as_str(),
        error.code = failure.code,
        http.status = failure.status,
        hint = failure.hint,
        "looking for changes failed: {}",
        failure.summary
    );
}
