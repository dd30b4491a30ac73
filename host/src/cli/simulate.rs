//! `tandem simulate`: a BigPanda and a ServiceNow on this machine, without accounts.
//!
//! Not the demo: nothing is shared by itself. Prints one line of JSON with URLs and credentials as soon as both sides
//! answer, then serves until it is interrupted or terminated.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::SocketAddr;

use clap::Args as ClapArgs;

use crate::simulator::{self, Config, Simulator};

/// What to simulate, and where.
#[derive(ClapArgs, Clone, Debug)]
pub struct Args {
    /// Address of BigPanda; port 0 takes a free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    bigpanda: SocketAddr,
    /// Address of ServiceNow; port 0 takes a free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    servicenow: SocketAddr,
    /// ServiceNow's integration user.
    #[arg(long, value_name = "NAME", default_value_t = Config::default().user)]
    user: String,
    /// Its password.
    #[arg(long, value_name = "PW", default_value_t = Config::default().password)]
    password: String,
    /// ServiceNow's OAuth client.
    #[arg(long, value_name = "ID:SECRET", value_parser = client, default_value_t = default_client())]
    oauth_client: Client,
    /// Incidents that ServiceNow holds at the start.
    #[arg(long, value_name = "COUNT", default_value_t = 0)]
    tickets: usize,
    /// BigPanda's own application is installed in ServiceNow, and active.
    #[arg(long)]
    original: bool,
    /// BigPanda makes up incidents that it was never told of, instead of answering 404.
    #[arg(long)]
    accept_unknown_incidents: bool,
    /// Keep counters only, not each request; for load tests.
    #[arg(long)]
    count_only: bool,
}

#[derive(Clone, Debug)]
struct Client {
    id: String,
    secret: String,
}

impl std::fmt::Display for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.id, self.secret)
    }
}

fn default_client() -> Client {
    let config = Config::default();
    Client { id: config.oauth_client_id, secret: config.oauth_client_secret }
}

fn client(text: &str) -> Result<Client, String> {
    match text.split_once(':') {
        Some((id, secret)) if !id.is_empty() && !secret.is_empty() => {
            Ok(Client { id: id.to_owned(), secret: secret.to_owned() })
        }
        _ => Err("write the client's id and secret with a colon between them".to_owned()),
    }
}

/// Why simulating ended early.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the simulator did not start")]
    Start(#[from] simulator::Error),
    #[error("the simulator refused its first tickets: {0}")]
    Tickets(String),
    #[error("the addresses could not be printed")]
    Print(#[source] std::io::Error),
    #[error("cannot wait for signals")]
    Signals(#[source] std::io::Error),
}

impl Error {
    /// Stable code for scripts.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Start(error) => error.code(),
            Self::Tickets(_) => "simulator.tickets",
            Self::Print(_) => "simulator.print",
            Self::Signals(_) => "simulator.signals",
        }
    }

    /// Whether another program has the port.
    pub fn is_taken(&self) -> bool {
        match self {
            Self::Start(error) => error.is_taken(),
            Self::Tickets(_) | Self::Print(_) | Self::Signals(_) => false,
        }
    }

    /// What to do about it, where we know.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Start(error) => Some(error.hint()),
            Self::Tickets(_) | Self::Print(_) | Self::Signals(_) => None,
        }
    }
}

/// Runs until SIGINT or SIGTERM.
pub async fn run(args: Args) -> Result<(), Error> {
    let handle = Simulator::start(Config {
        bigpanda: args.bigpanda,
        servicenow: args.servicenow,
        user: args.user,
        password: args.password,
        oauth_client_id: args.oauth_client.id,
        oauth_client_secret: args.oauth_client.secret,
        original: args.original,
        accept_unknown_incidents: args.accept_unknown_incidents,
        ..Config::default()
    })
    .await?;
    if args.count_only {
        handle.bigpanda_requests().set_capacity(0);
        handle.servicenow_requests().set_capacity(0);
    }
    if args.tickets > 0 {
        handle.bulk("incident", args.tickets, &BTreeMap::new()).map_err(Error::Tickets)?;
    }
    let line = serde_json::to_string(&handle.access()).map_err(std::io::Error::from).map_err(Error::Print)?;
    {
        let mut out = std::io::stdout().lock();
        writeln!(out, "{line}").and_then(|()| out.flush()).map_err(Error::Print)?;
    }
    stopped().await.map_err(Error::Signals)?;
    handle.shutdown().await;
    Ok(())
}

async fn stopped() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupted = signal(SignalKind::interrupt())?;
    let mut terminated = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = interrupted.recv() => {}
        _ = terminated.recv() => {}
    }
    Ok(())
}
