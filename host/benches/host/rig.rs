//! The real binary between the simulators: started, pinned, watched, and stopped again.
//!
//! The host has the first processor to itself, as far as the machine lets it; the simulators and the load, which live in
//! this process, have the second.

use std::collections::BTreeMap;
use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use tandem::domain::id::{IncidentId, IntegrationName, SysId};
use tandem::domain::ticket::{TicketRef, TicketState};
use tandem::domain::time::Timestamp;
use tandem::simulator::{Config, Handle, Simulator};
use tandem::store::sqlite::{Options, SqliteStore};
use tandem::store::{Adoption, Links as _, NewLink};

use crate::load::id;

/// What shares present.
pub(crate) const TOKEN: &str = "token-of-the-benches";
pub(crate) const PATH: &str = "/integrations/acme/share";

/// How a host is to be started.
#[derive(Default)]
pub(crate) struct Plan {
    /// On the first processor only.
    pub(crate) pinned: bool,
    /// Further lines of the configuration.
    pub(crate) settings: String,
    /// Components for the plugins directory.
    pub(crate) plugins: Vec<PathBuf>,
    /// Open links, each with its ticket, that the store has when the host starts.
    pub(crate) links: usize,
    /// The environment that is polled.
    pub(crate) environment: Option<&'static str>,
    /// Another build than the one that is measured otherwise.
    pub(crate) binary: Option<PathBuf>,
}

/// A host that runs.
pub(crate) struct Rig {
    pub(crate) sim: Handle,
    pub(crate) public: SocketAddr,
    pub(crate) admin: SocketAddr,
    /// From starting the process to `/readyz` saying 200.
    pub(crate) ready_in: Duration,
    host: Child,
    directory: tempfile::TempDir,
    file: PathBuf,
    pinned: bool,
    binary: PathBuf,
}

impl Rig {
    pub(crate) async fn start(plan: Plan) -> Self {
        let sim = Simulator::start(Config { accept_unknown_incidents: true, ..Config::default() }).await.unwrap();
        sim.set_bigpanda_rate_limit(0);
        sim.servicenow_requests().set_capacity(0);
        sim.bigpanda_requests().set_capacity(0);
        // Beside the build, because the system's directory for temporary files may be memory.
        let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let plugins = directory.path().join("plugins");
        fs::create_dir(&plugins).unwrap();
        for component in &plan.plugins {
            fs::copy(component, plugins.join(component.file_name().unwrap())).unwrap();
        }
        let (public, admin) = (free_port(), free_port());
        let file = directory.path().join("tandem.toml");
        fs::write(&file, configuration(&sim, public, admin, directory.path(), &plan)).unwrap();
        if plan.links > 0 {
            open_links(&sim, &directory.path().join("tandem.db"), plan.links).await;
        }
        let started = Instant::now();
        let binary = plan.binary.unwrap_or_else(binary);
        let host = spawn(&binary, &file, plan.pinned);
        let (pinned, ready_in) = (plan.pinned, Duration::ZERO);
        let mut rig = Self { sim, public, admin, ready_in, host, directory, file, pinned, binary };
        rig.wait_until_ready(started).await;
        rig
    }

    /// Stops the host as an operator does and starts it again, over the same store and cache.
    pub(crate) async fn restart(&mut self) {
        assert!(Command::new("kill").arg(self.host.id().to_string()).status().unwrap().success());
        self.host.wait().unwrap();
        let started = Instant::now();
        self.host = spawn(&self.binary, &self.file, self.pinned);
        self.wait_until_ready(started).await;
    }

    async fn wait_until_ready(&mut self, started: Instant) {
        while !ready(self.admin).await {
            let ended = self.host.try_wait().unwrap();
            assert!(ended.is_none() && started.elapsed() < Duration::from_secs(60), "no host:\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        self.ready_in = started.elapsed();
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.directory.path().join("host.log")).unwrap_or_default()
    }

    /// Processor time of the host so far, in seconds.
    pub(crate) fn cpu(&self) -> f64 {
        let stat = self.proc("stat");
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        fields[11..13].iter().map(|ticks| ticks.parse::<f64>().unwrap()).sum::<f64>() / 100.0
    }

    /// Memory of the host in MiB: now, and at its peak.
    pub(crate) fn memory(&self) -> (f64, f64) {
        let status = self.proc("status");
        let of = |key: &str| {
            let line = status.lines().find(|line| line.starts_with(key)).unwrap();
            line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
        };
        (of("VmRSS:"), of("VmHWM:"))
    }

    fn proc(&self, file: &str) -> String {
        fs::read_to_string(format!("/proc/{}/{file}", self.host.id())).unwrap()
    }

    /// Waits until it is so.
    pub(crate) async fn until(&self, what: &str, mut so: impl FnMut(&Handle) -> bool) {
        let started = Instant::now();
        while !so(&self.sim) {
            assert!(started.elapsed() < Duration::from_mins(5), "never: {what}\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        drop(self.host.kill());
        drop(self.host.wait());
    }
}

fn spawn(binary: &Path, file: &Path, pinned: bool) -> Child {
    let log = fs::OpenOptions::new().create(true).append(true).open(file.with_file_name("host.log")).unwrap();
    let mut command = Command::new(if pinned && can_pin() { Path::new("taskset") } else { binary });
    if pinned && can_pin() {
        command.args(["-c", "0"]).arg(binary);
    }
    command.args(["run", "--config"]).arg(file).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
    command.spawn().unwrap()
}

/// The binary of this build, or another one to compare it with.
fn binary() -> PathBuf {
    std::env::var_os("TANDEM_BENCH_BINARY").map_or_else(|| env!("CARGO_BIN_EXE_tandem").into(), PathBuf::from)
}

/// Whether processes can be kept to a processor here. Found out once: a process that is kept to one itself sees no other.
pub(crate) fn can_pin() -> bool {
    static CAN: OnceLock<bool> = OnceLock::new();
    *CAN.get_or_init(|| {
        let tried = Command::new("taskset").args(["-c", "0", "true"]).status();
        tried.is_ok_and(|status| status.success())
            && std::thread::available_parallelism().is_ok_and(|all| all.get() > 1)
    })
}

/// Keeps this process off the host's processor. Before any thread is started.
pub(crate) fn keep_off() {
    let id = std::process::id().to_string();
    let moved = Command::new("taskset").args(["-a", "-c", "-p", "1", &id]).stdout(Stdio::null()).status();
    assert!(moved.is_ok_and(|status| status.success()), "this process can't be moved to another processor");
}

/// Links as `tandem adopt` makes them, with their tickets in ServiceNow.
async fn open_links(sim: &Handle, path: &Path, links: usize) {
    let fields = [("short_description", "disk full"), ("correlation_id", "bigpanda:{n}")];
    let fields = fields.map(|(name, text)| (name.to_owned(), text.to_owned())).into();
    // Made long ago: no poll looks at them.
    sim.servicenow_clock().freeze(1_767_225_600);
    sim.bulk("incident", links, &fields).unwrap();
    sim.servicenow_clock().reset();
    let store = SqliteStore::open(path, &Options::default()).unwrap();
    let new = |number: usize| NewLink {
        integration: IntegrationName::new("acme").unwrap(),
        environment: None,
        ticket: TicketState {
            ticket: TicketRef {
                sys_id: SysId::new(&format!("{number:032x}")).unwrap(),
                number: format!("INC{number:07}"),
                url: format!("https://acme.service-now.com/incident.do?sys_id={number:032x}"),
            },
            incident: IncidentId::new(&id(number)).unwrap(),
            fields: BTreeMap::new(),
            notes: Vec::new(),
        },
        said: "The ticket was taken over.".to_owned(),
    };
    for begin in (0..links).step_by(1_000) {
        let some = (begin..links.min(begin + 1_000)).map(new).collect();
        let made = store.adopt(some, Timestamp(1_767_225_600_000)).await.unwrap();
        assert!(made.iter().all(|adoption| *adoption == Adoption::Made), "{made:?}");
    }
}

async fn ready(admin: SocketAddr) -> bool {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let Ok(mut stream) = tokio::net::TcpStream::connect(admin).await else { return false };
    let mut answer = String::new();
    let asked = stream.write_all(b"GET /readyz HTTP/1.1\r\nhost: bench\r\nconnection: close\r\n\r\n").await;
    asked.is_ok() && stream.read_to_string(&mut answer).await.is_ok() && answer.starts_with("HTTP/1.1 200")
}

fn configuration(sim: &Handle, public: SocketAddr, admin: SocketAddr, directory: &Path, plan: &Plan) -> String {
    let access = sim.access();
    let environment = plan.environment.map_or_else(String::new, |id| format!("environment_id = \"{id}\""));
    let settings = &plan.settings;
    format!(
        r#"
[server]
listen = "{public}"
admin_listen = "{admin}"
shares_per_second = 0
[store]
path = "{directory}/tandem.db"
[plugins]
directory = "{directory}/plugins"
cache = "{directory}/cache"
[log]
level = "warn"
[integration.acme.bigpanda]
api_url = "{bigpanda}"
api_key = "{key}"
app_key = "{app}"
requests_per_second = 10000
{environment}
[integration.acme.servicenow]
url = "{servicenow}"
username = "{user}"
password = "{password}"
concurrency = 32
[integration.acme.webhook]
token = "{TOKEN}"
[integration.acme.incidents]
assignment_group = "Network"
caller_email = "abel.tuter@example.com"
{settings}
"#,
        directory = directory.display(),
        bigpanda = access.bigpanda.url,
        key = access.bigpanda.api_key,
        app = access.bigpanda.app_key,
        servicenow = access.servicenow.url,
        user = access.servicenow.user,
        password = access.servicenow.password,
    )
}

fn free_port() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}
