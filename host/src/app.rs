//! The composition root: the only file that knows everyone. It builds the parts from the configuration, starts them in
//! the right order and stops them in the reverse one. It decides nothing.

pub(crate) mod clients;
mod notices;
mod plugins;
mod settings;

pub use notices::targets;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;

use crate::clock::{Clock, Steady, SystemClock};
use crate::config::Config;
use crate::notify::Notifier;
use crate::store::Store;
use crate::store::sqlite::{Options as StoreOptions, SqliteStore};
use crate::sync::{Handle, Integration, Options, Parts};
use crate::web::{Gate, Server, Site};
use crate::{bigpanda, plugin, telemetry, web};

/// A host that runs.
pub struct Running {
    pub public: SocketAddr,
    pub admin: SocketAddr,
    pub store: Arc<dyn Store>,
    pub plugins: Arc<plugin::Host>,
    sync: Handle,
    notifier: Arc<Notifier>,
    server: Server,
    drain: Duration,
}

/// Starts a host. When this returns, it accepts shares.
pub async fn start(config: Config) -> anyhow::Result<Running> {
    let clock: Arc<dyn Clock> = Arc::new(Steady::new(SystemClock::new()));
    let store = open_store(&config.store.path).await?;
    let plugins = plugins::start(&config.plugins).await?;
    let mut integrations = Vec::new();
    let mut gates = HashMap::new();
    for one in &config.integrations {
        let gate = Gate::new(one, config.server.shares_per_second).stopped_by(config.store.stop_marker(&one.name));
        gates.insert(one.name.clone(), gate);
        integrations.push(Integration {
            name: one.name.clone(),
            bigpanda: clients::bigpanda(one, &clock)?,
            servicenow: clients::servicenow(one, &clock)?,
            on_premises: one.is_on_premises(),
            environment: one.bigpanda.environment_id.clone(),
            console: one.bigpanda.console_url.as_ref().map(|url| url.as_str().trim_end_matches('/').to_owned()),
            to_servicenow: one.servicenow.concurrency,
            settings: Arc::new(settings::Resolved::new(one.clone())),
            polls: settings::polls(&one.polling),
        });
    }
    let notifier = Arc::new(notices::start(&config, &clock)?);
    let sync = Handle::start(Parts {
        store: store.clone(),
        notify: Arc::new(notices::Bell::new(notifier.clone())),
        transform: Arc::new(plugins::Chain::new(plugins.clone())),
        clock,
        integrations,
        reader: Arc::new(|stored| bigpanda::share::restore(stored).map_err(|error| error.to_string())),
        options: Options::default(),
    });
    let metrics = telemetry::start_metrics();
    let site = Site::new(
        &config.server,
        gates,
        sync.clone(),
        store.clone(),
        Arc::new(plugins::Desk::new(plugins.clone())),
        Box::new(move || {
            metrics.as_ref().map_or_else(String::new, metrics_exporter_prometheus::PrometheusHandle::render)
        }),
    );
    let server = web::start(&config.server, site).await?;
    Ok(Running {
        public: server.public,
        admin: server.admin,
        store,
        plugins,
        sync,
        notifier,
        server,
        drain: config.server.drain_timeout,
    })
}

/// The store's file is opened, and migrated if need be, off the runtime's threads.
async fn open_store(path: &Path) -> anyhow::Result<Arc<dyn Store>> {
    let path = path.to_owned();
    let opened = tokio::task::spawn_blocking(move || SqliteStore::open(&path, &StoreOptions::default()));
    Ok(Arc::new(opened.await.context("opening the store was cut off")??))
}

impl Running {
    /// Looks for due work now.
    pub fn wake(&self) {
        self.sync.wake();
    }

    /// Refuses new shares, finishes what is under way, and closes. Returns whether all of it ended in time; what did not
    /// is taken up at the next start.
    pub async fn stop(self) -> bool {
        let served = self.server.stop(self.drain).await;
        let drained = self.sync.drain(self.drain).await;
        // Last, so that what failed until now is told.
        let told = self.notifier.stop(self.drain).await;
        served && drained && told
    }
}

/// How a host came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    Orderly,
    /// It was asked a second time.
    AtOnce,
}

/// Runs a host until the process is asked to stop. A second request stops it at once.
pub async fn run(config: Config) -> anyhow::Result<Ended> {
    let running = start(config).await?;
    tracing::info!(
        public = %running.public,
        admin = %running.admin,
        version = env!("CARGO_PKG_VERSION"),
        "tandem is ready for shares"
    );
    asked_to_stop().await?;
    tracing::info!("stopping: new shares are refused, what is under way is finished");
    tokio::select! {
        ended = running.stop() => {
            if !ended {
                tracing::warn!("not everything ended in time; the rest is taken up at the next start");
            }
            Ok(Ended::Orderly)
        }
        again = asked_to_stop() => {
            again?;
            tracing::warn!("stopping at once");
            Ok(Ended::AtOnce)
        }
    }
}

/// Waits for SIGTERM or SIGINT.
async fn asked_to_stop() -> anyhow::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).context("no handler for SIGTERM")?;
    tokio::select! {
        _ = terminate.recv() => Ok(()),
        interrupt = tokio::signal::ctrl_c() => interrupt.context("no handler for SIGINT"),
    }
}
