//! The clients of both vendors against real sockets: what they send, and what they make of every way to fail.

mod bigpanda;
mod server;
mod servicenow;
mod shapes;
mod tls;
mod transport;

use std::num::NonZeroU32;
use std::sync::Arc;

use tandem::clock::SystemClock;
use tandem::domain::outcome::{Failure, Outcome};
use tandem::domain::ticket::FieldValue;

pub(crate) fn clock() -> Arc<SystemClock> {
    Arc::new(SystemClock::new())
}

pub(crate) fn field(name: &str, value: &str) -> FieldValue {
    FieldValue { field: name.to_owned(), value: value.to_owned() }
}

pub(crate) fn fast() -> Option<NonZeroU32> {
    NonZeroU32::new(10_000)
}

/// The kind of an outcome and its failure.
pub(crate) fn split(outcome: Outcome) -> (&'static str, Failure) {
    match outcome {
        Outcome::Applied(receipt) => panic!("applied: {receipt:?}"),
        Outcome::NotApplied(failure) => ("not applied", failure),
        Outcome::Unknown(failure) => ("unknown", failure),
        Outcome::Refused(failure) => ("refused", failure),
        Outcome::Missing(failure) => ("missing", failure),
        Outcome::Paused { failure, .. } => ("paused", failure),
        Outcome::Auth(failure) => ("auth", failure),
    }
}

/// An outcome on one line, for snapshots. The library's own words are left out where they differ by platform.
pub(crate) fn line(outcome: Outcome) -> String {
    let (kind, Failure { code, errno, status, summary, detail, hint }) = split(outcome);
    let status = status.map(|status| format!(" {status}")).unwrap_or_default();
    let detail = if code.starts_with("transport.") { None } else { detail };
    let more = [errno, detail, hint].into_iter().flatten().map(|text| format!(" | {text}")).collect::<String>();
    format!("{kind}: {code}{status}: {summary}{more}")
}
