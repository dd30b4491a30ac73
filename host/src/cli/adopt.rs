//! `tandem adopt`: a dry run of taking over the original's tickets, or the real thing.

use std::fmt::Write as _;
use std::sync::Arc;

use serde_json::json;

use super::report::Told;
use super::{Exit, Source, block_on, integration, output};
use crate::adopt::{self, Done, Doubt, Maker, Plan};
use crate::app;
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::domain::fault::Class;
use crate::domain::id::IntegrationName;
use crate::store::Links;
use crate::store::sqlite::{Options, SqliteStore};

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
    block_on(take_over(&config, args))
}

async fn take_over(config: &Config, args: Args) -> anyhow::Result<Exit> {
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
    let servicenow = app::clients::servicenow_client(chosen, &clock)?;
    let bigpanda = app::clients::bigpanda_client(chosen, &clock)?;
    let maker = if args.ours { Maker::Tandem } else { Maker::Original };
    let plan = adopt::plan(maker, chosen, &servicenow, &bigpanda).await.map_err(told)?;
    let Some(store) = store else {
        output::data(&dry(&plan, args.json)?)?;
        return Ok(Exit::Success);
    };
    let links: &dyn Links = &store;
    let done = adopt::apply(chosen, links, plan, clock.now()).await.map_err(told)?;
    output::data(&real(&done, args.json)?)?;
    Ok(if done.doubts.is_empty() { Exit::Success } else { Exit::Failure })
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
        adopt::Error::Store(error) => error.into(),
    }
}

fn dry(plan: &Plan, as_json: bool) -> anyhow::Result<String> {
    if as_json {
        let found = plan.found.iter().map(|found| json!({ "incident": found.incident, "ticket": found.ticket }));
        let value = json!({ "found": found.collect::<Vec<_>>(), "doubts": doubts(&plan.doubts) });
        return Ok(format!("{}\n", serde_json::to_string_pretty(&value)?));
    }
    let mut text = format!("{} open tickets to take over\n", plan.found.len());
    for found in plan.found.iter().take(SHOWN) {
        let _ = writeln!(text, "  {} ⇄ {}", found.incident, found.ticket.number);
    }
    if plan.found.len() > SHOWN {
        let _ = writeln!(text, "  … and {} more (--json lists all)", plan.found.len() - SHOWN);
    }
    write_doubts(&mut text, &plan.doubts);
    text.push_str("nothing was changed; `tandem adopt --apply` writes the links while no host runs\n");
    Ok(text)
}

fn real(done: &Done, as_json: bool) -> anyhow::Result<String> {
    if as_json {
        let value = json!({ "made": done.made, "known": done.known, "doubts": doubts(&done.doubts) });
        return Ok(format!("{}\n", serde_json::to_string_pretty(&value)?));
    }
    let mut text = format!("{} links made, {} were there already; no ticket was changed\n", done.made, done.known);
    write_doubts(&mut text, &done.doubts);
    Ok(text)
}

fn write_doubts(text: &mut String, all: &[Doubt]) {
    if !all.is_empty() {
        let _ = writeln!(text, "left to you:");
    }
    for doubt in doubts(all) {
        let _ = writeln!(text, "  {doubt}");
    }
}

fn doubts(all: &[Doubt]) -> Vec<String> {
    let sentence = |doubt: &Doubt| match doubt {
        Doubt::Several { incident, numbers } => {
            let list = numbers.join(", ");
            format!("{incident} has the open tickets {list}: close all but one, or let its tag lead to the right one")
        }
        Doubt::Other { found, known } => {
            format!(
                "{} has {} here and {} in ServiceNow: close one of them",
                found.incident, known.number, found.ticket.number
            )
        }
        Doubt::Busy { found } => {
            let incident = &found.incident;
            format!("{incident} has a request in the queue: discard it with `tandem queue`, then run this again")
        }
        Doubt::Unreadable { number } => format!("{number} has something in the column that is no incident's id"),
    };
    all.iter().map(sentence).collect()
}
