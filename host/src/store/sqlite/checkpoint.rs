//! Moving pages from the write-ahead log into the database, beside the writer.
//!
//! A thread of its own does the bulk of it while the writer goes on committing. What has been committed meanwhile
//! is a short tail; the writer moves that itself, and only then can it start the log from its beginning again. So
//! the log stays bounded, and no commit waits for more than the tail unless the thread can't keep up at all.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::hooks::Wal;
use rusqlite::wal::CheckpointMode;

use super::fail::Fail;
use super::schema;
use crate::steps::{Step, entering};
use crate::store::Error;

/// Size of the log from which on it is worth a checkpoint, in bytes.
const WORTH: u32 = 16 * 1024 * 1024;
/// What the writer moves itself at most, in bytes, unless the log has reached its bound.
const TAIL: u32 = 2 * 1024 * 1024;
/// Size from which on the writer waits, and moves what is left itself, whatever that takes.
const BOUND: u32 = 64 * 1024 * 1024;

/// For a crash while pages are being moved.
const AMIDST: Duration = Duration::from_millis(2);

/// The writer's side: how long the log is, and the thread that shortens it.
pub(super) struct Checkpoints {
    /// Pages in the log after the last commit.
    pages: Arc<AtomicU32>,
    worth: u32,
    tail: u32,
    bound: u32,
    running: bool,
    /// Gone only while dropping.
    start: Option<Sender<()>>,
    /// Answers each start with the number of pages of the log that are in the database.
    finished: Receiver<u32>,
    thread: Option<JoinHandle<()>>,
}

impl Checkpoints {
    /// Watches the commits of `writer`.
    pub(super) fn watch(writer: &mut Connection, path: &Path) -> Result<Self, Error> {
        let pages = Arc::new(AtomicU32::new(0));
        let seen = Arc::clone(&pages);
        let unopened =
            |source: Box<dyn std::error::Error + Send + Sync>| Error::Open { path: path.display().to_string(), source };
        writer
            .wal_hook(Some(move |_: &mut Wal, length: i32| {
                seen.store(length.unsigned_abs(), Ordering::Relaxed);
                Ok(())
            }))
            .map_err(|error| unopened(error.into()))?;
        // A database keeps the page size that it was created with.
        let page_bytes: u32 =
            writer.query_row("PRAGMA page_size", [], |row| row.get(0)).map_err(|error| unopened(error.into()))?;
        let db = schema::open_checkpointer(path)?;
        let (start, asked) = channel();
        let (report, finished) = channel();
        let thread = std::thread::Builder::new()
            .name("checkpoint".to_owned())
            .spawn(move || serve(&db, &asked, &report))
            .map_err(|error| unopened(error.into()))?;
        let in_pages = |bytes: u32| bytes / page_bytes.max(512);
        Ok(Self {
            pages,
            worth: in_pages(WORTH),
            tail: in_pages(TAIL),
            bound: in_pages(BOUND),
            running: false,
            start: Some(start),
            finished,
            thread: Some(thread),
        })
    }

    /// Called by the writer after each commit, outside of a transaction.
    pub(super) fn after_commit(&mut self, writer: &Connection) -> Result<(), Fail> {
        let length = self.pages.load(Ordering::Relaxed);
        // At its bound the log grows no further: commits wait for the thread, which on a busy machine may be slow.
        let waits = self.running && length >= self.bound;
        let finished = if waits { self.finished.recv().ok() } else { self.finished.try_recv().ok() };
        if let Some(moved) = finished {
            self.running = false;
            if length.saturating_sub(moved) <= self.tail || length >= self.bound {
                // With all of it moved, the next commit begins the log anew.
                return move_pages(writer).map(drop);
            }
        }
        if !self.running && length >= self.worth {
            self.running = self.start.as_ref().is_some_and(|start| start.send(()).is_ok());
        }
        Ok(())
    }
}

impl Drop for Checkpoints {
    fn drop(&mut self) {
        self.start = None;
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("store.checkpoint.panicked: the thread that shortens the log ended by a panic");
        }
    }
}

fn serve(db: &Connection, asked: &Receiver<()>, report: &Sender<u32>) {
    while asked.recv().is_ok() {
        entering(Step::Checkpoint, AMIDST);
        let moved = move_pages(db).unwrap_or_else(|fail| {
            // The log keeps everything; the writer meets the same trouble and judges it.
            tracing::warn!(cause = ?fail, "store.checkpoint.failed: the log could not be shortened");
            0
        });
        if report.send(moved).is_err() {
            return;
        }
    }
}

/// Moves what no reader still needs, and says how many pages of the log have been moved. A full or busy database is
/// no failure here: the log keeps everything, and it is tried again.
fn move_pages(db: &Connection) -> Result<u32, Fail> {
    match db.wal_checkpoint_v2(None::<&str>, CheckpointMode::PASSIVE) {
        Ok((_, moved)) => Ok(u32::try_from(moved).unwrap_or(0)),
        Err(error) => {
            let fail = Fail::from(error);
            if fail.breaks_the_store() { Err(fail) } else { Ok(0) }
        }
    }
}
