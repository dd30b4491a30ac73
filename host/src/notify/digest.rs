//! Gathers notices of one integration with one reason: the first is told at once, further ones are counted and told
//! together when the interval has passed. Time is an argument.

use std::collections::HashMap;
use std::time::Duration;

use super::words::gathered;
use crate::domain::id::IntegrationName;
use crate::domain::notice::Notice;

pub(super) struct Digest {
    interval: Duration,
    held: HashMap<(IntegrationName, String), Held>,
}

/// One reason of one integration that was told within the last interval.
struct Held {
    told: Duration,
    /// Those that came since, and the last of them.
    since: Option<(u64, Notice)>,
}

impl Digest {
    pub(super) fn new(interval: Duration) -> Self {
        Self { interval, held: HashMap::new() }
    }

    /// The notice, if it is to be told at once.
    pub(super) fn add(&mut self, notice: Notice, now: Duration) -> Option<Notice> {
        let key = (notice.integration.clone(), notice.code.clone());
        if let Some(held) = self.held.get_mut(&key) {
            let count = held.since.take().map_or(0, |(count, _)| count) + 1;
            held.since = Some((count, notice));
            return None;
        }
        self.held.insert(key, Held { told: now, since: None });
        Some(notice)
    }

    /// How long until something may be due.
    pub(super) fn next(&self, now: Duration) -> Option<Duration> {
        let times = self.held.values().map(|held| (held.told + self.interval).saturating_sub(now));
        times.min()
    }

    /// What is to be told now. A reason that was quiet for an interval is forgotten.
    pub(super) fn due(&mut self, now: Duration) -> Vec<Notice> {
        let interval = self.interval;
        let mut told = Vec::new();
        self.held.retain(|_, held| {
            if now < held.told + interval {
                return true;
            }
            let Some((count, notice)) = held.since.take() else { return false };
            told.push(gathered(notice, count, interval));
            held.told = now;
            true
        });
        told
    }

    /// What was not told yet, at the end.
    pub(super) fn rest(self) -> Vec<Notice> {
        let interval = self.interval;
        self.held
            .into_values()
            .filter_map(|held| held.since.map(|(count, notice)| gathered(notice, count, interval)))
            .collect()
    }
}
