//! What names mean in ServiceNow: a bounded cache from (table, column, value) to `sys_id`.
//!
//! A hit holds for an hour, a miss for five minutes. Several callers who want the same name share one question.
//! Failures are shared with those who wait at that moment and are not remembered. Time is an argument.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::OnceCell;

use super::Cached;
use crate::domain::id::SysId;
use crate::domain::outcome::Outcome;
use crate::domain::ticket::Reference;

/// How long answers hold and how many are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheSettings {
    pub found: Duration,
    pub absent: Duration,
    pub capacity: usize,
}

impl Default for CacheSettings {
    fn default() -> Self {
        Self { found: Duration::from_hours(1), absent: Duration::from_mins(5), capacity: 10_000 }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    table: String,
    by: String,
    value: String,
}

impl From<&Reference> for Key {
    fn from(reference: &Reference) -> Self {
        let Reference { field: _, table, by, value } = reference;
        Self { table: table.clone(), by: by.clone(), value: value.clone() }
    }
}

struct Entry {
    found: Option<SysId>,
    until: Duration,
}

type Answer = Result<Option<SysId>, Outcome>;

pub(super) struct References {
    settings: CacheSettings,
    entries: Mutex<HashMap<Key, Entry>>,
    questions: Mutex<HashMap<Key, Arc<OnceCell<Answer>>>>,
}

impl References {
    pub(super) fn new(settings: CacheSettings) -> Self {
        Self { settings, entries: Mutex::default(), questions: Mutex::default() }
    }

    fn entries(&self) -> MutexGuard<'_, HashMap<Key, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn questions(&self) -> MutexGuard<'_, HashMap<Key, Arc<OnceCell<Answer>>>> {
        self.questions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn cached(&self, reference: &Reference, now: Duration) -> Cached {
        match self.entries().get(&Key::from(reference)) {
            Some(Entry { found, until }) if now < *until => found.clone().map_or(Cached::Absent, Cached::Found),
            Some(_) | None => Cached::Unknown,
        }
    }

    /// The cached answer, else the one that `ask` brings. `now` is read again when that has arrived.
    pub(super) async fn resolve(
        &self,
        reference: &Reference,
        now: impl Fn() -> Duration,
        ask: impl Future<Output = Answer>,
    ) -> Answer {
        match self.cached(reference, now()) {
            Cached::Found(id) => return Ok(Some(id)),
            Cached::Absent => return Ok(None),
            Cached::Unknown => {}
        }
        let key = Key::from(reference);
        let question = self.questions().entry(key.clone()).or_default().clone();
        let answer = question
            .get_or_init(|| async {
                let answer = ask.await;
                if let Ok(found) = &answer {
                    self.remember(key.clone(), found.clone(), now());
                }
                answer
            })
            .await
            .clone();
        let mut questions = self.questions();
        // Whoever is first takes the question away; a newer one for the same name stays.
        if questions.get(&key).is_some_and(|open| Arc::ptr_eq(open, &question)) {
            questions.remove(&key);
        }
        answer
    }

    fn remember(&self, key: Key, found: Option<SysId>, now: Duration) {
        let life = if found.is_some() { self.settings.found } else { self.settings.absent };
        let mut entries = self.entries();
        if entries.len() >= self.settings.capacity && !entries.contains_key(&key) {
            entries.retain(|_, entry| now < entry.until);
            if entries.len() >= self.settings.capacity {
                let oldest = entries.iter().min_by_key(|(_, entry)| entry.until).map(|(key, _)| key.clone());
                oldest.map(|key| entries.remove(&key));
            }
        }
        entries.insert(key, Entry { found, until: now + life });
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn group(value: &str) -> Reference {
        Reference {
            field: "assignment_group".to_owned(),
            table: "sys_user_group".to_owned(),
            by: "name".to_owned(),
            value: value.to_owned(),
        }
    }

    fn id(text: &str) -> SysId {
        SysId::new(text).unwrap()
    }

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test]
    async fn a_hit_holds_longer_than_a_miss() {
        let references = References::new(CacheSettings::default());
        let known = references.resolve(&group("DBA"), || SECOND, async { Ok(Some(id("1"))) }).await;
        assert_eq!(known, Ok(Some(id("1"))));
        assert_eq!(references.resolve(&group("none"), || SECOND, async { Ok(None) }).await, Ok(None));
        let after = |seconds| [group("DBA"), group("none")].map(|of| references.cached(&of, SECOND * seconds));
        assert_eq!(after(300), [Cached::Found(id("1")), Cached::Absent]);
        assert_eq!(after(301), [Cached::Found(id("1")), Cached::Unknown]);
        assert_eq!(after(3601), [Cached::Unknown, Cached::Unknown]);
    }

    #[tokio::test]
    async fn the_cache_stays_bounded_and_drops_what_expires_first() {
        let references = References::new(CacheSettings { capacity: 3, ..CacheSettings::default() });
        for second in 1..=10_u32 {
            let name = second.to_string();
            references.resolve(&group(&name), || SECOND * second, async { Ok(Some(id(&name))) }).await.unwrap();
        }
        assert_eq!(references.entries().len(), 3);
        assert_eq!(references.cached(&group("10"), SECOND * 10), Cached::Found(id("10")));
        assert_eq!(references.cached(&group("7"), SECOND * 10), Cached::Unknown);
    }

    #[tokio::test]
    async fn callers_who_want_the_same_name_share_one_question() {
        let references = References::new(CacheSettings::default());
        let asked = AtomicUsize::new(0);
        let ask = || async {
            asked.fetch_add(1, Ordering::SeqCst);
            tokio::task::yield_now().await;
            Ok(Some(id("1")))
        };
        let dba = group("DBA");
        let (one, two, three) = tokio::join!(
            references.resolve(&dba, || SECOND, ask()),
            references.resolve(&dba, || SECOND, ask()),
            references.resolve(&dba, || SECOND, ask()),
        );
        assert_eq!([one, two, three], [(), (), ()].map(|()| Ok(Some(id("1")))));
        assert_eq!(asked.load(Ordering::SeqCst), 1);
        assert!(references.questions().is_empty());
    }

    #[tokio::test]
    async fn a_failure_is_not_remembered() {
        let references = References::new(CacheSettings::default());
        let failure = crate::domain::outcome::Failure {
            code: "x".to_owned(),
            errno: None,
            status: None,
            summary: String::new(),
            detail: None,
            hint: None,
        };
        let failed =
            references.resolve(&group("DBA"), || SECOND, async { Err(Outcome::NotApplied(failure.clone())) }).await;
        assert_eq!(failed, Err(Outcome::NotApplied(failure.clone())));
        assert_eq!(references.resolve(&group("DBA"), || SECOND, async { Ok(None) }).await, Ok(None));
    }
}
