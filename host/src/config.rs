//! Configuration: said in layers, decided once, strictly.
//!
//! [`load`] gathers the layers as trees that remember each key's origin, and one pass turns them into the plain
//! values below; every problem of a configuration is found in that pass. Sections go by value into constructors;
//! nothing here is global and nothing runs. Defaults are written in `config.default.toml` and nowhere else.

mod bigpanda;
mod closing;
mod delivery;
mod incidents;
mod integration;
mod layers;
mod limits;
mod log;
mod mask;
mod names;
mod notify;
pub mod original;
mod plugins;
pub mod portable;
mod problem;
mod read;
pub mod reference;
pub mod renamed;
mod secrets;
mod server;
mod servicenow;
mod show;
mod store;
mod tree;
mod units;

mod overrides;

pub use bigpanda::BigPanda;
pub use closing::CloseCode;
pub use delivery::{FollowUps, Notify, Polling, Retry, Webhook};
pub use incidents::{CommentsTo, NotesFrom, Settings, TagDirection, TagMapping};
pub use integration::Integration;
pub use layers::{DEFAULTS, Draft, FILE, Inputs, PREFIX};
pub use limits::PluginLimits;
pub use log::{Log, LogFormat, Telemetry};
pub use notify::{MailSecurity, Mailer, Notices};
pub use plugins::{OnTwoWriters, Order, Phase, Plugins};
pub use problem::Problem;
pub use server::Server;
pub use servicenow::{Auth, Mode, OAuthClient, Reach, ServiceNow};
pub use show::{Resolved, Shown};
pub use store::Store;

use crate::domain::fault::{Class, Fault};
use layers::{Gathered, gather};
use problem::UNWISE;
use read::{Context, Section};

/// The decided configuration of a host.
#[derive(Debug, Clone)]
pub struct Config {
    pub server: Server,
    pub store: Store,
    pub plugins: Plugins,
    pub notify: Notices,
    pub log: Log,
    pub telemetry: Telemetry,
    /// In order of their names.
    pub integrations: Vec<Integration>,
}

/// A configuration that holds, with what an operator may want to know of it.
#[derive(Debug, Clone)]
pub struct Loaded {
    pub config: Config,
    /// What is allowed but unwise.
    pub warnings: Vec<Problem>,
    pub resolved: Resolved,
    /// The files that took part.
    pub files: Vec<String>,
}

/// Why a configuration was refused: everything that is wrong with it, in order of the places.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the configuration has {}", count(problems.len()))]
pub struct Error {
    pub problems: Vec<Problem>,
}

fn count(problems: usize) -> String {
    if problems == 1 { "a problem".to_owned() } else { format!("{problems} problems") }
}

impl Fault for Error {
    fn class(&self) -> Class {
        Class::Config
    }

    fn code(&self) -> &'static str {
        "config.invalid"
    }
}

/// Gathers, merges and decides.
pub fn load(inputs: &Inputs) -> Result<Loaded, Error> {
    let Gathered { mut tree, defaults, base, files, mut problems } = gather(inputs);
    let malformed = problems.iter().any(|problem| matches!(problem.code(), "config.syntax" | "config.unreadable"));
    let template = tree.get("defaults").cloned().unwrap_or_else(tree::Node::table);
    integration::complete(&mut tree, &template);

    let context = Context::new(&inputs.environment, &base, &inputs.directory, &defaults);
    let config = decide(&context, &tree);
    let (found, warnings, secrets) = context.into_parts();
    // What a file that cannot be parsed would have said is unknown: only what is surely wrong is told.
    problems.extend(found.into_iter().filter(|problem| !(malformed && problem.code() == "config.required")));
    problems.sort_by_key(Problem::location);
    match config {
        Some(config) if problems.is_empty() => {
            Ok(Loaded { config, warnings, resolved: Resolved::new(&tree, &secrets), files })
        }
        Some(_) | None => Err(Error { problems }),
    }
}

fn decide(context: &Context<'_>, tree: &tree::Node) -> Option<Config> {
    let root = Section::new(context, String::new(), tree);
    let server = Server::read(root.section("server"));
    let store = Store::read(root.section("store"));
    let plugins = Plugins::read(root.section("plugins"));
    let notify = Notices::read(root.section("notify"));
    let log = Log::read(root.section("log"));
    let telemetry = Telemetry::read(root.section("telemetry"));
    integration::check_defaults(root.section("defaults"));
    let integrations = if root.has("integration") { integration::read_all(&root) } else { Some(Vec::new()) };
    if integrations.as_ref().is_some_and(Vec::is_empty) {
        let message = "no integration is configured, so no share will be accepted";
        context.warning(
            Problem::new(UNWISE, message).hint("write an [integration.<name>] section; `tandem init` shows one"),
        );
    }
    notify::check_readers(context, &notify, integrations.as_deref().unwrap_or_default());
    root.finish();
    Some(Config { server, store, plugins, notify, log, telemetry, integrations: integrations? })
}

#[cfg(test)]
mod tests;
