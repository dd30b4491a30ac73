//! `tandem servicenow update-set`: the file that an administrator imports into the instance.

use std::path::PathBuf;

use anyhow::Context as _;

use super::report::Told;
use super::{Exit, Source, integration, output};
use crate::clock::{Clock as _, SystemClock};
use crate::config::Integration;
use crate::domain::fault::Class;
use crate::domain::id::IntegrationName;
use crate::servicenow::update_set::{self, Contents, Pull};

#[derive(Debug, Clone, clap::Subcommand)]
pub(super) enum Command {
    /// Write an update set with the columns u_bp_*, the form buttons and the pull job
    UpdateSet(Args),
}

#[derive(Debug, Clone, clap::Args)]
pub(super) struct Args {
    /// The integration that it is for; needed when there are several
    #[arg(long, value_parser = integration::name)]
    integration: Option<IntegrationName>,
    /// Where to write [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Overwrite the file if it is there
    #[arg(long, requires = "out")]
    force: bool,
}

pub(super) fn run(source: &Source, command: Command) -> anyhow::Result<Exit> {
    let Command::UpdateSet(args) = command;
    let integrations = source.load()?.config.integrations;
    let chosen = integration::one(&integrations, args.integration.as_ref())?;
    let contents = contents(chosen)?;
    let file = update_set::write(&contents, SystemClock::new().now());
    let Some(path) = args.out else {
        output::data(&file)?;
        return Ok(Exit::Success);
    };
    if path.exists() && !args.force {
        return Err(Told::new(Class::Input, "update-set.exists", format!("{} is there already", path.display()))
            .hint("use --force to overwrite it, or name another file")
            .into());
    }
    std::fs::write(&path, file).with_context(|| format!("{} cannot be written", path.display()))?;
    output::talk(&next_steps(&path.display().to_string(), &contents));
    output::data(&format!("{}\n", path.display()))?;
    Ok(Exit::Success)
}

fn contents(integration: &Integration) -> anyhow::Result<Contents> {
    let settings = &integration.settings;
    let pull = match (&settings.retrieval_endpoint, &settings.callback_endpoint) {
        (Some(retrieve), Some(callback)) => {
            Some(Pull { retrieve: retrieve.to_string(), callback: callback.to_string() })
        }
        (None, None) => None,
        (Some(_), None) | (None, Some(_)) => {
            let message = format!("of the integration {} only one of the two addresses is set", integration.name);
            return Err(Told::new(Class::Config, "update-set.addresses", message)
                .hint("set both incidents.retrieval_endpoint and incidents.callback_endpoint, or neither")
                .into());
        }
    };
    Ok(Contents {
        table: integration.servicenow.table.clone(),
        incident_button: settings.show_incident_button,
        timeline_button: settings.show_timeline_button,
        pull,
        pull_count: settings.retrieval_count,
    })
}

fn next_steps(path: &str, contents: &Contents) -> String {
    let pull = if contents.pull.is_some() {
        "\n  4. set the property tandem.pull.token to the token of the webhook; the job Tandem Pull is active"
    } else {
        ""
    };
    format!(
        "wrote {path}; as an administrator of the instance:
  1. System Update Sets → Retrieved Update Sets → Import Update Set from XML
  2. open Tandem, Preview Update Set, Commit Update Set
  3. `tandem doctor` says whether the columns are there; the properties tandem.show_*_button switch the buttons{pull}"
    )
}
