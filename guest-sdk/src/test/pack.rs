//! Packs a sample the way the host packs an event.
#![allow(clippy::indexing_slicing, reason = "for an author's own tests; a wrong index is a bug that should show")]

use serde_json::Value;

use super::Sample;
use super::sample::status;
use crate::event::source::Source;
use crate::event::{Event, EventKind, Head, ShareKind};
use crate::table::Table;
use crate::tree::kind;

/// Tables packed elsewhere; the host's own tests use it to see that both sides agree on the layout.
#[doc(hidden)]
#[derive(Debug, Clone, Default)]
pub struct Tables {
    pub alerts: (Vec<u32>, String),
    pub alert_tags: (Vec<u32>, String),
    pub incident_tags: (Vec<u32>, String),
    pub changes: (Vec<u32>, String),
    pub details: (Vec<u32>, String),
    pub overrides: (Vec<u32>, String),
    pub ticket: (Vec<u32>, String),
    pub settings: (Vec<u32>, String),
    pub proposed: (Vec<u32>, String),
}

/// An event over the head of a sample and tables packed elsewhere.
#[doc(hidden)]
pub fn event_from(sample: &Sample, tables: Tables) -> Event {
    let table = |(words, arena)| Table::new(words, arena);
    Event::new(Source {
        head: head(sample),
        alerts: table(tables.alerts),
        alert_tags: table(tables.alert_tags),
        incident_tags: table(tables.incident_tags),
        changes: table(tables.changes),
        details: table(tables.details),
        overrides: table(tables.overrides),
        ticket: table(tables.ticket),
        settings: table(tables.settings),
        proposed: table(tables.proposed),
        primary_alert: sample.primary_alert,
    })
}

struct Writer {
    words: Vec<u32>,
    arena: String,
    stride: usize,
}

impl Writer {
    fn new(stride: u32) -> Self {
        Self { words: vec![stride, 0], arena: String::new(), stride: stride as usize }
    }

    fn text(&mut self, text: &str) -> &mut Self {
        self.words.extend([self.arena.len() as u32, text.len() as u32]);
        self.arena.push_str(text);
        self
    }

    fn word(&mut self, word: u32) -> &mut Self {
        self.words.push(word);
        self
    }

    fn long(&mut self, number: i64) -> &mut Self {
        let bits = number as u64;
        self.words.extend([bits as u32, (bits >> 32) as u32]);
        self
    }

    fn time(&mut self, time: Option<i64>) -> &mut Self {
        self.long(time.unwrap_or(i64::MIN))
    }

    fn rows(&self) -> usize {
        (self.words.len() - 2) / self.stride
    }

    fn finish(mut self) -> Table {
        self.words[1] = self.rows() as u32;
        Table::new(self.words, self.arena)
    }
}

fn pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Table {
    let mut table = Writer::new(4);
    for (name, value) in pairs {
        table.text(name).text(value);
    }
    table.finish()
}

fn head(sample: &Sample) -> Head {
    let incident = &sample.incident;
    Head {
        kind: match sample.occasion.as_str() {
            "incident-changed" => EventKind::IncidentChanged,
            "ticket-changed" => EventKind::TicketChanged,
            _ => EventKind::Shared,
        },
        share_kind: share_kind(&sample.kind),
        incident_id: incident.id.clone(),
        environment_id: sample.environment_id.clone().unwrap_or_default(),
        status: status(&incident.status),
        severity: status(&incident.severity),
        active: incident.active,
        flapping: incident.flapping,
        snoozed: incident.snooze.snoozed,
        start: incident.start,
        end: incident.end,
        changed: incident.changed,
        updated: incident.updated,
        has_ticket: sample.ticket.is_some(),
    }
}

/// Takes BigPanda's name as well as the host's word for it.
fn share_kind(name: &str) -> ShareKind {
    match name {
        "new" => ShareKind::New,
        "updated" => ShareKind::Updated,
        "tag-upserted" => ShareKind::TagUpserted,
        "tag-removed" => ShareKind::TagRemoved,
        "snoozed" => ShareKind::Snoozed,
        "commented" => ShareKind::Commented,
        "reopened" => ShareKind::Reopened,
        "flapping" => ShareKind::Flapping,
        "closed" => ShareKind::Closed,
        "ticket-sync" => ShareKind::TicketSync,
        other => ShareKind::parse(other),
    }
}

pub(super) fn event(sample: &Sample) -> Event {
    let incident = &sample.incident;
    let mut alerts = Writer::new(22);
    let mut first_tag = 0;
    for alert in &incident.alerts {
        alerts.text(&alert.id).word(status(&alert.status) as u32).word(u32::from(alert.active));
        alerts.time(alert.start).time(alert.end).time(alert.changed).time(alert.updated);
        alerts.text(&alert.primary_property).text(&alert.secondary_property);
        alerts.text(&alert.source_system).text(&alert.description);
        alerts.word(first_tag).word(alert.tags.len() as u32);
        first_tag += alert.tags.len() as u32;
    }
    let mut changes = Writer::new(14);
    for change in &incident.changes {
        changes.text(&change.identifier).text(&change.summary).text(&change.url);
        changes.text(&change.status).text(&change.certainty).time(change.start).time(change.end);
    }
    let mut overrides = Writer::new(5);
    for (name, value) in &sample.overrides.fields {
        overrides.word(0).text(name).text(value);
    }
    for (name, value) in &sample.overrides.mapping {
        overrides.word(1).text(name).text(value);
    }
    let mut settings = Writer::new(3);
    if sample.settings.is_object() {
        node(&mut settings, &sample.settings);
    }
    let tags = incident.alerts.iter().flat_map(|alert| &alert.tags);
    let ticket = sample.ticket.iter().flatten();
    Event::new(Source {
        head: head(sample),
        alerts: alerts.finish(),
        alert_tags: pairs(tags.map(|tag| (tag.name.as_str(), tag.value.as_str()))),
        incident_tags: pairs(incident.tags.iter().map(|tag| (tag.name.as_str(), tag.value.as_str()))),
        changes: changes.finish(),
        details: details(sample),
        overrides: overrides.finish(),
        ticket: pairs(ticket.map(|(name, value)| (name.as_str(), value.as_str()))),
        settings: settings.finish(),
        proposed: Table::default(),
        primary_alert: sample.primary_alert,
    })
}

fn details(sample: &Sample) -> Table {
    let incident = &sample.incident;
    let until = incident.snooze.until.map(|until| until.to_string());
    let person = incident.assignee.as_ref();
    let link = |name: &str| sample.links.get(name).map(String::as_str);
    let single = [
        ("summary", incident.summary.as_deref()),
        ("maintenance", incident.maintenance.as_deref()),
        ("snoozed-until", until.as_deref()),
        ("assignee-id", person.map(|person| person.id.as_str())),
        ("assignee-name", person.map(|person| person.name.as_str())),
        ("assignee-email", person.map(|person| person.email.as_str())),
        ("environment-name", Some(sample.environment_name.as_str())),
        ("sender", Some(sample.sender.as_str())),
        ("incident-link", link("incident")),
        ("timeline-link", link("timeline")),
        ("preview-link", link("preview")),
    ];
    let single = single.into_iter().filter_map(|(name, value)| Some((name, value.filter(|value| !value.is_empty())?)));
    let environments = incident.environments.iter().map(|name| ("environment", name.as_str()));
    let folders = incident.folders.iter().map(|name| ("folder", name.as_str()));
    pairs(single.chain(environments).chain(folders))
}

fn node(table: &mut Writer, value: &Value) {
    match value {
        Value::Null => {
            table.word(kind::NULL).long(0);
        }
        Value::Bool(on) => {
            table.word(kind::BOOL).long(i64::from(*on));
        }
        Value::Number(number) => {
            if let Some(signed) = number.as_i64() {
                table.word(kind::SIGNED).long(signed);
            } else if let Some(unsigned) = number.as_u64() {
                table.word(kind::UNSIGNED).long(unsigned as i64);
            } else {
                table.word(kind::FLOAT).long(number.as_f64().unwrap_or(0.0).to_bits() as i64);
            }
        }
        Value::String(text) => {
            table.word(kind::TEXT).text(text);
        }
        Value::Array(items) => inside(table, kind::LIST, items.len(), |table| {
            for item in items {
                node(table, item);
            }
        }),
        Value::Object(members) => inside(table, kind::OBJECT, members.len(), |table| {
            for (key, value) in members {
                table.word(kind::TEXT).text(key);
                node(table, value);
            }
        }),
    }
}

fn inside(table: &mut Writer, kind: u32, members: usize, write: impl FnOnce(&mut Writer)) {
    let row = table.rows();
    table.word(kind).word(members as u32).word(0);
    write(table);
    let count = (table.rows() - row - 1) as u32;
    table.words[2 + row * 3 + 2] = count;
}
