//! A share and what belongs to it as packed tables. Columns are in the order of `wit/README.md`.

use std::collections::BTreeMap;

use super::super::wire::{Head, Kind, Packed, Status};
use super::Writer;
use crate::domain::event::Occasion;
use crate::domain::incident::{Alert, Change, Incident, Status as Grade, Tag};
use crate::domain::patch::{Hook, Op, Proposal};
use crate::domain::share::{Overrides, Share};
use crate::domain::tags::Place;

const ALERT: usize = 22;
const PAIR: usize = 4;
const CHANGE: usize = 14;
const OVERRIDE: usize = 5;
const PROPOSAL: usize = 11;

fn status(status: Grade) -> Status {
    match status {
        Grade::Critical => Status::Critical,
        Grade::Warning => Status::Warning,
        Grade::Unknown => Status::Unknown,
        Grade::Ok => Status::Ok,
    }
}

pub(in crate::plugin) fn head(share: &Share, occasion: Occasion, has_ticket: bool) -> Head {
    let incident = &share.incident;
    Head {
        kind: match occasion {
            Occasion::Shared => Kind::Shared,
            Occasion::IncidentChanged => Kind::IncidentChanged,
            Occasion::TicketChanged => Kind::TicketChanged,
        },
        share_kind: share.kind.as_str(),
        incident_id: incident.id.as_str().into(),
        environment_id: share.environment_id.as_ref().map_or("", |id| id.as_str()).into(),
        status: status(incident.status),
        severity: status(incident.severity),
        active: incident.active,
        flapping: incident.flapping,
        snoozed: incident.snooze.snoozed,
        start: incident.start,
        end: incident.end,
        changed: incident.changed,
        updated: incident.updated,
        alert_count: incident.alerts.len() as u32,
        incident_tag_count: incident.tags.len() as u32,
        change_count: incident.changes.len() as u32,
        has_ticket,
    }
}

pub(in crate::plugin) fn alerts(alerts: &[Alert]) -> Packed {
    let texts = |alert: &Alert| {
        alert.id.as_str().len()
            + alert.primary_property.len()
            + alert.secondary_property.len()
            + alert.source_system.len()
            + alert.description.len()
    };
    let mut table = Writer::new(ALERT, alerts.len(), alerts.iter().map(texts).sum());
    let mut first_tag = 0;
    for alert in alerts {
        table.text(alert.id.as_str());
        table.word(status(alert.status) as u32);
        table.word(u32::from(alert.active));
        table.time(alert.start);
        table.time(alert.end);
        table.time(alert.changed);
        table.time(alert.updated);
        table.text(&alert.primary_property);
        table.text(&alert.secondary_property);
        table.text(&alert.source_system);
        table.text(&alert.description);
        table.word(first_tag);
        let tags = alert.tags.len() as u32;
        table.word(tags);
        first_tag += tags;
    }
    table.finish()
}

/// Tags of all alerts, one alert's after the other's.
pub(in crate::plugin) fn alert_tags(alerts: &[Alert]) -> Packed {
    let rows = alerts.iter().map(|alert| alert.tags.len()).sum();
    let bytes = alerts.iter().map(|alert| alert.tags.text().len()).sum();
    let mut table = Writer::new(PAIR, rows, bytes);
    for alert in alerts {
        let begin = table.append(alert.tags.text());
        for Place { name, value, end } in alert.tags.places() {
            table.row([begin + name, value - name, begin + value, end - value]);
        }
    }
    table.finish()
}

pub(in crate::plugin) fn incident_tags(tags: &[Tag]) -> Packed {
    pairs(tags.iter().map(by_name))
}

fn by_name(tag: &Tag) -> (&str, &str) {
    (&tag.name, &tag.value)
}

pub(in crate::plugin) fn ticket(fields: Option<&BTreeMap<String, String>>) -> Packed {
    pairs(fields.into_iter().flatten().map(|(name, value)| (name.as_str(), value.as_str())))
}

fn pairs<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)> + Clone) -> Packed {
    let (count, bytes) =
        pairs.clone().fold((0, 0), |(count, bytes), (name, value)| (count + 1, bytes + name.len() + value.len()));
    let mut table = Writer::new(PAIR, count, bytes);
    for (name, value) in pairs {
        table.text(name);
        table.text(value);
    }
    table.finish()
}

pub(in crate::plugin) fn changes(changes: &[Change]) -> Packed {
    let mut table = Writer::new(CHANGE, changes.len(), changes.len() * 128);
    for change in changes {
        table.text(&change.identifier);
        table.text(&change.summary);
        table.text(&change.url);
        table.text(&change.status);
        table.text(&change.certainty);
        table.time(change.start);
        table.time(change.end);
    }
    table.finish()
}

/// Further attributes by name. What isn't there is left out.
pub(in crate::plugin) fn details(share: &Share) -> Packed {
    let Share { incident, environment_name, sender, links, .. } = share;
    let Incident { environments, folders, summary, maintenance, snooze, assignee, .. } = incident;
    let until = snooze.until.map(|until| until.to_string());
    let person = assignee.as_ref();
    let single = [
        ("summary", summary.as_deref()),
        ("maintenance", maintenance.as_deref()),
        ("snoozed-until", until.as_deref()),
        ("assignee-id", person.map(|person| person.id.as_str())),
        ("assignee-name", person.map(|person| person.name.as_str())),
        ("assignee-email", person.map(|person| person.email.as_str())),
        ("environment-name", Some(environment_name.as_str())),
        ("sender", Some(sender.as_str())),
        ("incident-link", Some(links.incident.as_str())),
        ("timeline-link", Some(links.timeline.as_str())),
        ("preview-link", Some(links.preview.as_str())),
    ];
    let single = single.into_iter().filter_map(|(name, value)| Some((name, value.filter(|value| !value.is_empty())?)));
    let environments = environments.iter().map(|name| ("environment", name.as_str()));
    let folders = folders.iter().map(|name| ("folder", name.as_str()));
    pairs(single.chain(environments).chain(folders))
}

pub(in crate::plugin) fn overrides(overrides: &Overrides) -> Packed {
    let rows = overrides.fields.len() + overrides.mapping.len();
    let mut table = Writer::new(OVERRIDE, rows, rows * 48);
    let fields = overrides.fields.iter().map(|(name, value)| (0, name, value));
    let mapping = overrides.mapping.iter().map(|(name, value)| (1, name, value));
    for (kind, name, value) in fields.chain(mapping) {
        table.word(kind);
        table.text(name);
        table.text(value);
    }
    table.finish()
}

/// What was proposed for the side that the hook writes to: incident tags or ticket fields, never both.
pub(in crate::plugin) fn proposed(proposals: &[Proposal], hook: Option<Hook>) -> Packed {
    let tags = hook == Some(Hook::Tags);
    let same_side = proposals.iter().filter(|proposal| (proposal.origin.hook == Hook::Tags) == tags);
    let count = same_side.clone().count();
    let mut table = Writer::new(PROPOSAL, count, count * 256);
    for proposal in same_side {
        let (kind, value, lookup) = match &proposal.op {
            Op::Set { value, .. } => (0, value.as_str(), None),
            Op::Append { value, .. } => (1, value.as_str(), None),
            Op::Unset { .. } => (2, "", None),
            Op::SetReference(reference) => (3, reference.value.as_str(), Some(reference)),
            Op::AddNote { text, .. } => (4, text.as_str(), None),
        };
        table.word(kind);
        table.text(proposal.op.field());
        table.text(value);
        table.text(proposal.origin.plugin.as_str());
        table.text(lookup.map_or("", |reference| &reference.table));
        table.text(lookup.map_or("", |reference| &reference.by));
    }
    table.finish()
}
