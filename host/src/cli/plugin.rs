//! `tandem plugin`: what runs and why, and an author's way from a crate to a component that a host takes.
//!
//! `list` and `show` ask a running host; when none answers, they look at the directory as a host would that starts
//! now. `build` and `check` need no host.

mod show;

use std::path::PathBuf;
use std::sync::Arc;

use super::queue::desk::Host;
use super::report::Told;
use super::{Exit, Source, block_on, output};
use crate::config::Config;
use crate::domain::fault::{Class, Fault as _, chain};
use crate::domain::patch::Op;
use crate::mapping;
use crate::plugin::{Dictionary, LoadError, PluginStatus, Status, Workbench, bundled};

#[derive(Debug, Clone, clap::Subcommand)]
pub(super) enum Command {
    /// List plugins in the order in which they run, and files that can't be loaded
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show one plugin: hooks, limits, settings, what went wrong last
    Show {
        /// An id from the first column of `plugin list`
        id: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Build crates into components
    Build(Build),
    /// Say what a host would think of components, and ask each about a sample incident
    Check(Check),
    /// Compile a component for a running host; it starts this itself
    #[command(hide = true)]
    Precompile {
        #[arg(num_args = 4)]
        size: Vec<usize>,
    },
}

#[derive(Debug, Clone, clap::Args)]
pub(super) struct Build {
    /// Directories of plugin crates, each with a Cargo.toml and a plugin.toml
    #[arg(required = true, value_name = "DIR")]
    crates: Vec<PathBuf>,
    /// Where the components go
    #[arg(long, short, default_value = ".", value_name = "DIR")]
    out: PathBuf,
    /// Where cargo works [default: `tandem-plugins` in the workspace's target directory]
    #[arg(long, value_name = "DIR")]
    target_dir: Option<PathBuf>,
    /// Print a JSON list of what was built
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, clap::Args)]
pub(super) struct Check {
    /// Components
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(source: &Source, command: Command) -> anyhow::Result<Exit> {
    match command {
        Command::List { json } => list(&source.load()?.config, json),
        Command::Show { id, json } => show_one(&source.load()?.config, &id, json),
        Command::Build(args) => build(args),
        Command::Check(args) => check(&source.load()?.config, &args),
        Command::Precompile { size } => precompile(&size),
    }
}

/// Talks bytes, not words, so it keeps off the renderer of errors.
fn precompile(size: &[usize]) -> anyhow::Result<Exit> {
    let size: &[usize; 4] = size.try_into()?;
    match crate::plugin::precompile(size, std::io::stdin().lock(), std::io::stdout().lock()) {
        Ok(()) => Ok(Exit::Success),
        Err(why) => {
            output::talk(&why);
            Ok(Exit::Failure)
        }
    }
}

fn list(config: &Config, json: bool) -> anyhow::Result<Exit> {
    let (status, running) = status(config)?;
    if json {
        output::json(&status)?;
    } else {
        if !running {
            output::talk("no host answers; this is what one would run");
        }
        output::data(&show::list(&status))?;
    }
    Ok(Exit::Success)
}

fn show_one(config: &Config, id: &str, json: bool) -> anyhow::Result<Exit> {
    let (status, _) = status(config)?;
    let found: Vec<&PluginStatus> = status.plugins.iter().filter(|plugin| plugin.id == id).collect();
    if found.is_empty() {
        let ids = status.plugins.iter().map(|plugin| plugin.id.as_str()).collect::<Vec<_>>().join(", ");
        let told = Told::new(Class::Missing, "plugin.unknown", format!("there is no plugin `{id}`"));
        return Err(told.hint(format!("there are: {ids}")).into());
    }
    if json {
        output::json(&found)?;
    } else {
        let texts: Vec<String> = found.into_iter().map(show::detail).collect();
        output::data(&texts.join("\n"))?;
    }
    Ok(Exit::Success)
}

/// The status, and whether a host runs.
pub(super) fn status(config: &Config) -> anyhow::Result<(Status, bool)> {
    let asked = block_on(async {
        let host = Host::new(config)?;
        if !host.answers().await {
            return Ok(None);
        }
        host.ask::<Status>(reqwest::Method::GET, "plugins").await
    })?;
    if let Some(status) = asked {
        return Ok((status, true));
    }
    // Without any the directory is worth a look all the same.
    let bundled = bundled().unwrap_or_default();
    Ok((Workbench::open(config.plugins.clone())?.survey(bundled), false))
}

fn build(args: Build) -> anyhow::Result<Exit> {
    let Build { crates, out, target_dir, json } = args;
    let options = tandem_plugin_build::Options { plugins: crates, out, target_dir, quiet: json };
    let built = tandem_plugin_build::build(&options, &mut output::talk).map_err(|error| {
        let told = Told::new(Class::Input, "plugin.build", chain(&error).join("\ncaused by: "));
        match error.hint() {
            Some(hint) => told.hint(hint),
            None => told,
        }
    })?;
    if json {
        output::json(&built)?;
    }
    Ok(Exit::Success)
}

fn check(config: &Config, args: &Check) -> anyhow::Result<Exit> {
    let workbench = Workbench::open(config.plugins.clone())?;
    let mut exit = Exit::Success;
    let mut report = Vec::new();
    for file in &args.files {
        let settings = config.integrations.first().map_or_else(|| Arc::from("{}"), settings);
        let checked = workbench.check(file, settings, &Fields);
        if checked.as_ref().map_or(true, |checked| !checked.failures.is_empty()) {
            exit = Exit::Failure;
        }
        if args.json {
            report.push(match checked {
                Ok(checked) => serde_json::json!({ "file": file, "plugin": checked }),
                Err(error) => serde_json::json!({ "file": file, "problem": problem(&error) }),
            });
            continue;
        }
        match checked {
            Ok(checked) => output::data(&show::checked(file, &checked))?,
            Err(error) => output::data(&show::refused(file, &error))?,
        }
    }
    if args.json {
        output::json(&report)?;
    }
    Ok(exit)
}

/// What a plugin would see for a share without headers.
fn settings(integration: &crate::config::Integration) -> Arc<str> {
    integration.plugin_json(&integration.settings, &crate::domain::share::Overrides::default())
}

fn problem(error: &LoadError) -> serde_json::Value {
    serde_json::json!({ "code": error.code(), "message": chain(error).join(": "), "hint": error.hint() })
}

/// The dictionary that a running host checks against too.
struct Fields;

impl Dictionary for Fields {
    fn check(&self, op: &Op) -> Result<Op, String> {
        mapping::check(op).map_err(|refusal| refusal.to_string())
    }
}
