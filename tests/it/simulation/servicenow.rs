//! A ServiceNow in a few lines: tickets whose changes show a while after they were made, and journals.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use tandem::domain::id::SysId;
use tandem::domain::link::Link;
use tandem::domain::outcome::{Failure, Outcome, Receipt};
use tandem::domain::ticket::{FieldValue, Journal, Note, Phase, Reference, TicketRef, TicketState};
use tandem::domain::time::Timestamp;
use tandem::mapping::time;
use tandem::servicenow::{Api, Cached, Changes, From, Scope};

use super::time::Time;
use super::weather::{Fate, Weather};

/// Rows on a page, few, so that every look has several.
const PAGE: usize = 2;

/// How far the instance's clock is off, in milliseconds.
const SKEW: i64 = 400_000;

pub struct Ticket {
    pub state: TicketState,
    /// Every entry of its journals.
    pub notes: Vec<Note>,
    /// From when on polls see the newest change, milliseconds of the true time.
    shows_at: i64,
    /// What polls see until then, and how many notes.
    shown: Option<(TicketState, usize)>,
}

impl Ticket {
    /// The ticket as a poll sees it.
    fn visible(&self, truth: i64) -> Option<&TicketState> {
        if self.shows_at <= truth { Some(&self.state) } else { self.shown.as_ref().map(|(state, _)| state) }
    }

    fn visible_notes(&self, truth: i64) -> &[Note] {
        let all = self.notes.len();
        let count = if self.shows_at <= truth { all } else { self.shown.as_ref().map_or(0, |(_, count)| *count) };
        &self.notes[..count]
    }
}

#[derive(Default)]
pub struct Inside {
    pub tickets: Vec<Ticket>,
    /// What the host changed.
    pub writes: u64,
    /// More than one open ticket of one incident was seen.
    pub doubled: Option<String>,
    /// How every create ends from now on, and whether it makes its ticket all the same.
    pub refuses: Option<(Outcome, bool)>,
    /// When a ticket was asked for.
    pub asked: Vec<Timestamp>,
    numbers: u64,
}

pub struct ServiceNow {
    inside: Mutex<Inside>,
    time: Arc<Time>,
    weather: Arc<Weather>,
    /// A must-fail variant: looking for a correlation finds nothing.
    blind: bool,
}

impl ServiceNow {
    pub fn new(time: Arc<Time>, weather: Arc<Weather>, blind: bool) -> Self {
        Self { inside: Mutex::default(), time, weather, blind }
    }

    pub fn look(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap()
    }

    fn now(&self) -> Timestamp {
        Timestamp(self.time.truth().0 + SKEW)
    }

    /// A person changes a ticket; it may take a while until polls see it.
    pub fn edit(&self, sys_id: &SysId, fields: &[(&str, &str)], late: i64) {
        let fields: Vec<FieldValue> = fields
            .iter()
            .map(|(field, value)| FieldValue { field: (*field).to_owned(), value: (*value).to_owned() })
            .collect();
        let truth = self.time.truth().0;
        let mut inside = self.look();
        // Whoever comes while a change is being committed waits, and has forgotten what for.
        if inside.tickets.iter().any(|ticket| ticket.state.ticket.sys_id == *sys_id && ticket.shows_at > truth) {
            return;
        }
        inside.change(sys_id, &fields, (self.now(), truth), truth + late, "beth");
    }

    async fn write(&self, change: impl FnOnce(&mut Inside, (Timestamp, i64)) -> Outcome) -> Outcome {
        let fate = self.weather.fate_to_servicenow().await;
        if let Fate::Lost(outcome) = fate {
            return outcome;
        }
        let outcome = {
            let mut inside = self.look();
            inside.writes += 1;
            change(&mut inside, (self.now(), self.time.truth().0))
        };
        self.weather.step().await;
        if let Fate::Deaf(outcome) = fate { outcome } else { outcome }
    }

    async fn read<T>(&self, look: impl FnOnce(&Inside) -> T) -> Result<T, Outcome> {
        match self.weather.fate_to_servicenow().await {
            Fate::Lost(outcome) | Fate::Deaf(outcome) => Err(outcome),
            Fate::Pass => {
                let found = look(&self.look());
                self.weather.frost().await;
                Ok(found)
            }
        }
    }
}

impl Inside {
    fn create(&mut self, fields: &[FieldValue], now: (Timestamp, i64)) -> Outcome {
        self.numbers += 1;
        let sys_id = SysId::new(&format!("{:032x}", self.numbers)).unwrap();
        let ticket = TicketRef {
            sys_id: sys_id.clone(),
            number: format!("INC{:07}", self.numbers),
            url: format!("https://servicenow.example/{sys_id}"),
        };
        let correlation = fields.iter().find(|field| field.field == "correlation_id").map(|field| field.value.as_str());
        let incident = Link::incident_of(correlation.unwrap_or_default()).expect("a correlation of ours");
        let mut values =
            BTreeMap::from([("state".to_owned(), "1".to_owned()), ("category".to_owned(), "inquiry".to_owned())]);
        values.insert("sys_mod_count".to_owned(), "-1".to_owned());
        values.insert("sys_id".to_owned(), sys_id.to_string());
        let state = TicketState { ticket: ticket.clone(), incident, fields: values, notes: Vec::new() };
        self.tickets.push(Ticket { state, notes: Vec::new(), shows_at: i64::MAX, shown: None });
        self.change(&sys_id, fields, now, now.1, "tandem")
    }

    /// `now`: the instance's time, and the true one.
    fn change(
        &mut self,
        sys_id: &SysId,
        fields: &[FieldValue],
        (now, truth): (Timestamp, i64),
        shows_at: i64,
        by: &str,
    ) -> Outcome {
        self.numbers += 1;
        let number = self.numbers;
        let Some(ticket) = self.tickets.iter_mut().find(|ticket| ticket.state.ticket.sys_id == *sys_id) else {
            return Outcome::Missing(failure());
        };
        let before = ticket.state.phase();
        if ticket.shows_at <= truth {
            ticket.shown = Some((ticket.state.clone(), ticket.notes.len()));
        }
        let mut changed = ticket.state.version() < 0;
        for FieldValue { field, value } in fields {
            let journal = [Journal::WorkNotes, Journal::Comments].into_iter().find(|journal| journal.field() == field);
            if let Some(journal) = journal {
                let at = time::text(now);
                let id = format!("note{number}-{field}");
                ticket.notes.push(Note { id, journal, text: value.clone(), by: by.to_owned(), at });
                changed = true;
            } else if field == "state" && before == Phase::Closed {
                // A rule of the instance: closed is closed.
            } else if ticket.state.field(field) != value {
                ticket.state.fields.insert(field.clone(), value.clone());
                changed = true;
            }
        }
        if before == Phase::Open && ticket.state.phase() == Phase::Resolved {
            ticket.state.fields.insert("resolved_at".to_owned(), time::text(now));
        }
        if changed {
            let version = ticket.state.version() + 1;
            ticket.state.fields.insert("sys_mod_count".to_owned(), version.to_string());
            ticket.state.fields.insert("sys_updated_on".to_owned(), time::text(now));
            // Transactions of one record follow each other.
            ticket.shows_at = if ticket.shown.is_some() { ticket.shows_at.max(shows_at) } else { shows_at };
        }
        let receipt = Receipt {
            ticket: Some(ticket.state.ticket.clone()),
            version: Some(ticket.state.version()),
            ..Receipt::default()
        };
        let incident = ticket.state.incident.clone();
        let open = self.tickets.iter().filter(|ticket| ticket.state.incident == incident);
        let ours: Vec<&str> = open.map(|ticket| ticket.state.field("correlation_id")).collect();
        let distinct: std::collections::BTreeSet<&str> = ours.iter().copied().collect();
        if distinct.len() < ours.len() {
            self.doubled = Some(format!("{ours:?}"));
        }
        Outcome::Applied(receipt)
    }
}

fn failure() -> Failure {
    Failure {
        code: "servicenow.missing".to_owned(),
        errno: None,
        status: Some(404),
        summary: "no such record".to_owned(),
        detail: None,
        hint: None,
    }
}

#[async_trait]
impl Api for ServiceNow {
    async fn create(&self, _: &str, fields: &[FieldValue]) -> Outcome {
        let asked = self.time.truth();
        self.write(|inside, now| {
            inside.asked.push(asked);
            match inside.refuses.clone() {
                None => inside.create(fields, now),
                Some((outcome, makes_it)) => {
                    if makes_it {
                        inside.create(fields, now);
                    }
                    outcome
                }
            }
        })
        .await
    }

    async fn update(&self, _: &str, ticket: &SysId, fields: &[FieldValue]) -> Outcome {
        self.write(|inside, now| inside.change(ticket, fields, now, now.1, "tandem")).await
    }

    async fn find(&self, _: &str, correlation_id: &str) -> Result<Vec<TicketRef>, Outcome> {
        let blind = self.blind;
        self.read(|inside| {
            let of = |ticket: &&Ticket| !blind && ticket.state.field("correlation_id") == correlation_id;
            inside.tickets.iter().filter(of).map(|ticket| ticket.state.ticket.clone()).collect()
        })
        .await
    }

    fn cached(&self, _: &Reference) -> Cached {
        Cached::Absent
    }

    async fn resolve(&self, _: &Reference) -> Result<Option<SysId>, Outcome> {
        Ok(None)
    }

    async fn ticket(&self, _: &Scope, ticket: &SysId) -> Result<Option<TicketState>, Outcome> {
        self.read(|inside| {
            let mut tickets = inside.tickets.iter();
            tickets.find(|known| known.state.ticket.sys_id == *ticket).map(|known| known.state.clone())
        })
        .await
    }

    async fn changes(&self, _: &Scope, from: &From) -> Result<Changes, Outcome> {
        let (truth, clock) = (self.time.truth().0, self.now());
        self.read(|inside| {
            let place =
                |ticket: &TicketState| (ticket.field("sys_updated_on").to_owned(), ticket.ticket.sys_id.clone());
            let mut found: Vec<&TicketState> = inside
                .tickets
                .iter()
                .filter_map(|ticket| ticket.visible(truth))
                .filter(|ticket| match from {
                    From::Since(second) => place(ticket).0 >= *second,
                    From::After(second) => place(ticket).0 > *second,
                    From::Within(second, id) => place(ticket).0 == *second && place(ticket).1 > *id,
                })
                .collect();
            found.sort_by_key(|ticket| place(ticket));
            let all = found.len();
            found.truncate(PAGE);
            Changes {
                is_last: all <= PAGE && !matches!(from, From::Within(..)),
                last: found.last().map(|ticket| place(ticket)),
                tickets: found.into_iter().cloned().collect(),
                // As a header tells it: whole seconds.
                clock: Some(Timestamp::from_seconds(clock.seconds())),
            }
        })
        .await
    }

    async fn notes(&self, _: &str, tickets: &[SysId], since: &str) -> Result<Vec<(SysId, Note)>, Outcome> {
        let truth = self.time.truth().0;
        self.read(|inside| {
            let wanted = inside.tickets.iter().filter(|ticket| tickets.contains(&ticket.state.ticket.sys_id));
            let entries = wanted.flat_map(|ticket| {
                ticket.visible_notes(truth).iter().map(|note| (ticket.state.ticket.sys_id.clone(), note.clone()))
            });
            entries.filter(|(_, note)| note.at.as_str() >= since).collect()
        })
        .await
    }

    async fn has_note(&self, _: &str, ticket: &SysId, marker: &str) -> Result<bool, Outcome> {
        self.read(|inside| {
            let mut tickets = inside.tickets.iter();
            tickets
                .find(|known| known.state.ticket.sys_id == *ticket)
                .is_some_and(|known| known.notes.iter().any(|note| note.text.contains(marker)))
        })
        .await
    }
}
