//! Where the queue is: behind a running host's operators' API, or in the store's file.

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::cli::report::Told;
use crate::clock::{Clock as _, SystemClock};
use crate::config::Config;
use crate::domain::fault::Class;
use crate::domain::id::RequestId;
use crate::domain::secret::Secret;
use crate::store::sqlite::{Options, SqliteStore};
use crate::store::{self, Depths, Desk as _, QueueFilter, RequestDetail, RequestState, RequestView, Retried};

/// Longest time for an answer of the host.
const PATIENCE: Duration = Duration::from_secs(30);

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
                let listing: Option<Listing> = host.ask(reqwest::Method::GET, &path).await?;
                Ok(listing.map_or_else(Vec::new, |listing| listing.requests))
            }
        }
    }

    /// `None`: there is no such request.
    pub(super) async fn show(&self, id: RequestId) -> anyhow::Result<Option<RequestDetail>> {
        match self {
            Self::File(store) => Ok(store.show(id).await?),
            Self::Host(host) => host.ask(reqwest::Method::GET, &format!("queue/{id}")).await,
        }
    }

    /// What waits in all. `None`: the host does not say.
    pub(in crate::cli) async fn depths(&self) -> anyhow::Result<Option<Depths>> {
        match self {
            Self::File(store) => Ok(Some(store.depths().await?)),
            Self::Host(host) => host.ask(reqwest::Method::GET, "depths").await,
        }
    }

    pub(super) async fn retry(&self, id: RequestId) -> anyhow::Result<Retried> {
        match self {
            Self::File(store) => Ok(store.retry(id, SystemClock::new().now()).await?),
            Self::Host(host) => {
                let tried: Option<Tried> = host.ask(reqwest::Method::POST, &format!("queue/{id}/retry")).await?;
                Ok(tried.map_or(Retried::Unknown, |tried| tried.outcome))
            }
        }
    }

    /// Whether there was something to give up.
    pub(super) async fn discard(&self, id: RequestId) -> anyhow::Result<bool> {
        match self {
            Self::File(store) => Ok(store.discard(id, SystemClock::new().now()).await?),
            Self::Host(host) => host.act(id, "discard").await,
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

    async fn act(&self, id: RequestId, verb: &str) -> anyhow::Result<bool> {
        let done: Option<serde_json::Value> = self.ask(reqwest::Method::POST, &format!("queue/{id}/{verb}")).await?;
        Ok(done.is_some())
    }

    /// `None`: the host knows no such thing.
    pub(in crate::cli) async fn ask<T: DeserializeOwned>(
        &self,
        method: reqwest::Method,
        path: &str,
    ) -> anyhow::Result<Option<T>> {
        let mut request = self.client.request(method, format!("{}/api/v1/{path}", self.base));
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
