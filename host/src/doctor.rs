//! What an operator wants to know of both sides before trusting the sync with them: each thing looked at is a finding
//! with its remedy. Reads only; the one write is asked for and changes nothing.
//!
//! Called by `cli`. A finding never holds a secret or what a ticket says.

mod bigpanda;
mod original;
mod release;
mod servicenow;

use serde::Serialize;

use crate::clock::Clock;
use crate::config::Integration;
use crate::domain::outcome::{Failure, Outcome};
use crate::domain::time::Timestamp;

/// How good or bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    Ok,
    Warn,
    Fail,
}

impl Level {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Stable word-code such as `servicenow.columns`.
    pub code: &'static str,
    pub level: Level,
    pub sentence: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

impl Finding {
    pub fn ok(code: &'static str, sentence: impl Into<String>) -> Self {
        Self { code, level: Level::Ok, sentence: sentence.into(), remedy: None }
    }

    pub fn warn(code: &'static str, sentence: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { code, level: Level::Warn, sentence: sentence.into(), remedy: Some(remedy.into()) }
    }

    pub fn fail(code: &'static str, sentence: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { code, level: Level::Fail, sentence: sentence.into(), remedy: Some(remedy.into()) }
    }
}

/// The two sides of one integration.
pub struct Patient<'a> {
    pub integration: &'a Integration,
    pub servicenow: &'a crate::servicenow::Client,
    pub bigpanda: &'a crate::bigpanda::Client,
    pub clock: &'a dyn Clock,
    /// Whether a write that changes nothing may be tried on a ticket of ours.
    pub write_check: bool,
}

/// Looks at everything of one integration.
pub async fn examine(patient: &Patient<'_>) -> Vec<Finding> {
    let mut findings: Vec<Finding> = switched_off(patient.integration).into_iter().collect();
    let (ours, theirs) = tokio::join!(servicenow::examine(patient), bigpanda::examine(patient));
    findings.extend(ours);
    findings.extend(theirs);
    findings
}

fn switched_off(integration: &Integration) -> Option<Finding> {
    (!integration.settings.active).then(|| {
        Finding::warn(
            "incidents.active",
            "incidents are switched off: every share is answered 503, and no ticket is made",
            "take `incidents.active = false` out of the configuration, unless it is meant",
        )
    })
}

/// A call that failed, as a finding.
fn failed(code: &'static str, what: &str, outcome: &Outcome) -> Finding {
    let Some(Failure { summary, detail, hint, .. }) = failure(outcome) else {
        return Finding::ok(code, what);
    };
    let detail = detail.as_ref().map(|detail| format!(" ({detail})")).unwrap_or_default();
    let remedy = hint.clone().unwrap_or_else(|| "check address, network and the rights of the user".to_owned());
    Finding::fail(code, format!("{what}: {summary}{detail}"), remedy)
}

fn failure(outcome: &Outcome) -> Option<&Failure> {
    match outcome {
        Outcome::Applied(_) => None,
        Outcome::NotApplied(failure)
        | Outcome::Unknown(failure)
        | Outcome::Refused(failure)
        | Outcome::Missing(failure)
        | Outcome::Paused { failure, .. }
        | Outcome::Auth(failure) => Some(failure),
    }
}

/// Compares a side's clock with ours. The header counts whole seconds.
fn skew(code: &'static str, side: &str, theirs: Option<Timestamp>, ours: Timestamp) -> Option<Finding> {
    let seconds = theirs?.seconds().saturating_sub(ours.seconds());
    let apart = format!("{side}'s clock and this machine's are {} s apart", seconds.abs());
    let remedy = "let this machine's clock be set by NTP";
    Some(match seconds.abs() {
        0..=5 => Finding::ok(code, format!("{side}'s clock agrees with this machine's")),
        6..=300 => Finding::warn(code, apart, remedy),
        _ => Finding::fail(code, apart, remedy),
    })
}
