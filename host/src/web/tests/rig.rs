//! Both sockets over a store whose writes can be made to fail, and requests as raw bytes.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::clock::{Clock, SystemClock};
use crate::config::{Config, Inputs, load};
use crate::domain::id::{EventId, Fence, IncidentId, IntegrationName, LinkId, PluginId, RequestId};
use crate::domain::link::Link;
use crate::domain::patch::Transformation;
use crate::domain::request::{Request, Target};
use crate::domain::time::Timestamp;
use crate::plugin::LoadError;
use crate::store::sqlite::{Options, SqliteStore};
use crate::store::{
    Accepted, Adoption, Completion, Cursor, Decided, Depths, Desk, Ended, Error, EventClaim, EventView, Inbox,
    JournalEntry, Links, NewEvent, NewLink, Origin, Outbox, Pruned, QueueFilter, Redrive, Redriven, RequestClaim,
    RequestDetail, RequestView, Reseal, Resealed, Retention, Retried, Room, Settled, TakenIn,
};
use crate::sync::{self, Parts, Transform, TransformJob};
use crate::web::{Gate, PluginDesk, Server, Site, start};

/// What shares present.
pub(super) const TOKEN: &str = "swordfish-of-today-0123456789";
/// What they presented before the token was changed.
pub(super) const PREVIOUS: &str = "swordfish-of-yesterday-0123456";

/// Longest time that anything may take that is not meant to be slow.
const PATIENCE: Duration = Duration::from_secs(10);

/// The embedded store behind a switch.
pub(super) struct Switched {
    inner: SqliteStore,
    pub(super) failing: AtomicBool,
    pub(super) rejected: AtomicU32,
}

impl Switched {
    fn writable(&self) -> Result<(), Error> {
        if self.failing.load(Ordering::SeqCst) {
            return Err(Error::Unavailable { what: "the disk is full".to_owned(), source: None });
        }
        Ok(())
    }
}

#[async_trait]
impl Inbox for Switched {
    async fn accept_polled(&self, events: Vec<NewEvent>, cursor: Cursor) -> Result<Vec<Accepted>, Error> {
        self.inner.accept_polled(events, cursor).await
    }

    async fn cursor(&self, integration: &IntegrationName, poller: &'static str) -> Result<Option<String>, Error> {
        self.inner.cursor(integration, poller).await
    }

    async fn take_in(&self, event: NewEvent, lease: Option<Duration>) -> Result<TakenIn, Error> {
        self.writable()?;
        self.inner.take_in(event, lease).await
    }
    async fn claim_events(&self, links: usize, lease: Duration, now: Timestamp) -> Result<Vec<EventClaim>, Error> {
        self.inner.claim_events(links, lease, now).await
    }
    async fn conclude(&self, decided: Decided, room: Room) -> Result<Ended, Error> {
        self.inner.conclude(decided, room).await
    }
    async fn reject(
        &self,
        integration: &IntegrationName,
        reason: &str,
        body: &[u8],
        now: Timestamp,
    ) -> Result<(), Error> {
        self.rejected.fetch_add(1, Ordering::SeqCst);
        self.inner.reject(integration, reason, body, now).await
    }
}

#[async_trait]
impl Outbox for Switched {
    async fn claim_requests(
        &self,
        target: Target,
        limit: usize,
        lease: Duration,
        paused: &[IntegrationName],
        now: Timestamp,
    ) -> Result<Vec<RequestClaim>, Error> {
        self.inner.claim_requests(target, limit, lease, paused, now).await
    }

    async fn claim_requests_of(
        &self,
        integration: &IntegrationName,
        target: Target,
        limit: usize,
        lease: Duration,
        now: Timestamp,
    ) -> Result<Vec<RequestClaim>, Error> {
        self.inner.claim_requests_of(integration, target, limit, lease, now).await
    }
    async fn complete_seal(&self, id: RequestId, fence: Fence, request: Request) -> Result<Completion, Error> {
        self.inner.complete_seal(id, fence, request).await
    }
    async fn settle(&self, settled: Settled, room: Room) -> Result<Ended, Error> {
        self.inner.settle(settled, room).await
    }
    async fn next_due(&self, now: Timestamp) -> Result<Option<Timestamp>, Error> {
        self.inner.next_due(now).await
    }
}

#[async_trait]
impl Links for Switched {
    async fn link_of(&self, integration: &IntegrationName, incident: &IncidentId) -> Result<Option<Link>, Error> {
        self.inner.link_of(integration, incident).await
    }
    async fn journal_of(&self, link: LinkId) -> Result<Vec<JournalEntry>, Error> {
        self.inner.journal_of(link).await
    }
    async fn adopt(&self, links: Vec<NewLink>, now: Timestamp) -> Result<Vec<Adoption>, Error> {
        self.inner.adopt(links, now).await
    }
}

#[async_trait]
impl Desk for Switched {
    async fn list(&self, filter: QueueFilter) -> Result<Vec<RequestView>, Error> {
        self.inner.list(filter).await
    }
    async fn show(&self, id: RequestId) -> Result<Option<RequestDetail>, Error> {
        self.inner.show(id).await
    }
    async fn retry(&self, id: RequestId, now: Timestamp) -> Result<Retried, Error> {
        self.inner.retry(id, now).await
    }
    async fn discard(&self, id: RequestId, now: Timestamp) -> Result<bool, Error> {
        self.inner.discard(id, now).await
    }
    async fn redrive(&self, redrive: Redrive) -> Result<Redriven, Error> {
        self.inner.redrive(redrive).await
    }
    async fn origin(&self, id: RequestId) -> Result<Option<Origin>, Error> {
        self.inner.origin(id).await
    }
    async fn reseal(&self, reseal: Reseal) -> Result<Resealed, Error> {
        self.inner.reseal(reseal).await
    }
    async fn quarantined(&self, integration: Option<IntegrationName>) -> Result<Vec<EventView>, Error> {
        self.inner.quarantined(integration).await
    }
    async fn release(&self, id: EventId, now: Timestamp) -> Result<bool, Error> {
        self.inner.release(id, now).await
    }
    async fn forget(&self, id: EventId, now: Timestamp) -> Result<bool, Error> {
        self.inner.forget(id, now).await
    }
    async fn depths(&self) -> Result<Depths, Error> {
        self.inner.depths().await
    }
    async fn check(&self) -> Result<(), Error> {
        self.writable()?;
        self.inner.check().await
    }
}

#[async_trait]
impl Retention for Switched {
    async fn prune(&self, now: Timestamp) -> Result<Pruned, Error> {
        self.inner.prune(now).await
    }
}

/// Proposes nothing.
struct NoPlugins;

#[async_trait]
impl Transform for NoPlugins {
    async fn transform(&self, _: TransformJob) -> Transformation {
        Transformation { generation: 1, ..Transformation::default() }
    }
}

struct Deaf;

impl sync::Notify for Deaf {
    fn notify(&self, _: crate::domain::notice::Notice) {}
}

impl PluginDesk for NoPlugins {
    fn list(&self) -> Value {
        json!([])
    }
    fn reload(&self) -> Value {
        json!([])
    }
    fn trial(&self, _: &PluginId, _: &[u8]) -> Result<sync::Tried, LoadError> {
        Err(LoadError::NoMetadata)
    }
    fn is_ready(&self) -> bool {
        true
    }
}

/// Both sockets, served.
pub(super) struct Rig {
    pub(super) server: Server,
    pub(super) store: Arc<Switched>,
    sync: sync::Handle,
    _directory: tempfile::TempDir,
}

impl Rig {
    /// Serves one integration, `acme`, with further settings.
    pub(super) async fn new(set: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let config = configuration(directory.path(), set);
        let inner = SqliteStore::open(&config.store.path, &Options::default()).unwrap();
        let store = Arc::new(Switched { inner, failing: AtomicBool::new(false), rejected: AtomicU32::new(0) });
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        // No integration: what is accepted stays where it is.
        let sync = sync::Handle::start(Parts {
            notify: Arc::new(Deaf),
            store: store.clone(),
            transform: Arc::new(NoPlugins),
            clock,
            integrations: Vec::new(),
            reader: Arc::new(|_| Err("nothing is read here".to_owned())),
            options: sync::Options::default(),
        });
        let gates =
            config.integrations.iter().map(|one| (one.name.clone(), Gate::new(one, config.server.shares_per_second)));
        let gates: HashMap<_, _> = gates.collect();
        let desk = Arc::new(NoPlugins);
        let site = Site::new(&config.server, gates, sync.clone(), store.clone(), desk, Box::new(String::new));
        let server = start(&config.server, site).await.unwrap();
        Self { server, store, sync, _directory: directory }
    }

    pub(super) async fn stop(self) -> bool {
        let served = self.server.stop(PATIENCE).await;
        self.sync.drain(PATIENCE).await && served
    }

    /// Sends raw bytes to the public socket and reads until the server closes.
    pub(super) async fn raw(&self, bytes: &[u8]) -> String {
        raw(self.server.public, bytes).await
    }

    /// Sends a share with the valid token and further lines of the head.
    pub(super) async fn share(&self, number: u32, lines: &str) -> Reply {
        let head = format!("authorization: Bearer {TOKEN}\r\n{lines}");
        self.post("/integrations/acme/share", &head, &body(number)).await
    }

    /// Sends a share with these lines in the head, which say who asks.
    pub(super) async fn share_as(&self, number: u32, lines: &str) -> Reply {
        self.post("/integrations/acme/share", lines, &body(number)).await
    }

    pub(super) async fn post(&self, path: &str, lines: &str, body: &[u8]) -> Reply {
        let mut bytes = format!(
            "POST {path} HTTP/1.1\r\nhost: tandem\r\nconnection: close\r\n{lines}content-length: {}\r\n\r\n",
            body.len()
        )
        .into_bytes();
        bytes.extend_from_slice(body);
        Reply::of(&self.raw(&bytes).await)
    }

    pub(super) async fn admin(&self, method: &str, path: &str, lines: &str) -> Reply {
        let host = if lines.contains("host:") { String::new() } else { "host: localhost\r\n".to_owned() };
        let request =
            format!("{method} {path} HTTP/1.1\r\n{host}connection: close\r\n{lines}content-length: 0\r\n\r\n");
        Reply::of(&raw(self.server.admin, request.as_bytes()).await)
    }
}

async fn raw(to: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(to).await.unwrap();
    // The server may answer and close before it has read everything.
    let _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let _ = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("the server closes in time");
    String::from_utf8_lossy(&answer).into_owned()
}

/// An answer. None of them may hold a secret.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) head: String,
    pub(super) body: Value,
}

impl Reply {
    pub(super) fn of(text: &str) -> Self {
        assert!(!text.contains("swordfish"), "{text}");
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
        let status = head.get(9..12).and_then(|status| status.parse().ok()).unwrap_or(0);
        Self { status, head: head.to_ascii_lowercase(), body: serde_json::from_str(body).unwrap_or(Value::Null) }
    }

    pub(super) fn code(&self) -> &str {
        self.body["error"]["code"].as_str().unwrap_or("")
    }
}

/// A share whose id comes from the number.
pub(super) fn body(number: u32) -> Vec<u8> {
    json!({
        "incident": {
            "id": format!("65f1c2a9e0b7d4001{number:07x}"), "status": "critical", "active": true, "startedOn": 1_767_225_600,
            "alerts": [{ "id": "1", "status": "critical", "tags": [{ "name": "host", "value": "web-1" }] }]
        },
        "metadata": { "event_type": "incident#new", "environment_id": "63bd568809cb331300ff0001" }
    })
    .to_string()
    .into_bytes()
}

fn configuration(directory: &std::path::Path, set: &[&str]) -> Config {
    let settings = [
        "server.listen=127.0.0.1:0",
        "server.admin_listen=127.0.0.1:0",
        "server.header_timeout=300ms",
        "server.body_timeout=300ms",
        "server.body_limit=64 KiB",
        "integration.acme.bigpanda.api_key=swordfish",
        "integration.acme.bigpanda.app_key=swordfish",
        "integration.acme.servicenow.url=https://acme.service-now.com",
        "integration.acme.servicenow.pinned_hosts=itsm.acme.example",
        "integration.acme.servicenow.username=bigpanda",
        "integration.acme.servicenow.password=swordfish",
    ];
    let environment = BTreeMap::from([
        ("TANDEM__INTEGRATION__ACME__WEBHOOK__TOKEN".to_owned(), TOKEN.to_owned()),
        ("TANDEM__INTEGRATION__ACME__WEBHOOK__PREVIOUS_TOKEN".to_owned(), PREVIOUS.to_owned()),
    ]);
    let set = settings.iter().chain(set).map(|text| (*text).to_owned()).collect();
    load(&Inputs { file: None, environment, set, directory: directory.to_path_buf(), draft: None }).unwrap().config
}
