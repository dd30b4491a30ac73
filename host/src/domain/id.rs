//! Typed ids. An id that exists has been parsed; an empty or oversized one cannot be built.
//!
//! The text inside is opaque to us: both vendors document their formats loosely, so only emptiness, length and
//! control characters are refused.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Longest id that we accept, in bytes. Both vendors stay far below it.
pub const MAX_ID_BYTES: usize = 200;

/// Why a text is not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidId {
    #[error("the {0} is empty")]
    Empty(&'static str),
    #[error("the {0} is longer than {MAX_ID_BYTES} bytes")]
    TooLong(&'static str),
    #[error("the {0} contains a control character")]
    Control(&'static str),
}

fn parse(text: &str, what: &'static str) -> Result<String, InvalidId> {
    if text.is_empty() {
        return Err(InvalidId::Empty(what));
    }
    if text.len() > MAX_ID_BYTES {
        return Err(InvalidId::TooLong(what));
    }
    if text.chars().any(char::is_control) {
        return Err(InvalidId::Control(what));
    }
    Ok(text.to_owned())
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Parses the id; fails on an empty, oversized or unprintable text.
            pub fn new(text: &str) -> Result<Self, InvalidId> {
                parse(text, $what).map(Self)
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(text: String) -> Result<Self, InvalidId> {
                Self::new(&text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }
    };
}

text_id!(
    /// A BigPanda incident (24 hexadecimal digits in every example seen).
    IncidentId, "incident id"
);
text_id!(
    /// A BigPanda alert inside an incident.
    AlertId, "alert id"
);
text_id!(
    /// The BigPanda environment through which an incident was shared; every write-back needs it in the path.
    EnvironmentId, "environment id"
);
text_id!(
    /// The `sys_id` of a ServiceNow record (32 hexadecimal digits).
    SysId, "sys_id"
);
text_id!(
    /// A plugin's id as its metadata states it, such as `short-description`.
    PluginId, "plugin id"
);
text_id!(
    /// Identifies one sealed request for ever: every attempt of it carries the same key.
    RequestKey, "request key"
);

/// The name of a configured integration. It is a path segment of the webhook, so it keeps to
/// lower-case letters, digits and inner hyphens, 1 to 63 characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct IntegrationName(String);

/// Why a text cannot name an integration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` cannot name an integration: use 1 to 63 lower-case letters, digits and inner hyphens")]
pub struct InvalidIntegrationName(pub String);

impl IntegrationName {
    pub fn new(text: &str) -> Result<Self, InvalidIntegrationName> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let valid =
            (1..=63).contains(&text.len()) && text.chars().all(plain) && !text.starts_with('-') && !text.ends_with('-');
        if valid { Ok(Self(text.to_owned())) } else { Err(InvalidIntegrationName(text.to_owned())) }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for IntegrationName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for IntegrationName {
    type Error = InvalidIntegrationName;
    fn try_from(text: String) -> Result<Self, InvalidIntegrationName> {
        Self::new(&text)
    }
}

impl From<IntegrationName> for String {
    fn from(name: IntegrationName) -> String {
        name.0
    }
}

macro_rules! row_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

row_id!(
    /// An accepted event, in order of acceptance.
    EventId
);
row_id!(
    /// A link between an incident and a ticket.
    LinkId
);
row_id!(
    /// A sealed request in the outbox, in order of sealing.
    RequestId
);

/// The number of a claim. Each claim of a row raises it; a completion that carries an older one changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fence(pub i64);

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_empty_or_unprintable_id_cannot_be_built() {
        assert_eq!(IncidentId::new(""), Err(InvalidId::Empty("incident id")));
        assert_eq!(SysId::new("a\nb"), Err(InvalidId::Control("sys_id")));
        assert_eq!(AlertId::new(&"x".repeat(201)), Err(InvalidId::TooLong("alert id")));
    }

    #[test]
    fn an_integration_name_is_a_safe_path_segment() {
        for bad in ["", "-a", "a-", "A", "a/b", "a b", &"a".repeat(64)] {
            assert!(IntegrationName::new(bad).is_err(), "{bad:?}");
        }
        assert_eq!(IntegrationName::new("acme-prod-2").unwrap().as_str(), "acme-prod-2");
    }
}
