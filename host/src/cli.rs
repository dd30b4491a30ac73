//! The command line: one command per file, data on standard output, talk on standard error.
//!
//! Commands load the configuration, call what does the work, and print. One renderer (`report`) prints every error;
//! `Exit` says what an exit code means. No logic of the product is here.

mod adopt;
mod check;
mod completions;
mod config;
pub mod demo;
mod doctor;
mod init;
mod integration;
mod notify;
mod output;
mod plugin;
mod queue;
mod report;
mod run;
mod servicenow;
pub mod simulate;
mod upkeep;
mod whole;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::config::{Draft, FILE, Inputs, Loaded, PREFIX, load};

/// What an exit code means. Clap itself ends with 2 after a wrong command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Exit {
    /// Done.
    Success = 0,
    /// The command could not do as asked.
    Failure = 1,
    /// The host or its store cannot be reached, or a port is taken.
    Unavailable = 69,
    /// The configuration does not hold.
    Configuration = 78,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

const AFTER: &str = "\
Exit codes: 0 done; 1 it could not be done; 2 wrong command line; 69 host or store out of reach, or a port taken; 78 the
configuration does not hold.";

/// Keeps BigPanda incidents and ServiceNow incidents in step.
#[derive(Debug, Parser)]
#[command(name = "tandem", version, propagate_version = true, after_help = AFTER)]
struct Cli {
    #[command(flatten)]
    source: Source,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write a tandem.toml to start from, with a token for the webhook
    Init(init::Args),
    /// Run the host: accept shares, write tickets
    Run,
    /// Play incidents through both simulators and a host on this machine, and check what came of them
    Demo,
    /// Run a BigPanda and a ServiceNow on this machine, without accounts
    Simulate(simulate::Args),
    /// Judge the configuration, without using the network
    Check(check::Args),
    /// Look at what waits for delivery, and decide about it
    #[command(subcommand)]
    Queue(queue::Command),
    /// Try out how operators are told
    #[command(subcommand)]
    Notify(notify::Command),
    /// Look at plugins, build them, check them
    #[command(subcommand)]
    Plugin(plugin::Command),
    /// Look at the configuration
    #[command(subcommand)]
    Config(config::Command),
    /// Look at both sides, the plugins and the host, and say what to do
    Doctor(doctor::Args),
    /// Take over tickets that the store does not know, such as the original's: a dry run, unless told to apply
    Adopt(adopt::Args),
    /// List integrations, keep shares out, drain, remove
    #[command(subcommand)]
    Integration(integration::Command),
    /// Bring configuration and store to this version, keeping copies
    Migrate(upkeep::Migrate),
    /// Copy the store into a file, while a host may run
    Backup(upkeep::Backup),
    /// What ServiceNow's side needs
    #[command(subcommand, name = "servicenow")]
    ServiceNow(servicenow::Command),
    /// Print a script of completions for a shell
    Completions(completions::Args),
}

/// Where the configuration comes from.
#[derive(Debug, Clone, Args)]
struct Source {
    /// The configuration file [default: tandem.toml, if there is one]
    #[arg(long, short, global = true, value_name = "FILE", env = "TANDEM_CONFIG")]
    config: Option<PathBuf>,
    /// Set one setting, such as --set log.level=debug; may be repeated
    #[arg(long, global = true, value_name = "KEY=VALUE")]
    set: Vec<String>,
}

impl Source {
    fn load(&self) -> anyhow::Result<Loaded> {
        self.load_with(None)
    }

    /// Likewise, with a fragment that is not written yet.
    fn load_with(&self, draft: Option<Draft>) -> anyhow::Result<Loaded> {
        let environment: BTreeMap<String, String> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let directory = std::env::current_dir()?;
        let said = !self.set.is_empty() || environment.keys().any(|name| name.starts_with(PREFIX));
        let inputs = Inputs { file: self.config.clone(), environment, set: self.set.clone(), directory, draft };
        let loaded = load(&inputs)?;
        if loaded.files.is_empty() && !said {
            output::talk(&format!(
                "no configuration was found: there is no {FILE} in this directory, so the built-in defaults hold; \
                 --config FILE names one"
            ));
        }
        Ok(loaded)
    }
}

/// Reads the command line and carries it out.
pub fn main() -> ExitCode {
    let Cli { source, command } = Cli::parse();
    let done = match command {
        Command::Init(args) => init::run(&args),
        Command::Run => run::run(&source),
        Command::Demo => block_on(demo::run()).map(|()| Exit::Success),
        Command::Simulate(args) => {
            block_on(async { simulate::run(args).await.map_err(anyhow::Error::from) }).map(|()| Exit::Success)
        }
        Command::Check(args) => check::run(&source, args),
        Command::Queue(command) => queue::run(&source, command),
        Command::Notify(command) => notify::run(&source, command),
        Command::Plugin(command) => plugin::run(&source, command),
        Command::Config(command) => config::run(&source, command),
        Command::Doctor(args) => doctor::run(&source, args),
        Command::Adopt(args) => adopt::run(&source, args),
        Command::Integration(command) => integration::run(&source, command),
        Command::Migrate(args) => upkeep::migrate(&source, args),
        Command::Backup(args) => upkeep::backup(&source, &args),
        Command::ServiceNow(command) => servicenow::run(&source, command),
        Command::Completions(args) => completions::run(args),
    };
    match done {
        Ok(exit) => exit.into(),
        Err(error) => report::print(&error).into(),
    }
}

/// A runtime for a command that serves, asks over the network, or waits.
fn block_on<T>(future: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(future)
}
