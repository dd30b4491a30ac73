//! Where the queue is: behind a running host's operators' API, or in the store's file.

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use reqwest::Method;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::what::WithPlugin;

use crate::cli::report::Told;
use crate::clock::{Clock as _, SystemClock};
use crate::config::Config;
use crate::domain::fault::Class;
use crate::domain::id::{EventId, IntegrationName, RequestId};
use crate::domain::secret::Secret;
use crate::store::sqlite::{Options, SqliteStore};
use crate::store::{
    self, Depths, Desk as _, EventView, QueueFilter, Redrive, Redriven, RequestDetail, RequestState, RequestView,
    Retried,
};
use crate::sync::Redone;

/// Longest time for an answer of the host.
const PATIENCE: Duration = Duration::from_secs(30);
/// The same where it has a component to compile.
const COMPILING: Duration = Duration::from_mins(3);

pub(in crate::cli) enum Desk {
    Host(Host),
    File(Box<SqliteStore>),
}

/// A running host.
pub(in crate::cli) struct Host {
    client: reqwest::Client,
    base: String,
    token: Option<Secret<String>>,
}

/// What the API wraps its lists in.
#[derive(Deserialize)]
struct Listing {
    requests: Vec<RequestView>,
}

/// What the API says of a request that is to be tried again.
#[derive(Deserialize)]
struct Tried {
    outcome: Retried,
}

#[derive(Deserialize)]
struct Events {
    events: Vec<EventView>,
}

/// What the API says of an event that is decided with another plugin.
#[derive(Deserialize)]
struct Released {
    plugin: String,
}

/// What goes with a request to the API.
enum Sent {
    Json(serde_json::Value),
    Bytes(Vec<u8>),
}

/// What the API says when it refuses.
#[derive(Deserialize)]
struct Refusal {
    error: Reason,
}

#[derive(Deserialize)]
struct Reason {
    code: String,
    message: String,
    hint: Option<String>,
}

impl Desk {
    /// A host that answers comes first: it has the store locked, and acts on a decision at once.
    pub(in crate::cli) async fn find(config: &Config) -> anyhow::Result<Self> {
        let host = Host::new(config)?;
        if host.answers().await {
            return Ok(Self::Host(host));
        }
        let path = config.store.path.clone();
        if !path.exists() {
            return Err(no_store(&path, &host.base).into());
        }
        let opened = tokio::task::spawn_blocking(move || SqliteStore::open(&path, &Options::default())).await?;
        match opened {
            Ok(store) => Ok(Self::File(Box::new(store))),
            Err(error @ store::Error::Locked { .. }) => {
                let message = format!("a host has the store, and does not answer at {}", host.base);
                Err(anyhow::Error::new(error).context(message))
            }
            Err(error) => Err(error.into()),
        }
    }

    pub(in crate::cli) async fn list(&self, filter: &QueueFilter) -> anyhow::Result<Vec<RequestView>> {
        match self {
            Self::File(store) => Ok(store.list(filter.clone()).await?),
            Self::Host(host) => {
                let states =
                    filter.states.iter().map(|state| RequestState::as_str(*state)).collect::<Vec<_>>().join(",");
                let mut path = format!("queue?limit={}&state={states}", filter.limit);
                if let Some(integration) = &filter.integration {
                    path.push_str("&integration=");
                    path.push_str(integration.as_str());
                }
                let listing: Option<Listing> = host.ask(Method::GET, &path).await?;
                Ok(listing.map_or_else(Vec::new, |listing| listing.requests))
            }
        }
    }

    /// `None`: there is no such request.
    pub(super) async fn show(&self, id: RequestId) -> anyhow::Result<Option<RequestDetail>> {
        match self {
            Self::File(store) => Ok(store.show(id).await?),
            Self::Host(host) => host.ask(Method::GET, &format!("queue/{id}")).await,
        }
    }

    /// What waits in all. `None`: the host does not say.
    pub(in crate::cli) async fn depths(&self) -> anyhow::Result<Option<Depths>> {
        match self {
            Self::File(store) => Ok(Some(store.depths().await?)),
            Self::Host(host) => host.ask(Method::GET, "depths").await,
        }
    }

    pub(super) async fn retry(&self, id: RequestId) -> anyhow::Result<Retried> {
        match self {
            Self::File(store) => Ok(store.retry(id, SystemClock::new().now()).await?),
            Self::Host(host) => {
                let tried: Option<Tried> = host.ask(Method::POST, &format!("queue/{id}/retry")).await?;
                Ok(tried.map_or(Retried::Unknown, |tried| tried.outcome))
            }
        }
    }

    /// Whether there was something to give up.
    pub(super) async fn discard(&self, id: RequestId) -> anyhow::Result<bool> {
        match self {
            Self::File(store) => Ok(store.discard(id, SystemClock::new().now()).await?),
            Self::Host(host) => host.act(&format!("queue/{id}/discard")).await,
        }
    }

    pub(super) async fn quarantined(&self, of: Option<&IntegrationName>) -> anyhow::Result<Vec<EventView>> {
        match self {
            Self::File(store) => Ok(store.quarantined(of.cloned()).await?),
            Self::Host(host) => {
                let filter = of.map(|name| format!("?integration={name}")).unwrap_or_default();
                let listing: Option<Events> = host.ask(Method::GET, &format!("events{filter}")).await?;
                Ok(listing.map_or_else(Vec::new, |listing| listing.events))
            }
        }
    }

    /// Whether it was set aside.
    pub(super) async fn release(&self, id: EventId) -> anyhow::Result<bool> {
        match self {
            Self::File(store) => Ok(store.release(id, SystemClock::new().now()).await?),
            Self::Host(host) => host.act(&format!("events/{id}/retry")).await,
        }
    }

    /// Whether it was set aside.
    pub(super) async fn forget(&self, id: EventId) -> anyhow::Result<bool> {
        match self {
            Self::File(store) => Ok(store.forget(id, SystemClock::new().now()).await?),
            Self::Host(host) => host.act(&format!("events/{id}/discard")).await,
        }
    }

    pub(super) async fn redrive(&self, redrive: &Redrive) -> anyhow::Result<Redriven> {
        match self {
            Self::File(store) => Ok(store.redrive(redrive.clone()).await?),
            Self::Host(host) => {
                let Redrive { integration, reason, rate, per, dry_run, .. } = redrive;
                let body = serde_json::json!({
                    "integration": integration, "reason": reason, "rate": rate, "per_seconds": per.as_secs(),
                    "dry_run": dry_run,
                });
                let redriven = host.send(Method::POST, "queue/redrive", Some(Sent::Json(body))).await?;
                redriven.context("the host knows no such command; is it of an older version?")
            }
        }
    }

    /// Has a dead letter sealed again by a chain with this component in it.
    pub(super) async fn retry_with(
        &self,
        id: RequestId,
        with: &WithPlugin,
        component: Vec<u8>,
    ) -> anyhow::Result<Redone> {
        let path = format!("queue/{id}/retry-with?plugin={}", with.encoded());
        self.plugin_host()?
            .send(Method::POST, &path, Some(Sent::Bytes(component)))
            .await?
            .ok_or_else(|| Told::new(Class::Missing, "queue.missing", format!("there is no request {id}")).into())
    }

    /// Has an event that was set aside decided by such a chain; the plugin, in words.
    pub(super) async fn release_with(
        &self,
        id: EventId,
        with: &WithPlugin,
        component: Vec<u8>,
    ) -> anyhow::Result<String> {
        let path = format!("events/{id}/retry-with?plugin={}", with.encoded());
        let released: Option<Released> =
            self.plugin_host()?.send(Method::POST, &path, Some(Sent::Bytes(component))).await?;
        let released = released.ok_or_else(|| {
            Told::new(Class::Missing, "queue.missing", format!("no event e{id} is quarantined"))
                .hint("`tandem queue list --quarantined` shows them")
        })?;
        Ok(released.plugin)
    }

    pub(super) fn is_host(&self) -> bool {
        match self {
            Self::Host(_) => true,
            Self::File(_) => false,
        }
    }

    /// Plugins are asked by a host, with the settings and the look-ups that it has.
    fn plugin_host(&self) -> anyhow::Result<&Host> {
        match self {
            Self::Host(host) => Ok(host),
            Self::File(_) => {
                Err(Told::new(Class::Store, "queue.no-host", "no host runs, and only a host asks plugins")
                    .hint("start it with `tandem run`, then try again")
                    .into())
            }
        }
    }
}

impl Host {
    pub(in crate::cli) fn new(config: &Config) -> anyhow::Result<Self> {
        // The API speaks plain HTTP on loopback; the client wants to be able to speak TLS all the same.
        drop(rustls::crypto::ring::default_provider().install_default());
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(Duration::from_secs(2))
            .timeout(PATIENCE)
            .build()
            .context("no HTTP client could be made")?;
        let mut address = config.server.admin_listen;
        if address.ip().is_unspecified() {
            let loopback: std::net::IpAddr = if address.is_ipv4() {
                std::net::Ipv4Addr::LOCALHOST.into()
            } else {
                std::net::Ipv6Addr::LOCALHOST.into()
            };
            address.set_ip(loopback);
        }
        Ok(Self { client, base: format!("http://{address}"), token: config.server.admin_token.clone() })
    }

    /// Whether a host of ours is there.
    pub(in crate::cli) async fn answers(&self) -> bool {
        let asked = self.client.get(format!("{}/healthz", self.base)).send().await;
        asked.is_ok_and(|response| response.status().is_success())
    }

    async fn act(&self, path: &str) -> anyhow::Result<bool> {
        let done: Option<serde_json::Value> = self.ask(Method::POST, path).await?;
        Ok(done.is_some())
    }

    /// `None`: the host knows no such thing.
    pub(in crate::cli) async fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
    ) -> anyhow::Result<Option<T>> {
        self.send(method, path, None).await
    }

    /// The same, with a body.
    async fn send<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<Sent>,
    ) -> anyhow::Result<Option<T>> {
        let mut request = self.client.request(method, format!("{}/api/v1/{path}", self.base));
        request = match body {
            None => request,
            Some(Sent::Json(body)) => request.header("content-type", "application/json").body(body.to_string()),
            // The host compiles it before it answers.
            Some(Sent::Bytes(body)) => request.timeout(COMPILING).body(body),
        };
        if let Some(token) = &self.token {
            request = request.bearer_auth(token.expose());
        }
        let response = request
            .send()
            .await
            .map_err(reqwest::Error::without_url)
            .with_context(|| format!("the host at {} did not answer", self.base))?;
        let status = response.status();
        let body = response.bytes().await.context("the host's answer ended early")?;
        if status.is_success() {
            return Ok(Some(serde_json::from_slice(&body).context("the host's answer cannot be read")?));
        }
        if status == reqwest::StatusCode::NOT_FOUND {
            return Ok(None);
        }
        Err(refused(status.as_u16(), serde_json::from_slice(&body).ok(), &self.base).into())
    }
}

fn refused(status: u16, refusal: Option<Refusal>, base: &str) -> Told {
    let class = if status == 503 { Class::Store } else { Class::Refused };
    match refusal {
        Some(Refusal { error }) => {
            let told = Told::new(class, &error.code, format!("the host refused: {}", error.message));
            match error.hint {
                Some(hint) => told.hint(hint),
                None => told,
            }
        }
        None => Told::new(class, "queue.refused", format!("what answers at {base} said {status}"))
            .hint("check that `server.admin_listen` is the host's, and not another program's"),
    }
}

fn no_store(path: &Path, base: &str) -> Told {
    let message = format!("no host answers at {base}, and there is no store at {}", path.display());
    Told::new(Class::Store, "queue.nowhere", message).hint("start the host, or name its configuration with --config")
}
