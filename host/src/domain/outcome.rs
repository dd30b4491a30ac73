//! What came of an attempt.
//!
//! The three values that matter for correctness are *applied*, *not applied* and *unknown*; the other variants
//! say what else the sync has to do. Only *unknown* is reconciled before the next try.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::ticket::TicketRef;

/// Why an attempt failed, in words that an operator knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Stable word-code such as `servicenow.refused` or `transport.connect`.
    pub code: String,
    /// Node-style name of a socket error (`ECONNRESET`), where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub errno: Option<String>,
    /// HTTP status of the answer, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// One sentence: what failed.
    pub summary: String,
    /// The other side's own message and detail, redacted and cut to 500 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The remedy, where we know one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// What the other side confirmed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The ticket that was created, updated or found.
    pub ticket: Option<TicketRef>,
    /// True when a look-up showed that an earlier attempt had been applied.
    pub adopted: bool,
    /// The ticket's counter of changes after the write, where the answer told.
    #[serde(default)]
    pub version: Option<i64>,
    /// References that named nothing; their fields were left empty.
    #[serde(default)]
    pub unresolved: Vec<String>,
}

/// The result of one attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Applied(Receipt),
    /// Certainly not applied; worth another try. Counts an attempt.
    NotApplied(Failure),
    /// May have been applied: look before the next try. Counts an attempt.
    Unknown(Failure),
    /// Refused for good: another try would get the same answer.
    Refused(Failure),
    /// The thing to change does not exist (deleted, or hidden from us).
    Missing(Failure),
    /// The other side asks for a pause (429, open breaker). Counts no attempt.
    Paused {
        failure: Failure,
        wait: Duration,
    },
    /// Credentials were refused, after one refresh. Pauses the instance with one alarm. Counts no attempt.
    Auth(Failure),
}
