//! Shares that were parsed at the door and are likely to be wanted in a moment.
//!
//! Only a shortcut: the inbox holds the truth, and a share that isn't here is read from there. Bounded.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::domain::id::EventId;
use crate::domain::share::Share;

/// How many shares are kept at most. At 30 kB each this is a few megabytes; decisions are quick, so few wait.
const CAPACITY: usize = 192;

/// Parsed shares by event.
#[derive(Default)]
pub(super) struct Warm {
    shares: Mutex<HashMap<EventId, Arc<Share>>>,
}

impl Warm {
    pub(super) fn put(&self, event: EventId, share: Arc<Share>) {
        let mut shares = self.shares.lock().unwrap_or_else(PoisonError::into_inner);
        if shares.len() < CAPACITY {
            shares.insert(event, share);
        }
    }

    pub(super) fn take(&self, event: EventId) -> Option<Arc<Share>> {
        self.shares.lock().unwrap_or_else(PoisonError::into_inner).remove(&event)
    }

    /// Drops what other events covered.
    pub(super) fn forget(&self, events: &[EventId]) {
        let mut shares = self.shares.lock().unwrap_or_else(PoisonError::into_inner);
        for event in events {
            shares.remove(event);
        }
    }
}
