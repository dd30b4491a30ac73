//! `tandem adopt`: a dry run of taking over the original's tickets, or the real thing.

use std::fmt::Write as _;
use std::sync::Arc;

use serde_json::json;

use super::report::Told;
use super::{Exit, Source, block_on, integration, output};
use crate::adopt::{self, Doubt, Maker, Sorted};
use crate::app;
use crate::clock::{Clock, SystemClock};
use crate::config::{Config, Integration};
use crate::domain::fault::Class;
use crate::domain::id::IntegrationName;
use crate::domain::ticket::{Phase, TicketState};
use crate::store::sqlite::{Options, SqliteStore, upkeep};
use crate::store::{Adoption, Inbox as _, Links, NewLink};
use crate::sync;

/// Lines that a dry run prints of what would be taken over.
const SHOWN: usize = 20;

#[derive(Debug, Clone, clap::Args)]
pub(super) struct Args {
    /// The integration to take over for; needed when there are several
    #[arg(long, value_parser = integration::name)]
    integration: Option<IntegrationName>,
    /// Take over tickets that a Tandem made and this store does not know: after a backup was restored
    #[arg(long)]
    ours: bool,
    /// Write the links; without this nothing is changed
    #[arg(long)]
    apply: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(source: &Source, args: Args) -> anyhow::Result<Exit> {
    let config = source.load()?.config;
    let next = next(source, &args);
    block_on(take_over(&config, args, &next))
}

async fn take_over(config: &Config, args: Args, next: &str) -> anyhow::Result<Exit> {
    let chosen = integration::one(&config.integrations, args.integration.as_ref())?;
    if chosen.is_on_premises() {
        let message = format!("the instance of {} pulls, so its tickets cannot be looked at from here", chosen.name);
        return Err(Told::new(Class::Config, "adopt.on-premises", message)
            .hint("run this once where the instance can be reached, with mode = \"cloud\" and its credentials")
            .into());
    }
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    // Before the long look: a host that runs would be in the way at the end.
    let store = if args.apply { Some(open(config).await?) } else { None };
    let begun = clock.now();
    let servicenow = app::clients::servicenow_client(chosen, &clock)?;
    let bigpanda = app::clients::bigpanda_client(chosen, &clock)?;
    let maker = if args.ours { Maker::Tandem } else { Maker::Original };
    let plan = adopt::plan(maker, chosen, &servicenow, &bigpanda).await.map_err(told)?;
    let links = plan.links(maker, chosen);
    let adoptions = match store {
        Some(store) => {
            let adoptions = Links::adopt(&store, links, clock.now()).await?;
            // No host has looked yet: what happens before one does must not be overlooked.
            for cursor in sync::beginnings(&chosen.name, begun) {
                if store.cursor(&chosen.name, cursor.poller).await?.is_none() {
                    store.accept_polled(Vec::new(), cursor).await?;
                }
            }
            adoptions
        }
        None => would(config, links).await?,
    };
    let sorted = plan.sorted(adoptions);
    output::data(&text(&sorted, chosen, &args, next)?)?;
    Ok(if sorted.doubts.is_empty() { Exit::Success } else { Exit::Failure })
}

/// What the store would make of it, whether or not a host has it.
async fn would(config: &Config, links: Vec<NewLink>) -> anyhow::Result<Vec<Adoption>> {
    let path = config.store.path.clone();
    Ok(tokio::task::spawn_blocking(move || upkeep::would_adopt(&path, &links)).await??)
}

/// The command that does what a dry run says.
fn next(source: &Source, args: &Args) -> String {
    let mut words = vec!["tandem adopt".to_owned()];
    words.extend(source.config.as_ref().map(|file| format!("--config {}", file.display())));
    words.extend(args.integration.as_ref().map(|name| format!("--integration {name}")));
    words.extend(args.ours.then(|| "--ours".to_owned()));
    words.push("--apply".to_owned());
    // What was set may be a secret, so it is not repeated.
    let set = if source.set.is_empty() { "" } else { ", with the same --set," };
    format!("`{}`{set}", words.join(" "))
}

async fn open(config: &Config) -> anyhow::Result<SqliteStore> {
    let path = config.store.path.clone();
    let opened = tokio::task::spawn_blocking(move || SqliteStore::open(&path, &Options::default())).await?;
    opened.map_err(|error| anyhow::Error::new(error).context("links are taken over while no host runs"))
}

fn told(error: adopt::Error) -> anyhow::Error {
    match error {
        adopt::Error::NoColumn { .. } => Told::new(Class::Refused, "adopt.column", error.to_string())
            .hint("`tandem doctor` says whether the original is installed in this instance, and what may be read")
            .into(),
        adopt::Error::Side { ref hint, .. } => {
            let told = Told::new(Class::Transient, "adopt.side", error.to_string());
            match hint {
                Some(hint) => told.hint(hint.clone()).into(),
                None => told.into(),
            }
        }
    }
}

fn text(sorted: &Sorted, integration: &Integration, args: &Args, next: &str) -> anyhow::Result<String> {
    let Sorted { new, known, doubts: all } = sorted;
    let doubts = doubts(all, integration);
    if args.json {
        let value = if args.apply {
            json!({ "made": new.len(), "known": known, "doubts": doubts })
        } else {
            let found = new.iter().map(|found| json!({ "incident": found.incident, "ticket": found.ticket }));
            json!({ "found": found.collect::<Vec<_>>(), "known": known, "doubts": doubts })
        };
        return Ok(format!("{}\n", serde_json::to_string_pretty(&value)?));
    }
    let mut text = String::new();
    if args.apply {
        let _ = writeln!(text, "{} links made, {known} were there already; no ticket was changed", new.len());
    } else {
        let _ = writeln!(text, "{} tickets to take over, {known} are linked already", new.len());
        list(&mut text, new);
    }
    if !doubts.is_empty() {
        let _ = writeln!(text, "left to you: {}", doubts.len());
    }
    for doubt in doubts {
        let _ = writeln!(text, "  {doubt}");
    }
    if !args.apply {
        let _ = writeln!(text, "nothing was changed; {next} writes the links while no host runs");
    }
    Ok(text)
}

fn list(text: &mut String, new: &[TicketState]) {
    for found in new.iter().take(SHOWN) {
        let phase = match found.phase() {
            Phase::Open => "",
            Phase::Resolved => ", resolved",
            Phase::Closed => ", closed",
        };
        let _ = writeln!(text, "  {} ⇄ {}{phase}", found.incident, found.ticket.number);
    }
    if new.len() > SHOWN {
        let _ = writeln!(text, "  … and {} more (--json lists all)", new.len() - SHOWN);
    }
}

/// A sentence for each, with what to do about it.
fn doubts(all: &[Doubt], integration: &Integration) -> Vec<String> {
    let tag = if integration.bigpanda.environment_id.is_some() {
        format!("let its tag {} lead to the right one", integration.settings.response_incident_tag)
    } else {
        "set bigpanda.environment_id, so that the incident's tag can decide".to_owned()
    };
    let sentence = |doubt: &Doubt| match doubt {
        Doubt::Several { incident, numbers } => format!(
            "{incident} has {}: resolve or close all but one in ServiceNow, or {tag}; then run this again. Until then \
             its next share makes one more ticket",
            numbers.join(", ")
        ),
        Doubt::Other { incident, number, known } => format!(
            "{incident} has {} here, and {number} in ServiceNow is left as it is: close the one that is not needed",
            known.number
        ),
        Doubt::Busy { incident } => {
            format!("{incident} has a request in the queue: discard it with `tandem queue`, then run this again")
        }
        Doubt::Unreadable { number } => format!("{number} has something in the column that is no incident's id"),
    };
    all.iter().map(sentence).collect()
}
