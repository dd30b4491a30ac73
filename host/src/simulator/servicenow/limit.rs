//! The hourly rate-limit rule of the Table API.
//!
//! Off unless the settings name a limit. Called by the router after login. Holds always: while a rule is in force,
//! every answer carries the `X-RateLimit-*` headers, and a refused one `Retry-After` as well.

use std::sync::Mutex;

use super::faults;
use crate::simulator::http::Reply;
use crate::simulator::locked;

const HOUR: i64 = 3_600;

/// Requests counted in the hour that began at `since`.
#[derive(Debug, Default)]
struct Window {
    since: i64,
    count: u32,
}

#[derive(Debug, Default)]
pub(crate) struct HourlyLimit(Mutex<Window>);

impl HourlyLimit {
    /// Counts a request; the refusal when it is one too many.
    pub(crate) fn refuse(&self, limit: Option<u32>, now: i64) -> Option<Reply> {
        let limit = limit?;
        let mut window = locked(&self.0);
        if now - window.since >= HOUR {
            *window = Window { since: now - now.rem_euclid(HOUR), count: 0 };
        }
        window.count += 1;
        let reset = window.since + HOUR;
        (window.count > limit).then(|| faults::rate_limited(limit, (reset - now).max(1) as u32, reset))
    }

    /// Tells an admitted caller about the rule.
    pub(crate) fn announce(&self, limit: Option<u32>, reply: Reply) -> Reply {
        let Some(limit) = limit else { return reply };
        let reset = locked(&self.0).since + HOUR;
        reply
            .with("x-ratelimit-limit", &limit.to_string())
            .with("x-ratelimit-reset", &reset.to_string())
            .with("x-ratelimit-rule", faults::RULE_ID)
    }

    pub(crate) fn clear(&self) {
        *locked(&self.0) = Window::default();
    }
}
