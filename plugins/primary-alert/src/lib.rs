//! Chooses the alert that stands for an incident, by the criteria of the setting `primary_alert`.
//!
//! Each criterion narrows the alerts down to its best ones; among those that are left at the end, the smallest
//! alert id decides. So the order of the alerts in a share never matters. The README describes the criteria.

use serde::Deserialize;
use tandem_guest::event::Alert;
use tandem_guest::{Answer, Choice, Event, Plugin, PrimaryAlert};

mod criterion;

use criterion::{Criterion, Value};

/// The criteria when the setting is left empty.
const DEFAULT: &str = "status=critical, startedOn";

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Config {
    primary_alert: String,
}

struct Primary;

impl Plugin for Primary {
    type Config = Config;
}

impl PrimaryAlert for Primary {
    fn primary_alert(event: &Event, config: &Config) -> Answer<Choice> {
        let said = config.primary_alert.trim();
        let text = if said.is_empty() { DEFAULT } else { said };
        let mut left: Vec<Alert<'_>> = event.alerts().collect();
        for criterion in Criterion::parse(text)? {
            if left.len() > 1 {
                left = narrowed(left, &criterion);
            }
        }
        let Some(best) = left.into_iter().min_by_key(Alert::id) else {
            return Ok(Choice::none().because("the incident has no alert"));
        };
        let mut reason = String::with_capacity(text.len() + 9);
        reason.push_str("first by ");
        reason.push_str(text);
        Ok(Choice::of(best.index()).because(reason))
    }
}

/// The alerts that are best by one criterion: those that match, or all when none does; those that sort first.
fn narrowed<'a>(mut alerts: Vec<Alert<'a>>, criterion: &Criterion<'_>) -> Vec<Alert<'a>> {
    match criterion {
        Criterion::Equal { field, pattern } => {
            let fits = |alert: &Alert<'a>| field.of(alert).matches(pattern);
            if alerts.iter().any(fits) {
                alerts.retain(fits);
            }
        }
        Criterion::Sorted { field, descending } => {
            let mut first = Value::Missing;
            for alert in &alerts {
                let value = field.of(alert);
                if value.compare(&first, *descending).is_lt() {
                    first = value;
                }
            }
            alerts.retain(|alert| field.of(alert).compare(&first, *descending).is_eq());
        }
    }
    alerts
}

tandem_guest::export!(Primary: PrimaryAlert);

#[cfg(test)]
mod tests;
