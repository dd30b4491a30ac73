//! `tandem demo`: both simulators and a host on loopback, real-shaped incidents through all of it, and an account of what
//! happened that is checked against the simulators as it is told.
//!
//! Needs no account and no configuration; leaves nothing behind. `DEMO_KEEP=1` keeps everything running at the end.

mod account;
mod stories;
mod verify;

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail};

use self::account::Account;
use self::stories::{STORIES, Step, Story};
use self::verify::Checker;
use crate::app::{self, Running};
use crate::clock::{Clock, SystemClock};
use crate::config::{self, Config, Inputs};
use crate::domain::id::{IncidentId, IntegrationName, RequestId};
use crate::domain::link::Link;
use crate::domain::request::{Operation, Request};
use crate::simulator::{self, Channel, Handle, Simulator};
use crate::store::{QueueFilter, RequestDetail, RequestState};

/// Name of the demo's integration.
const INTEGRATION: &str = "demo";
const TOKEN: &str = "the-demo-has-no-secrets";

/// Longest time that one step may take before the demo gives up on it.
const PATIENCE: Duration = Duration::from_secs(20);

/// Runs the demo. An error is a mismatch, or something that could not be started.
pub async fn run() -> anyhow::Result<()> {
    let clock = SystemClock::new();
    let directory = tempfile::tempdir().context("no temporary directory for the demo")?;
    let sides = Simulator::start(simulator::Config::default()).await?;
    let config = configuration(&sides, directory.path())?;
    let host = app::start(config).await?;
    let share = format!("http://{}/integrations/{INTEGRATION}/share", host.public);
    let mut channel = Channel::new("tandem", &share).header("authorization", &format!("Bearer {TOKEN}"));
    channel.app_key = sides.access().bigpanda.app_key;
    channel.expects_callbacks = true;
    sides.set_channel(channel);

    let mut account = Account::new();
    account.opening(&sides.access(), &host);
    let mut checker = Checker::default();
    let started = clock.elapsed();
    for (number, story) in STORIES.iter().enumerate() {
        play(&sides, &host, &clock, number + 1, story, &mut account, &mut checker).await?;
    }
    let took = clock.elapsed().saturating_sub(started);
    account.closing(&checker, sides.ticket_count(), took);

    if std::env::var_os("DEMO_KEEP").is_some_and(|keep| keep != "0") {
        account.keeping(&sides.access(), &host, &share, TOKEN);
        tokio::signal::ctrl_c().await.context("no handler for SIGINT")?;
    }
    host.stop().await;
    sides.shutdown().await;
    if checker.mismatches.is_empty() {
        return Ok(());
    }
    bail!("{} of {} checks against the simulators failed", checker.mismatches.len(), checker.checks)
}

/// The configuration of an operator who wants to see much, as the file that it would be.
fn configuration(sides: &Handle, directory: &Path) -> anyhow::Result<Config> {
    let access = sides.access();
    // Compiled plugins are worth keeping between demos; the cache is keyed by content.
    let cache = std::env::temp_dir().join(format!("tandem-demo-plugin-cache-{}", env!("CARGO_PKG_VERSION")));
    let cache = cache.display();
    let text = format!(
        r#"
[server]
listen = "127.0.0.1:0"
admin_listen = "127.0.0.1:0"
[plugins]
cache = "{cache}"
[integration.{INTEGRATION}.bigpanda]
api_url = "{bigpanda}"
api_key = "{key}"
app_key = "{app}"
requests_per_second = 100
[integration.{INTEGRATION}.servicenow]
url = "{servicenow}"
username = "{user}"
password = "{password}"
[integration.{INTEGRATION}.webhook]
token = "{TOKEN}"
[integration.{INTEGRATION}.incidents]
assignment_group = "Network"
caller_email = "abel.tuter@example.com"
priority_in_short_description = true
ai_summary_in_description = true
description_incident_tags = ["priority", "service_owner"]
"#,
        bigpanda = access.bigpanda.url,
        key = access.bigpanda.api_key,
        app = access.bigpanda.app_key,
        servicenow = access.servicenow.url,
        user = access.servicenow.user,
        password = access.servicenow.password,
    );
    let file = directory.join(config::FILE);
    std::fs::write(&file, text).context("the demo's configuration cannot be written")?;
    std::fs::create_dir_all(directory.join("plugins")).context("no directory for plugins")?;
    let inputs = Inputs { file: Some(file), directory: directory.to_owned(), ..Inputs::default() };
    Ok(config::load(&inputs)?.config)
}

/// One incident with all its steps.
async fn play(
    sides: &Handle,
    host: &Running,
    clock: &dyn Clock,
    number: usize,
    story: &Story,
    account: &mut Account,
    checker: &mut Checker,
) -> anyhow::Result<()> {
    account.story(number, story.title);
    for step in story.steps {
        let incident: serde_json::Value = serde_json::from_str(step.incident).context("a fixture of the demo")?;
        let id = sides.load_incident(incident).map_err(anyhow::Error::msg)?;
        let before = last_request(host, &id).await?.map(|detail| detail.view.id);
        let began = clock.elapsed();
        sides.share(&id, step.event, None).map_err(anyhow::Error::msg)?;
        let detail = settled(sides, host, &id, before, step).await?;
        let took = clock.elapsed().saturating_sub(began);
        account.share(step, sides.incident(&id).as_ref());
        let link = link(host, &id).await?.context("the link of a delivered request")?;
        account.request(&link, &detail.request, took);
        if matches!(detail.request.operation, Operation::CreateTicket { .. }) {
            until(|| told(sides, &id), &format!("{id} is called back, tagged and commented")).await?;
            account.back(sides, &id);
            checker.created(sides, &link, &detail.request);
        } else {
            checker.updated(sides, &link, &detail.request);
        }
    }
    Ok(())
}

/// Waits until a step has led to a delivered request.
async fn settled(
    sides: &Handle,
    host: &Running,
    id: &str,
    before: Option<RequestId>,
    step: &Step,
) -> anyhow::Result<RequestDetail> {
    let answered = sides.shares().len();
    let mut waited = Duration::ZERO;
    loop {
        if let Some(detail) = last_request(host, id).await?
            && Some(detail.view.id) != before
            && detail.view.state == RequestState::Done
        {
            return Ok(detail);
        }
        if waited > PATIENCE {
            bail!("{id}: {} led to no delivered request ({answered} shares were sent)", step.event);
        }
        let pause = Duration::from_millis(2);
        tokio::time::sleep(pause).await;
        waited += pause;
    }
}

/// The newest request of an incident that went to ServiceNow.
async fn last_request(host: &Running, id: &str) -> anyhow::Result<Option<RequestDetail>> {
    let filter = QueueFilter { integration: None, states: RequestState::ALL.to_vec(), limit: 50 };
    let rows = host.store.list(filter).await?;
    let newest = rows
        .into_iter()
        .find(|row| row.incident.as_str() == id && row.target == crate::domain::request::Target::ServiceNow);
    match newest {
        Some(row) => Ok(host.store.show(row.id).await?),
        None => Ok(None),
    }
}

async fn link(host: &Running, id: &str) -> anyhow::Result<Option<Link>> {
    Ok(host.store.link_of(&IntegrationName::new(INTEGRATION)?, &IncidentId::new(id)?).await?)
}

fn told(sides: &Handle, id: &str) -> bool {
    sides.callbacks().iter().any(|callback| callback.incident_id == id)
        && sides.tag(id, "servicenow_link").is_some()
        && !sides.comments(id).is_empty()
}

async fn until(mut so: impl FnMut() -> bool, what: &str) -> anyhow::Result<()> {
    let pause = Duration::from_millis(2);
    let mut waited = Duration::ZERO;
    while !so() {
        if waited > PATIENCE {
            bail!("waited in vain until {what}");
        }
        tokio::time::sleep(pause).await;
        waited += pause;
    }
    Ok(())
}

/// The fields that a request writes.
fn fields(request: &Request) -> &[crate::domain::ticket::FieldValue] {
    match &request.operation {
        Operation::CreateTicket { fields, .. } | Operation::UpdateTicket { fields, .. } => fields,
        Operation::Callback { .. }
        | Operation::TagIncident { .. }
        | Operation::CommentIncident { .. }
        | Operation::ResolveIncident { .. } => &[],
    }
}
