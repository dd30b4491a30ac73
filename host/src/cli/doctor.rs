//! `tandem doctor`: looks at both sides of every integration, the plugins and the host, and says what to do.

use std::error::Error as _;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use serde_json::json;

use super::queue::desk::Host;
use super::{Exit, Source, block_on, integration, output, plugin};
use crate::app;
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::doctor::{Finding, Level, Patient, examine};
use crate::domain::id::IntegrationName;
use crate::store::sqlite::upkeep;

#[derive(Debug, Clone, clap::Args)]
pub(super) struct Args {
    /// Only this integration
    #[arg(long, value_parser = integration::name)]
    integration: Option<IntegrationName>,
    /// Try a write too: an open ticket of ours gets the value that it has
    #[arg(long)]
    write_check: bool,
    /// Print the findings as JSON
    #[arg(long)]
    json: bool,
}

/// Findings under the name of what they are about.
type Chapter = (String, Vec<Finding>);

pub(super) fn run(source: &Source, args: Args) -> anyhow::Result<Exit> {
    let config = source.load()?.config;
    let mut chapters = vec![("host".to_owned(), host(&config)?)];
    chapters.push(("plugins".to_owned(), plugins(&config)?));
    chapters.extend(block_on(sides(&config, &args))?);
    let worst = chapters.iter().flat_map(|(_, findings)| findings).map(|finding| finding.level).max();
    if args.json {
        let list: Vec<_> =
            chapters.iter().map(|(name, findings)| json!({ "about": name, "findings": findings })).collect();
        output::json(&list)?;
    } else {
        output::data(&told(&chapters))?;
    }
    Ok(if worst == Some(Level::Fail) { Exit::Failure } else { Exit::Success })
}

fn host(config: &Config) -> anyhow::Result<Vec<Finding>> {
    let answers = block_on(async { Ok(Host::new(config)?.answers().await) })?;
    let address = config.server.admin_listen;
    let mut findings = vec![if answers {
        Finding::ok("host.running", format!("a host answers at {address}"))
    } else {
        Finding::warn("host.running", format!("no host answers at {address}"), "start it with `tandem run`")
    }];
    findings.extend(store(&config.store.path));
    if config.integrations.is_empty() {
        findings.push(Finding::fail(
            "host.integrations",
            "no integration is configured",
            "write an [integration.<name>] section; `tandem init` shows one",
        ));
    }
    Ok(findings)
}

/// The store's file, if there is one already.
fn store(path: &Path) -> Option<Finding> {
    if !path.exists() {
        return None;
    }
    let file = path.display();
    Some(match upkeep::examine(path) {
        Ok(()) => Finding::ok("store.sound", format!("the store {file} is sound")),
        Err(error) => {
            let why = error.source().map_or_else(|| error.to_string(), |source| format!("{error}: {source}"));
            let remedy = "stop the host, keep the file, and restore a backup: \"Restore\" in host/OPERATIONS.md";
            Finding::fail("store.damaged", format!("{file}: {why}"), remedy)
        }
    })
}

fn plugins(config: &Config) -> anyhow::Result<Vec<Finding>> {
    let (status, _) = plugin::status(config)?;
    let mut findings: Vec<Finding> = status
        .plugins
        .iter()
        .filter_map(|plugin| {
            let problem = plugin.problem.as_ref()?;
            let remedy = problem.hint.clone().unwrap_or_else(|| "`tandem plugin check FILE` says more".to_owned());
            Some(Finding::fail("plugin.broken", format!("the plugin {}: {}", plugin.id, problem.message), remedy))
        })
        .collect();
    if findings.is_empty() {
        findings.push(Finding::ok("plugin.loaded", format!("{} plugins, none broken", status.plugins.len())));
    }
    Ok(findings)
}

async fn sides(config: &Config, args: &Args) -> anyhow::Result<Vec<Chapter>> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let mut chapters = Vec::new();
    if let Some(name) = &args.integration {
        integration::one(&config.integrations, Some(name))?;
    }
    let chosen =
        config.integrations.iter().filter(|one| args.integration.as_ref().is_none_or(|name| one.name == *name));
    for one in chosen {
        let patient = Patient {
            integration: one,
            servicenow: &app::clients::servicenow_client(one, &clock)?,
            bigpanda: &app::clients::bigpanda_client(one, &clock)?,
            clock: &*clock,
            write_check: args.write_check,
        };
        chapters.push((one.name.to_string(), examine(&patient).await));
    }
    Ok(chapters)
}

fn told(chapters: &[Chapter]) -> String {
    let mut text = String::new();
    let count = |level: Level| {
        chapters.iter().flat_map(|(_, findings)| findings).filter(|finding| finding.level == level).count()
    };
    for (name, findings) in chapters {
        let _ = writeln!(text, "{name}");
        for Finding { level, sentence, remedy, code } in findings {
            let _ = writeln!(text, "  {}  {sentence} [{code}]", painted(*level));
            if let Some(remedy) = remedy {
                let _ = writeln!(text, "        → {remedy}");
            }
        }
    }
    let _ = writeln!(text, "{} ok, {} to look at, {} wrong", count(Level::Ok), count(Level::Warn), count(Level::Fail));
    text
}

fn painted(level: Level) -> String {
    let word = format!("{:4}", level.as_str());
    let paint = match level {
        Level::Ok => "32",
        Level::Warn => "33",
        Level::Fail => "31",
    };
    if output::is_terminal() { format!("\u{1b}[{paint}m{word}\u{1b}[0m") } else { word }
}
