//! The incident itself, and the changes that may have caused it.

use super::{Event, Pairs, Status};
use crate::table::{Row, Rows};

/// The incident.
#[derive(Debug, Clone, Copy)]
pub struct Incident<'a> {
    event: &'a Event,
}

macro_rules! texts {
    ($($(#[$doc:meta])* $method:ident = $name:literal;)*) => {
        $(
            $(#[$doc])*
            pub fn $method(&self) -> Option<&'a str> {
                self.event.details().value($name).filter(|value| !value.is_empty())
            }
        )*
    };
}

impl<'a> Incident<'a> {
    pub(crate) fn new(event: &'a Event) -> Self {
        Self { event }
    }

    /// BigPanda's id of the incident.
    pub fn id(&self) -> &'a str {
        &self.event.head().incident_id
    }

    /// Worst current status of its alerts.
    pub fn status(&self) -> Status {
        self.event.head().status
    }

    /// Worst status that it ever reached.
    pub fn severity(&self) -> Status {
        self.event.head().severity
    }

    /// Whether an alert is active and nobody resolved the incident by hand.
    pub fn is_active(&self) -> bool {
        self.event.head().active
    }

    /// Whether it keeps changing its status.
    pub fn is_flapping(&self) -> bool {
        self.event.head().flapping
    }

    /// Whether it is snoozed.
    pub fn is_snoozed(&self) -> bool {
        self.event.head().snoozed
    }

    /// When it began, epoch seconds.
    pub fn start(&self) -> Option<i64> {
        self.event.head().start
    }

    /// When it ended, epoch seconds.
    pub fn end(&self) -> Option<i64> {
        self.event.head().end
    }

    /// Its last change that causes a share, epoch seconds.
    pub fn changed(&self) -> Option<i64> {
        self.event.head().changed
    }

    /// Its last change of any kind, epoch seconds.
    pub fn updated(&self) -> Option<i64> {
        self.event.head().updated
    }

    texts! {
        /// Text of BigPanda's AI analysis.
        summary = "summary";
        /// `partial` or `active` while under planned maintenance.
        maintenance = "maintenance";
        /// Id of whoever the incident is assigned to.
        assignee_id = "assignee-id";
        /// Name of whoever the incident is assigned to.
        assignee_name = "assignee-name";
        /// E-mail address of whoever the incident is assigned to.
        assignee_email = "assignee-email";
        /// Name of the environment through which the incident was shared.
        environment_name = "environment-name";
        /// E-mail address of whoever shared.
        sender = "sender";
        /// Link to the incident in BigPanda.
        link = "incident-link";
        /// Link to the incident's timeline in BigPanda.
        timeline_link = "timeline-link";
        /// Link to a preview that needs no account.
        preview_link = "preview-link";
    }

    /// When the snooze ends, epoch seconds.
    pub fn snoozed_until(&self) -> Option<i64> {
        self.event.details().value("snoozed-until").and_then(|seconds| seconds.parse().ok())
    }

    /// Names of the environments that the incident belongs to.
    pub fn environments(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.event.details().values("environment")
    }

    /// Names of the folders that the incident is in.
    pub fn folders(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.event.details().values("folder")
    }

    /// Its tags.
    pub fn tags(&self) -> Pairs<'a> {
        self.event.incident_tags()
    }
}

// Columns of the table of changes, in words.
const IDENTIFIER: usize = 0;
const SUMMARY: usize = 2;
const URL: usize = 4;
const STATUS: usize = 6;
const CERTAINTY: usize = 8;
const START: usize = 10;
const END: usize = 12;

/// Root-cause changes in their order.
#[derive(Debug, Clone)]
pub struct Changes<'a>(Rows<'a>);

impl<'a> Changes<'a> {
    pub(crate) fn new(rows: Rows<'a>) -> Self {
        Self(rows)
    }
}

impl<'a> Iterator for Changes<'a> {
    type Item = Change<'a>;

    fn next(&mut self) -> Option<Change<'a>> {
        self.0.next().map(Change)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl ExactSizeIterator for Changes<'_> {}

/// A change that BigPanda relates to the incident.
#[derive(Debug, Clone, Copy)]
pub struct Change<'a>(Row<'a>);

impl<'a> Change<'a> {
    /// The change's number or key in the system that it comes from.
    pub fn identifier(&self) -> &'a str {
        self.0.text(IDENTIFIER)
    }

    /// What was changed.
    pub fn summary(&self) -> &'a str {
        self.0.text(SUMMARY)
    }

    /// Link to the change.
    pub fn url(&self) -> &'a str {
        self.0.text(URL)
    }

    /// Such as `Planned` or `Done`.
    pub fn status(&self) -> &'a str {
        self.0.text(STATUS)
    }

    /// `MATCH`, `SUSPECT` or `NONE`.
    pub fn certainty(&self) -> &'a str {
        self.0.text(CERTAINTY)
    }

    /// When it began, epoch seconds.
    pub fn start(&self) -> Option<i64> {
        self.0.time(START)
    }

    /// When it ended, epoch seconds.
    pub fn end(&self) -> Option<i64> {
        self.0.time(END)
    }
}
