//! What an event means for its link. One file per kind of event.

pub mod shared;

use crate::domain::event::Event;
use crate::domain::link::Link;

/// What is to be done about an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// There is no ticket: ask the plugins for a whole record and create it.
    Create,
    /// There is a ticket: ask the plugins and write what differs from what was last written.
    Update,
    /// Nothing follows.
    Nothing { why: String },
}

/// Decides about one event. Coalescing has happened: the event is the newest of its link.
pub fn decide(link: &Link, event: &Event) -> Decision {
    match event {
        Event::Shared(share) => shared::decide(link, share),
    }
}
