//! The one thread that writes, and its group commit.
//!
//! It takes whatever has been queued, up to [`BATCH`] tasks, runs them in one transaction and answers them after
//! its commit: callers that wait at the same time share one sync of the disk, and a lone caller waits for nobody.
//! When a task fails, the whole batch is rolled back and its tasks run one by one, so that one that cannot be
//! written fails alone. Nothing here awaits; no transaction outlives a batch.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::checkpoint::Checkpoints;
use super::fail::Fail;
use super::ledger::Ledger;
use super::warm::Warm;
use crate::steps::{Safeguard, Step, broken, reached};
use crate::store::Error;

/// Most tasks in one transaction.
pub(super) const BATCH: usize = 256;

/// From so many tasks in the last transaction on, the next one waits a moment for company: every transaction writes the
/// same few pages and syncs once, however many tasks it has. A caller that is alone never waits.
const COMPANY: usize = 4;
const PATIENCE: Duration = Duration::from_millis(1);

/// What a task may touch.
pub(super) struct State {
    pub(super) db: Connection,
    pub(super) ledger: Ledger,
    pub(super) warm: Warm,
}

/// What a task asks of the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Durability {
    /// Reads the ledger only; needs no transaction and works on a broken store.
    Memory,
    /// Must survive the death of this process, but not a power cut.
    Process,
    /// Must survive a power cut.
    Power,
}

/// A task with its answer's way back, its types forgotten.
pub(super) trait Work: Send {
    fn durability(&self) -> Durability;
    /// Runs inside a transaction, perhaps again after a rollback.
    fn run(&mut self, state: &mut State) -> Result<(), Fail>;
    fn answer(self: Box<Self>, outcome: Result<(), Fail>);
}

struct Task<O, F> {
    durability: Durability,
    run: F,
    output: Option<O>,
    /// Gone when a must-fail test made it answer before the commit.
    reply: Option<oneshot::Sender<Result<O, Error>>>,
}

impl<O, F> Work for Task<O, F>
where
    O: Send,
    F: FnMut(&mut State) -> Result<O, Fail> + Send,
{
    fn durability(&self) -> Durability {
        self.durability
    }

    fn run(&mut self, state: &mut State) -> Result<(), Fail> {
        let output = (self.run)(state)?;
        if broken(Safeguard::Durability)
            && let Some(reply) = self.reply.take()
        {
            let _ = reply.send(Ok(output));
            return Ok(());
        }
        self.output = Some(output);
        Ok(())
    }

    fn answer(self: Box<Self>, outcome: Result<(), Fail>) {
        let answer = match (outcome, self.output) {
            (Ok(()), Some(output)) => Ok(output),
            (Ok(()), None) => Err(super::fail::closed()),
            (Err(fail), _) => Err(fail.into_error()),
        };
        if let Some(reply) = self.reply {
            // When nobody waits any more, a lease given here runs out by itself.
            let _ = reply.send(answer);
        }
    }
}

/// Wraps a task; the receiver gets its answer once it is as durable as it asked to be.
pub(super) fn task<O, F>(durability: Durability, run: F) -> (Box<dyn Work>, oneshot::Receiver<Result<O, Error>>)
where
    O: Send + 'static,
    F: FnMut(&mut State) -> Result<O, Fail> + Send + 'static,
{
    let (reply, answer) = oneshot::channel();
    (Box::new(Task { durability, run, output: None, reply: Some(reply) }), answer)
}

pub(super) struct Writer {
    pub(super) state: State,
    pub(super) tasks: mpsc::Receiver<Box<dyn Work>>,
    pub(super) broken: Arc<AtomicBool>,
    /// The first failure that broke the store.
    pub(super) cause: Option<Fail>,
    /// 1 gives every task a commit of its own.
    pub(super) batch: usize,
    /// None for a store that has no log.
    pub(super) checkpoints: Option<Checkpoints>,
    /// Whether the connection syncs at commit.
    pub(super) syncs: bool,
}

impl Writer {
    /// Serves until every sender is gone and the queue is empty.
    pub(super) fn serve(mut self) {
        let _end = End(Arc::clone(&self.broken));
        let mut batch = Vec::with_capacity(self.batch);
        let mut company = 0;
        while self.tasks.blocking_recv_many(&mut batch, self.batch) > 0 {
            if company >= COMPANY {
                std::thread::sleep(PATIENCE);
                while batch.len() < self.batch
                    && let Ok(work) = self.tasks.try_recv()
                {
                    batch.push(work);
                }
            }
            company = batch.len();
            self.commit(&mut batch);
        }
    }

    pub(super) fn commit(&mut self, batch: &mut Vec<Box<dyn Work>>) {
        let mut outcome = self.attempt(batch);
        let alone = batch.len() == 1;
        for mut work in batch.drain(..) {
            if outcome.is_err() && !alone {
                let outcome = self.attempt(std::slice::from_mut(&mut work));
                work.answer(outcome);
            } else {
                work.answer(std::mem::replace(&mut outcome, Ok(())));
            }
        }
    }

    fn attempt(&mut self, batch: &mut [Box<dyn Work>]) -> Result<(), Fail> {
        let durability = batch.iter().map(|work| work.durability()).max().unwrap_or(Durability::Memory);
        self.state.ledger.begin();
        if durability == Durability::Memory {
            return batch.iter_mut().try_for_each(|work| work.run(&mut self.state));
        }
        if let Some(fail) = &self.cause {
            return Err(fail.clone());
        }
        let outcome = self.transact(batch, durability == Durability::Power);
        if outcome.is_ok()
            && let Some(checkpoints) = &mut self.checkpoints
            && let Err(fail) = checkpoints.after_commit(&self.state.db)
        {
            // What was committed is safe in the log; what comes next would not be.
            self.mark_broken(&fail);
        }
        if let Err(fail) = &outcome {
            self.state.ledger.roll_back();
            self.state.warm.clear();
            // A commit that failed may have ended the transaction itself.
            if !self.state.db.is_autocommit()
                && let Err(error) = self.state.db.execute_batch("ROLLBACK")
            {
                tracing::error!(%error, "store.rollback.failed: a transaction could not be rolled back");
                self.mark_broken(&Fail::from(error));
            }
            if fail.breaks_the_store() {
                self.mark_broken(fail);
            }
        }
        outcome
    }

    fn transact(&mut self, batch: &mut [Box<dyn Work>], sync: bool) -> Result<(), Fail> {
        if sync != self.syncs {
            self.state.db.execute_batch(if sync {
                "PRAGMA synchronous = FULL"
            } else {
                "PRAGMA synchronous = NORMAL"
            })?;
            self.syncs = sync;
        }
        self.state.db.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        for work in batch {
            work.run(&mut self.state)?;
        }
        if broken(Safeguard::Durability) {
            // Time for the early answer to leave before the process dies.
            std::thread::sleep(Duration::from_millis(100));
        }
        reached(Step::InsideBatch);
        self.state.db.prepare_cached("COMMIT")?.execute([])?;
        Ok(())
    }

    fn mark_broken(&mut self, fail: &Fail) {
        if self.cause.is_none() {
            tracing::error!(cause = ?fail, "store.broken: the disk failed; nothing is written until a restart");
            self.cause = Some(fail.clone());
            self.broken.store(true, Ordering::Release);
        }
    }
}

/// Marks the store as broken when the writer ends by a panic: nothing can be written after it.
struct End(Arc<AtomicBool>);

impl Drop for End {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.store(true, Ordering::Release);
        }
    }
}
