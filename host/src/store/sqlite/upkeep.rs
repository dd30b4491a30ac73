//! Looking after a store's file from outside of a host: its schema's number, and a copy while a host may run.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use super::schema;
use crate::store::Error;

/// The number of the schema in a file, and the newest that this version knows.
pub fn version(path: &Path) -> Result<(i64, i64), Error> {
    let db = schema::open(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let found = db.query_row("PRAGMA user_version", [], |row| row.get(0));
    Ok((found.map_err(|error| schema::unopened(path, error))?, schema::known()))
}

/// Copies a store, as it is at one moment, into a file that is not there yet. A host may run meanwhile.
pub fn backup(path: &Path, to: &Path) -> Result<(), Error> {
    let db = schema::open(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    copy(&db, to).map_err(|error| schema::unopened(to, error))
}

/// Where the copy lies that is made before a schema is changed.
pub fn before_migration(path: &Path, found: i64) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".schema-{found}"));
    PathBuf::from(name)
}

pub(super) fn copy(db: &Connection, to: &Path) -> rusqlite::Result<()> {
    db.execute("VACUUM INTO ?1", [to.to_string_lossy()]).map(drop)
}
