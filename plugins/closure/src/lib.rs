//! The end of one side, told to the other: how the ticket of a resolved incident is resolved, and the comment on an
//! incident whose ticket was closed.
//!
//! The README has the tables. ServiceNow refuses a resolved ticket without code and notes, so both are never empty.

use std::collections::BTreeMap;

use serde::Deserialize;
use tandem_guest::{Answer, Closure, Error, Event, Patch, Plugin, Status, clock, time, wildcard};

const RESOLVED: &str = "6";
const CLOSED: &str = "7";
const CANCELED: &str = "8";
/// What stands for notes or a code that were set to nothing.
const NOTES: &str = "Resolved in BigPanda at {end}.";
const CODE: &str = "Solution provided";
/// Characters of the ticket's notes in a comment.
const LONGEST_NOTES: usize = 3000;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Config {
    close_code: String,
    close_code_mapping: Vec<Row>,
    close_notes: String,
    mandatory_on_resolve: BTreeMap<String, String>,
    resolved_by_email: Option<String>,
    send_closure_code: bool,
}

#[derive(Debug, Deserialize)]
struct Row {
    tag: String,
    value: String,
    close_code: String,
}

struct End;

impl Plugin for End {
    type Config = Config;
}

impl Closure for End {
    fn close_ticket(event: &Event, config: &Config) -> Answer<Patch> {
        if matches!(event.ticket().value("state"), Some(RESOLVED | CLOSED | CANCELED)) {
            return Err(Error::skip("the ticket is resolved or closed already"));
        }
        let end = event.incident().end().unwrap_or_else(|| clock::now().div_euclid(1000));
        let mut patch = Patch::new();
        patch.set("state", RESOLVED).because("the incident is resolved");
        let (code, why) = code(event, config);
        patch.set("close_code", code).because(why);
        patch.set("close_notes", notes(event, config, end));
        if let Some(end) = time::utc(end) {
            patch.set("resolved_at", end);
        }
        if let Some(email) = config.resolved_by_email.as_deref() {
            patch.reference("resolved_by", "sys_user", "email", email);
        }
        for (field, value) in &config.mandatory_on_resolve {
            if event.ticket().value(field).is_none_or(str::is_empty) {
                patch.set(field, value).because("the instance demands it of a resolved ticket");
            }
        }
        Ok(patch)
    }

    fn comment(event: &Event, config: &Config) -> Answer<Option<String>> {
        if !config.send_closure_code {
            return Err(Error::skip("closure codes are not sent"));
        }
        let end = match event.ticket().value("state") {
            Some(CLOSED) => "closed",
            Some(CANCELED) => "canceled",
            _ => "resolved",
        };
        let said = |field| event.ticket_text(field).map(str::trim).filter(|text| !text.is_empty());
        let mut text = String::from("ServiceNow ticket ");
        if let Some(number) = said("number") {
            text.push_str(number);
            text.push(' ');
        }
        text.push_str("was ");
        text.push_str(end);
        let notes = said("close_notes").map(|notes| cut(notes, LONGEST_NOTES));
        let parts: Vec<&str> = [said("close_code"), notes].into_iter().flatten().collect();
        if !parts.is_empty() {
            text.push_str(": ");
            text.push_str(&parts.join(" — "));
        }
        Ok(Some(text))
    }
}

/// The closure code, and why.
fn code<'a>(event: &Event, config: &'a Config) -> (&'a str, String) {
    let fits = |row: &&Row| event.incident_tags().values(&row.tag).any(|value| wildcard::fits(&row.value, value));
    match config.close_code_mapping.iter().find(fits) {
        Some(row) => (&row.close_code, ["the incident tag ", &row.tag].concat()),
        None if config.close_code.trim().is_empty() => (CODE, "setting".into()),
        None => (&config.close_code, "setting".into()),
    }
}

/// The notes with what stands between braces filled in.
fn notes(event: &Event, config: &Config, end: i64) -> String {
    let template = if config.close_notes.trim().is_empty() { NOTES } else { &config.close_notes };
    let end = time::utc(end).map_or_else(|| "an unknown time".to_owned(), |end| end + " UTC");
    template.replace("{end}", &end).replace("{alerts}", &alerts(event)).replace("{incident}", event.incident().id())
}

/// How many alerts are ok, in words.
fn alerts(event: &Event) -> String {
    let all = event.alerts().len();
    let ok = event.alerts().filter(|alert| alert.status() == Status::Ok).count();
    match (ok, all) {
        (_, 0) => "no alerts".into(),
        (1, 1) => "its alert is ok".into(),
        (0, 1) => "its alert is not ok".into(),
        (2, 2) => "both alerts are ok".into(),
        _ if ok == all => ["all ", &all.to_string(), " alerts are ok"].concat(),
        _ => [&ok.to_string(), " of ", &all.to_string(), " alerts are ok"].concat(),
    }
}

/// At most so many characters.
fn cut(text: &str, limit: usize) -> &str {
    text.char_indices().nth(limit).and_then(|(end, _)| text.get(..end)).unwrap_or(text)
}

tandem_guest::export!(End: Closure);

#[cfg(test)]
mod tests;
