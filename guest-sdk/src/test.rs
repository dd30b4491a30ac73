//! Runs hooks natively, in an author's own tests. Feature `test`.
//!
//! A [`Sample`] is an event made by hand or read from JSON; the JSON is the host's own form of a share, so that a
//! recorded one serves as a fixture, plus `ticket`, `settings`, `now`, `seed` and `primary_alert`.
//!
//! ```
//! use tandem_guest::test::{Sample, SampleAlert};
//! use tandem_guest::{Answer, Event, NoConfig, Plugin, ShortDescription, Status, Text};
//!
//! struct Mine;
//! impl Plugin for Mine {
//!     type Config = NoConfig;
//! }
//! impl ShortDescription for Mine {
//!     fn short_description(event: &Event, _: &NoConfig) -> Answer<Text> {
//!         let host = event.primary_alert().and_then(|alert| alert.tag("host")).unwrap_or("nobody");
//!         Ok(Text::new(format!("{host} needs help")))
//!     }
//! }
//!
//! let sample = Sample::new("inc-1")
//!     .with_alert(SampleAlert::new("a-1", Status::Critical).with_tag("host", "db-1"))
//!     .with_primary_alert(0);
//! assert_eq!(sample.run(Mine::short_description).unwrap().text, "db-1 needs help");
//! ```

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::answer::Answer;
use crate::event::Event;
use crate::log::Level;
use crate::native;

mod pack;
mod sample;

#[doc(hidden)]
pub use pack::{Tables, event_from};
pub use sample::{SampleAlert, SampleChange, SampleIncident, SamplePerson, SampleSnooze, SampleTag};

/// An event in the making. Change its fields, or use the methods.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Sample {
    /// What happened: `shared`, which is meant when it is left empty, `incident-changed` or `ticket-changed`.
    pub occasion: String,
    /// Why BigPanda shared: `new`, `updated`, `tag-upserted` and so on.
    pub kind: String,
    /// The incident.
    pub incident: SampleIncident,
    /// BigPanda's id of the environment.
    pub environment_id: Option<String>,
    /// Its name.
    pub environment_name: String,
    /// Who shared.
    pub sender: String,
    /// Links to BigPanda, by `incident`, `timeline` and `preview`.
    pub links: BTreeMap<String, String>,
    /// What headers of the share ask for.
    pub overrides: SampleOverrides,
    /// Fields of the ticket, when there is one.
    pub ticket: Option<BTreeMap<String, String>>,
    /// The plugin's settings.
    pub settings: Value,
    /// The event's time, milliseconds since 1970-01-01 UTC.
    pub now: i64,
    /// Start of the sequence of [`random::next`](crate::random::next).
    pub seed: u64,
    /// The alert that was chosen.
    pub primary_alert: Option<u32>,
    /// The share as it came.
    pub raw: Option<String>,
}

/// What headers of a share ask for.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct SampleOverrides {
    /// Ticket field to literal value.
    pub fields: BTreeMap<String, String>,
    /// BigPanda field or tag, and ticket field.
    pub mapping: Vec<(String, String)>,
}

impl Sample {
    /// A first share of an incident without alerts.
    pub fn new(incident: &str) -> Self {
        let incident = SampleIncident { id: incident.into(), ..SampleIncident::default() };
        Self { kind: "new".into(), incident, ..Self::default() }
    }

    /// Reads a sample.
    ///
    /// # Errors
    /// When the text is not such JSON.
    pub fn from_json(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// With one more alert.
    #[must_use]
    pub fn with_alert(mut self, alert: SampleAlert) -> Self {
        self.incident.alerts.push(alert);
        self
    }

    /// With one more incident tag.
    #[must_use]
    pub fn with_tag(mut self, name: &str, value: &str) -> Self {
        self.incident.tags.push(SampleTag { name: name.into(), value: value.into() });
        self
    }

    /// With one more root-cause change.
    #[must_use]
    pub fn with_change(mut self, change: SampleChange) -> Self {
        self.incident.changes.push(change);
        self
    }

    /// With settings, a JSON object.
    #[must_use]
    pub fn with_settings(mut self, settings: Value) -> Self {
        self.settings = settings;
        self
    }

    /// With an alert that was chosen.
    #[must_use]
    pub fn with_primary_alert(mut self, index: u32) -> Self {
        self.primary_alert = Some(index);
        self
    }

    /// Of a ticket that was found changed.
    #[must_use]
    pub fn of_ticket(mut self) -> Self {
        self.occasion = "ticket-changed".into();
        self
    }

    /// With a ticket.
    #[must_use]
    pub fn with_ticket_field(mut self, field: &str, value: &str) -> Self {
        self.ticket.get_or_insert_default().insert(field.into(), value.into());
        self
    }

    /// The event, as hooks get it. Time, seed and log of this thread start anew with it.
    pub fn event(&self) -> Event {
        native::NOW.set(self.now);
        native::RANDOM.set(self.seed);
        native::RAW.with_borrow_mut(|raw| raw.clone_from(&self.raw));
        native::LOG.with_borrow_mut(Vec::clear);
        pack::event(self)
    }

    /// Asks one hook, with the sample's settings: `sample.run(Mine::description)`.
    ///
    /// # Errors
    /// The hook's own, or `invalid-config` when the settings don't fit.
    pub fn run<C: DeserializeOwned, T>(&self, hook: impl FnOnce(&Event, &C) -> Answer<T>) -> Answer<T> {
        let event = self.event();
        let config = event.settings()?;
        hook(&event, &config)
    }
}

/// What hooks have logged on this thread since the last sample.
pub fn log_lines() -> Vec<(Level, String)> {
    native::LOG.with_borrow(Clone::clone)
}

#[cfg(test)]
mod tests;
