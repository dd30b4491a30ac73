//! Promises about the disk: what was acknowledged is there again, one owner, no newer schema, a full disk, a broken
//! one, a log that stays bounded.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::samples::*;
use crate::domain::id::RequestId;
use crate::domain::request::Target;
use crate::store::sqlite::fail::Fail;
use crate::store::sqlite::packing::EventRow;
use crate::store::sqlite::writer::Durability;
use crate::store::sqlite::{Options, SqliteStore, upkeep};
use crate::store::{Completion, Desk, Error, Inbox, NewEvent, Outbox, QueueFilter, RequestEnd, RequestState};

/// What is on disk at this moment, as if the process had died now.
fn copy(from: &Path, to: &Path) {
    for name in ["tandem.db", "tandem.db-wal"] {
        fs::copy(from.join(name), to.join(name)).unwrap();
    }
}

#[tokio::test]
async fn everything_is_there_again_after_the_process_died() {
    let (before, store) = fresh();
    sealed(&store, "i1", vec![new_request(Target::ServiceNow, "leased", at(1))], at(1)).await;
    sealed(&store, "i2", vec![new_request(Target::ServiceNow, "waiting", at(50))], at(1)).await;
    let leased = claim(&store, at(2)).await.remove(0);
    store.accept(event("i3", "claimed", at(3))).await.unwrap();
    let claimed = store.claim_events(1, LEASE, at(3)).await.unwrap().remove(0);
    store.accept(event("i4", "pending", at(4))).await.unwrap();
    let after = directory();
    copy(before.path(), after.path());

    let store = open(&after.path().join("tandem.db"));
    assert!(store.accept(event("i4", "pending", at(5))).await.unwrap().duplicate);
    let events = store.claim_events(10, LEASE, at(5)).await.unwrap();
    let found: Vec<_> = events.iter().map(|claim| (claim.link.incident.as_str(), claim.crashes)).collect();
    assert_eq!(found, [("i3", 1), ("i4", 0)], "the dead process holds nothing, and its crash counts");
    let again = claim(&store, at(5)).await.remove(0);
    assert_eq!((again.id, again.attempts, again.crashes, again.uncertain), (leased.id, 0, 1, true));
    assert!(again.fence > leased.fence);
    let late = settle(leased.id, leased.fence, RequestEnd::Done, at(6));
    assert_eq!(store.settled(late).await.unwrap(), Completion::Stale);
    assert_eq!(store.decided(done(&claimed, Vec::new(), at(6))).await.unwrap(), Completion::Stale);
    let waiting = store.list(QueueFilter::default()).await.unwrap();
    assert_eq!((waiting[0].state, waiting[0].due), (RequestState::Ready, at(50)));
}

#[tokio::test]
async fn a_second_owner_is_refused_and_told_who_the_first_is() {
    let (directory, store) = fresh();
    let path = directory.path().join("tandem.db");
    let refusal = SqliteStore::open(&path, &Options::default()).err().unwrap();
    assert!(matches!(refusal, Error::Locked { .. }), "{refusal:?}");
    let text = refusal.to_string();
    assert!(text.contains(&format!("(process {})", std::process::id())), "{text}");
    drop(store);
    open(&path);
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    let (directory, store) = fresh();
    drop(store);
    let path = directory.path().join("tandem.db");
    let db = rusqlite::Connection::open(&path).unwrap();
    db.pragma_update(None, "user_version", 1_000).unwrap();
    drop(db);
    let refusal = SqliteStore::open(&path, &Options::default()).err().unwrap();
    assert!(matches!(refusal, Error::Newer { found: 1_000, .. }), "{refusal:?}");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_and_left_alone() {
    let directory = directory();
    let path = directory.path().join("tandem.db");
    fs::write(&path, "not a database, but long enough to be taken for one".repeat(100)).unwrap();
    let before = fs::read(&path).unwrap();
    let refusal = SqliteStore::open(&path, &Options::default()).err().unwrap();
    assert!(matches!(refusal, Error::Open { .. }), "{refusal:?}");
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[tokio::test]
async fn a_task_that_cannot_be_written_fails_alone() {
    let (_directory, store) = fresh();
    let store = Arc::new(store);
    // While the writer is busy with the first, the others queue up for one batch.
    let busy = store.write(Durability::Power, |_| {
        std::thread::sleep(std::time::Duration::from_millis(100));
        Ok(())
    });
    let poison = store.write::<(), _>(Durability::Power, |state| {
        state.db.execute("INSERT INTO nowhere VALUES (1)", [])?;
        Ok(())
    });
    let (busy, first, poison, second) =
        tokio::join!(busy, store.accept(event("i1", "d1", at(1))), poison, store.accept(event("i2", "d2", at(1))));
    busy.unwrap();
    assert!(matches!(poison.unwrap_err(), Error::Unavailable { .. }));
    assert!(!first.unwrap().duplicate && !second.unwrap().duplicate, "each ran once as far as anybody can see");
    assert_eq!(store.depths().await.unwrap().events_pending, 2);
    assert_eq!(store.claim_events(9, LEASE, at(2)).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_failed_sync_makes_the_store_read_only() {
    let (_directory, store) = fresh();
    sealed(&store, "i1", vec![new_request(Target::ServiceNow, "k1", at(1))], at(1)).await;
    let failed = store.write::<(), _>(Durability::Power, |state| {
        state.accept(&EventRow::new(event("i2", "lost", at(2))))?;
        let cause = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_IOERR_FSYNC);
        Err(Fail::from(rusqlite::Error::SqliteFailure(cause, None)))
    });
    assert!(matches!(failed.await.unwrap_err(), Error::Broken(_)));
    assert!(store.is_broken());
    assert!(matches!(store.accept(event("i3", "d", at(3))).await.unwrap_err(), Error::Broken(_)));
    assert!(matches!(store.check().await.unwrap_err(), Error::Broken(_)));
    assert!(store.show(RequestId(1)).await.unwrap().is_some(), "reading goes on");
    assert_eq!(store.depths().await.unwrap().events_pending, 0, "what failed is not there");
}

#[tokio::test]
async fn a_damaged_page_is_found_by_who_looks_and_noticed_by_who_meets_it() {
    let directory = directory();
    let path = directory.path().join("tandem.db");
    let store = SqliteStore::open(&path, &Options::default()).unwrap();
    let keys: Vec<String> = (0..200).map(|number| format!("k{number}")).collect();
    let requests = keys.iter().map(|key| new_request(Target::ServiceNow, key, at(1))).collect();
    sealed(&store, "i1", requests, at(1)).await;
    drop(store);
    upkeep::examine(&path).unwrap();

    // A page with bodies of requests, which a host reads only when it needs one.
    let mut bytes = fs::read(&path).unwrap();
    let body = b"\"cause\"";
    let found = bytes.windows(body.len()).rposition(|window| window == body).unwrap();
    let page = found / 4096 * 4096;
    bytes[page..page + 8].fill(0xa5);
    fs::write(&path, bytes).unwrap();
    assert!(matches!(upkeep::examine(&path), Err(Error::Broken(_))));
    let store = SqliteStore::open(&path, &Options::default()).unwrap();
    store.check().await.unwrap();
    let mut noticed = false;
    for number in 1..=200 {
        noticed |= matches!(store.show(RequestId(number)).await, Err(Error::Broken(_)));
    }
    assert!(noticed);
    assert!(matches!(store.check().await, Err(Error::Broken(_))), "a host on it is not ready");
}

/// A file system of one megabyte, or nothing where we may not mount one.
struct Small(tempfile::TempDir);

impl Small {
    fn mount() -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let options = ["-t", "tmpfs", "-o", "size=1m", "tmpfs"];
        let mounted = Command::new("mount").args(options).arg(directory.path()).stderr(Stdio::null()).status();
        mounted.is_ok_and(|status| status.success()).then_some(Self(directory))
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).status();
    }
}

#[tokio::test]
async fn a_full_disk_sheds_and_recovers() {
    let Some(small) = Small::mount() else {
        eprintln!("SKIPPED a_full_disk_sheds_and_recovers: mounting a small file system needs root");
        return;
    };
    let ballast = small.0.path().join("ballast");
    fs::write(&ballast, vec![0; 400_000]).unwrap();
    let store = open(&small.0.path().join("tandem.db"));
    let accept = async |number: usize| {
        let body = vec![b'x'; 20_000];
        store.accept(NewEvent { body: body.into(), ..event(&format!("i{number}"), "d", at(1)) }).await
    };
    let mut acknowledged = 0;
    let refusal = loop {
        match accept(acknowledged).await {
            Ok(_) => acknowledged += 1,
            Err(refusal) => break refusal,
        }
    };
    assert!(matches!(refusal, Error::Unavailable { .. }), "{refusal:?}");
    assert_eq!(refusal.to_string(), "the store cannot write at the moment: the disk is full");
    assert!(!store.is_broken() && acknowledged > 3, "{acknowledged}");
    assert_eq!(store.depths().await.unwrap().events_pending, acknowledged as u64);
    fs::remove_file(ballast).unwrap();
    accept(acknowledged).await.unwrap();
    store.check().await.unwrap();
    drop(store);
    let store = open(&small.0.path().join("tandem.db"));
    assert_eq!(store.depths().await.unwrap().events_pending, acknowledged as u64 + 1);
    drop(store);
}

#[tokio::test]
async fn the_log_stays_bounded_under_load() {
    let (directory, store) = fresh();
    let body = noise(400_000);
    let mut longest = 0;
    for number in 0..400 {
        store.accept(NewEvent { body: body.clone(), ..event(&format!("i{number}"), "d", at(1)) }).await.unwrap();
        longest = fs::metadata(directory.path().join("tandem.db-wal")).unwrap().len().max(longest);
    }
    assert!(longest < 80_000_000, "160 MB went through a log of {longest} bytes");
    assert!(fs::metadata(directory.path().join("tandem.db")).unwrap().len() > 50_000_000, "and into the database");
}

const CHILD: &str = "store::sqlite::tests::disk::a_host_that_is_about_to_be_killed";

/// Accepts shares and says so, until it is killed.
#[tokio::test]
#[ignore = "started by the test that kills it"]
async fn a_host_that_is_about_to_be_killed() {
    let Some(path) = std::env::var_os("TANDEM_TEST_STORE") else { return };
    let store = Arc::new(open(Path::new(&path)));
    let next = Arc::new(AtomicUsize::new(0));
    let mut clients = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let (store, next) = (store.clone(), next.clone());
        clients.spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::SeqCst);
                let body = vec![b'x'; 2_000];
                store.accept(NewEvent { body: body.into(), ..event(&format!("i{number}"), "d", at(1)) }).await.unwrap();
                writeln!(std::io::stdout(), "acknowledged {number}").unwrap();
            }
        });
    }
    clients.join_all().await;
}

#[tokio::test]
async fn nothing_acknowledged_is_lost_to_a_kill() {
    // On the real disk, so that the order of writes and syncs is the real one.
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tandem.db");
    for round in 0..3 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([CHILD, "--exact", "--ignored", "--nocapture"])
            .env("TANDEM_TEST_STORE", &path)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut acknowledged = Vec::new();
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            let Some(number) = line.unwrap().strip_prefix("acknowledged ").map(str::to_owned) else { continue };
            acknowledged.push(number);
            if acknowledged.len() == 100 * (round + 1) {
                child.kill().unwrap();
            }
        }
        child.wait().unwrap();
        assert!(acknowledged.len() >= 100);
        let store = open(&path);
        for number in acknowledged {
            let found = store.accept(event(&format!("i{number}"), "d", at(1))).await.unwrap();
            assert!(found.duplicate, "share {number} was acknowledged before the kill, and is gone");
        }
    }
}
