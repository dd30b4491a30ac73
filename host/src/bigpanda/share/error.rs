//! Why a delivery can't be a share, with the place in the body and the remedy. `web` answers it with 400.

use crate::domain::fault::{Class, Fault};
use crate::domain::id::InvalidId;

/// Why a delivery can't be a share.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    #[error("the body is empty")]
    Empty,
    #[error("the body is not UTF-8 from byte {offset} on")]
    Encoding { offset: usize },
    #[error("the body is not valid JSON (line {line}, column {column})")]
    Json {
        line: usize,
        column: usize,
        #[source]
        cause: serde_json::Error,
    },
    #[error("`{path}` is {kind}, but {expected} was expected")]
    Kind { path: String, kind: &'static str, expected: &'static str },
    #[error("the body names no incident: `{path}` is missing")]
    NoId { path: String },
    #[error("the alert at `{path}` has no id")]
    NoAlertId { path: String },
    #[error("`{path}` still holds a template variable")]
    Unfilled { path: String },
    #[error("`{path}` is not usable as an id")]
    Id {
        path: String,
        #[source]
        cause: InvalidId,
    },
    #[error("the header `{name}` is not text")]
    Header { name: String },
}

impl Unusable {
    pub(super) fn json(cause: serde_json::Error) -> Self {
        Self::Json { line: cause.line(), column: cause.column(), cause }
    }
}

impl Fault for Unusable {
    fn class(&self) -> Class {
        Class::Input
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Empty => "share.empty",
            Self::Encoding { .. } => "share.encoding",
            Self::Json { .. } => "share.json",
            Self::Kind { .. } => "share.kind",
            Self::NoId { .. } | Self::NoAlertId { .. } | Self::Unfilled { .. } | Self::Id { .. } => "share.id",
            Self::Header { .. } => "share.header",
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Empty => "send the incident as a JSON object in the body",
            Self::Encoding { .. } => "send the body as UTF-8",
            Self::Json { .. } => {
                "check the body of the webhook; a variable that was inserted without quotes is the usual cause"
            }
            Self::Kind { path, .. } if path.ends_with(".alerts") => {
                "send the alerts as a list of objects, or leave the key out: then Tandem fetches the incident"
            }
            Self::Kind { .. } => "send the incident as BigPanda's notifications webhook or its REST API writes it",
            Self::NoId { .. } => {
                "put the incident's id under `id` or `incident_id`, or under `incident.id` of an envelope; in a \
                 composed body that is `{{incident.id}}`"
            }
            Self::NoAlertId { .. } => "send each alert with its id under `id` or `alert_id`",
            Self::Unfilled { .. } => {
                "the variable was not replaced; check its name in the webhook's body (for the id it is \
                 `{{incident.id}}`)"
            }
            Self::Id { .. } => "send the id as BigPanda gives it",
            Self::Header { .. } => "send the values of `x-bp-…` headers as UTF-8 text",
        };
        Some(hint.to_owned())
    }
}
