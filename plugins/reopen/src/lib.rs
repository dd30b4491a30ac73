//! The incident came back: is its ticket reopened, or is a new one made?
//!
//! The README has the table. Without a state that it knows the plugin says nothing, and the host decides.

use serde::Deserialize;
use tandem_guest::{Answer, Decision, Error, Event, Plugin, Reopen, clock, time};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Config {
    reopen_resolved: bool,
    /// Seconds.
    reopen_window: i64,
}

struct Return;

impl Plugin for Return {
    type Config = Config;
}

impl Reopen for Return {
    fn reopen(event: &Event, config: &Config) -> Answer<Decision> {
        let number = event.ticket_text("number").unwrap_or("the earlier ticket");
        let create = |why: &str| {
            Ok(Decision::Create(format!("The BigPanda incident came back. It gets a new ticket: {number} {why}.")))
        };
        match event.ticket().value("state") {
            Some("1" | "2" | "3") => return Ok(Decision::Leave(format!("{number} is open"))),
            Some("6") => {}
            Some("7") => return create("is closed"),
            Some("8") => return create("was canceled"),
            Some(_) | None => return Err(Error::skip("the ticket's state is not known")),
        }
        if !config.reopen_resolved {
            return create("is resolved, and resolved tickets are not reopened");
        }
        let Some(resolved) = event.ticket().value("resolved_at").and_then(time::parse) else {
            return create("does not say when it was resolved");
        };
        // In milliseconds, so that the last one before the end still counts and the end itself doesn't.
        let end = resolved.saturating_add(config.reopen_window).saturating_mul(1000);
        if returned(event, resolved) < end {
            Ok(Decision::Reopen("The BigPanda incident came back.".into()))
        } else {
            create(&format!("was resolved {} ago or earlier", words(config.reopen_window)))
        }
    }
}

/// When the incident came back, in milliseconds: its first change after the ticket's end by BigPanda's word, at the latest
/// when the host heard of it.
fn returned(event: &Event, resolved: i64) -> i64 {
    let incident = event.incident();
    let told = [incident.changed(), incident.updated()].into_iter().flatten().filter(|told| *told > resolved).min();
    told.map_or(clock::now(), |told| told.saturating_mul(1000).min(clock::now()))
}

/// A number of seconds for people.
fn words(seconds: i64) -> String {
    let (number, unit) = match seconds {
        _ if seconds % 3600 == 0 && seconds > 0 => (seconds / 3600, "hour"),
        _ if seconds % 60 == 0 => (seconds / 60, "minute"),
        _ => (seconds, "second"),
    };
    format!("{number} {unit}{}", if number == 1 { "" } else { "s" })
}

tandem_guest::export!(Return: Reopen);

#[cfg(test)]
mod tests;
