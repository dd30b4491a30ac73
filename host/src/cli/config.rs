//! `tandem config`: every setting as it holds, with who said it, and every setting that there is. Secrets are masked.

mod carry;

use super::report::Told;
use super::{Exit, Source, output};
use crate::config::{Shown, reference};
use crate::domain::fault::Class;

#[derive(Debug, Clone, clap::Subcommand)]
pub(super) enum Command {
    /// Print every setting as it holds; secrets are masked
    Show(Show),
    /// Print what is set, without secrets and without what belongs to one place
    Export,
    /// Take settings from an export; secrets and what belongs to one place stay as they are
    Import(carry::Import),
    /// Print every setting that there is, with its default and its other names, as Markdown
    Reference,
}

#[derive(Debug, Clone, clap::Args)]
pub(super) struct Show {
    /// Only settings whose key begins with this, such as `integration.acme`
    prefix: Option<String>,
    /// Say who said it: a file with its line, the environment, the command line, or the default
    #[arg(long)]
    origin: bool,
    /// Leave out what nobody said
    #[arg(long)]
    changed: bool,
    /// Print a JSON list of key, value and origin
    #[arg(long)]
    json: bool,
}

pub(super) fn run(source: &Source, command: Command) -> anyhow::Result<Exit> {
    match command {
        Command::Show(show) => print(source, &show),
        Command::Export => carry::export(source),
        Command::Import(args) => carry::import(source, &args),
        Command::Reference => {
            output::data(&reference::page())?;
            Ok(Exit::Success)
        }
    }
}

fn print(source: &Source, show: &Show) -> anyhow::Result<Exit> {
    let loaded = source.load()?;
    let within = |shown: &&Shown| {
        show.prefix.as_deref().is_none_or(|prefix| {
            shown
                .key
                .strip_prefix(prefix)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.') || prefix.ends_with('.'))
        })
    };
    if let Some(prefix) = show.prefix.as_deref().filter(|_| !loaded.resolved.settings().iter().any(|one| within(&one)))
    {
        return Err(Told::new(Class::Missing, "config.no-such-key", format!("no setting begins with {prefix}"))
            .hint("`tandem config show` lists those that hold here, `tandem config reference` all that there are")
            .into());
    }
    let settings: Vec<&Shown> =
        loaded.resolved.settings().iter().filter(within).filter(|shown| !show.changed || !shown.is_default()).collect();
    if show.json {
        output::json(&settings)?;
        return Ok(Exit::Success);
    }
    let line = |shown: &&Shown| format!("{} = {}", shown.key, shown.value);
    let width = settings.iter().map(|shown| line(shown).chars().count()).max().unwrap_or(0).min(70);
    let lines = settings.iter().map(|shown| {
        if show.origin { format!("{:width$}  # {}\n", line(shown), shown.origin) } else { format!("{}\n", line(shown)) }
    });
    output::data(&lines.collect::<String>())?;
    if settings.is_empty() {
        output::talk("no setting matches");
    }
    Ok(Exit::Success)
}
