//! Requests that were just sealed and are likely to be claimed in a moment, so that they need not be read back.
//!
//! Only a shortcut: the rows hold the truth. Emptied by a rollback, because numbers of rows are given anew then.

use std::collections::HashMap;

use crate::domain::id::RequestId;
use crate::domain::request::Request;

/// How many are kept at most. At 8 kB each this is some megabytes.
const CAPACITY: usize = 1024;

/// After so many that found no room, what is here is unlikely to be claimed soon: its side is left alone, say.
const PATIENCE: usize = 8 * CAPACITY;

#[derive(Debug, Default)]
pub(super) struct Warm {
    requests: HashMap<RequestId, Request>,
    refused: usize,
}

impl Warm {
    pub(super) fn put(&mut self, id: RequestId, request: Request) {
        if self.requests.len() >= CAPACITY {
            // In a backlog, what is here is claimed before what comes.
            self.refused += 1;
            if self.refused <= PATIENCE {
                return;
            }
            self.requests.clear();
        }
        self.refused = 0;
        self.requests.insert(id, request);
    }

    pub(super) fn take(&mut self, id: RequestId) -> Option<Request> {
        self.requests.remove(&id)
    }

    pub(super) fn clear(&mut self) {
        self.requests.clear();
    }
}
