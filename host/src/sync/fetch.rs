//! Completes a share whose body held little more than an id, by asking BigPanda for the rest.

use std::sync::Arc;

use super::ports::Integration;
use crate::domain::outcome::{Failure, Outcome};
use crate::domain::share::Share;

/// Why a share could not be completed.
pub(super) enum Trouble {
    /// Another try may succeed.
    Later(Failure),
    /// A person has to act.
    Never(String),
}

/// The share with its whole incident.
pub(super) async fn complete(integration: &Integration, share: Arc<Share>) -> Result<Arc<Share>, Trouble> {
    if share.complete {
        return Ok(share);
    }
    let Some(environment) = share.environment_id.clone().or_else(|| integration.environment.clone()) else {
        return Err(Trouble::Never(
            "the share holds only an incident id and names no environment; send the environment id with it, or set \
             `bigpanda.environment_id`"
                .to_owned(),
        ));
    };
    match integration.bigpanda.incident(&environment, &share.incident.id).await {
        Ok(incident) => {
            let mut whole = (*share).clone();
            whole.incident = incident;
            whole.environment_id = Some(environment);
            whole.complete = true;
            Ok(Arc::new(whole))
        }
        Err(Outcome::Missing(failure) | Outcome::Refused(failure)) => Err(Trouble::Never(failure.summary)),
        Err(
            Outcome::NotApplied(failure)
            | Outcome::Unknown(failure)
            | Outcome::Auth(failure)
            | Outcome::Paused { failure, .. },
        ) => Err(Trouble::Later(failure)),
        Err(Outcome::Applied(_)) => Err(Trouble::Never("BigPanda answered without an incident".to_owned())),
    }
}
