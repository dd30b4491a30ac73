//! Promises about copies: of a store that is in use, and of one whose schema is about to change.

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
