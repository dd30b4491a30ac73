//! Bodies that are packed, and what becomes of rows that can't be unpacked.

use bytes::Bytes;
use proptest::prelude::*;

use super::samples::*;
use crate::domain::id::EventId;
use crate::store::sqlite::fail::Fail;
use crate::store::sqlite::packing::{EventRow, WORTH, unpack};
use crate::store::{Desk as _, Inbox as _, NewEvent};

fn row(body: Vec<u8>) -> EventRow {
    EventRow::new(NewEvent { body: body.into(), ..event("i", "d", at(1)) })
}

fn back(row: &EventRow) -> Result<Bytes, Fail> {
    let (body, size) = row.columns();
    unpack(EventId(7), body.to_vec(), size)
}

proptest! {
    #[test]
    fn what_is_packed_comes_back(words in prop::collection::vec("[a-z]{0,9}|\\PC", 0..900)) {
        let body = words.join(",").into_bytes();
        prop_assert_eq!(back(&row(body.clone())).unwrap(), body);
    }
}

#[test]
fn only_what_shrinks_is_packed() {
    let alike = row(vec![b'x'; 4 * WORTH]);
    assert!(alike.columns().1.is_some() && alike.columns().0.len() < WORTH);
    assert!(row(vec![b'x'; WORTH - 1]).columns().1.is_none());
    assert!(row(noise(2 * WORTH).to_vec()).columns().1.is_none());
}

#[test]
fn a_damaged_block_is_an_unreadable_row() {
    let row = row(vec![b'x'; 4 * WORTH]);
    let (block, size) = row.columns();
    for (block, size) in [(&block[1..], size), (block, Some(9)), (block, Some(-1)), (block, Some(i64::MAX))] {
        assert!(matches!(unpack(EventId(7), block.to_vec(), size), Err(Fail::Row(_))), "{size:?}");
    }
}

#[tokio::test]
async fn a_body_is_the_same_before_and_after_a_restart_and_a_damaged_one_waits_for_a_person() {
    let directory = directory();
    let path = directory.path().join("tandem.db");
    let body: Bytes = "{\"tags\":[1,2,3]},".repeat(900).into();
    {
        let store = open(&path);
        for incident in ["sound", "damaged"] {
            store.accept(NewEvent { body: body.clone(), ..event(incident, "d", at(1)) }).await.unwrap();
        }
        assert_eq!(store.claim_events(1, LEASE, at(1)).await.unwrap()[0].events[0].body, body);
    }
    let db = rusqlite::Connection::open(&path).unwrap();
    let kept: i64 =
        db.query_row("SELECT length(body) FROM event_bodies WHERE event = 1", [], |row| row.get(0)).unwrap();
    assert!(kept < 1_000, "{kept} bytes of {}", body.len());
    db.execute("UPDATE event_bodies SET size = size - 1 WHERE event = 2", []).unwrap();
    drop(db);
    let store = open(&path);
    let claims = store.claim_events(9, LEASE, at(2)).await.unwrap();
    let bodies: Vec<_> = claims.iter().map(|claim| (claim.link.incident.as_str(), &claim.events[0].body)).collect();
    assert_eq!(bodies, [("sound", &body)]);
    let aside = store.quarantined(None).await.unwrap();
    assert!(aside.len() == 1 && aside[0].why.contains("the body of event 2 cannot be unpacked"), "{aside:?}");
}
