//! Writing a file of the configuration whole or not at all: beside its place first, then moved there.
//!
//! `config import` and `migrate` call it. Whatever happens meanwhile, a host that starts reads the old file or the new
//! one. What is left beside it when the command dies ends in `.part`, which no host reads.

use std::fs::{self, File, Permissions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::steps::{Step, reached};

/// Replaces the file, or makes it. One that is there keeps its permissions.
pub(super) fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    // The place itself may be a link to where the file is kept.
    let place = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let permissions = fs::metadata(&place).ok().map(|data| data.permissions());
    replace(&place, text, permissions).with_context(|| format!("{} cannot be written", path.display()))
}

fn replace(place: &Path, text: &str, permissions: Option<Permissions>) -> io::Result<()> {
    let mut name = place.as_os_str().to_owned();
    name.push(".part");
    let part = PathBuf::from(name);
    let mut file = File::create(&part)?;
    if let Some(permissions) = permissions {
        file.set_permissions(permissions)?;
    }
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    reached(Step::Written);
    fs::rename(&part, place)?;
    let directory = place.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(directory)?.sync_all()
}
