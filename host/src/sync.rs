//! The shell: the only place where time, store, plugins and clients meet.
//!
//! Three short transactions carry a share through: accepted, decided, settled; no transaction is open while the
//! network is used. `web` hands shares in through [`Handle`]; `app` composes it. It speaks to the store, to the plugins
//! and to both vendors through traits only.

mod alarm;
mod deadline;
mod deliver;
mod fetch;
mod handover;
mod incident;
mod intake;
mod poll;
mod poll_bigpanda;
mod poll_servicenow;
mod ports;
mod redo;
mod retrieve;
mod runtime;
mod ticket;
mod traces;

pub use ports::{Effective, Integration, Notify, Polls, Reader, Settings, Transform, TransformJob};
pub use redo::{Change, NotRedone, Redone, Tried};
pub use retrieve::{Answer, NotSettled, Retrieved, Settled};
pub use runtime::{Handle, Options, Parts};

use crate::domain::id::IntegrationName;
use crate::domain::time::Timestamp;
use crate::store::Cursor;

/// Where the first looks at both sides begin when links were made while no host ran: at the time of making them, so that
/// what happens until a host starts is seen.
pub fn beginnings(integration: &IntegrationName, at: Timestamp) -> [Cursor; 2] {
    [poll_bigpanda::beginning(integration, at), poll_servicenow::beginning(integration, at)]
}
