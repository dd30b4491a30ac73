//! What a plugin says of itself: `plugin.toml` as the author writes it, and the section of the component that it
//! becomes. The host reads the section; about imports and exports it believes only the component's type.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::Error;

/// Name of the component's custom section. Its content is [`Metadata`] as JSON.
pub const SECTION: &str = "tandem:plugin";

/// Imports that an operator grants; the other ones are always there.
pub const GRANTS: [&str; 4] = ["log", "clock", "random", "raw-share"];

/// Phases of a chain in their order.
pub const PHASES: [&str; 6] = ["normalize", "enrich", "map", "logic", "finalize", "guard"];

/// Priority of a plugin that names none.
const USUAL_PRIORITY: u32 = 100;

/// What a plugin says of itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Metadata {
    /// 1 at present.
    pub format: u32,
    /// Lower-case letters, digits and inner hyphens.
    pub id: String,
    /// The plugin's own version.
    pub version: String,
    /// Version of the SDK that it was built with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sdk: Option<String>,
    /// One sentence for people.
    #[serde(default)]
    pub description: String,
    /// Imports that it wants.
    #[serde(default)]
    pub grants: Vec<String>,
    /// Its phase in the chain.
    pub phase: String,
    /// Its priority inside the phase; lower runs first, 100 is usual.
    pub priority: u32,
    /// Limits that it asks for, by the names of the host's `[plugins.limits]`.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub limits: Map<String, Value>,
    /// JSON Schema of its settings, when it says what it reads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<Value>,
}

/// `plugin.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Manifest {
    pub(crate) id: String,
    version: Option<String>,
    description: Option<String>,
    #[serde(default)]
    grants: Vec<String>,
    phase: Option<String>,
    priority: Option<u32>,
    #[serde(default)]
    limits: Map<String, Value>,
    /// Setting to JSON Schema.
    config: Option<Map<String, Value>>,
}

impl Manifest {
    pub(crate) fn read(path: &Path) -> Result<Self, Error> {
        let text = std::fs::read_to_string(path).map_err(|source| Error::Read { path: path.to_owned(), source })?;
        Self::parse(&text).map_err(|message| Error::Manifest { path: path.to_owned(), message })
    }

    fn parse(text: &str) -> Result<Self, String> {
        let manifest: Self = toml::from_str(text).map_err(|error| error.to_string().trim_end().to_owned())?;
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let id = &manifest.id;
        if !(1..=63).contains(&id.len()) || !id.chars().all(plain) || id.starts_with('-') || id.ends_with('-') {
            return Err(format!("`{id}` is no id: use 1 to 63 lower-case letters, digits and inner hyphens"));
        }
        if let Some(unknown) = manifest.grants.iter().find(|grant| !GRANTS.contains(&grant.as_str())) {
            return Err(format!("there is no grant `{unknown}`; there are {}", GRANTS.join(", ")));
        }
        if let Some(phase) = &manifest.phase
            && !PHASES.contains(&phase.as_str())
        {
            return Err(format!("there is no phase `{phase}`; there are {}", PHASES.join(", ")));
        }
        Ok(manifest)
    }

    /// The section; what `plugin.toml` leaves out comes from `Cargo.toml`.
    pub(crate) fn metadata(&self, version: &str, description: Option<&str>, sdk: Option<String>) -> Metadata {
        Metadata {
            format: 1,
            id: self.id.clone(),
            version: self.version.clone().unwrap_or_else(|| version.to_owned()),
            sdk,
            description: self.description.as_deref().or(description).unwrap_or_default().to_owned(),
            grants: self.grants.clone(),
            phase: self.phase.clone().unwrap_or_else(|| "map".into()),
            priority: self.priority.unwrap_or(USUAL_PRIORITY),
            limits: self.limits.clone(),
            config: self
                .config
                .as_ref()
                .map(|properties| json!({ "type": "object", "properties": properties, "additionalProperties": false })),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_plugin_toml_leaves_out_comes_from_cargo_toml() {
        let manifest = Manifest::parse("id = \"mine\"\n[config.max]\ntype = \"integer\"").unwrap();
        let metadata = manifest.metadata("1.2.3", Some("Says things."), Some("0.1.0".into()));
        insta::assert_snapshot!(serde_json::to_string_pretty(&metadata).unwrap(), @r#"
        {
          "format": 1,
          "id": "mine",
          "version": "1.2.3",
          "sdk": "0.1.0",
          "description": "Says things.",
          "grants": [],
          "phase": "map",
          "priority": 100,
          "config": {
            "additionalProperties": false,
            "properties": {
              "max": {
                "type": "integer"
              }
            },
            "type": "object"
          }
        }
        "#);
    }

    #[test]
    fn a_wrong_plugin_toml_says_what_is_wrong() {
        let refused = |text: &str| Manifest::parse(text).unwrap_err();
        assert_eq!(
            refused("id = \"My Plugin\""),
            "`My Plugin` is no id: use 1 to 63 lower-case letters, digits and inner hyphens"
        );
        assert_eq!(
            refused("id = \"a\"\ngrants = [\"files\"]"),
            "there is no grant `files`; there are log, clock, random, raw-share"
        );
        assert_eq!(
            refused("id = \"a\"\nphase = \"last\""),
            "there is no phase `last`; there are normalize, enrich, map, logic, finalize, guard"
        );
        assert!(refused("id = \"a\"\ngrant = []").contains("unknown field `grant`"));
    }
}
