//! The small sections of an integration: `webhook`, `retry`, `follow_ups`, `notify` and `sync`.

use std::time::Duration;

use super::incidents::email;
use super::read::Section;
use crate::domain::secret::Secret;

/// What a share has to present.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// The valid token first, then the one before it.
    pub tokens: Vec<Secret<String>>,
    /// Header that may carry the token by itself. Lower case.
    pub header: String,
}

/// A shorter token can be guessed.
const SHORTEST_TOKEN: usize = 16;

impl Webhook {
    pub(super) fn read(section: Section<'_>, required: bool) -> Self {
        let tokens = [section.secret("token"), section.secret("previous_token")];
        if required && tokens.first().is_none_or(Option::is_none) {
            section.require("token", "{ env = \"TANDEM_WEBHOOK_TOKEN\" }");
        }
        for (key, token) in ["token", "previous_token"].into_iter().zip(&tokens) {
            if token.as_ref().is_some_and(|token| token.expose().len() < SHORTEST_TOKEN) {
                section.warn(
                    key,
                    "is short enough to be guessed",
                    "use at least 16 random characters; `tandem init` makes one",
                );
            }
        }
        let header = section.parsed("header", "write the name of an HTTP header", |text| {
            let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
            if text.is_empty() || !text.chars().all(plain) {
                return Err("is not the name of a header".to_owned());
            }
            Ok(text.to_ascii_lowercase())
        });
        section.finish();
        Self { tokens: tokens.into_iter().flatten().collect(), header: header.unwrap_or_default() }
    }
}

/// When a failed request is tried again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retry {
    /// In all; at least 1.
    pub attempts: u32,
    pub spacing: Duration,
    pub within_attempt: Vec<Duration>,
    /// Retry only what the original integration retries.
    pub documented_only: bool,
    pub lease: Duration,
    pub crash_limit: u32,
    /// Failures in a row after which a side is left alone; 0 = never.
    pub breaker_failures: u32,
    pub breaker_pause: Duration,
}

impl Retry {
    pub(super) fn read(section: Section<'_>) -> Self {
        let second = Duration::from_secs(1);
        let retry = Self {
            attempts: section.count("attempts", 1..=100),
            spacing: section.duration("spacing", Duration::from_millis(1)..=Duration::from_hours(24)),
            within_attempt: section.durations("within_attempt", &(Duration::from_millis(1)..=Duration::from_mins(1))),
            documented_only: section.switch("documented_only"),
            lease: section.duration("lease", second..=Duration::from_hours(1)),
            crash_limit: section.count("crash_limit", 1..=100),
            breaker_failures: section.count("breaker_failures", 0..=1_000),
            breaker_pause: section.duration("breaker_pause", second..=Duration::from_hours(1)),
        };
        if retry.within_attempt.len() > 5 {
            section.refuse("within_attempt", "has more than five retries", "leave longer waits to `spacing`");
        }
        section.finish();
        retry
    }
}

/// What goes back to BigPanda after a share was handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FollowUps {
    pub callback: bool,
    pub tag: bool,
    pub comment: bool,
}

impl FollowUps {
    pub(super) fn read(section: Section<'_>) -> Self {
        let follow_ups = Self {
            callback: section.switch("callback"),
            tag: section.switch("tag"),
            comment: section.switch("comment"),
        };
        section.finish();
        follow_ups
    }
}

/// Whom to tell when a person has to act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notify {
    /// Slack-compatible; the address is itself the credential.
    pub webhook_url: Option<Secret<String>>,
    pub email_to: Vec<String>,
}

impl Notify {
    pub(super) fn read(section: Section<'_>) -> Self {
        let notify = Self { webhook_url: section.secret("webhook_url"), email_to: section.list("email_to") };
        if let Some(bad) = notify.email_to.iter().find(|address| email(address).is_err()) {
            section.refuse(
                "email_to",
                &format!("holds `{bad}`, which is not an e-mail address"),
                "write addresses such as \"ops@acme.example\"",
            );
        }
        if notify.webhook_url.as_ref().is_some_and(|url| url::Url::parse(url.expose()).is_err()) {
            section.refuse("webhook_url", "is not an address", "write the whole address that the chat gave you");
        }
        section.finish();
        notify
    }
}

const QUERY: &str = "write conditions joined by ^, such as correlation_idSTARTSWITHbigpanda:";

/// Conditions only: the order and the time are the poller's, and an empty query would find every ticket.
fn query(text: &str) -> Result<String, String> {
    if text.is_empty() || text.contains(['\n', '\r']) {
        return Err("has to be a query on one line".to_owned());
    }
    if text.contains("ORDERBY") || text.contains("^NQ") || text.contains("javascript:") {
        return Err("may hold conditions only, no ORDERBY, ^NQ or script".to_owned());
    }
    Ok(text.to_owned())
}

/// How changes are looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Polling {
    pub interval: Duration,
    pub overlap: Duration,
    /// Whether incidents are looked at.
    pub bigpanda: bool,
    /// Whether tickets are looked at.
    pub servicenow: bool,
    /// Whether an incident that only a look has found gets a ticket.
    pub creates: bool,
    /// Encoded query that finds the tickets of ours.
    pub servicenow_query: String,
}

impl Polling {
    pub(super) fn read(section: Section<'_>) -> Self {
        let polling = Self {
            interval: section.duration("interval", Duration::from_secs(1)..=Duration::from_hours(1)),
            overlap: section.duration("overlap", Duration::ZERO..=Duration::from_hours(24)),
            bigpanda: section.switch("bigpanda"),
            servicenow: section.switch("servicenow"),
            creates: section.switch("creates"),
            servicenow_query: section.parsed("servicenow_query", QUERY, query).unwrap_or_default(),
        };
        section.finish();
        polling
    }
}
