//! Requests that were just sealed and are likely to be claimed in a moment, so that they need not be read back.
//!
//! Only a shortcut: the rows hold the truth. Emptied by a rollback, because numbers of rows are given anew then.

use std::collections::HashMap;

use crate::domain::id::RequestId;
use crate::domain::request::Request;

/// How many are kept at most. At 8 kB each this is a few megabytes.
const CAPACITY: usize = 512;

#[derive(Debug, Default)]
pub(super) struct Warm {
    requests: HashMap<RequestId, Request>,
}

impl Warm {
    pub(super) fn put(&mut self, id: RequestId, request: Request) {
        if self.requests.len() >= CAPACITY {
            // A backlog: what is here waits behind it, and what comes will too.
            self.requests.clear();
        }
        self.requests.insert(id, request);
    }

    pub(super) fn take(&mut self, id: RequestId) -> Option<Request> {
        self.requests.remove(&id)
    }

    pub(super) fn clear(&mut self) {
        self.requests.clear();
    }
}
