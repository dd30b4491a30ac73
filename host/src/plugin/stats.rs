//! What is counted of one plugin while its generation runs.

use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwapOption;

use super::breaker::Breaker;
use crate::domain::patch::{Hook, PluginFailure};

/// Counters of one plugin.
#[derive(Debug, Default)]
pub(super) struct Stats {
    asked: AtomicU64,
    failed: AtomicU64,
    last: ArcSwapOption<PluginFailure>,
    breakers: [Breaker; Hook::ALL.len()],
}

impl Stats {
    pub(super) fn asked(&self) {
        self.asked.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn breaker(&self, hook: Hook) -> Option<&Breaker> {
        self.breakers.get(hook as usize)
    }

    pub(super) fn failed(&self, failure: &PluginFailure) {
        self.failed.fetch_add(1, Ordering::Relaxed);
        self.last.store(Some(std::sync::Arc::new(failure.clone())));
    }

    /// Hooks asked, failures, and the last failure.
    pub(super) fn read(&self) -> (u64, u64, Option<PluginFailure>) {
        let last = self.last.load_full().map(|failure| (*failure).clone());
        (self.asked.load(Ordering::Relaxed), self.failed.load(Ordering::Relaxed), last)
    }
}
