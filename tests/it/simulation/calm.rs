//! The whole sync with the real store on virtual time, where nothing takes time and nothing goes wrong but what a test
//! asks for. BigPanda shares what we write there, as it does in life.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tandem::clock::Steady;
use tandem::domain::id::{EnvironmentId, IncidentId, IntegrationName};
use tandem::domain::notice::Notice;
use tandem::domain::outcome::Failure;
use tandem::domain::share::Share;
use tandem::engine::Policy;
use tandem::engine::echo::outline;
use tandem::store::sqlite::SqliteStore;
use tandem::store::{Desk as _, QueueFilter, RequestState};
use tandem::sync::{Effective, Handle, Integration, Notify, Options, Parts, Polls};

use super::bigpanda::{BigPanda, ENVIRONMENT};
use super::plugins::Plugins;
use super::run::Fixed;
use super::servicenow::ServiceNow;
use super::time::{BEGIN, Time};
use super::weather::Weather;

pub const MINUTE: Duration = Duration::from_secs(60);

/// Keeps notices with the time at which they came.
struct Bell {
    told: Mutex<Vec<(Duration, Notice)>>,
    time: Arc<Time>,
}

impl Notify for Bell {
    fn notify(&self, notice: Notice) {
        self.told.lock().unwrap().push((self.time.passed(), notice));
    }
}

/// Both sides, the store, and a host once it is started.
pub struct Calm {
    pub bigpanda: Arc<BigPanda>,
    pub servicenow: Arc<ServiceNow>,
    pub store: Arc<SqliteStore>,
    time: Arc<Time>,
    bell: Arc<Bell>,
    policy: Policy,
    /// What the configuration says of the environment.
    pub environment: Option<EnvironmentId>,
    handle: Option<Handle>,
}

/// How ServiceNow fails.
pub fn answered(status: u16) -> Failure {
    Failure {
        code: if status < 500 { "servicenow.refused" } else { "servicenow.unavailable" }.to_owned(),
        errno: None,
        status: Some(status),
        summary: format!("ServiceNow answered {status}"),
        detail: None,
        hint: None,
    }
}

/// The one incident.
pub fn id() -> IncidentId {
    IncidentId::new("incident-0").unwrap()
}

pub fn acme() -> IntegrationName {
    IntegrationName::new("acme").unwrap()
}

/// Equal for equal deliveries.
pub fn dedupe(share: &Share) -> String {
    format!("{:?}/{}", share.kind, outline(&share.incident))
}

impl Calm {
    /// Time begins. The settings are the original's, changed as the test wants them.
    pub fn new(change: impl FnOnce(&mut Policy)) -> Self {
        let time = Arc::new(Time::default());
        time.begin();
        let weather = Arc::new(Weather::new(1, 0).still());
        let mut policy = Policy::default();
        change(&mut policy);
        Self {
            bigpanda: Arc::new(BigPanda::new(time.clone(), weather.clone())),
            servicenow: Arc::new(ServiceNow::new(time.clone(), weather, false)),
            store: Arc::new(SqliteStore::in_memory().unwrap()),
            bell: Arc::new(Bell { told: Mutex::default(), time: time.clone() }),
            time,
            policy,
            environment: Some(EnvironmentId::new(ENVIRONMENT).unwrap()),
            handle: None,
        }
    }

    pub fn start(&mut self) {
        let effective = Effective { policy: self.policy.clone(), plugin_settings: "{}".into(), ignored: Vec::new() };
        let integration = Integration {
            name: acme(),
            settings: Arc::new(Fixed(effective)),
            bigpanda: self.bigpanda.clone(),
            servicenow: self.servicenow.clone(),
            environment: self.environment.clone(),
            console: None,
            on_premises: false,
            to_servicenow: 4,
            polls: Polls { bigpanda: true, servicenow: true, ..Polls::default() },
        };
        self.handle = Some(Handle::start(Parts {
            store: self.store.clone(),
            transform: Arc::new(Plugins),
            notify: self.bell.clone(),
            clock: Arc::new(Steady::new(self.time.clone())),
            integrations: vec![integration],
            reader: Arc::new(|body| serde_json::from_slice(body).map_err(|error| error.to_string())),
            options: Options::default(),
        }));
    }

    pub fn handle(&self) -> &Handle {
        self.handle.as_ref().expect("a host")
    }

    /// The host ends in order, and another one starts on what it left.
    pub async fn restart(&mut self) {
        assert!(self.handle.take().expect("a host").drain(MINUTE).await);
        self.store.reopen().unwrap();
        self.start();
    }

    /// Lets time pass up to a moment after the beginning; what BigPanda shares arrives within five seconds.
    pub async fn until(&self, moment: Duration) {
        loop {
            let shares: Vec<_> = self.bigpanda.look().shares.drain(..).collect();
            for share in shares {
                let body = serde_json::to_vec(&share).unwrap();
                self.handle().accept(&acme(), share.clone(), dedupe(&share), body.into()).await.unwrap();
            }
            let left = moment.saturating_sub(self.time.passed());
            if left.is_zero() {
                return;
            }
            tokio::time::sleep(left.min(Duration::from_secs(5))).await;
        }
    }

    /// When a ticket was asked for, in milliseconds since the beginning.
    pub fn asked(&self) -> Vec<i64> {
        self.servicenow.look().asked.iter().map(|at| at.0 - BEGIN.0).collect()
    }

    /// Number, state and attempts of what is unfinished.
    pub async fn queue(&self) -> Vec<(i64, RequestState, u32)> {
        let views = self.store.list(QueueFilter::default()).await.unwrap();
        views.iter().map(|view| (view.id.0, view.state, view.attempts)).collect()
    }

    /// What operators were told, and when.
    pub fn told(&self) -> Vec<(Duration, Notice)> {
        self.bell.told.lock().unwrap().clone()
    }

    /// The tag that tells of the ticket, and what the incident's comments say, without their marks.
    pub fn shown(&self) -> (String, Vec<String>) {
        let inside = self.bigpanda.look();
        let known = &inside.incidents[&id()];
        let text = |text: &str| text.split(" [tandem:").next().unwrap().to_owned();
        let comments = known.activities.iter().map(|activity| text(&activity.text)).collect();
        (known.incident.tag("servicenow_link").unwrap_or_default().to_owned(), comments)
    }

    pub fn tickets(&self) -> usize {
        self.servicenow.look().tickets.len()
    }

    pub fn recover(&self) {
        self.servicenow.look().refuses = None;
    }

    /// Address of the first ticket.
    pub fn link(&self) -> String {
        self.servicenow.look().tickets[0].state.ticket.url.clone()
    }
}

/// Code, title and lines of a notice.
pub fn words(notice: &Notice) -> String {
    format!("{}: {}\n{}", notice.code, notice.title, notice.lines.join("\n"))
}
