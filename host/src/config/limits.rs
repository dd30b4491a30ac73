//! `[plugins.limits]`: all that a plugin may use up, in one struct.
//!
//! The plugin host takes it as it is; a plugin's metadata may lower it for that plugin (`plugin::limits`).

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::read::Section;
use super::units;

/// Sizes in bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginLimits {
    /// Linear memory of an instance.
    pub memory: usize,
    /// Call stack of a guest.
    pub stack: usize,
    /// Processor time of one hook; on the wall it may last ten times as long, for a machine that is busy elsewhere.
    #[serde(serialize_with = "as_text", deserialize_with = "from_text")]
    pub deadline: Duration,
    /// All texts of one answer together.
    pub output: usize,
    /// Operations of one patch.
    pub operations: usize,
    /// Characters of one note.
    pub note_characters: usize,
    /// Calls of the host by one instance.
    pub host_calls: u32,
    /// What one call may hand to the host.
    pub host_call_bytes: usize,
    pub log_lines: u32,
    pub log_bytes: usize,
    /// Elements of a table.
    pub handles: usize,
    /// Size of the component's file.
    pub artefact: usize,
    /// Functions of all modules of a component together.
    pub functions: u32,
    /// Bytes of one function's code.
    pub function_bytes: usize,
}

fn as_text<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&units::show_duration(*duration))
}

fn from_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    units::duration(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
}

impl PluginLimits {
    pub(super) fn read(section: Section<'_>) -> Self {
        let size = |key, most| section.size(key, 1..=most) as usize;
        let limits = Self {
            memory: section.size("memory", 64 << 10..=4 << 30) as usize,
            stack: section.size("stack", 64 << 10..=8 << 20) as usize,
            deadline: section.duration("deadline", Duration::from_millis(5)..=Duration::from_mins(1)),
            output: size("output", 16 << 20),
            operations: section.count("operations", 1..=100_000) as usize,
            note_characters: section.count("note_characters", 1..=1_000_000) as usize,
            host_calls: section.count("host_calls", 1..=100_000_000),
            host_call_bytes: size("host_call_bytes", 64 << 20),
            log_lines: section.count("log_lines", 0..=1_000_000),
            log_bytes: section.size("log_bytes", 0..=64 << 20) as usize,
            handles: section.count("handles", 1..=1_000_000) as usize,
            artefact: size("artefact", 256 << 20),
            functions: section.count("functions", 1..=1_000_000),
            function_bytes: size("function_bytes", 8 << 20),
        };
        section.finish();
        limits
    }
}
