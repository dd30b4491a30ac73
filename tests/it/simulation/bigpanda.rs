//! A BigPanda in a few lines: incidents with tags and comments, resolved some time after it was asked to.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use tandem::bigpanda::{Api, Listed, Page};
use tandem::domain::id::{AlertId, EnvironmentId, IncidentId};
use tandem::domain::incident::{Activity, ActivityKind, Alert, Incident, Snooze, Status, Tag};
use tandem::domain::outcome::{Failure, Outcome, Receipt};
use tandem::domain::share::{Links, Overrides, Share, ShareKind};
use tandem::domain::tags::Tags;

use super::time::Time;
use super::weather::{Fate, Weather};

pub const ENVIRONMENT: &str = "63bd568809cb331300ff0001";

/// One incident and what happened to it.
pub struct Known {
    pub incident: Incident,
    pub activities: Vec<Activity>,
    /// Milliseconds of the true time.
    resolves_at: Option<i64>,
}

#[derive(Default)]
pub struct Inside {
    pub incidents: BTreeMap<IncidentId, Known>,
    /// Shares that BigPanda would send, in order.
    pub shares: Vec<Share>,
    /// What the host changed.
    pub writes: u64,
    numbers: u64,
}

pub struct BigPanda {
    inside: Mutex<Inside>,
    time: Arc<Time>,
    weather: Arc<Weather>,
}

/// The share of an incident as it is.
pub fn share(incident: &Incident, kind: ShareKind, complete: bool) -> Share {
    Share {
        kind,
        incident: incident.clone(),
        environment_id: Some(EnvironmentId::new(ENVIRONMENT).unwrap()),
        environment_name: String::new(),
        sender: String::new(),
        links: Links::default(),
        overrides: Overrides::default(),
        complete,
    }
}

impl BigPanda {
    pub fn new(time: Arc<Time>, weather: Arc<Weather>) -> Self {
        Self { inside: Mutex::default(), time, weather }
    }

    /// What is there now; what was to happen by now has happened.
    pub fn look(&self) -> MutexGuard<'_, Inside> {
        let mut inside = self.inside.lock().unwrap();
        let now = self.time.truth();
        let due: Vec<IncidentId> = inside
            .incidents
            .iter()
            .filter(|(_, known)| known.resolves_at.is_some_and(|at| at <= now.0))
            .map(|(id, _)| id.clone())
            .collect();
        for id in due {
            inside.change(&id, now.seconds(), ShareKind::Closed, |known| {
                known.resolves_at = None;
                known.incident.active = false;
                known.incident.status = Status::Ok;
            });
        }
        inside
    }

    pub fn open(&self, id: &str) {
        let now = self.time.truth().seconds();
        let id = IncidentId::new(id).unwrap();
        let alert = Alert {
            id: AlertId::new("a1").unwrap(),
            status: Status::Critical,
            active: true,
            start: Some(now),
            end: None,
            changed: Some(now),
            updated: Some(now),
            primary_property: String::new(),
            secondary_property: String::new(),
            source_system: String::new(),
            description: String::new(),
            tags: Tags::default(),
        };
        let incident = Incident {
            id: id.clone(),
            status: Status::Critical,
            severity: Status::Critical,
            active: true,
            flapping: false,
            snooze: Snooze::default(),
            maintenance: None,
            start: Some(now),
            end: None,
            changed: Some(now),
            updated: Some(now),
            environments: Vec::new(),
            folders: Vec::new(),
            tags: Vec::new(),
            alerts: vec![alert],
            changes: Vec::new(),
            assignee: None,
            summary: None,
        };
        let mut inside = self.look();
        inside.shares.push(share(&incident, ShareKind::New, true));
        inside.incidents.insert(id, Known { incident, activities: Vec::new(), resolves_at: None });
    }

    pub fn tag(&self, id: &IncidentId, tag: &str, value: &str) {
        let now = self.time.truth().seconds();
        self.look().change(id, now, ShareKind::TagUpserted, |known| put(&mut known.incident.tags, tag, value));
    }

    pub fn comment(&self, id: &IncidentId, text: &str) {
        let now = self.time.truth().seconds();
        self.look().commented(id, now, text);
    }

    pub fn end(&self, id: &IncidentId) {
        let now = self.time.truth().seconds();
        self.look().change(id, now, ShareKind::Closed, |known| {
            known.incident.active = false;
            known.incident.status = Status::Ok;
            known.resolves_at = None;
        });
    }

    pub fn come_back(&self, id: &IncidentId) {
        let now = self.time.truth().seconds();
        let mut inside = self.look();
        if inside.incidents.get(id).is_some_and(|known| !known.incident.active) {
            inside.change(id, now, ShareKind::Reopened, |known| {
                known.incident.active = true;
                known.incident.status = Status::Critical;
            });
        }
    }

    async fn write(&self, id: &IncidentId, change: impl FnOnce(&mut Inside, i64) -> Outcome) -> Outcome {
        let fate = self.weather.fate().await;
        if let Fate::Lost(outcome) = fate {
            return outcome;
        }
        let now = self.time.truth().seconds();
        let outcome = {
            let mut inside = self.look();
            if !inside.incidents.contains_key(id) {
                return Outcome::Missing(gone());
            }
            inside.writes += 1;
            change(&mut inside, now)
        };
        self.weather.step().await;
        if let Fate::Deaf(outcome) = fate { outcome } else { outcome }
    }

    async fn read<T: Send>(&self, look: impl FnOnce(&Inside) -> Result<T, Outcome>) -> Result<T, Outcome> {
        match self.weather.fate().await {
            Fate::Lost(outcome) | Fate::Deaf(outcome) => Err(outcome),
            Fate::Pass => {
                let found = look(&self.look());
                self.weather.frost().await;
                found
            }
        }
    }
}

impl Inside {
    fn change(&mut self, id: &IncidentId, now: i64, kind: ShareKind, change: impl FnOnce(&mut Known)) {
        let Some(known) = self.incidents.get_mut(id) else { return };
        change(known);
        known.incident.changed = Some(now);
        known.incident.updated = Some(now);
        known.incident.end = (!known.incident.active).then_some(now);
        self.shares.push(share(&known.incident, kind, true));
    }

    fn commented(&mut self, id: &IncidentId, now: i64, text: &str) {
        self.numbers += 1;
        let number = self.numbers;
        self.change(id, now, ShareKind::Commented, |known| {
            known.activities.push(Activity {
                id: format!("act{number}"),
                kind: ActivityKind::Commented,
                at: now,
                by: "ann".to_owned(),
                text: text.to_owned(),
                others: Vec::new(),
            });
        });
    }
}

fn put(tags: &mut Vec<Tag>, name: &str, value: &str) {
    tags.retain(|tag| tag.name != name);
    if !value.is_empty() {
        tags.push(Tag { name: name.to_owned(), value: value.to_owned() });
    }
}

fn gone() -> Failure {
    Failure {
        code: "bigpanda.missing".to_owned(),
        errno: None,
        status: Some(404),
        summary: "no such incident".to_owned(),
        detail: None,
        hint: None,
    }
}

fn applied() -> Outcome {
    Outcome::Applied(Receipt::default())
}

#[async_trait]
impl Api for BigPanda {
    async fn callback(&self, incident: &IncidentId, _: ShareKind) -> Outcome {
        self.write(incident, |_, _| applied()).await
    }

    async fn set_tag(&self, _: &EnvironmentId, incident: &IncidentId, tag: &str, value: &str) -> Outcome {
        self.write(incident, |inside, now| {
            inside.change(incident, now, ShareKind::TagUpserted, |known| put(&mut known.incident.tags, tag, value));
            applied()
        })
        .await
    }

    async fn remove_tag(&self, environment: &EnvironmentId, incident: &IncidentId, tag: &str) -> Outcome {
        self.set_tag(environment, incident, tag, "").await
    }

    async fn comment(&self, _: &EnvironmentId, incident: &IncidentId, text: &str) -> Outcome {
        self.write(incident, |inside, now| {
            inside.commented(incident, now, text);
            applied()
        })
        .await
    }

    async fn has_comment(&self, incident: &IncidentId, marker: &str) -> Result<bool, Outcome> {
        self.read(|inside| {
            let known = inside.incidents.get(incident).ok_or_else(|| Outcome::Missing(gone()))?;
            Ok(known.activities.iter().any(|activity| activity.text.contains(marker)))
        })
        .await
    }

    async fn resolve(&self, _: &EnvironmentId, incident: &IncidentId, _: &str) -> Outcome {
        let at = self.time.truth().0 + 2_500;
        self.write(incident, |inside, _| {
            if let Some(known) = inside.incidents.get_mut(incident).filter(|known| known.incident.active) {
                known.resolves_at = Some(at);
            }
            applied()
        })
        .await
    }

    async fn activities(&self, incident: &IncidentId) -> Result<Vec<Activity>, Outcome> {
        self.read(|inside| {
            let known = inside.incidents.get(incident).ok_or_else(|| Outcome::Missing(gone()))?;
            Ok(known.activities.clone())
        })
        .await
    }

    fn mention(&self, _: &EnvironmentId, incident: &IncidentId) -> bytes::Bytes {
        let known = self.look().incidents.get(incident).map(|known| known.incident.clone());
        listed(&known.expect("only what exists is mentioned")).stored
    }

    async fn shared(&self, _: &EnvironmentId, page: u32) -> Result<Page, Outcome> {
        const SIZE: usize = 2;
        self.read(|inside| {
            let mut all: Vec<&Incident> = inside.incidents.values().map(|known| &known.incident).collect();
            all.sort_by_key(|incident| std::cmp::Reverse(incident.changed));
            let from = (page as usize - 1) * SIZE;
            let shown: Vec<Listed> = all.iter().skip(from).take(SIZE).map(|incident| listed(incident)).collect();
            Ok(Page { more: shown.len() == SIZE, incidents: shown })
        })
        .await
    }

    async fn incident(&self, _: &EnvironmentId, incident: &IncidentId) -> Result<Incident, Outcome> {
        self.read(|inside| {
            let known = inside.incidents.get(incident).ok_or_else(|| Outcome::Missing(gone()))?;
            Ok(known.incident.clone())
        })
        .await
    }
}

fn listed(incident: &Incident) -> Listed {
    let incident = Incident { alerts: Vec::new(), ..incident.clone() };
    let stored = serde_json::to_vec(&share(&incident, ShareKind::Unnamed, false)).unwrap().into();
    Listed { incident, stored }
}
