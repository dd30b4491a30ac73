//! The account of the demo, as a person reads it.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use serde_json::Value;

use super::stories::Step;
use super::verify::Checker;
use crate::app::Running;
use crate::domain::link::Link;
use crate::domain::request::{Operation, Request};
use crate::simulator::{Access, Handle};

/// Widest value that is shown of a field.
const WIDTH: usize = 76;

/// Writes the account to standard output.
pub(super) struct Account {
    colours: bool,
}

impl Account {
    pub(super) fn new() -> Self {
        let colours = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Self { colours }
    }

    fn paint(&self, code: &str, text: &str) -> String {
        if self.colours { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    fn bold(&self, text: &str) -> String {
        self.paint("1", text)
    }

    fn dim(&self, text: &str) -> String {
        self.paint("2", text)
    }

    /// A reader who has gone (`| head`) is no failure of the demo.
    #[expect(clippy::unused_self, reason = "reads as what the account says")]
    fn say(&self, line: &str) {
        let _ = writeln!(std::io::stdout(), "{line}");
    }

    pub(super) fn opening(&self, access: &Access, host: &Running) {
        self.say(&self.bold("Tandem: from BigPanda incidents to ServiceNow tickets, every value by a plugin"));
        self.say(&format!("  BigPanda    {}  {}", access.bigpanda.url, self.dim("simulated")));
        self.say(&format!("  ServiceNow  {}  {}", access.servicenow.url, self.dim("simulated")));
        self.say(&format!(
            "  Tandem      http://{}  {}",
            host.public,
            self.dim("the real thing, with its embedded store")
        ));
    }

    pub(super) fn story(&self, number: usize, title: &str) {
        self.say(&format!("\n{}", self.bold(&format!("{number:>2}  {title}"))));
    }

    pub(super) fn share(&self, step: &Step, incident: Option<&Value>) {
        let text = |key: &str| incident.and_then(|incident| incident.get(key)).and_then(Value::as_str).unwrap_or("?");
        let alerts = incident.and_then(|incident| incident.get("alerts")).and_then(Value::as_array).map_or(0, Vec::len);
        let plural = if alerts == 1 { "alert" } else { "alerts" };
        let line = format!("{} · {alerts} {plural} · {}", text("status").to_lowercase(), text("id"));
        self.say(&format!("  {} BigPanda shares {}  {}", self.paint("33", "▸"), step.event, self.dim(&line)));
    }

    pub(super) fn request(&self, link: &Link, request: &Request, took: Duration) {
        let number = link.ticket.as_ref().map_or("?", |ticket| ticket.number.as_str());
        let what = if matches!(request.operation, Operation::CreateTicket { .. }) { "created" } else { "updated" };
        let took = format!("{} ms after the share", took.as_millis());
        self.say(&format!("  {} {} {what}  {}", self.paint("32", "→"), self.bold(number), self.dim(&took)));
        for field in super::fields(request) {
            let writer = request
                .lineage
                .iter()
                .rev()
                .find(|line| line.field == field.field)
                .map_or_else(|| "host".to_owned(), |line| format!("{}@{}", line.origin.plugin, line.origin.digest));
            let writer = writer.get(..writer.len().min(40)).unwrap_or(&writer);
            self.say(&format!("      {:<26} {:<WIDTH$} {}", field.field, shown(&field.value), self.dim(writer)));
        }
    }

    pub(super) fn back(&self, sides: &Handle, incident: &str) {
        let arrow = self.paint("36", "←");
        let callback = sides.callbacks().into_iter().rev().find(|callback| callback.incident_id == incident);
        if let Some(callback) = callback {
            self.say(&format!("  {arrow} callback   {}", callback.event_type));
        }
        if let Some(tag) = sides.tag(incident, "servicenow_link") {
            self.say(&format!("  {arrow} tag        servicenow_link = {}", shown(&tag)));
        }
        for comment in sides.comments(incident) {
            self.say(&format!("  {arrow} comment    {}", shown(&comment.text)));
        }
    }

    pub(super) fn closing(&self, checker: &Checker, tickets: usize, took: Duration) {
        self.say("");
        for mismatch in &checker.mismatches {
            self.say(&format!("{} {mismatch}", self.paint("31", "✗")));
        }
        let good = checker.checks.saturating_sub(checker.mismatches.len());
        self.say(&self.bold(&format!(
            "{tickets} tickets in {:.1} s; {good} of {} values were found in the simulators as the plugins wrote them",
            took.as_secs_f64(),
            checker.checks
        )));
    }

    pub(super) fn keeping(&self, access: &Access, host: &Running, share: &str, token: &str) {
        self.say("\nEverything keeps running until Ctrl-C.");
        self.say(&format!("  operators   http://{}/api/v1/queue?state=done", host.admin));
        self.say(&format!("  metrics     http://{}/metrics", host.admin));
        self.say(&format!("  tickets     {}/tickets", access.servicenow.control));
        self.say("  try it:");
        self.say(&format!(
            "    curl -s {share} -H 'authorization: Bearer {token}' -d '{{\"incident\": {{\"id\": \"mine-1\", \"status\": \
             \"critical\", \"active\": true, \"alerts\": [{{\"id\": \"a1\", \"status\": \"critical\", \"primary_property\": \
             \"host\", \"tags\": [{{\"name\": \"host\", \"value\": \"my-laptop\"}}]}}]}}}}'"
        ));
        self.say(&format!("    curl -s {}/tickets/bigpanda:mine-1", access.servicenow.control));
    }
}

/// One line of a value, as wide as fits.
fn shown(value: &str) -> String {
    let lines = value.lines().count();
    let first = value.lines().next().unwrap_or_default();
    let mut text: String = first.chars().filter(|c| !c.is_control()).collect();
    let more = if lines > 1 { format!(" … {lines} lines") } else { String::new() };
    if text.chars().count() + more.chars().count() > WIDTH {
        text = text.chars().take(WIDTH.saturating_sub(more.chars().count() + 2)).collect();
        text.push_str(" …");
    }
    text + &more
}
