//! Five requests a second for each endpoint; off until switched on.
//!
//! A refused request gets 429 without any header, as BigPanda documents none. Called by the router. Holds always: an
//! endpoint is a method and a path without its ids, so that two incidents share one allowance.

use std::collections::{HashMap, VecDeque};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::simulator::http::Request;
use crate::simulator::locked;

#[derive(Debug, Default)]
pub(crate) struct Limiter {
    /// 0: off.
    per_second: AtomicU32,
    recent: Mutex<HashMap<String, VecDeque<i64>>>,
}

impl Limiter {
    /// 0 switches it off.
    pub(crate) fn set(&self, per_second: u32) {
        self.per_second.store(per_second, Ordering::Relaxed);
        locked(&self.recent).clear();
    }

    pub(crate) fn per_second(&self) -> u32 {
        self.per_second.load(Ordering::Relaxed)
    }

    pub(crate) fn admits(&self, now_ms: i64, request: &Request<'_>) -> bool {
        let allowed = self.per_second();
        if allowed == 0 {
            return true;
        }
        let mut recent = locked(&self.recent);
        let times = recent.entry(endpoint(request)).or_default();
        while times.front().is_some_and(|at| *at <= now_ms - 1_000) {
            times.pop_front();
        }
        if times.len() >= allowed as usize {
            return false;
        }
        times.push_back(now_ms);
        true
    }
}

fn endpoint(request: &Request<'_>) -> String {
    let mut out = request.method.to_string();
    let mut before = "";
    for part in request.path.split('/').filter(|part| !part.is_empty()) {
        let id = matches!(before, "environments" | "incidents") && part != "tags"
            || before == "tags" && part != "definitions"
            || before == "definitions";
        out.push('/');
        out.push_str(if id { "*" } else { part });
        before = part;
    }
    out
}
