//! The alerts of an incident.

use super::{Event, Pairs, Status};
use crate::table::{Row, Rows};

// Columns of the table, in words.
const ID: usize = 0;
const STATUS: usize = 2;
const FLAGS: usize = 3;
const START: usize = 4;
const END: usize = 6;
const CHANGED: usize = 8;
const UPDATED: usize = 10;
const PRIMARY_PROPERTY: usize = 12;
const SECONDARY_PROPERTY: usize = 14;
const SOURCE_SYSTEM: usize = 16;
const DESCRIPTION: usize = 18;
pub(crate) const FIRST_TAG: usize = 20;
pub(crate) const TAG_COUNT: usize = 21;

/// The alerts in their order.
#[derive(Debug, Clone)]
pub struct Alerts<'a> {
    rows: Rows<'a>,
    event: &'a Event,
    next: usize,
}

impl<'a> Alerts<'a> {
    pub(crate) fn new(rows: Rows<'a>, event: &'a Event) -> Self {
        Self { rows, event, next: 0 }
    }
}

impl<'a> Iterator for Alerts<'a> {
    type Item = Alert<'a>;

    fn next(&mut self) -> Option<Alert<'a>> {
        let alert = Alert::new(self.rows.next()?, self.next, self.event);
        self.next += 1;
        Some(alert)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.rows.size_hint()
    }
}

impl ExactSizeIterator for Alerts<'_> {}

/// One alert.
#[derive(Debug, Clone, Copy)]
pub struct Alert<'a> {
    row: Row<'a>,
    index: usize,
    event: &'a Event,
}

impl<'a> Alert<'a> {
    pub(crate) fn new(row: Row<'a>, index: usize, event: &'a Event) -> Self {
        Self { row, index, event }
    }

    /// Its place among the alerts; what [`PrimaryAlert`](crate::PrimaryAlert) answers with.
    pub fn index(&self) -> usize {
        self.index
    }

    /// BigPanda's id of the alert.
    pub fn id(&self) -> &'a str {
        self.row.text(ID)
    }

    /// Its status.
    pub fn status(&self) -> Status {
        Status::from_number(self.row.number(STATUS))
    }

    /// Whether it is still going on.
    pub fn is_active(&self) -> bool {
        self.row.number(FLAGS) & 1 != 0
    }

    /// When it began, epoch seconds.
    pub fn start(&self) -> Option<i64> {
        self.row.time(START)
    }

    /// When it ended, epoch seconds.
    pub fn end(&self) -> Option<i64> {
        self.row.time(END)
    }

    /// Its last change of status, epoch seconds.
    pub fn changed(&self) -> Option<i64> {
        self.row.time(CHANGED)
    }

    /// Its last change of any kind, epoch seconds.
    pub fn updated(&self) -> Option<i64> {
        self.row.time(UPDATED)
    }

    /// Name of the tag that names the thing concerned, such as `host`.
    pub fn primary_property(&self) -> &'a str {
        self.row.text(PRIMARY_PROPERTY)
    }

    /// Name of the tag that names the check.
    pub fn secondary_property(&self) -> &'a str {
        self.row.text(SECONDARY_PROPERTY)
    }

    /// The value of the tag that the primary property names.
    pub fn primary_value(&self) -> Option<&'a str> {
        self.tag(self.primary_property())
    }

    /// `<type>.<integration>`, such as `datadog.prod_us`.
    pub fn source_system(&self) -> &'a str {
        self.row.text(SOURCE_SYSTEM)
    }

    /// What the monitoring system said.
    pub fn description(&self) -> &'a str {
        self.row.text(DESCRIPTION)
    }

    /// Its tags, in their order.
    pub fn tags(&self) -> Pairs<'a> {
        self.event.tags_of(self.row)
    }

    /// The value of the first tag of that name, in exact case.
    pub fn tag(&self, name: &str) -> Option<&'a str> {
        self.tags().value(name)
    }
}
