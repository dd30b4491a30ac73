//! Promises about copies: of a store that is in use, and of one whose schema is about to change.

use std::os::unix::fs::PermissionsExt as _;

use rusqlite::Connection;

use super::samples::*;
use crate::domain::id::IncidentId;
use crate::store::sqlite::upkeep::{backup, before_migration, version};
use crate::store::{Inbox, Links};

#[tokio::test]
async fn a_copy_of_a_store_in_use_has_all_that_was_acknowledged() {
    let (directory, store) = fresh();
    for number in 0..50 {
        store.accept(event(&format!("i{number}"), "e", at(1))).await.unwrap();
    }
    let to = directory.path().join("copy.db");
    backup(&directory.path().join("tandem.db"), &to).unwrap();
    assert!(backup(&directory.path().join("tandem.db"), &to).is_err(), "a copy was overwritten");
    store.accept(event("later", "e", at(2))).await.unwrap();
    let copy = open(&to);
    let link = async |incident: &str| copy.link_of(&acme(), &IncidentId::new(incident).unwrap()).await.unwrap();
    assert!(link("i0").await.is_some() && link("i49").await.is_some() && link("later").await.is_none());
}

#[tokio::test]
async fn nobody_else_can_read_a_store_or_a_copy_of_it() {
    let (directory, store) = fresh();
    store.accept(event("i", "e", at(1))).await.unwrap();
    backup(&directory.path().join("tandem.db"), &directory.path().join("copy.db")).unwrap();
    let files = std::fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap());
    let modes: std::collections::BTreeMap<_, _> = files
        .map(|file| (file.file_name().into_string().unwrap(), file.metadata().unwrap().permissions().mode() & 0o777))
        .collect();
    for name in ["tandem.db", "tandem.db-wal", "tandem.db-shm", "tandem.db.lock", "copy.db"] {
        assert_eq!(modes.get(name), Some(&0o600), "{name} of {modes:?}");
    }
}

#[test]
fn an_older_schema_is_copied_before_it_is_changed() {
    let directory = directory();
    let path = directory.path().join("tandem.db");
    let old = Connection::open(&path).unwrap();
    old.execute_batch(include_str!("../../../../migrations/0001_start.sql")).unwrap();
    old.pragma_update(None, "user_version", 1).unwrap();
    drop(old);
    let (found, known) = version(&path).unwrap();
    assert_eq!(found, 1);
    drop(open(&path));
    assert_eq!(version(&path).unwrap(), (known, known));
    let kept = before_migration(&path, 1);
    assert_eq!(kept.exists(), known > 1, "a copy is made when, and only when, the schema changes");
    if kept.exists() {
        assert_eq!(version(&kept).unwrap().0, 1);
    }
}
