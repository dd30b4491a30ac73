//! Writes the further fields of a ticket: urgency and impact, times, references, `u_bp_*` columns, mapped tags,
//! and what headers of the share ask for. Later operations win, so the headers come last.
//!
//! The README has the tables. What depends on the state of the incident is marked for update shares; what says how
//! the ticket came to be is not.

use serde::Deserialize;
use tandem_guest::{Answer, Event, Fields, Patch, Plugin, Status, time};

mod columns;
mod write;

use write::{source, write};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Config {
    assignment_group: Option<String>,
    caller_email: Option<String>,
    opened_by_email: Option<String>,
    cmdb_ci_field: Option<String>,
    priority_tag: String,
    tag_mapping: Vec<Mapping>,
}

#[derive(Debug, Deserialize)]
struct Mapping {
    tag: String,
    field: String,
    direction: Direction,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Direction {
    #[serde(rename = "to-servicenow")]
    ToServiceNow,
    #[serde(rename = "to-bigpanda")]
    ToBigPanda,
    Both,
}

struct Further;

impl Plugin for Further {
    type Config = Config;
}

impl Fields for Further {
    fn fields(event: &Event, config: &Config) -> Answer<Patch> {
        let mut patch = Patch::new();
        importance(&mut patch, event, config);
        origin(&mut patch, event, config);
        columns::write_all(&mut patch, event);
        for row in &config.tag_mapping {
            if row.direction != Direction::ToBigPanda
                && let Some(value) = event.incident_tag(&row.tag)
                && let Some(operation) = write(&mut patch, &row.field, value)
            {
                operation.on_update();
            }
        }
        for pair in event.mapping_overrides() {
            if let Some(value) = source(event, pair.name)
                && let Some(operation) = write(&mut patch, pair.value, &value)
            {
                operation.on_update();
            }
        }
        for pair in event.field_overrides() {
            if let Some(operation) = write(&mut patch, pair.name, pair.value) {
                operation.because("a header of the share says so");
            }
        }
        Ok(patch)
    }
}

/// Urgency and impact: from the priority tag when it says something that we understand, else from the severity.
fn importance(patch: &mut Patch, event: &Event, config: &Config) {
    let tagged = event.incident_tag(&config.priority_tag).and_then(priority);
    let (impact, urgency, why) = match tagged {
        Some(1) => ("1", "1", "priority tag"),
        Some(2) => ("2", "1", "priority tag"),
        Some(3) => ("2", "2", "priority tag"),
        Some(4) => ("3", "2", "priority tag"),
        Some(_) => ("3", "3", "priority tag"),
        None => match event.incident().severity() {
            Status::Critical => ("2", "1", "severity"),
            Status::Warning => ("2", "2", "severity"),
            Status::Unknown => ("3", "2", "severity"),
            Status::Ok => ("3", "3", "severity"),
        },
    };
    patch.set("urgency", urgency).because(why).on_update();
    patch.set("impact", impact).because(why).on_update();
}

/// `P1`, `2`, `1 - Critical`, `Priority 3`, `sev4`, or ServiceNow's words; `P0` counts as `P1`.
fn priority(tag: &str) -> Option<u8> {
    const WORDS: [(&str, u8); 6] =
        [("critical", 1), ("high", 2), ("moderate", 3), ("medium", 3), ("low", 4), ("planning", 5)];
    let tag = tag.trim();
    let digits = tag.trim_start_matches(|c: char| !c.is_ascii_digit());
    let after = digits.trim_start_matches(|c: char| c.is_ascii_digit());
    match digits.as_bytes() {
        // One digit only: `P15` is no priority.
        [digit @ b'0'..=b'5', ..] if digits.len() - after.len() == 1 => Some((digit - b'0').max(1)),
        [] => WORDS.iter().find(|(word, _)| word.eq_ignore_ascii_case(tag)).map(|(_, number)| *number),
        _ => None,
    }
}

/// How the ticket came to be.
fn origin(patch: &mut Patch, event: &Event, config: &Config) {
    let incident = event.incident();
    if let Some(start) = incident.start().and_then(time::utc) {
        patch.set("opened_at", start);
    }
    let mut correlation = String::with_capacity(9 + incident.id().len());
    correlation.push_str("bigpanda:");
    correlation.push_str(incident.id());
    patch.set("correlation_id", correlation);
    patch.set("correlation_display", "BigPanda");
    let ci = config.cmdb_ci_field.as_deref().and_then(|tag| event.primary_alert()?.tag(tag));
    let references = [
        ("assignment_group", config.assignment_group.as_deref()),
        ("caller_id", config.caller_email.as_deref()),
        ("opened_by", config.opened_by_email.as_deref()),
        ("cmdb_ci", ci),
    ];
    for (field, value) in references {
        if let Some(value) = value {
            write(patch, field, value);
        }
    }
}

tandem_guest::export!(Further: Fields);

#[cfg(test)]
mod tests;
