//! Connections and the schema: pragmas, and migrations from `host/migrations`.
//!
//! Migrations go forwards only, each in a transaction of its own together with the number that says it ran
//! (`user_version`), so a crash leaves a whole number of them. A database with a higher number is refused.

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::fail::Fail;
use super::upkeep::{before_migration, copy};
use crate::steps::{Step, reached};
use crate::store::Error;

/// Older ones can corrupt a write-ahead log when two connections meet at a checkpoint.
const OLDEST_SQLITE: i32 = 3_051_003;

const MIGRATIONS: [&str; 3] = [
    include_str!("../../../migrations/0001_start.sql"),
    include_str!("../../../migrations/0002_both_directions.sql"),
    include_str!("../../../migrations/0003_packed_bodies.sql"),
];

const BUSY: Duration = Duration::from_secs(5);

/// The connection of the writer, with the schema brought up to date.
pub(super) fn open_writer(path: &Path, page_bytes: u32) -> Result<Connection, Error> {
    let mut db = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)?;
    let outcome = prepare(&mut db, page_bytes, path);
    outcome.map(|()| db)
}

/// A connection that cannot write.
pub(super) fn open_reader(path: &Path) -> Result<Connection, Error> {
    let db = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    db.execute_batch("PRAGMA query_only = ON; PRAGMA trusted_schema = OFF; PRAGMA cache_size = -1024;")
        .map_err(|error| unopened(path, error))?;
    Ok(db)
}

/// A connection that only moves pages from the write-ahead log into the database.
pub(super) fn open_checkpointer(path: &Path) -> Result<Connection, Error> {
    let db = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    db.execute_batch("PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = -64;")
        .map_err(|error| unopened(path, error))?;
    Ok(db)
}

pub(super) fn open(path: &Path, flags: OpenFlags) -> Result<Connection, Error> {
    let db = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)
        .map_err(|error| unopened(path, error))?;
    db.busy_timeout(BUSY).map_err(|error| unopened(path, error))?;
    Ok(db)
}

pub(super) fn unopened(path: &Path, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::Open { path: path.display().to_string(), source: source.into() }
}

/// The number of the newest schema.
pub(super) fn known() -> i64 {
    MIGRATIONS.len() as i64
}

fn prepare(db: &mut Connection, page_bytes: u32, path: &Path) -> Result<(), Error> {
    if rusqlite::version_number() < OLDEST_SQLITE {
        return Err(unopened(path, format!("the SQLite inside is {}, which is too old", rusqlite::version())));
    }
    let found: i64 =
        db.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(|error| unopened(path, error))?;
    let known = known();
    if found > known {
        return Err(Error::Newer { path: path.display().to_string(), found, known });
    }
    db.execute_batch(&format!(
        "PRAGMA page_size = {page_bytes};
         PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         PRAGMA foreign_keys = ON;
         PRAGMA trusted_schema = OFF;
         PRAGMA wal_autocheckpoint = 0;
         PRAGMA journal_size_limit = 67108864;
         PRAGMA cache_size = -3072;
         PRAGMA temp_store = MEMORY;"
    ))
    .map_err(|error| unopened(path, error))?;
    // Otherwise binding a value can throw the plan of a statement away, which then costs more than running it.
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map_err(|error| unopened(path, error))?;
    db.set_prepared_statement_cache_capacity(96);
    if found > 0 && found < known {
        let kept = before_migration(path, found);
        if !kept.exists() {
            copy(db, &kept)?;
            tracing::info!(copy = %kept.display(), "store.copied: the store as it was before its schema changes");
        }
    }
    migrate(db, found).map_err(|fail| match fail {
        Fail::Sql(source) => unopened(path, source),
        Fail::Row(what) => unopened(path, what),
    })
}

fn migrate(db: &mut Connection, found: i64) -> Result<(), Fail> {
    for (number, sql) in (1_i64..).zip(MIGRATIONS).filter(|(number, _)| *number > found) {
        let step = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        step.execute_batch(sql)?;
        step.pragma_update(None, "user_version", number)?;
        reached(Step::Migrated);
        step.commit()?;
        tracing::info!(schema = number, "store.migrated: the schema was brought up to date");
    }
    Ok(())
}
