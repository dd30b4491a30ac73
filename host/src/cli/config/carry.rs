//! `tandem config export` and `import`: settings without secrets and without what belongs to one place.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::cli::report::Told;
use crate::cli::{Exit, Source, output, whole};
use crate::config::{Loaded, portable};
use crate::domain::fault::Class;

/// Above the files that people write by hand.
const IMPORTED: &str = "conf.d/90-imported.toml";

#[derive(Debug, Clone, clap::Args)]
pub(in crate::cli) struct Import {
    /// A file that `tandem config export` wrote
    file: PathBuf,
    /// Only say what would change
    #[arg(long)]
    dry_run: bool,
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
    let target = base.join(IMPORTED);
    let former = std::fs::read_to_string(&target).ok();
    write(&target, &kept)?;
    // Judged as the host would judge it, in its place; what fails is taken back.
    let loaded = source.load();
    if args.dry_run || loaded.is_err() {
        if let Some(former) = former {
            write(&target, &former)?;
        } else {
            std::fs::remove_file(&target).with_context(|| format!("{} cannot be removed", target.display()))?;
            // A directory that was made for it goes too; one with other files stays.
            let _ = target.parent().map(std::fs::remove_dir);
        }
    }
    let after = loaded.map_err(|error| error.context(format!("{shown} was not imported")))?;
    for key in dropped {
        output::talk(&format!("left as it is here: {key}"));
    }
    let mut changed = 0;
    for setting in after.resolved.settings() {
        let was = before.resolved.settings().iter().find(|old| old.key == setting.key);
        if was.is_none_or(|old| old.value != setting.value) {
            changed += 1;
            output::data(&format!("{} = {}\n", setting.key, setting.value))?;
        }
    }
    let done = if args.dry_run { "nothing was written" } else { "a running host takes them up when it is restarted" };
    output::talk(&format!("{changed} settings differ; {done} ({})", target.display()));
    Ok(Exit::Success)
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    if let Some(directory) = path.parent() {
        std::fs::create_dir_all(directory).with_context(|| format!("{} cannot be made", directory.display()))?;
    }
    whole::write(path, text)
}
