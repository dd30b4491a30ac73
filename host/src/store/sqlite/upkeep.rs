//! Looking after a store's file from outside of a host: its schema's number, a copy, and what would come of pairs that
//! are to be taken over. A host may run meanwhile.

use std::fs;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use super::fail::Fail;
use super::{adopt, schema};
use crate::steps::{Step, reached};
use crate::store::{Adoption, Error, NewLink};

/// Incidents and tickets are for the host's user alone. What SQLite puts beside a file has the same permissions.
pub(super) const PRIVATE: u32 = 0o600;

/// Makes an empty file, unless there is one: SQLite itself would let everybody read it.
pub(super) fn make(path: &Path) -> std::io::Result<()> {
    match fs::OpenOptions::new().write(true).create_new(true).mode(PRIVATE).open(path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// The number of the schema in a file, and the newest that this version knows.
pub fn version(path: &Path) -> Result<(i64, i64), Error> {
    let db = schema::open(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let found = db.query_row("PRAGMA user_version", [], |row| row.get(0));
    Ok((found.map_err(|error| schema::unopened(path, error))?, schema::known()))
}

/// Reads the whole file and says what is damaged. A host may run meanwhile.
pub fn examine(path: &Path) -> Result<(), Error> {
    let db = schema::open_reader(path)?;
    let found: Result<String, _> = db.query_row("PRAGMA quick_check(1)", [], |row| row.get(0));
    match found {
        Ok(found) if found == "ok" => Ok(()),
        Ok(found) => Err(Error::Broken(found.into())),
        Err(error) => Err(Error::Broken(error.into())),
    }
}

/// Copies a store, as it is at one moment, into a file that is not there yet. A host may run meanwhile.
pub fn backup(path: &Path, to: &Path) -> Result<(), Error> {
    let db = schema::open(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    copy(&db, to)
}

/// What would come of pairs that are to be taken over. Without a file nothing is known, and all of them would be made.
pub fn would_adopt(path: &Path, links: &[NewLink]) -> Result<Vec<Adoption>, Error> {
    if !path.exists() {
        return Ok(links.iter().map(|_| Adoption::Made).collect());
    }
    let (found, known) = version(path)?;
    if found > known {
        return Err(Error::Newer { path: path.display().to_string(), found, known });
    }
    // An empty file, which nobody has opened as a store yet.
    if found == 0 {
        return Ok(links.iter().map(|_| Adoption::Made).collect());
    }
    if found < known {
        let what = format!("it has schema {found}, and `tandem migrate` has to bring it to schema {known} first");
        return Err(schema::unopened(path, what));
    }
    let db = schema::open_reader(path)?;
    adopt::judge_all(&db, links).map_err(Fail::into_error)
}

/// Where the copy lies that is made before a schema is changed.
pub fn before_migration(path: &Path, found: i64) -> PathBuf {
    beside(path, &format!("schema-{found}"))
}

/// Writes the copy beside its place and moves it there when it is whole and on the disk: whatever happens meanwhile,
/// what lies in the place is whole. What an earlier try left beside it is replaced.
pub(super) fn copy(db: &Connection, to: &Path) -> Result<(), Error> {
    let failed = |source: std::io::Error| schema::unopened(to, source);
    if to.try_exists().map_err(failed)? {
        return Err(schema::unopened(to, "there is a file already"));
    }
    let part = beside(to, "part");
    match fs::remove_file(&part) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(error)),
        Ok(()) | Err(_) => {}
    }
    make(&part).map_err(failed)?;
    db.execute("VACUUM INTO ?1", [part.to_string_lossy()]).map_err(|error| schema::unopened(to, error))?;
    fs::File::open(&part).and_then(|file| file.sync_all()).map_err(failed)?;
    reached(Step::Copied);
    fs::rename(&part, to).map_err(failed)?;
    let directory = to.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::File::open(directory).and_then(|directory| directory.sync_all()).map_err(failed)
}

fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{end}"));
    PathBuf::from(name)
}
