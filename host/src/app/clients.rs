//! The clients of both vendors, as an integration configures them.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Clock;
use crate::config::{Auth, Integration, Reach, Retry};
use crate::domain::secret::Secret;
use crate::servicenow::{CacheSettings, Credentials, Grant};
use crate::transport::BreakerSettings;
use crate::{bigpanda, servicenow, transport};

pub(super) fn bigpanda(of: &Integration, clock: &Arc<dyn Clock>) -> anyhow::Result<Arc<dyn bigpanda::Api>> {
    Ok(Arc::new(bigpanda_client(of, clock)?))
}

pub(crate) fn bigpanda_client(of: &Integration, clock: &Arc<dyn Clock>) -> anyhow::Result<bigpanda::Client> {
    let side = &of.bigpanda;
    let key = |key: &Option<Secret>| key.clone().unwrap_or_default();
    let mut settings = bigpanda::Settings::new(side.api_url.clone(), key(&side.api_key), key(&side.app_key));
    settings.rate = NonZeroU32::new(side.requests_per_second);
    settings.transport = transport(of, side.connect_timeout, side.timeout);
    Ok(bigpanda::Client::new(settings, clock.clone())?)
}

pub(super) fn servicenow(of: &Integration, clock: &Arc<dyn Clock>) -> anyhow::Result<Arc<dyn servicenow::Api>> {
    Ok(Arc::new(servicenow_client(of, clock)?))
}

pub(crate) fn servicenow_client(of: &Integration, clock: &Arc<dyn Clock>) -> anyhow::Result<servicenow::Client> {
    let side = &of.servicenow;
    let (url, credentials) = match &side.reach {
        Reach::Called { url, auth } => (url.clone(), credentials(auth)),
        // Nobody calls an instance that pulls; if somebody did, this name leads nowhere.
        Reach::Pulls => {
            let nobody = Credentials::Basic { user: String::new(), password: Secret::default() };
            (url::Url::parse("https://on-premises.invalid")?, nobody)
        }
    };
    let mut settings = servicenow::Settings::new(url, credentials);
    settings.rate = NonZeroU32::new(side.requests_per_second);
    settings.references = CacheSettings { found: side.reference_ttl, ..CacheSettings::default() };
    settings.transport = transport(of, side.connect_timeout, side.timeout);
    Ok(servicenow::Client::new(settings, clock.clone())?)
}

fn transport(of: &Integration, connect_timeout: Duration, total_timeout: Duration) -> transport::Settings {
    let Retry { documented_only, breaker_failures: failures, breaker_pause: pause, .. } = of.retry;
    let breaker = BreakerSettings { failures, pause };
    transport::Settings { connect_timeout, total_timeout, documented_only, breaker, ..transport::Settings::default() }
}

fn credentials(auth: &Auth) -> Credentials {
    match auth {
        Auth::Basic { username, password } => Credentials::Basic { user: username.clone(), password: password.clone() },
        Auth::Password { username, password, client } => Credentials::OAuth {
            client_id: client.id.clone(),
            client_secret: client.secret.clone(),
            token_url: Some(client.token_url.clone()),
            grant: Grant::Password { user: username.clone(), password: password.clone() },
        },
        Auth::ClientCredentials { client } => Credentials::OAuth {
            client_id: client.id.clone(),
            client_secret: client.secret.clone(),
            token_url: Some(client.token_url.clone()),
            grant: Grant::ClientCredentials,
        },
    }
}
