//! `tandem integration`: what each has waiting, keeping shares out, and the way to its end.
//!
//! Stopping is a file beside the store, which a running host sees with the next share. Nothing is deleted on either
//! side, and nothing in the store.

use std::fmt::Write as _;
use std::time::Duration;

use anyhow::Context as _;
use serde_json::json;

use super::queue::desk::Desk;
use super::report::Told;
use super::{Exit, Source, block_on, output};
use crate::config::{Config, Integration};
use crate::domain::fault::Class;
use crate::domain::id::IntegrationName;
use crate::store::{QueueFilter, RequestState};

#[derive(Debug, Clone, clap::Subcommand)]
pub(super) enum Command {
    /// List integrations with what they have waiting
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Keep new shares out: they are answered 503, and BigPanda keeps them for its retries
    Stop(One),
    /// Let shares in again
    Start(One),
    /// Keep new shares out, and wait until everything that waits is delivered
    Drain(Drain),
    /// Say whether an integration may be removed, and what is left to do
    Remove(One),
}

#[derive(Debug, Clone, clap::Args)]
pub(super) struct One {
    /// The integration's name
    #[arg(value_parser = name)]
    name: IntegrationName,
}

#[derive(Debug, Clone, clap::Args)]
pub(super) struct Drain {
    #[command(flatten)]
    one: One,
    /// Give up after so many seconds
    #[arg(long, default_value_t = 3600, value_name = "SECONDS")]
    timeout: u64,
}

pub(super) fn name(text: &str) -> Result<IntegrationName, String> {
    IntegrationName::new(text).map_err(|error| error.to_string())
}

/// The named integration, or the only one.
pub(super) fn one<'a>(all: &'a [Integration], named: Option<&IntegrationName>) -> Result<&'a Integration, Told> {
    let known = || all.iter().map(|one| one.name.as_str()).collect::<Vec<_>>().join(", ");
    match (named, all) {
        (Some(name), _) => all.iter().find(|one| one.name == *name).ok_or_else(|| {
            Told::new(Class::Missing, "integration.missing", format!("there is no integration {name}"))
                .hint(format!("there are: {}", known()))
        }),
        (None, [one]) => Ok(one),
        (None, []) => Err(Told::new(Class::Config, "config.empty", "no integration is configured")
            .hint("write an [integration.<name>] section; `tandem init` shows one")),
        (None, _) => Err(Told::new(Class::Input, "integration.which", "there are several integrations")
            .hint(format!("name one with --integration: {}", known()))),
    }
}

pub(super) fn run(source: &Source, command: Command) -> anyhow::Result<Exit> {
    let config = source.load()?.config;
    match command {
        Command::List { json } => block_on(list(&config, json)),
        Command::Stop(picked) => {
            stop(&config, &picked.name)?;
            output::data(&format!("shares of {} are kept out\n", picked.name))?;
            Ok(Exit::Success)
        }
        Command::Start(picked) => start(&config, &picked.name),
        Command::Drain(drain) => block_on(wait(&config, &drain)),
        Command::Remove(picked) => block_on(remove(&config, &picked.name)),
    }
}

fn stop(config: &Config, name: &IntegrationName) -> anyhow::Result<()> {
    one(&config.integrations, Some(name))?;
    let marker = config.store.stop_marker(name);
    std::fs::write(&marker, "").with_context(|| format!("{} cannot be written", marker.display()))
}

fn start(config: &Config, name: &IntegrationName) -> anyhow::Result<Exit> {
    one(&config.integrations, Some(name))?;
    let marker = config.store.stop_marker(name);
    match std::fs::remove_file(&marker) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(error).with_context(|| format!("{} cannot be removed", marker.display()));
        }
        Ok(()) | Err(_) => {}
    }
    output::data(&format!("shares of {name} are let in\n"))?;
    Ok(Exit::Success)
}

/// What an integration has in the queue.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Waiting {
    /// Will be tried by itself.
    queued: usize,
    /// Waits for a person.
    dead: usize,
}

const LIVE: [RequestState; 4] =
    [RequestState::Ready, RequestState::Leased, RequestState::Retry, RequestState::DeadPending];

fn requests(count: usize) -> String {
    if count == 1 { "1 request".to_owned() } else { format!("{count} requests") }
}

async fn waiting(desk: &Desk, name: &IntegrationName) -> anyhow::Result<Waiting> {
    let count = async |states: Vec<RequestState>| {
        let filter = QueueFilter { integration: Some(name.clone()), states, limit: 1000 };
        anyhow::Ok(desk.list(&filter).await?.len())
    };
    Ok(Waiting { queued: count(LIVE.to_vec()).await?, dead: count(vec![RequestState::Dead]).await? })
}

async fn list(config: &Config, as_json: bool) -> anyhow::Result<Exit> {
    // Without a store nothing waits anywhere.
    let desk = if config.store.path.exists() { Some(Desk::find(config).await?) } else { None };
    let mut rows = vec![["NAME", "STATE", "QUEUED", "DEAD", "SERVICENOW"].map(str::to_owned).to_vec()];
    let mut values = Vec::new();
    for integration in &config.integrations {
        let name = &integration.name;
        let Waiting { queued, dead } = match &desk {
            Some(desk) => waiting(desk, name).await?,
            None => Waiting::default(),
        };
        let state = state(config, integration);
        let url = integration.servicenow.url().map_or("pulls", |url| url.as_str().trim_end_matches('/')).to_owned();
        values.push(json!({ "name": name, "state": state, "queued": queued, "dead": dead, "servicenow": url }));
        rows.push(vec![name.to_string(), state.to_owned(), queued.to_string(), dead.to_string(), url]);
    }
    if as_json {
        output::json(&values)?;
    } else {
        output::data(&output::table(&rows))?;
    }
    Ok(Exit::Success)
}

fn state(config: &Config, integration: &Integration) -> &'static str {
    if config.store.stop_marker(&integration.name).exists() {
        "stopped"
    } else if integration.settings.active {
        "active"
    } else {
        "inactive"
    }
}

async fn wait(config: &Config, drain: &Drain) -> anyhow::Result<Exit> {
    let name = &drain.one.name;
    stop(config, name)?;
    let deadline = tokio::time::Instant::now() + Duration::from_secs(drain.timeout);
    let mut told = None;
    loop {
        let desk = Desk::find(config).await?;
        let now = waiting(&desk, name).await?;
        if now.queued == 0 && is_decided(&desk).await? {
            output::data(&format!("{name} has nothing queued; dead letters: {}\n", now.dead))?;
            return Ok(Exit::Success);
        }
        if matches!(desk, Desk::File(_)) {
            return Err(Told::new(Class::Store, "integration.no-host", "no host runs, so nothing is delivered")
                .hint("start it with `tandem run`, and drain again")
                .into());
        }
        if told != Some(now) {
            output::talk(&format!("{name} has {} queued", requests(now.queued)));
            told = Some(now);
        }
        if tokio::time::Instant::now() >= deadline {
            let message = format!("{name} still has {} queued", requests(now.queued));
            return Err(Told::new(Class::Transient, "integration.draining", message)
                .hint("`tandem queue list` says what they wait for; shares are still kept out")
                .into());
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// Whether no accepted share waits for its decision. That takes milliseconds, so one of another integration is waited
/// for too.
async fn is_decided(desk: &Desk) -> anyhow::Result<bool> {
    Ok(desk.depths().await?.is_none_or(|depths| depths.events_pending == 0))
}

async fn remove(config: &Config, name: &IntegrationName) -> anyhow::Result<Exit> {
    let integration = one(&config.integrations, Some(name))?;
    if state(config, integration) != "stopped" {
        return Err(Told::new(Class::Refused, "integration.not-stopped", format!("shares of {name} are still let in"))
            .hint(format!("`tandem integration drain {name}` keeps them out and waits for what is queued"))
            .into());
    }
    let now =
        if config.store.path.exists() { waiting(&Desk::find(config).await?, name).await? } else { Waiting::default() };
    if now != Waiting::default() {
        let message = format!("{name} has {} queued, and dead letters: {}", requests(now.queued), now.dead);
        return Err(Told::new(Class::Refused, "integration.queued", message)
            .hint(format!("`tandem integration drain {name}`; decide about dead letters with `tandem queue`"))
            .into());
    }
    output::data(&last_steps(config, integration))?;
    Ok(Exit::Success)
}

fn last_steps(config: &Config, integration: &Integration) -> String {
    let name = &integration.name;
    let url = integration.servicenow.url().map_or("", |url| url.as_str().trim_end_matches('/'));
    let table = &integration.servicenow.table;
    let mut text = format!("{name} may be removed: nothing is queued, and shares are kept out\n");
    // The query of the polls knows tickets that were taken over too.
    let query = &integration.polling.servicenow_query;
    let _ = writeln!(text, "what stays open: {url}/{table}_list.do?sysparm_query=active=true^{query}");
    let _ = writeln!(text, "left to do:");
    let _ = writeln!(text, "  1. in BigPanda, remove the sharing channel that posts to /integrations/{name}/share");
    let _ = writeln!(text, "  2. remove [integration.{name}.…] from the configuration, and restart the host");
    let _ = writeln!(text, "  3. remove {}", config.store.stop_marker(name).display());
    let _ = writeln!(text, "tickets, incidents and the history in the store stay as they are");
    text
}
