//! Watches the plugins directory. A whole new component is taken over at once; what is broken or gone counts only when
//! the directory has come to rest, because it may be half of something.
//!
//! Notices come from the system; a look every few seconds makes up for file systems that send none. What counts is
//! content: a reload that finds nothing new changes nothing.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};

use super::registry::{Moment, Registry};

/// How long the directory must be quiet.
const QUIET: Duration = Duration::from_millis(150);
/// Notices that put the quiet off, so that a directory that never rests is looked at all the same.
const PATIENCE: u32 = 16;
/// How often to look without a notice.
const LOOK: Duration = Duration::from_secs(3);

enum Notice {
    Changed,
    Stop,
}

/// A thread that reloads; dropping it ends it.
pub(super) struct Watch {
    notices: Sender<Notice>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    pub(super) fn start(registry: Arc<Registry>) -> std::io::Result<Self> {
        let (notices, receiver) = mpsc::channel();
        let sender = notices.clone();
        let thread = std::thread::Builder::new()
            .name("plugin-watch".into())
            .spawn(move || run(&registry, &receiver, &sender))?;
        Ok(Self { notices, thread: Some(thread) })
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.notices.send(Notice::Stop));
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn run(registry: &Registry, notices: &Receiver<Notice>, sender: &Sender<Notice>) {
    let directory = &registry.loader().config.directory;
    let mut watcher = attach(directory, sender);
    let mut seen = stamps(directory);
    // What came between the first load and the watcher's first look gives no notice; equal content changes nothing.
    registry.reload();
    loop {
        match notices.recv_timeout(LOOK) {
            Ok(Notice::Changed) => {
                registry.reload_at(Moment::Unrest);
                if rested(registry, notices) {
                    return;
                }
            }
            Ok(Notice::Stop) | Err(RecvTimeoutError::Disconnected) => return,
            Err(RecvTimeoutError::Timeout) => {
                let now = stamps(directory);
                // A directory that came into being has no watcher yet, one that was replaced has a stale one.
                if watcher.is_none() || now.0 != seen.0 {
                    watcher = attach(directory, sender);
                }
                if now == seen {
                    continue;
                }
            }
        }
        seen = stamps(directory);
        registry.reload();
    }
}

/// Waits until no notice comes for a while, and takes over what becomes whole meanwhile; true when it is time to stop.
fn rested(registry: &Registry, notices: &Receiver<Notice>) -> bool {
    for _ in 0..PATIENCE {
        match notices.recv_timeout(QUIET) {
            Ok(Notice::Changed) => {}
            Ok(Notice::Stop) | Err(RecvTimeoutError::Disconnected) => return true,
            Err(RecvTimeoutError::Timeout) => return false,
        }
        // A file that is being written gives many notices; one look is enough for those that are there.
        while let Ok(notice) = notices.try_recv() {
            if matches!(notice, Notice::Stop) {
                return true;
            }
        }
        registry.reload_at(Moment::Unrest);
    }
    false
}

fn attach(directory: &Path, sender: &Sender<Notice>) -> Option<RecommendedWatcher> {
    let sender = sender.clone();
    let notice = move |event: notify::Result<notify::Event>| {
        let relevant = event.map_or(true, |event| !event.kind.is_access());
        if relevant {
            // The receiver is gone when the host stops.
            drop(sender.send(Notice::Changed));
        }
    };
    let mut watcher = notify::recommended_watcher(notice).ok()?;
    watcher.watch(directory, RecursiveMode::NonRecursive).ok()?;
    Some(watcher)
}

/// Identity of the directory, and name, time and size of what is in it.
type Stamps = (Option<u64>, Vec<(PathBuf, Option<std::time::SystemTime>, u64)>);

fn stamps(directory: &Path) -> Stamps {
    use std::os::unix::fs::MetadataExt as _;
    let identity = std::fs::metadata(directory).map(|metadata| metadata.ino()).ok();
    let Ok(entries) = std::fs::read_dir(directory) else { return (identity, Vec::new()) };
    let mut files: Vec<_> = entries
        .flatten()
        .filter_map(|entry| {
            let metadata = entry.metadata().ok()?;
            Some((entry.path(), metadata.modified().ok(), metadata.len()))
        })
        .collect();
    files.sort();
    (identity, files)
}
