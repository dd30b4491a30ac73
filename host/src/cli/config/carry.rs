//! `tandem config export` and `import`: settings without secrets and without what belongs to one place.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::cli::report::Told;
use crate::cli::{Exit, Source, output, whole};
use crate::config::{Draft, Loaded, portable};
use crate::domain::fault::Class;

/// Above the files that people write by hand.
const IMPORTED: &str = "90-imported.toml";

#[derive(Debug, Clone, clap::Args)]
pub(in crate::cli) struct Import {
    /// A file that `tandem config export` wrote
    file: PathBuf,
    /// Only say what would change
    #[arg(long)]
    dry_run: bool,
    /// Take the place of an earlier import, whose settings are lost
    #[arg(long)]
    replace: bool,
}

pub(super) fn export(source: &Source) -> anyhow::Result<Exit> {
    let Loaded { resolved, .. } = source.load()?;
    output::data("# Settings of Tandem, without secrets and without what belongs to one place.\n")?;
    output::data(&portable::export(&resolved))?;
    Ok(Exit::Success)
}

/// The import becomes a file of its own in conf.d, so that nothing that was written by hand is touched.
pub(super) fn import(source: &Source, args: &Import) -> anyhow::Result<Exit> {
    let shown = args.file.display();
    let text = std::fs::read_to_string(&args.file).with_context(|| format!("{shown} cannot be read"))?;
    let (kept, dropped) = portable::without_private(&text).map_err(|reason| {
        Told::new(Class::Input, "import.syntax", format!("{shown} is not TOML: {reason}"))
            .hint("import what `tandem config export` wrote")
    })?;
    let before = source.load()?;
    let base = source.config.as_deref().and_then(Path::parent).unwrap_or(Path::new(""));
    let target = base.join("conf.d").join(IMPORTED);
    let earlier = std::fs::read_to_string(&target).ok().filter(|earlier| *earlier != kept);
    if earlier.is_some() && !args.replace && !args.dry_run {
        let message = format!("{} holds an earlier import, which would be lost", target.display());
        return Err(Told::new(Class::Input, "import.exists", message)
            .hint("add --replace to let this one take its place, or rename the file to keep both; --dry-run compares")
            .into());
    }
    // Judged as the host would judge it in its place, before anything is written.
    let draft = Draft { file: IMPORTED.to_owned(), shown: format!("{shown}, without what stays here"), text: kept };
    let after = source.load_with(Some(draft.clone())).with_context(|| format!("{shown} was not imported"))?;
    if !args.dry_run {
        write(&target, &draft.text)?;
    }
    for key in dropped {
        output::talk(&format!("left as it is here: {key}"));
    }
    let changed = tell_changes(&before, &after)?;
    let differ = if changed == 1 { "1 setting differs".to_owned() } else { format!("{changed} settings differ") };
    let place = target.display();
    output::talk(&match (args.dry_run, earlier.is_some()) {
        (true, false) => format!("{differ}; nothing was written (it would be {place})"),
        (true, true) => format!("{differ}; nothing was written ({place} holds an earlier import: --replace)"),
        (false, false) => format!("{differ}; a running host takes them up when it is restarted ({place})"),
        (false, true) => {
            format!(
                "{differ}; a running host takes them up when it is restarted ({place}, which held an earlier import)"
            )
        }
    });
    Ok(Exit::Success)
}

/// Prints each setting that another value holds for afterwards, and each that nobody sets any more.
fn tell_changes(before: &Loaded, after: &Loaded) -> anyhow::Result<usize> {
    let value = |loaded: &Loaded, key: &str| {
        loaded.resolved.settings().iter().find(|one| one.key == key).map(|one| one.value.clone())
    };
    let mut changed = 0;
    for setting in after.resolved.settings() {
        if value(before, &setting.key).is_none_or(|was| was != setting.value) {
            changed += 1;
            output::data(&format!("{} = {}\n", setting.key, setting.value))?;
        }
    }
    for setting in before.resolved.settings() {
        if value(after, &setting.key).is_none() {
            changed += 1;
            output::data(&format!("{} is not set any more\n", setting.key))?;
        }
    }
    Ok(changed)
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    if let Some(directory) = path.parent() {
        std::fs::create_dir_all(directory).with_context(|| format!("{} cannot be made", directory.display()))?;
    }
    whole::write(path, text)
}
