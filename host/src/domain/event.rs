//! What can happen on a side. The engine decides about each kind in a file of its own.

use std::sync::Arc;

use super::share::Share;

/// Something that happened and that the engine decides about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// BigPanda shared an incident, for the first time or again.
    Shared(Arc<Share>),
}
