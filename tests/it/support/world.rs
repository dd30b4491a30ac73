//! One host between two simulators.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tandem::simulator::{Channel, Config, Count, Handle, Simulator};

use super::wire::{self, Answer};

/// The token that shares present.
pub const TOKEN: &str = "token-of-the-tests";

/// How long anything may take that a test waits for.
const PATIENCE: Duration = Duration::from_secs(30);

/// A host, its directory, and the two sides.
pub struct World {
    pub sim: Handle,
    pub listen: SocketAddr,
    pub admin: SocketAddr,
    directory: tempfile::TempDir,
    settings: String,
    host: Option<Child>,
}

impl World {
    /// Simulators and a configuration; the host isn't started.
    pub async fn new() -> Self {
        Self::with(Config { accept_unknown_incidents: true, ..Config::default() }).await
    }

    /// Likewise, with simulators of one's own.
    pub async fn with(config: Config) -> Self {
        let sim = Simulator::start(config).await.unwrap();
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("plugins")).unwrap();
        // Held together, or both may be the same.
        let held = [free_port(), free_port()];
        let [listen, admin] = held.each_ref().map(|held| held.local_addr().unwrap());
        Self { sim, listen, admin, directory, settings: String::new(), host: None }
    }

    /// Adds lines to the integration's configuration.
    pub fn configured(mut self, lines: &str) -> Self {
        self.settings.push_str(lines);
        self.settings.push('\n');
        self
    }

    /// A world whose host is running.
    pub async fn running() -> Self {
        let mut world = Self::new().await;
        assert!(world.start(&[]).await, "the host ended at once:\n{}", world.log());
        world
    }

    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    pub fn plugins(&self) -> PathBuf {
        self.directory.path().join("plugins")
    }

    /// Everything that the host logged so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.directory.path().join("host.log")).unwrap_or_default()
    }

    /// Starts the host and waits until it is ready, or dead; true: it is ready.
    pub async fn start(&mut self, environment: &[(&str, &str)]) -> bool {
        assert!(self.host.is_none(), "the host runs already");
        let file = self.written();
        let log =
            fs::OpenOptions::new().create(true).append(true).open(self.directory.path().join("host.log")).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_tandem"))
            .args(["run", "--config"])
            .arg(&file)
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        self.host = Some(child);
        let deadline = Instant::now() + PATIENCE;
        loop {
            if self.host.as_mut().unwrap().try_wait().unwrap().is_some() {
                return false;
            }
            if let Ok(answer) = wire::request(self.admin, "GET", "/readyz", &[], b"").await
                && answer.status == 200
            {
                return true;
            }
            assert!(Instant::now() < deadline, "the host does not become ready:\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The configuration's file, for commands that need no host.
    pub fn written(&self) -> PathBuf {
        let file = self.directory.path().join("tandem.toml");
        fs::write(&file, self.configuration()).unwrap();
        file
    }

    fn configuration(&self) -> String {
        let access = self.sim.access();
        // Compiled code is shared between tests; it is keyed by content.
        let cache = std::env::temp_dir().join("tandem-tests-plugin-cache");
        format!(
            r#"
[server]
listen = "{listen}"
admin_listen = "{admin}"
[store]
path = "{directory}/tandem.db"
[plugins]
directory = "{directory}/plugins"
cache = "{cache}"
[integration.acme.bigpanda]
api_url = "{bigpanda}"
api_key = "{key}"
app_key = "{app}"
environment_id = "{environment}"
requests_per_second = 1000
[integration.acme.servicenow]
url = "{servicenow}"
username = "{user}"
password = "{password}"
[integration.acme.webhook]
token = "{TOKEN}"
[integration.acme.retry]
within_attempt = []
{settings}
"#,
            listen = self.listen,
            admin = self.admin,
            directory = self.directory.path().display(),
            cache = cache.display(),
            bigpanda = access.bigpanda.url,
            key = access.bigpanda.api_key,
            app = access.bigpanda.app_key,
            environment = access.bigpanda.environment_id,
            servicenow = access.servicenow.url,
            user = access.servicenow.user,
            password = access.servicenow.password,
            settings = self.settings,
        )
    }

    /// The host's end, if it has come.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.host.as_mut().and_then(|host| host.try_wait().unwrap())
    }

    /// Waits for the host's end and forgets the process, so that it can be started again.
    pub async fn wait_for_end(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.ended() {
                self.host = None;
                return status;
            }
            assert!(Instant::now() < deadline, "the host does not end:\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Asks the host to stop and waits for it.
    pub async fn stop(&mut self) -> ExitStatus {
        self.signal("-TERM");
        self.wait_for_end().await
    }

    /// Whether the host was stopped as SIGSTOP does it.
    pub fn is_frozen(&self) -> bool {
        let id = self.host.as_ref().expect("a host").id();
        let told = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        // The state follows the name, which is in brackets and may hold anything.
        told.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('T'))
    }

    /// Lets a host go on that stands still.
    pub fn thaw(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let id = self.host.as_ref().expect("a host").id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    }

    /// Kills the host as `kill -9` does.
    pub async fn kill(&mut self) {
        self.host.as_mut().expect("a host").kill().unwrap();
        self.wait_for_end().await;
    }

    /// Sends a share as BigPanda does. `Err`: no answer came.
    pub async fn share(&self, body: &Value) -> std::io::Result<Answer> {
        self.share_with(body, &[]).await
    }

    /// Sends a share with further headers.
    pub async fn share_with(&self, body: &Value, headers: &[(&str, &str)]) -> std::io::Result<Answer> {
        let authorization = format!("Bearer {TOKEN}");
        let mut all = vec![("authorization", authorization.as_str()), ("content-type", "application/json")];
        all.extend_from_slice(headers);
        wire::request(self.listen, "POST", "/integrations/acme/share", &all, body.to_string().as_bytes()).await
    }

    /// How often the host has looked for changes by itself, at most once per side.
    pub fn looks(&self) -> usize {
        let listed = |call: &(String, Count)| call.0.starts_with("GET") && call.0.ends_with("/incidents");
        let asked = |call: &(String, Count)| call.0.starts_with("GET") && call.0.ends_with("/table/incident");
        let sim = &self.sim;
        usize::from(sim.bigpanda_requests().counts().into_iter().any(|call| listed(&call)))
            + usize::from(sim.servicenow_requests().counts().into_iter().any(|call| asked(&call)))
    }

    /// Reads from the admin address.
    pub async fn admin(&self, path: &str) -> Answer {
        wire::request(self.admin, "GET", path, &[], b"").await.unwrap()
    }

    /// Waits until it is so.
    pub async fn until(&self, what: &str, mut so: impl FnMut(&Self) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !so(self) {
            assert!(Instant::now() < deadline, "not within {PATIENCE:?}: {what}\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Waits until an incident has its ticket, and everything has gone back to BigPanda.
    pub async fn until_told(&self, incident: &str) {
        self.until(&format!("{incident} has a ticket and knows it"), |world| {
            !world.sim.tickets_of(&format!("bigpanda:{incident}")).is_empty()
                && world.sim.callbacks().iter().any(|callback| callback.incident_id == incident)
                && world.sim.tag(incident, "servicenow_link").is_some_and(|tag| tag.starts_with("http"))
                && !world.sim.comments(incident).is_empty()
        })
        .await;
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some(host) = &mut self.host {
            let _ = host.kill();
            let _ = host.wait();
        }
    }
}

/// BigPanda's way to the host.
pub fn share_channel(world: &World) -> Channel {
    let channel = json!({
        "name": "acme",
        "url": format!("http://{}/integrations/acme/share", world.listen),
        "headers": { "Authorization": format!("Bearer {TOKEN}") },
    });
    serde_json::from_value(channel).unwrap()
}

fn free_port() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").unwrap()
}

/// A share of a small critical incident, in the webhook's dialect. The number makes the id.
pub fn incident(number: u32) -> (String, Value) {
    let id = format!("65f1c2a9e0b7d4001{number:07x}");
    let started = 1_767_225_600 + i64::from(number);
    let share = json!({
        "incident": {
            "id": id, "status": "critical", "active": true, "severity": "critical", "flapping": false,
            "startedOn": started, "changedOn": started + 60, "updatedOn": started + 60, "endedOn": null,
            "incident_tags": [{ "tag_id": "priority", "tag_value": "P2" }],
            "alerts": [{
                "id": format!("{id}a"), "status": "critical", "active": true, "startedOn": started,
                "changedOn": started + 60, "primary_property": "host", "secondary_property": "check",
                "source_system": "prometheus.prod", "description": "CPU above 90 % for 5 minutes",
                "tags": [{ "name": "host", "value": format!("web-{number}") }, { "name": "check", "value": "cpu" }]
            }]
        },
        "metadata": { "event_type": "incident#new", "environment_id": "63bd568809cb331300ff0001" }
    });
    (id, share)
}
