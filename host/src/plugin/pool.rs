//! Threads that run plugins: as many as there are processors, at least two, so that one plugin that uses up its
//! deadline never keeps everybody waiting.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;

use tokio::sync::{Semaphore, oneshot};

use crate::domain::patch::Transformation;

/// Events that may wait for each worker before the shell itself has to wait.
const QUEUE_PER_WORKER: usize = 32;

type Work = Box<dyn FnOnce() -> Transformation + Send>;
type Job = (Work, oneshot::Sender<Transformation>);

#[derive(Default)]
struct Queue {
    jobs: Mutex<(VecDeque<Job>, bool)>,
    ready: Condvar,
}

/// The workers; dropping it ends them after what they are at.
pub(super) struct Pool {
    queue: Arc<Queue>,
    places: Arc<Semaphore>,
    threads: Vec<JoinHandle<()>>,
}

impl Pool {
    pub(super) fn start(workers: usize) -> std::io::Result<Self> {
        let queue = Arc::new(Queue::default());
        let places = Arc::new(Semaphore::new(workers * QUEUE_PER_WORKER));
        let mut pool = Self { queue, places, threads: Vec::new() };
        for number in 0..workers {
            let queue = pool.queue.clone();
            let name = format!("plugin-{number}");
            pool.threads.push(std::thread::Builder::new().name(name).spawn(move || work(&queue))?);
        }
        Ok(pool)
    }

    /// Runs work on one of the threads; waits for a place in the queue first. None when the pool is stopping.
    pub(super) async fn run(&self, work: impl FnOnce() -> Transformation + Send + 'static) -> Option<Transformation> {
        let place = self.places.acquire().await.ok()?;
        let (answer, receiver) = oneshot::channel();
        {
            let mut jobs = self.queue.jobs.lock().unwrap_or_else(PoisonError::into_inner);
            jobs.0.push_back((Box::new(work), answer));
        }
        self.queue.ready.notify_one();
        let answer = receiver.await.ok();
        drop(place);
        answer
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.queue.jobs.lock().unwrap_or_else(PoisonError::into_inner).1 = true;
        self.queue.ready.notify_all();
        for thread in self.threads.drain(..) {
            drop(thread.join());
        }
    }
}

fn work(queue: &Queue) {
    loop {
        let job = {
            let mut jobs = queue.jobs.lock().unwrap_or_else(PoisonError::into_inner);
            loop {
                if let Some(job) = jobs.0.pop_front() {
                    break job;
                }
                if jobs.1 {
                    return;
                }
                jobs = queue.ready.wait(jobs).unwrap_or_else(PoisonError::into_inner);
            }
        };
        let (work, answer) = job;
        // Whoever asked may have gone.
        drop(answer.send(work()));
    }
}
