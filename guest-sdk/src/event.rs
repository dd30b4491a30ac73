//! What a hook is asked about: the incident with its alerts, the ticket when there is one, and the settings.
//!
//! Everything is read from the host at first use, once, and borrowed from then on.

use std::cell::{Cell, OnceCell};

use serde::de::DeserializeOwned;

use crate::answer::Error;
use crate::table::{Row, Table};
use crate::tree;

mod alert;
mod incident;
mod pairs;
mod proposal;
pub(crate) mod source;
mod words;

pub use alert::{Alert, Alerts};
pub use incident::{Change, Changes, Incident};
pub use pairs::{Pair, Pairs};
pub use proposal::{Proposal, Proposed, ProposedOp};
pub use words::{EventKind, ShareKind, Status};

use source::Source;

/// The event that the hooks are asked about.
///
/// ```
/// use tandem_guest::{Event, Status};
///
/// /// How many alerts are critical.
/// fn critical(event: &Event) -> usize {
///     event.alerts().filter(|alert| alert.status() == Status::Critical).count()
/// }
/// ```
#[derive(Debug)]
pub struct Event {
    source: Source,
    head: OnceCell<Head>,
    alerts: OnceCell<Table>,
    alert_tags: OnceCell<Table>,
    incident_tags: OnceCell<Table>,
    changes: OnceCell<Table>,
    details: OnceCell<Table>,
    overrides: OnceCell<Table>,
    ticket: OnceCell<Table>,
    settings: OnceCell<Table>,
    primary: Cell<Option<Option<u32>>>,
}

/// The small record at the head of the event.
#[derive(Debug, Clone)]
pub(crate) struct Head {
    pub(crate) kind: EventKind,
    pub(crate) share_kind: ShareKind,
    pub(crate) incident_id: String,
    pub(crate) environment_id: String,
    pub(crate) status: Status,
    pub(crate) severity: Status,
    pub(crate) active: bool,
    pub(crate) flapping: bool,
    pub(crate) snoozed: bool,
    pub(crate) start: Option<i64>,
    pub(crate) end: Option<i64>,
    pub(crate) changed: Option<i64>,
    pub(crate) updated: Option<i64>,
    pub(crate) has_ticket: bool,
}

impl Event {
    #[cfg(any(target_arch = "wasm32", feature = "test"))]
    pub(crate) fn new(source: Source) -> Self {
        Self {
            source,
            head: OnceCell::new(),
            alerts: OnceCell::new(),
            alert_tags: OnceCell::new(),
            incident_tags: OnceCell::new(),
            changes: OnceCell::new(),
            details: OnceCell::new(),
            overrides: OnceCell::new(),
            ticket: OnceCell::new(),
            settings: OnceCell::new(),
            primary: Cell::new(None),
        }
    }

    /// Forgets what can differ from one hook to the next.
    #[cfg(target_arch = "wasm32")]
    pub(crate) fn next_hook(&self) {
        self.primary.set(None);
    }

    pub(crate) fn head(&self) -> &Head {
        self.head.get_or_init(|| self.source.head())
    }

    /// Whether BigPanda shared or one of the sides was found changed.
    pub fn kind(&self) -> EventKind {
        self.head().kind
    }

    /// Why BigPanda shared.
    pub fn share_kind(&self) -> ShareKind {
        self.head().share_kind
    }

    /// The incident.
    pub fn incident(&self) -> Incident<'_> {
        Incident::new(self)
    }

    /// The BigPanda environment through which the incident was shared.
    pub fn environment_id(&self) -> Option<&str> {
        Some(self.head().environment_id.as_str()).filter(|id| !id.is_empty())
    }

    /// The alerts in BigPanda's order.
    pub fn alerts(&self) -> Alerts<'_> {
        Alerts::new(self.alert_table().rows(), self)
    }

    /// One alert by its place in [`alerts`](Self::alerts).
    pub fn alert(&self, index: usize) -> Option<Alert<'_>> {
        self.alert_table().row(index).map(|row| Alert::new(row, index, self))
    }

    /// The alert that stands for the incident; none before one was chosen.
    pub fn primary_alert(&self) -> Option<Alert<'_>> {
        let chosen = self.primary.get().unwrap_or_else(|| {
            let chosen = self.source.primary_alert();
            self.primary.set(Some(chosen));
            chosen
        });
        self.alert(chosen? as usize)
    }

    /// Incident tags in BigPanda's order.
    pub fn incident_tags(&self) -> Pairs<'_> {
        Pairs::new(self.incident_tags.get_or_init(|| self.source.incident_tags()).rows())
    }

    /// The value of the first incident tag of that name, in exact case.
    pub fn incident_tag(&self, name: &str) -> Option<&str> {
        self.incident_tags().value(name)
    }

    /// Changes that BigPanda relates to the incident as root cause.
    pub fn changes(&self) -> Changes<'_> {
        Changes::new(self.changes.get_or_init(|| self.source.changes()).rows())
    }

    /// Further attributes by name, as `wit/README.md` lists them; [`Incident`] has an accessor for each.
    pub fn details(&self) -> Pairs<'_> {
        Pairs::new(self.details.get_or_init(|| self.source.details()).rows())
    }

    /// Ticket field and literal value from the share's `x-bp-field-*` headers.
    pub fn field_overrides(&self) -> Pairs<'_> {
        Pairs::of_kind(self.override_table().rows(), 0)
    }

    /// BigPanda field or tag and ticket field from the share's `x-bp-mapping-fields` header.
    pub fn mapping_overrides(&self) -> Pairs<'_> {
        Pairs::of_kind(self.override_table().rows(), 1)
    }

    /// Whether there is a ticket already.
    pub fn has_ticket(&self) -> bool {
        self.head().has_ticket
    }

    /// Fields of the existing ticket by name, as they are stored; empty when there is none. Where people read
    /// another value, it is there too, under `dv_<field>`.
    pub fn ticket(&self) -> Pairs<'_> {
        Pairs::new(self.ticket.get_or_init(|| self.source.ticket()).rows())
    }

    /// A ticket field as people read it: its display value where that differs, else its value as it is stored.
    pub fn ticket_text(&self, field: &str) -> Option<&str> {
        let display = self.ticket().find(|pair| pair.name.strip_prefix("dv_") == Some(field));
        display.map(|pair| pair.value).or_else(|| self.ticket().value(field))
    }

    /// What earlier plugins of the chain have proposed for this event.
    pub fn proposed(&self) -> Proposed {
        Proposed::new(self.source.proposed())
    }

    /// The settings as any type. Hooks get them as [`Plugin::Config`](crate::Plugin::Config) already.
    ///
    /// # Errors
    /// `invalid-config` when the settings don't fit the type.
    pub fn settings<T: DeserializeOwned>(&self) -> Result<T, Error> {
        let table = self.settings.get_or_init(|| self.source.settings());
        tree::read(table).map_err(|why| Error::InvalidConfig(why.to_string()))
    }

    fn alert_table(&self) -> &Table {
        self.alerts.get_or_init(|| self.source.alerts())
    }

    fn override_table(&self) -> &Table {
        self.overrides.get_or_init(|| self.source.overrides())
    }

    /// Tags of the alert whose row says where they are.
    fn tags_of(&self, alert: Row<'_>) -> Pairs<'_> {
        let (first, count) = (alert.number(alert::FIRST_TAG), alert.number(alert::TAG_COUNT));
        let tags = self.alert_tags.get_or_init(|| self.source.alert_tags());
        Pairs::new(tags.range(first as usize, count as usize))
    }
}
