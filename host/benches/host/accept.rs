//! From webhook to durable 202: the host's web server and store with nothing behind them, with shared commits and
//! with one commit for each share.
//!
//! Inside this process and on all processors, because only here can the store be told to share nothing.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};
use tandem::clock::SystemClock;
use tandem::config::{Inputs, load};
use tandem::domain::id::PluginId;
use tandem::domain::notice::Notice;
use tandem::domain::patch::Transformation;
use tandem::plugin::LoadError;
use tandem::store::sqlite::{Options as StoreOptions, SqliteStore};
use tandem::sync::{Handle, Notify, Options, Parts, Transform, TransformJob, Tried};
use tandem::web::{self, Gate, PluginDesk, Server, Site};

use crate::load::{Shares, fire};
use crate::report::{Report, at, median};
use crate::rig::{PATH, TOKEN};
use crate::shape::{body, placeholder};

const CONNECTIONS: [usize; 3] = [1, 16, 64];
const ROUNDS: usize = 3;

/// Proposes nothing; is never asked.
struct NoPlugins;

#[async_trait]
impl Transform for NoPlugins {
    async fn transform(&self, _: TransformJob) -> Transformation {
        Transformation::default()
    }
}

impl Notify for NoPlugins {
    fn notify(&self, _: Notice) {}
}

impl PluginDesk for NoPlugins {
    fn list(&self) -> Value {
        json!([])
    }
    fn reload(&self) -> Value {
        json!([])
    }
    fn trial(&self, _: &PluginId, _: &[u8]) -> Result<Tried, LoadError> {
        Err(LoadError::NoMetadata)
    }
    fn is_ready(&self) -> bool {
        true
    }
}

struct Door {
    server: Server,
    sync: Handle,
    _directory: tempfile::TempDir,
}

impl Door {
    async fn open(commit_each: bool) -> Self {
        let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let set = [
            "server.listen=127.0.0.1:0",
            "server.admin_listen=127.0.0.1:0",
            "integration.acme.bigpanda.api_key=none",
            "integration.acme.bigpanda.app_key=none",
            "integration.acme.servicenow.url=http://127.0.0.1:9",
            "integration.acme.servicenow.username=none",
            "integration.acme.servicenow.password=none",
        ];
        let environment = BTreeMap::from([("TANDEM__INTEGRATION__ACME__WEBHOOK__TOKEN".to_owned(), TOKEN.to_owned())]);
        let set = set.map(str::to_owned).to_vec();
        let config =
            load(&Inputs { environment, set, directory: directory.path().into(), ..Inputs::default() }).unwrap().config;
        let options = StoreOptions { commit_each, ..StoreOptions::default() };
        let store = Arc::new(SqliteStore::open(&config.store.path, &options).unwrap());
        let sync = Handle::start(Parts {
            store: store.clone(),
            transform: Arc::new(NoPlugins),
            notify: Arc::new(NoPlugins),
            clock: Arc::new(SystemClock::new()),
            integrations: Vec::new(),
            reader: Arc::new(|_| Err("nothing is read here".to_owned())),
            // What is accepted stays where it is.
            options: Options { intake_links: 0, at_the_door: 0, ..Options::default() },
        });
        let gates: HashMap<_, _> =
            config.integrations.iter().map(|one| (one.name.clone(), Gate::new(one, 0))).collect();
        let desk = Arc::new(NoPlugins);
        let site = Site::new(&config.server, gates, sync.clone(), store, desk, Box::new(String::new));
        let server = web::start(&config.server, site).await.unwrap();
        Self { server, sync, _directory: directory }
    }

    async fn close(self) {
        self.server.stop(Duration::from_secs(5)).await;
        self.sync.drain(Duration::from_secs(5)).await;
    }
}

pub(crate) async fn run() {
    let shares = Arc::new(Shares::new(PATH, TOKEN, &placeholder(), &body(20)));
    let heading = format!("webhook to durable 202, {} bytes each, median of {ROUNDS} rounds", shares.size());
    let mut report = Report::new("accept", &heading);
    for connections in CONNECTIONS {
        let mut rates = [Vec::new(), Vec::new()];
        let mut ratios = Vec::new();
        let mut latencies = [Vec::new(), Vec::new()];
        for _ in 0..ROUNDS {
            for (place, commit_each) in [false, true].into_iter().enumerate() {
                let door = Door::open(commit_each).await;
                let count = if commit_each || connections == 1 { 600 } else { 8_000 };
                let fired = fire(door.server.public, &shares, 0..count, connections, None).await;
                assert!(fired.all_accepted(), "{:?}", fired.statuses);
                rates[place].push(fired.rate());
                latencies[place].extend(fired.latencies);
                door.close().await;
            }
            ratios.push(rates[0].last().unwrap() / rates[1].last().unwrap());
        }
        let (shared, single, ratio) = (median(&rates[0]), median(&rates[1]), median(&ratios));
        let [(p50, p99), (single_p50, _)] = latencies.map(|all| (at(&all, 0.5), at(&all, 0.99)));
        report.row(
            &format!(
                "{connections:>2} connections  {shared:>6.0}/s  p50 {p50:>6.2} ms  p99 {p99:>6.2} ms   one commit each {single:>5.0}/s  p50 {single_p50:>6.2} ms   ratio {ratio:.1}"
            ),
            json!({ "connections": connections, "shared_per_s": shared, "p50_ms": p50, "p99_ms": p99,
                "single_per_s": single, "single_p50_ms": single_p50, "ratio": ratio }),
        );
    }
    report.end();
}
