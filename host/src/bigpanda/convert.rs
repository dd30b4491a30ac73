//! From any dialect to the one canonical incident. Pure.
//!
//! What the sync cannot do without (ids, statuses, tags, the list of alerts) is an error when it is of a wrong kind,
//! with the JSON path. Anything else of a wrong kind is left out, and a sentence says so. Called by `share` and by
//! the client.

use std::fmt::Display;

use super::dialect::{Alert, Change, Incident, Person, Relation, Snooze, Tags};
use super::share::Unusable;
use super::tolerant::{Found, Moment, TagText, Text};
use crate::domain;
use crate::domain::id::{AlertId, IncidentId};
use crate::domain::incident::{Status, Tag};

/// An incident with what has to be said about reading it.
pub(super) struct Read {
    pub(super) incident: domain::incident::Incident,
    /// Status and alerts are all there.
    pub(super) complete: bool,
    /// Sentences about values that were left out or taken for something else.
    pub(super) remarks: Vec<String>,
}

/// Where in the body a value stands, and what was odd there.
struct Reader<'a> {
    root: &'a str,
    remarks: Vec<String>,
}

/// Reads an incident that stands at `root` (such as `$.incident`).
pub(super) fn incident(raw: Incident<'_>, root: &str) -> Result<Read, Unusable> {
    let mut reader = Reader { root, remarks: Vec::new() };
    let id = reader.incident_id(raw.id)?;
    let stated = reader.status(raw.status, "status")?;
    let severity = reader.status(raw.severity, "severity")?;
    let (alerts, whole) = reader.alerts(raw.alerts)?;
    let complete = stated.is_some() && whole;
    let worst = alerts.iter().map(|alert| alert.status).min_by_key(|status| badness(*status));
    let status = stated.or(worst).unwrap_or(Status::Unknown);
    let active = match (reader.flag(raw.active, "active"), reader.flag(raw.resolved, "resolved")) {
        (Some(active), _) => active,
        (None, Some(resolved)) => !resolved,
        (None, None) => status != Status::Ok,
    };
    let incident = domain::incident::Incident {
        id,
        status,
        severity: severity.or(worst).unwrap_or(status),
        active,
        flapping: reader.flag(raw.flapping, "flapping").unwrap_or(false),
        snooze: reader.snooze(raw.snooze),
        maintenance: reader.text(raw.maintenance, "maintenance").map(Text::into_owned),
        start: reader.moment(&raw.start, "start"),
        end: reader.moment(&raw.end, "end"),
        changed: reader.moment(&raw.changed, "changed_at"),
        updated: reader.moment(&raw.updated, "updated_at"),
        environments: reader.texts(raw.environments, "environments"),
        folders: reader.texts(raw.folders, "folders"),
        tags: reader.incident_tags(raw.tags)?,
        alerts,
        changes: reader.changes(raw.changes),
        assignee: reader.person(raw.assignee, "assignee"),
        summary: reader.text(raw.summary, "summary").map(Text::into_owned),
    };
    Ok(Read { incident, complete, remarks: reader.remarks })
}

/// Smaller is worse.
fn badness(status: Status) -> u8 {
    match status {
        Status::Critical => 0,
        Status::Warning => 1,
        Status::Unknown => 2,
        Status::Ok => 3,
    }
}

/// Someone, where anything is said about them.
pub(super) fn person(raw: Person<'_>) -> Option<domain::incident::Person> {
    let text = |found: Found<Text<'_>>| match found {
        Found::Value(text) => text.into_owned(),
        Found::Missing | Found::Odd(_) => String::new(),
    };
    let person = domain::incident::Person { id: text(raw.id), name: text(raw.name), email: text(raw.email) };
    (person != domain::incident::Person::default()).then_some(person)
}

impl Reader<'_> {
    fn odd(&mut self, path: impl Display, kind: &str) {
        self.remarks.push(format!("`{}.{path}` is {kind} and was left out", self.root));
    }

    fn wrong(&self, path: impl Display, kind: &'static str, expected: &'static str) -> Unusable {
        Unusable::Kind { path: format!("{}.{path}", self.root), kind, expected }
    }

    fn incident_id(&self, found: Found<Text<'_>>) -> Result<IncidentId, Unusable> {
        let text = match found {
            Found::Value(text) => text,
            Found::Missing => return Err(Unusable::NoId { path: format!("{}.id", self.root) }),
            Found::Odd(kind) => return Err(self.wrong("id", kind, "the incident's id as text")),
        };
        if text.contains("{{") {
            return Err(Unusable::Unfilled { path: format!("{}.id", self.root) });
        }
        IncidentId::new(&text).map_err(|cause| Unusable::Id { path: format!("{}.id", self.root), cause })
    }

    fn text<'t>(&mut self, found: Found<Text<'t>>, path: impl Display) -> Option<Text<'t>> {
        match found {
            Found::Value(text) => Some(text),
            Found::Missing => None,
            Found::Odd(kind) => {
                self.odd(path, kind);
                None
            }
        }
    }

    fn flag(&mut self, found: Found<bool>, path: &str) -> Option<bool> {
        match found {
            Found::Value(flag) => Some(flag),
            Found::Missing => None,
            Found::Odd(kind) => {
                self.odd(path, kind);
                None
            }
        }
    }

    fn moment(&mut self, found: &Found<Moment>, path: impl Display) -> Option<i64> {
        match found {
            Found::Value(moment) => Some(moment.0),
            Found::Missing => None,
            Found::Odd(kind) => {
                self.odd(path, kind);
                None
            }
        }
    }

    fn texts(&mut self, found: Found<Vec<Found<Text<'_>>>>, path: &str) -> Vec<String> {
        match found {
            Found::Value(items) => {
                let mut texts = Vec::with_capacity(items.len());
                for (index, item) in items.into_iter().enumerate() {
                    texts.extend(self.text(item, format_args!("{path}[{index}]")).map(Text::into_owned));
                }
                texts
            }
            Found::Missing => Vec::new(),
            Found::Odd(kind) => {
                self.odd(path, kind);
                Vec::new()
            }
        }
    }

    /// A status word that nobody documents counts as unknown rather than losing the incident.
    fn status(&mut self, found: Found<Text<'_>>, path: impl Display) -> Result<Option<Status>, Unusable> {
        match found {
            Found::Missing => Ok(None),
            Found::Odd(kind) => Err(self.wrong(path, kind, "critical, warning, unknown or ok")),
            Found::Value(word) => Ok(Some(status_word(&word).unwrap_or_else(|| {
                let word: String = word.chars().take(40).collect();
                self.remarks
                    .push(format!("the status `{word}` at `{}.{path}` is not known and counts as unknown", self.root));
                Status::Unknown
            }))),
        }
    }

    fn alerts(
        &mut self,
        found: Found<Vec<Found<Alert<'_>>>>,
    ) -> Result<(Vec<domain::incident::Alert>, bool), Unusable> {
        let raw = match found {
            Found::Missing => return Ok((Vec::new(), false)),
            Found::Odd(kind) => return Err(self.wrong("alerts", kind, "a list of alerts")),
            Found::Value(raw) => raw,
        };
        let mut whole = true;
        let mut alerts = Vec::with_capacity(raw.len());
        for (index, found) in raw.into_iter().enumerate() {
            match found {
                Found::Value(raw) => {
                    whole &= !raw.status.is_missing();
                    alerts.push(self.alert(raw, index)?);
                }
                Found::Missing => {}
                Found::Odd(kind) => {
                    return Err(self.wrong(format_args!("alerts[{index}]"), kind, "an alert or an alert's id"));
                }
            }
        }
        Ok((alerts, whole))
    }

    fn alert(&mut self, raw: Alert<'_>, index: usize) -> Result<domain::incident::Alert, Unusable> {
        let at = |name: &'static str| At { index, name };
        let id = match raw.id {
            Found::Value(text) => AlertId::new(&text)
                .map_err(|cause| Unusable::Id { path: format!("{}.{}", self.root, at("id")), cause })?,
            Found::Missing => return Err(Unusable::NoAlertId { path: format!("{}.alerts[{index}]", self.root) }),
            Found::Odd(kind) => return Err(self.wrong(at("id"), kind, "the alert's id as text")),
        };
        let status = self.status(raw.status, at("status"))?.unwrap_or(Status::Unknown);
        let active = match raw.active {
            Found::Value(active) => active,
            Found::Missing => status != Status::Ok,
            Found::Odd(kind) => {
                self.odd(at("active"), kind);
                status != Status::Ok
            }
        };
        Ok(domain::incident::Alert {
            id,
            status,
            active,
            start: self.moment(&raw.start, at("start")),
            end: self.moment(&raw.end, at("end")),
            changed: self.moment(&raw.changed, at("changed_at")),
            updated: self.moment(&raw.updated, at("updated_at")),
            primary_property: self.owned(raw.primary_property, at("primary_property")),
            secondary_property: self.owned(raw.secondary_property, at("secondary_property")),
            source_system: self.owned(raw.source_system, at("source_system")),
            description: self.owned(raw.description, at("description")),
            tags: self.alert_tags(raw.tags, at("tags"))?,
        })
    }

    fn owned(&mut self, found: Found<Text<'_>>, path: impl Display) -> String {
        self.text(found, path).map_or_else(String::new, Text::into_owned)
    }

    fn incident_tags(&mut self, found: Found<Tags<'_>>) -> Result<Vec<Tag>, Unusable> {
        let mut tags = Vec::new();
        self.tags(found, "incident_tags", |name, value| tags.push(Tag { name: name.into(), value: value.into() }))?;
        Ok(tags)
    }

    fn alert_tags(&mut self, found: Found<Tags<'_>>, path: impl Display) -> Result<domain::tags::Tags, Unusable> {
        let length = |raw: &(Found<Text<'_>>, Found<TagText<'_>>)| match raw {
            (Found::Value(name), Found::Value(value)) => name.len() + value.0.len(),
            (Found::Value(_) | Found::Missing | Found::Odd(_), Found::Value(_) | Found::Missing | Found::Odd(_)) => 0,
        };
        let mut tags = match &found {
            Found::Value(Tags(raw)) => domain::tags::Tags::with_capacity(raw.len(), raw.iter().map(length).sum()),
            Found::Missing | Found::Odd(_) => domain::tags::Tags::default(),
        };
        self.tags(found, path, |name, value| tags.push(name, value))?;
        Ok(tags)
    }

    fn tags(
        &mut self,
        found: Found<Tags<'_>>,
        path: impl Display,
        mut take: impl FnMut(&str, &str),
    ) -> Result<(), Unusable> {
        let raw = match found {
            Found::Missing => return Ok(()),
            Found::Odd(kind) => return Err(self.wrong(path, kind, "a list of named values or an object")),
            Found::Value(Tags(raw)) => raw,
        };
        for (index, (name, value)) in raw.into_iter().enumerate() {
            let name = match name {
                Found::Value(name) => name,
                Found::Missing => {
                    self.odd(format_args!("{path}[{index}]"), "without a name");
                    continue;
                }
                Found::Odd(kind) => {
                    return Err(self.wrong(format_args!("{path}[{index}]"), kind, "an object with a name and a value"));
                }
            };
            match value {
                Found::Value(value) => take(&name, &value.0),
                Found::Missing => {}
                Found::Odd(kind) => self.odd(format_args!("{path}.{name}"), kind),
            }
        }
        Ok(())
    }

    fn snooze(&mut self, found: Found<Snooze<'_>>) -> domain::incident::Snooze {
        match found {
            Found::Value(raw) => domain::incident::Snooze {
                snoozed: self.flag(raw.snoozed, "snooze.snoozed").unwrap_or(false),
                until: self.moment(&raw.until, "snooze.end_time"),
                cancel_on_update: self.flag(raw.cancel_on_update, "snooze.autoCancel").unwrap_or(false),
            },
            Found::Missing => domain::incident::Snooze::default(),
            Found::Odd(kind) => {
                self.odd("snooze", kind);
                domain::incident::Snooze::default()
            }
        }
    }

    fn person(&mut self, found: Found<Person<'_>>, path: &str) -> Option<domain::incident::Person> {
        match found {
            Found::Value(raw) => person(raw),
            Found::Missing => None,
            Found::Odd(kind) => {
                self.odd(path, kind);
                None
            }
        }
    }

    fn changes(&mut self, found: Found<Vec<Found<Relation<'_>>>>) -> Vec<domain::incident::Change> {
        let raw = match found {
            Found::Value(raw) => raw,
            Found::Missing => return Vec::new(),
            Found::Odd(kind) => {
                self.odd("changes", kind);
                return Vec::new();
            }
        };
        let mut changes = Vec::with_capacity(raw.len());
        for (index, found) in raw.into_iter().enumerate() {
            match found {
                Found::Value(relation) => changes.push(self.change(relation)),
                Found::Missing => {}
                Found::Odd(kind) => self.odd(format_args!("changes[{index}]"), kind),
            }
        }
        changes
    }

    fn change(&mut self, relation: Relation<'_>) -> domain::incident::Change {
        let Relation { certainty, change, identifier, summary, url, status, start, end, .. } = relation;
        let beside = Change { identifier, summary, url, status, start, end, ..Change::default() };
        let raw = match change {
            Found::Value(inside) => inside,
            Found::Missing => beside,
            Found::Odd(kind) => {
                self.odd("changes[].change", kind);
                beside
            }
        };
        domain::incident::Change {
            identifier: self.owned(raw.identifier, "changes[].identifier"),
            summary: self.owned(raw.summary, "changes[].summary"),
            url: self.owned(raw.url, "changes[].ticket_url"),
            status: self.owned(raw.status, "changes[].status"),
            certainty: self.owned(certainty, "changes[].match_certainty"),
            start: self.moment(&raw.start, "changes[].start"),
            end: self.moment(&raw.end, "changes[].end"),
        }
    }
}

/// `acknowledged` and `active` occur in bodies that quote alerts of monitoring systems; neither says how bad it is.
fn status_word(word: &str) -> Option<Status> {
    Status::parse(word.trim())
}

/// The path of something in an alert, written only when it is needed.
#[derive(Clone, Copy)]
struct At {
    index: usize,
    name: &'static str,
}

impl Display for At {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "alerts[{}].{}", self.index, self.name)
    }
}
