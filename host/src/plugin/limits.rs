//! What a plugin gets of what the operator allows.
//!
//! A plugin's metadata may ask for less than `[plugins.limits]`, never for more. Stack, handles and what is checked
//! before the metadata is read are the same for all plugins.

use std::time::Duration;

use serde_json::{Map, Value};

pub use crate::config::PluginLimits as Limits;

impl Limits {
    /// What a plugin gets: what is allowed, lowered by what it asks for.
    ///
    /// # Errors
    /// A sentence when it asks for something that isn't there or in a way that can't be read.
    pub fn lowered(&self, asked: &Map<String, Value>) -> Result<Self, String> {
        let mut limits = self.clone();
        for (name, value) in asked {
            let number = quantity(value).ok_or_else(|| {
                format!("it asks for `{name} = {value}`; write a number, or a text such as \"16 MiB\" or \"20 ms\"")
            })?;
            let size = |allowed: usize| allowed.min(usize::try_from(number).unwrap_or(usize::MAX));
            let count = |allowed: u32| allowed.min(u32::try_from(number).unwrap_or(u32::MAX));
            match name.as_str() {
                "memory" => limits.memory = size(limits.memory),
                "deadline" => limits.deadline = limits.deadline.min(Duration::from_millis(number)),
                "output" => limits.output = size(limits.output),
                "operations" => limits.operations = size(limits.operations),
                "note_characters" => limits.note_characters = size(limits.note_characters),
                "host_calls" => limits.host_calls = count(limits.host_calls),
                "host_call_bytes" => limits.host_call_bytes = size(limits.host_call_bytes),
                "log_lines" => limits.log_lines = count(limits.log_lines),
                "log_bytes" => limits.log_bytes = size(limits.log_bytes),
                _ => return Err(format!("it asks for a limit `{name}`, which it can't; it can ask for {ASKABLE}")),
            }
        }
        Ok(limits)
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
    use crate::config::{Inputs, load};

    fn allowed() -> Limits {
        let inputs = Inputs { directory: "/nowhere".into(), ..Inputs::default() };
        load(&inputs).unwrap().config.plugins.limits
    }

    fn asked(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn a_plugin_gets_less_if_it_asks_for_less_and_never_more() {
        let allowed = allowed();
        let limits = allowed
            .lowered(&asked(json!({ "memory": "1024 MiB", "deadline": "20 ms", "operations": 9999, "log_lines": 3 })))
            .unwrap();
        assert_eq!(limits, Limits { deadline: Duration::from_millis(20), log_lines: 3, ..allowed.clone() });
        assert_eq!(allowed.lowered(&Map::new()).unwrap(), allowed);
    }

    #[test]
    fn an_unknown_or_unreadable_limit_is_named() {
        let refused = |value| allowed().lowered(&asked(value)).unwrap_err();
        assert!(refused(json!({ "memory": "lots" })).contains("`memory = \"lots\"`"));
        assert!(refused(json!({ "stack": 5 })).contains("`stack`"));
    }
}
