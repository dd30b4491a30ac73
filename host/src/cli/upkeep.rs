//! `tandem migrate` and `tandem backup`: the store's file and the configuration's files, before and after an upgrade.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::report::Told;
use super::{Exit, Source, output, whole};
use crate::config::renamed::rename;
use crate::config::{FILE, Loaded};
use crate::domain::fault::Class;
use crate::store::sqlite::{Options, SqliteStore, upkeep};

#[derive(Debug, Clone, Copy, clap::Args)]
pub(super) struct Migrate {
    /// Only say what would be done
    #[arg(long)]
    dry_run: bool,
}

#[derive(Debug, Clone, clap::Args)]
pub(super) struct Backup {
    /// The file to write; it must not be there
    file: PathBuf,
}

/// Brings the files of the configuration to the names of this version, then the store to its schema.
pub(super) fn migrate(source: &Source, args: Migrate) -> anyhow::Result<Exit> {
    let mut said = Vec::new();
    for path in files(source)? {
        said.extend(rename_in(&path, args.dry_run)?);
    }
    if said.is_empty() {
        said.push("the configuration has the names of this version".to_owned());
    } else if args.dry_run {
        // With the old names it cannot be loaded, so where the store is isn't known.
        said.push("the store is looked at once the configuration is migrated".to_owned());
        output::data(&(said.join("\n") + "\n"))?;
        return Ok(Exit::Success);
    }
    let Loaded { config, .. } = source.load()?;
    said.push(store(&config.store.path, args.dry_run)?);
    output::data(&(said.join("\n") + "\n"))?;
    Ok(Exit::Success)
}

/// The files that a host would read.
fn files(source: &Source) -> anyhow::Result<Vec<PathBuf>> {
    let file = source.config.clone().unwrap_or_else(|| PathBuf::from(FILE));
    let mut files = if source.config.is_some() || file.exists() { vec![file.clone()] } else { Vec::new() };
    let fragments = file.parent().unwrap_or(Path::new("")).join("conf.d");
    if fragments.is_dir() {
        let what = || format!("{} cannot be listed", fragments.display());
        for entry in std::fs::read_dir(&fragments).with_context(what)? {
            let path = entry.with_context(what)?.path();
            if path.extension().is_some_and(|extension| extension == "toml") {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

fn rename_in(path: &Path, dry_run: bool) -> anyhow::Result<Vec<String>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let (renamed, told) = rename(&text);
    if told.is_empty() {
        return Ok(Vec::new());
    }
    let kept = beside(path, "before-migration");
    if !dry_run {
        std::fs::copy(path, &kept).with_context(|| format!("{} cannot be written", kept.display()))?;
        whole::write(path, &renamed)?;
    }
    let what = if dry_run { "would be kept in" } else { "was kept in" };
    let mut said: Vec<String> = told.iter().map(|line| format!("{}, {line}", path.display())).collect();
    said.push(format!("a copy of the file {what} {}", kept.display()));
    Ok(said)
}

fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{end}"));
    PathBuf::from(name)
}

fn store(path: &Path, dry_run: bool) -> anyhow::Result<String> {
    if !path.exists() {
        return Ok(format!("there is no store at {} yet; the host's first start makes it", path.display()));
    }
    let (found, known) = upkeep::version(path)?;
    if found == known {
        return Ok(format!("the store has schema {found}, the newest that this version knows"));
    }
    if found < known && dry_run {
        return Ok(format!("the store has schema {found} and would get schema {known}"));
    }
    // Opening migrates, and refuses what is newer.
    drop(SqliteStore::open(path, &Options::default())?);
    let kept = upkeep::before_migration(path, found);
    Ok(format!("the store has schema {known} now; as it was with schema {found} it was kept in {}", kept.display()))
}

pub(super) fn backup(source: &Source, args: &Backup) -> anyhow::Result<Exit> {
    let Loaded { config, .. } = source.load()?;
    let path = &config.store.path;
    if !path.exists() {
        return Err(Told::new(Class::Missing, "backup.no-store", format!("there is no store at {}", path.display()))
            .hint("name the host's configuration with --config")
            .into());
    }
    if args.file.exists() {
        return Err(Told::new(Class::Input, "backup.exists", format!("{} is there already", args.file.display()))
            .hint("name another file")
            .into());
    }
    upkeep::backup(path, &args.file)?;
    output::data(&format!("{}\n", args.file.display()))?;
    Ok(Exit::Success)
}
