//! A BigPanda and a ServiceNow behind real HTTP on loopback, good enough for real clients of either.
//!
//! Not mocks: records, rules, journals and shares behave as documented or measured. Used by `tandem simulate`, the
//! demo, tests and benches; knows nothing of the rest of the host. Control routes are under `/_control/` on each side,
//! listed at [`Handle`]. Holds always: the same seed and the same requests give the same ids.

mod bigpanda;
mod calendar;
mod capacity;
mod clock;
mod control;
mod fault;
mod handle;
mod http;
mod json;
mod post;
mod random;
mod recorder;
mod serve;
mod servicenow;
mod socket;

use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;

pub use self::bigpanda::{Callback, Channel, Comment, Delivery, Dialect};
pub use self::capacity::Limits;
pub use self::clock::Clock;
pub use self::fault::{Action, Fault, Faults};
pub use self::handle::Handle;
pub use self::recorder::{Count, Recorded, Recorder};
pub use self::servicenow::{Note, Rewrite, Role, Settings, Ticket, TieOrder, Unresolved};

use self::serve::Listening;

/// What the two sides start with. The defaults are the documented demo credentials on free loopback ports.
#[derive(Clone, Debug)]
pub struct Config {
    pub bigpanda: SocketAddr,
    pub servicenow: SocketAddr,
    /// ServiceNow's integration user, with the rights of an administrator.
    pub user: String,
    pub password: String,
    pub oauth_client_id: String,
    pub oauth_client_secret: String,
    /// Accepted in ServiceNow's `x-sn-apikey`.
    pub servicenow_api_key: String,
    /// BigPanda's user API key (`Authorization: Bearer`).
    pub api_key: String,
    /// BigPanda's key of the sharing channel, named in callbacks.
    pub app_key: String,
    /// BigPanda's "All Incidents" environment.
    pub environment_id: String,
    /// Start of all ids and shuffles.
    pub seed: u64,
    /// Whether `incident` has the `u_bp_*` columns.
    pub bigpanda_columns: bool,
    /// Whether BigPanda's own application is installed in ServiceNow, and active.
    pub original: bool,
    /// BigPanda makes up incidents it was never told of, instead of answering 404.
    pub accept_unknown_incidents: bool,
    /// ServiceNow's switches.
    pub settings: Settings,
}

impl Default for Config {
    fn default() -> Self {
        let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self {
            bigpanda: loopback,
            servicenow: loopback,
            user: "bigpanda".to_owned(),
            password: "demo-password".to_owned(),
            oauth_client_id: "demo-client".to_owned(),
            oauth_client_secret: "demo-secret".to_owned(),
            servicenow_api_key: "demo-servicenow-key".to_owned(),
            api_key: "BPUdemo0000000000000000000000000".to_owned(),
            app_key: "0123456789abcdef0123456789abcdef".to_owned(),
            environment_id: "63bd568809cb331300ff0001".to_owned(),
            seed: 1,
            bigpanda_columns: true,
            original: false,
            accept_unknown_incidents: false,
            settings: Settings::default(),
        }
    }
}

/// Where the two sides are and how to log in; what `tandem simulate` prints.
#[derive(Clone, Debug, Serialize)]
pub struct Access {
    pub bigpanda: BigPandaAccess,
    pub servicenow: ServiceNowAccess,
}

#[derive(Clone, Debug, Serialize)]
pub struct BigPandaAccess {
    pub url: String,
    pub control: String,
    pub api_key: String,
    pub app_key: String,
    pub environment_id: String,
}

#[derive(Clone, Debug, Serialize)]
pub struct ServiceNowAccess {
    pub url: String,
    pub control: String,
    pub user: String,
    pub password: String,
    pub oauth_client_id: String,
    pub oauth_client_secret: String,
    pub api_key: String,
}

/// Why a simulator did not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot listen on {address}")]
    Listen { address: SocketAddr, source: std::io::Error },
}

impl Error {
    /// Stable code for scripts.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Listen { .. } => "simulator.listen",
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Listen { source, .. } if source.kind() == ErrorKind::AddrNotAvailable => {
                "this machine has no such address; 127.0.0.1 is itself, 0.0.0.0 each that it has"
            }
            Self::Listen { .. } => "choose another port, or port 0 for a free one",
        }
    }

    /// Whether another program has the port, which may let it go.
    pub fn is_taken(&self) -> bool {
        match self {
            Self::Listen { source, .. } => source.kind() == ErrorKind::AddrInUse,
        }
    }
}

/// Starts simulators.
#[derive(Debug)]
pub struct Simulator;

impl Simulator {
    /// Starts both sides on the current runtime; they serve until [`Handle::shutdown`].
    pub async fn start(config: Config) -> Result<Handle, Error> {
        let bigpanda = Arc::new(bigpanda::BigPanda::new(bigpanda::Profile {
            api_key: config.api_key.clone(),
            environment_id: config.environment_id.clone(),
            seed: config.seed,
            accept_unknown_incidents: config.accept_unknown_incidents,
        }));
        let servicenow = Arc::new(servicenow::Instance::new(servicenow::Profile {
            user: config.user.clone(),
            password: config.password.clone(),
            client: (config.oauth_client_id.clone(), config.oauth_client_secret.clone()),
            api_key: config.servicenow_api_key.clone(),
            seed: config.seed,
            bigpanda_columns: config.bigpanda_columns,
            original: config.original,
            settings: config.settings.clone(),
        }));
        let listening_bigpanda = Listening::start(Arc::clone(&bigpanda), config.bigpanda)
            .await
            .map_err(|source| Error::Listen { address: config.bigpanda, source })?;
        let listening_servicenow = Listening::start(Arc::clone(&servicenow), config.servicenow)
            .await
            .map_err(|source| Error::Listen { address: config.servicenow, source })?;
        Ok(Handle::new(config, (bigpanda, listening_bigpanda), (servicenow, listening_servicenow)))
    }
}

/// A lock that a panic elsewhere does not take away from us: the simulator's state is valid after every statement.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
