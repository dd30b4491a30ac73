//! What a component says of itself, checked. About imports and exports only its type is believed.

use serde_json::Value;

pub(super) use tandem_plugin_build::metadata::{GRANTS, Metadata, PHASES, SECTION};

use super::error::LoadError;
use super::schema;

/// The format that this host reads.
const FORMAT: u32 = 1;
/// Largest section, in bytes.
const LARGEST: usize = 64 << 10;
/// Longest text of a plugin's own that lists show, in characters.
const LONGEST_TEXT: usize = 500;

/// Reads the section.
pub(super) fn parse(bytes: &[u8]) -> Result<Metadata, LoadError> {
    let wrong = |what: String| LoadError::Metadata(what);
    if bytes.len() > LARGEST {
        return Err(wrong(format!("it is larger than {} KiB", LARGEST >> 10)));
    }
    let metadata: Metadata = serde_json::from_slice(bytes).map_err(|error| wrong(error.to_string()))?;
    if metadata.format != FORMAT {
        return Err(wrong(format!("its format is {}, and this Tandem reads {FORMAT}", metadata.format)));
    }
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if !(1..=63).contains(&metadata.id.len())
        || !metadata.id.chars().all(plain)
        || metadata.id.starts_with('-')
        || metadata.id.ends_with('-')
    {
        return Err(wrong(format!("`{}` is no id", metadata.id.escape_debug())));
    }
    for text in [&metadata.version, &metadata.description] {
        if text.chars().count() > LONGEST_TEXT || text.chars().any(char::is_control) {
            return Err(wrong("its version or description is too long or not printable".into()));
        }
    }
    if let Some(grant) = metadata.grants.iter().find(|grant| !GRANTS.contains(&grant.as_str())) {
        return Err(wrong(format!("there is no grant `{}`", grant.escape_debug())));
    }
    if !PHASES.contains(&metadata.phase.as_str()) {
        return Err(wrong(format!("there is no phase `{}`", metadata.phase.escape_debug())));
    }
    if let Some(config) = &metadata.config {
        schema::check_schema(config).map_err(|why| wrong(format!("the schema of its settings: {why}")))?;
    }
    Ok(metadata)
}

/// Names of the settings that a plugin reads, when it says so.
pub(super) fn setting_names(metadata: &Metadata) -> Option<Vec<&str>> {
    let properties = metadata.config.as_ref()?.get("properties").and_then(Value::as_object)?;
    Some(properties.keys().map(String::as_str).collect())
}
