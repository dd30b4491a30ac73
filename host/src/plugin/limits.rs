//! All that a plugin may use up, in one struct.
//!
//! A plugin's metadata may ask for other values than the defaults; the operator's ceiling caps what it gets. Stack
//! and handles belong to the engine and are the same for all plugins.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use crate::config::PluginLimits;

/// Sizes in bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Linear memory of an instance.
    pub memory: usize,
    /// Call stack of a guest.
    pub stack: usize,
    /// Processor time of one hook; on the wall it may last ten times as long, for a machine that is busy elsewhere.
    #[serde(serialize_with = "milliseconds", deserialize_with = "from_milliseconds")]
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

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory: 32 << 20,
            stack: 512 << 10,
            deadline: Duration::from_millis(50),
            output: 256 << 10,
            operations: 500,
            note_characters: 4_000,
            host_calls: 10_000,
            host_call_bytes: 1 << 20,
            log_lines: 200,
            log_bytes: 16 << 10,
            handles: 1_000,
            artefact: 8 << 20,
            functions: 20_000,
            function_bytes: 128 << 10,
        }
    }
}

fn milliseconds<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&format!("{} ms", duration.as_millis()))
}

/// The operator's ceiling. What the configuration doesn't name stays at its default.
impl From<&PluginLimits> for Limits {
    fn from(config: &PluginLimits) -> Self {
        Self {
            memory: config.memory,
            stack: config.stack,
            deadline: config.deadline,
            output: config.output,
            operations: config.operations,
            note_characters: config.note_characters,
            host_calls: config.host_calls,
            host_call_bytes: config.host_call_bytes,
            log_lines: config.log_lines,
            log_bytes: config.log_bytes,
            handles: config.handles,
            artefact: config.artefact,
            ..Self::default()
        }
    }
}

fn from_milliseconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let value = Value::deserialize(deserializer)?;
    let number = quantity(&value).ok_or_else(|| serde::de::Error::custom("expected a time such as \"50 ms\""))?;
    Ok(Duration::from_millis(number))
}

impl Limits {
    /// What a plugin gets: the defaults, changed by what it asks for, capped by the ceiling.
    ///
    /// # Errors
    /// A sentence when it asks for something that isn't there or in a way that can't be read.
    pub fn effective(asked: &Map<String, Value>, ceiling: &Self) -> Result<Self, String> {
        let mut limits = Self::default();
        for (name, value) in asked {
            let number = quantity(value).ok_or_else(|| {
                format!("it asks for `{name} = {value}`; write a number, or a text such as \"16 MiB\" or \"20 ms\"")
            })?;
            let size = usize::try_from(number).unwrap_or(usize::MAX);
            let count = u32::try_from(number).unwrap_or(u32::MAX);
            match name.as_str() {
                "memory" => limits.memory = size,
                "deadline" => limits.deadline = Duration::from_millis(number),
                "output" => limits.output = size,
                "operations" => limits.operations = size,
                "note_characters" => limits.note_characters = size,
                "host_calls" => limits.host_calls = count,
                "host_call_bytes" => limits.host_call_bytes = size,
                "log_lines" => limits.log_lines = count,
                "log_bytes" => limits.log_bytes = size,
                _ => return Err(format!("it asks for a limit `{name}`, which it can't; it can ask for {ASKABLE}")),
            }
        }
        Ok(limits.capped(ceiling))
    }

    fn capped(&self, ceiling: &Self) -> Self {
        Self {
            memory: self.memory.min(ceiling.memory),
            stack: ceiling.stack,
            deadline: self.deadline.min(ceiling.deadline),
            output: self.output.min(ceiling.output),
            operations: self.operations.min(ceiling.operations),
            note_characters: self.note_characters.min(ceiling.note_characters),
            host_calls: self.host_calls.min(ceiling.host_calls),
            host_call_bytes: self.host_call_bytes.min(ceiling.host_call_bytes),
            log_lines: self.log_lines.min(ceiling.log_lines),
            log_bytes: self.log_bytes.min(ceiling.log_bytes),
            handles: ceiling.handles,
            artefact: ceiling.artefact,
            functions: ceiling.functions,
            function_bytes: ceiling.function_bytes,
        }
    }
}

const ASKABLE: &str =
    "memory, deadline, output, operations, note_characters, host_calls, host_call_bytes, log_lines and log_bytes";

/// A plain number, or one with a unit: bytes for sizes, milliseconds for times.
fn quantity(value: &Value) -> Option<u64> {
    let Value::String(text) = value else { return value.as_u64() };
    let digits = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let number: u64 = text.get(..text.len() - digits.len())?.parse().ok()?;
    let factor = match digits.trim() {
        "" | "B" | "ms" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "s" => 1_000,
        _ => return None,
    };
    number.checked_mul(factor)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    fn asked(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn a_plugin_gets_what_it_asks_for_up_to_the_ceiling() {
        let ceiling = Limits { memory: 64 << 20, ..Limits::default() };
        let limits =
            Limits::effective(&asked(json!({ "memory": "48 MiB", "deadline": "20 ms", "operations": 9999 })), &ceiling)
                .unwrap();
        assert_eq!(limits.memory, 48 << 20);
        assert_eq!(limits.deadline, Duration::from_millis(20));
        assert_eq!(limits.operations, 500);
        let limits = Limits::effective(&asked(json!({ "memory": "1024 MiB" })), &ceiling).unwrap();
        assert_eq!(limits.memory, 64 << 20);
    }

    #[test]
    fn raising_the_ceiling_raises_nobody_by_itself() {
        let ceiling = Limits { memory: 64 << 20, ..Limits::default() };
        assert_eq!(Limits::effective(&Map::new(), &ceiling).unwrap(), Limits::default());
    }

    #[test]
    fn an_unknown_or_unreadable_limit_is_named() {
        let refused = |value| Limits::effective(&asked(value), &Limits::default()).unwrap_err();
        assert!(refused(json!({ "memory": "lots" })).contains("`memory = \"lots\"`"));
        assert!(refused(json!({ "stack": 5 })).contains("`stack`"));
    }
}
