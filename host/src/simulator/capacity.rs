//! How many requests a side works on at once: the platform's semaphore of worker threads with a queue before it.
//!
//! Off until set. Called by `serve` around every request. Holds always: what finds the queue full is told so at once,
//! without a hint when to come back.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::locked;

/// A pool of workers and the queue that may wait for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    pub pool: usize,
    pub queue: usize,
    /// How long a worker is busy with a request, milliseconds.
    pub work_ms: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { pool: 4, queue: 50, work_ms: 100 }
    }
}

#[derive(Debug, Default)]
struct Pool {
    limits: Limits,
    workers: Option<Arc<Semaphore>>,
    inside: Arc<AtomicUsize>,
}

/// The limits in force on one side.
#[derive(Debug, Default)]
pub(crate) struct Capacity {
    limited: AtomicUsize,
    pool: Mutex<Pool>,
}

/// Leave to work on a request; given back when dropped.
#[derive(Debug)]
pub(crate) struct Admitted {
    inside: Option<Arc<AtomicUsize>>,
    worker: Option<OwnedSemaphorePermit>,
}

impl Drop for Admitted {
    fn drop(&mut self) {
        if let Some(inside) = &self.inside {
            inside.fetch_sub(1, Ordering::AcqRel);
        }
    }
}

impl Capacity {
    /// `None` lets everybody in.
    pub(crate) fn set(&self, limits: Option<Limits>) {
        let mut pool = locked(&self.pool);
        *pool = Pool {
            limits: limits.unwrap_or_default(),
            workers: limits.map(|limits| Arc::new(Semaphore::new(limits.pool))),
            inside: Arc::default(),
        };
        self.limited.store(usize::from(limits.is_some()), Ordering::Release);
    }

    /// Waits for a worker; `None` when the queue is full.
    pub(crate) async fn enter(&self) -> Option<Admitted> {
        if self.limited.load(Ordering::Acquire) == 0 {
            return Some(Admitted { inside: None, worker: None });
        }
        let (limits, workers, inside) = {
            let pool = locked(&self.pool);
            (pool.limits, pool.workers.clone(), Arc::clone(&pool.inside))
        };
        let before = inside.fetch_add(1, Ordering::AcqRel);
        let mut admitted = Admitted { inside: Some(inside), worker: None };
        if before >= limits.pool + limits.queue {
            return None;
        }
        if let Some(workers) = workers {
            admitted.worker = workers.acquire_owned().await.ok();
        }
        tokio::time::sleep(Duration::from_millis(limits.work_ms)).await;
        Some(admitted)
    }
}
