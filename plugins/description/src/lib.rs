//! Writes the body of a ticket: counts, root causes, incident tags, alerts, links. The README shows it.
//!
//! At most 4,000 characters: what comes before the alerts may use 2,000 of them, the links are always there, and
//! the alerts get what is left. Alerts are left out as a whole, and the body says how many.

use serde::Deserialize;
use tandem_guest::{Answer, Body, Description, Event, Plugin, Status};

mod alerts;
mod text;

use text::{cut, length, line, number, shorten, without_markup};

/// Characters that the field holds.
const LIMIT: usize = 4000;
/// Characters that come before the alerts at most.
const HEAD_LIMIT: usize = 2000;
const FENCE: &str = "--------------------------------------------------------\n";

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Config {
    ai_summary_in_description: bool,
    description_incident_tags: Vec<String>,
    description_alert_tags: Vec<String>,
    max_alerts_in_description: usize,
    add_links_to_description: bool,
    add_description_to_work_notes: bool,
}

struct Template;

impl Plugin for Template {
    type Config = Config;
}

impl Description for Template {
    fn description(event: &Event, config: &Config) -> Answer<Body> {
        let mut body = String::with_capacity(LIMIT + 1024);
        summary(&mut body, event, config);
        root_causes(&mut body, event);
        incident_tags(&mut body, event, config);
        shorten(&mut body, HEAD_LIMIT);
        let mut links = String::new();
        if config.add_links_to_description {
            write_links(&mut links, event);
        }
        alerts::write(&mut body, event, config, LIMIT.saturating_sub(length(&links)));
        body.push_str(&links);
        let text = cut(body.trim_end(), LIMIT);
        let answer = Body::new(text).on_update();
        Ok(if config.add_description_to_work_notes { answer.with_work_note(without_markup(text)) } else { answer })
    }
}

fn summary(body: &mut String, event: &Event, config: &Config) {
    if let Some(summary) = event.incident().summary().filter(|_| config.ai_summary_in_description) {
        line(body, "Incident Summary", summary);
    }
    let (mut critical, mut warning, mut unknown, mut resolved) = (0, 0, 0, 0);
    for alert in event.alerts() {
        match alert.status() {
            Status::Critical => critical += 1,
            Status::Warning => warning += 1,
            Status::Unknown => unknown += 1,
            Status::Ok => resolved += 1,
        }
    }
    body.push_str("Alert Summary: ");
    number(body, critical);
    body.push_str(" Critical, ");
    number(body, warning);
    body.push_str(" Warning, ");
    number(body, resolved);
    body.push_str(" Resolved");
    if unknown > 0 {
        body.push_str(", ");
        number(body, unknown);
        body.push_str(" Unknown");
    }
    body.push('\n');
}

fn root_causes(body: &mut String, event: &Event) {
    let mut changes = event.changes().filter(|change| !change.certainty().eq_ignore_ascii_case("none")).peekable();
    if changes.peek().is_none() {
        return;
    }
    body.push_str(FENCE);
    body.push_str("\nBigPanda Root Causes\n");
    for change in changes {
        line(body, change.identifier(), change.summary());
        if !change.url().is_empty() {
            line(body, "Change Details", change.url());
        }
    }
    body.push('\n');
}

fn incident_tags(body: &mut String, event: &Event, config: &Config) {
    let mut headed = false;
    for name in &config.description_incident_tags {
        let Some(value) = event.incident_tag(name) else { continue };
        if !headed {
            body.push_str(FENCE);
            body.push_str("\nIncident Tags\n");
            headed = true;
        }
        line(body, name, value);
    }
    if headed {
        body.push('\n');
    }
}

fn write_links(links: &mut String, event: &Event) {
    let incident = event.incident();
    let named = [
        ("Incident Link", incident.link()),
        ("Incident Timeline Link", incident.timeline_link()),
        ("Incident Preview Link", incident.preview_link()),
    ];
    for (name, link) in named {
        let Some(link) = link else { continue };
        if links.is_empty() {
            links.push_str(FENCE);
        }
        line(links, name, link);
    }
}

tandem_guest::export!(Template: Description);

#[cfg(test)]
mod tests;
