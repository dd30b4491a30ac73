//! The job that the benches measure: primary alert, short description, description and the closure map.
//!
//! `host/benches/plugin_job.rs` does the same natively on the host's own structs and compares the outputs.

use std::fmt::Write as _;

use serde::Deserialize;
use tandem_guest::{
    Answer, Body, Choice, Closure, Description, Error, Event, Patch, Plugin, PrimaryAlert, ShortDescription, Status,
    Text,
};

#[derive(Deserialize)]
#[serde(default)]
struct Config {
    max_alerts: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self { max_alerts: 10 }
    }
}

struct Job;

impl Plugin for Job {
    type Config = Config;
}

impl PrimaryAlert for Job {
    fn primary_alert(event: &Event, _: &Config) -> Answer<Choice> {
        let best = event.alerts().min_by(|a, b| {
            let key = |alert: &tandem_guest::event::Alert<'_>| (alert.status(), alert.start().unwrap_or(i64::MAX));
            key(a).cmp(&key(b)).then_with(|| a.id().cmp(b.id()))
        });
        Ok(best.map_or_else(Choice::none, |alert| Choice::of(alert.index())))
    }
}

impl ShortDescription for Job {
    fn short_description(event: &Event, _: &Config) -> Answer<Text> {
        let alert = event.primary_alert().ok_or_else(|| Error::skip("there is no alert"))?;
        let what = alert.primary_value().unwrap_or("unknown");
        Ok(Text::new(format!("BigPanda Incident: {what} - {}", alert.status().title())).on_update())
    }
}

impl Description for Job {
    fn description(event: &Event, config: &Config) -> Answer<Body> {
        let mut text = String::with_capacity(4096);
        let count = |status| event.alerts().filter(|alert| alert.status() == status).count();
        let _ = writeln!(
            text,
            "Alert Summary: {} Critical, {} Warning, {} Resolved",
            count(Status::Critical),
            count(Status::Warning),
            count(Status::Ok)
        );
        for tag in event.incident_tags() {
            let _ = writeln!(text, "{}: {}", tag.name, tag.value);
        }
        let total = event.alerts().len();
        for (place, alert) in event.alerts().take(config.max_alerts).enumerate() {
            let _ = writeln!(text, "{:-<56}\nAlert: {} / {total}", "", place + 1);
            let _ = writeln!(text, "Status: {}\nSource: {}", alert.status().title(), alert.source_system());
            for tag in alert.tags() {
                let _ = writeln!(text, "{}: {}", tag.name, tag.value);
            }
        }
        if total > config.max_alerts {
            let _ = writeln!(text, "… and {} more alerts", total - config.max_alerts);
        }
        Ok(Body::new(text).on_update())
    }
}

impl Closure for Job {
    fn close_ticket(event: &Event, _: &Config) -> Answer<Patch> {
        let code = match event.incident_tag("resolution") {
            Some("auto") => "Resolved by caller",
            Some("workaround") => "Workaround provided",
            _ => "Solution provided",
        };
        let mut patch = Patch::new();
        patch.set("state", "6");
        patch.set("close_code", code);
        patch.set("close_notes", format!("{} alerts resolved in BigPanda", event.alerts().len()));
        Ok(patch)
    }
}

tandem_guest::export!(Job: PrimaryAlert, ShortDescription, Description, Closure);
