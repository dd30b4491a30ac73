//! The words in which an event speaks: closed where the contract is closed, open where BigPanda is.

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventKind {
    /// BigPanda shared the incident.
    Shared,
    /// The incident was found changed in BigPanda.
    IncidentChanged,
    /// The ticket was found changed in ServiceNow.
    TicketChanged,
}

/// Status of an incident or an alert; the first is the worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// Critical.
    Critical,
    /// Warning.
    Warning,
    /// BigPanda could not tell.
    Unknown,
    /// Resolved.
    Ok,
}

impl Status {
    /// The lower-case word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Warning => "warning",
            Self::Unknown => "unknown",
            Self::Ok => "ok",
        }
    }

    /// The word as people read it, such as `Critical`.
    pub fn title(self) -> &'static str {
        match self {
            Self::Critical => "Critical",
            Self::Warning => "Warning",
            Self::Unknown => "Unknown",
            Self::Ok => "Ok",
        }
    }

    /// From the number in a packed table; one that this version doesn't know reads as unknown.
    pub(crate) fn from_number(number: u32) -> Self {
        match number {
            0 => Self::Critical,
            1 => Self::Warning,
            3 => Self::Ok,
            _ => Self::Unknown,
        }
    }
}

/// Why BigPanda shared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ShareKind {
    /// First share.
    New,
    /// Something about the incident changed.
    Updated,
    /// An incident tag was set.
    TagUpserted,
    /// An incident tag was removed.
    TagRemoved,
    /// The incident was snoozed.
    Snoozed,
    /// Someone commented.
    Commented,
    /// The incident came back.
    Reopened,
    /// The incident began to flap.
    Flapping,
    /// The incident was resolved.
    Closed,
    /// Someone shared it by hand.
    Manual,
    /// BigPanda's periodic tick.
    TicketSync,
    /// The share named no kind, or one that this version doesn't know.
    Unnamed,
}

impl ShareKind {
    const NAMED: [(Self, &'static str); 11] = [
        (Self::New, "incident#new"),
        (Self::Updated, "incident#updated"),
        (Self::TagUpserted, "incident-tag#upserted"),
        (Self::TagRemoved, "incident-tag#removed"),
        (Self::Snoozed, "incident#snoozed"),
        (Self::Commented, "incident#commented"),
        (Self::Reopened, "incident#reopen"),
        (Self::Flapping, "incident#become-flapping"),
        (Self::Closed, "incident#closed"),
        (Self::Manual, "manual"),
        (Self::TicketSync, "incident#ticket-sync"),
    ];

    /// BigPanda's own name, such as `incident#new`; empty for an unnamed one.
    pub fn as_str(self) -> &'static str {
        Self::NAMED.iter().find(|(kind, _)| *kind == self).map_or("", |(_, name)| name)
    }

    /// Reads BigPanda's name.
    pub fn parse(name: &str) -> Self {
        Self::NAMED.iter().find(|(_, known)| *known == name).map_or(Self::Unnamed, |(kind, _)| *kind)
    }
}
