//! Carrying settings from one host to another: what is said, without secrets and without what belongs to one place.
//!
//! Private are secrets, addresses, accounts, paths and sockets: what differs between a trial and production, or must
//! not travel in a file. They are neither exported nor taken from an import.

use serde_json::Value as Json;
use toml::{Table, Value};

use super::mask::is_secret;
use super::show::{Resolved, Shown};

/// Keys that belong to one place, by their ends; `*` stands for one part.
const PRIVATE: &[&str] = &[
    "server.*",
    "store.*",
    "plugins.directory",
    "plugins.cache",
    "telemetry.endpoint",
    "bigpanda.api_url",
    "bigpanda.change_api_url",
    "bigpanda.console_url",
    "bigpanda.environment_id",
    "servicenow.url",
    "servicenow.username",
    "servicenow.pinned_hosts",
    "servicenow.auth",
    "oauth.*",
    "webhook.*",
    "notify.*",
    "incidents.active",
    "incidents.retrieval_endpoint",
    "incidents.callback_endpoint",
];

/// Whether a setting stays where it is.
pub fn is_private(key: &str) -> bool {
    let parts: Vec<&str> = key.split('.').collect();
    let matches = |pattern: &str| {
        let wanted: Vec<&str> = pattern.split('.').collect();
        parts
            .windows(wanted.len())
            .any(|window| window.iter().zip(&wanted).all(|(part, wanted)| *wanted == "*" || part == wanted))
    };
    PRIVATE.iter().any(|pattern| matches(pattern)) || parts.iter().any(|part| is_secret(part))
}

/// What somebody said, as a file.
pub fn export(resolved: &Resolved) -> String {
    let said: Vec<&Shown> = resolved.settings().iter().filter(|shown| !shown.is_default()).collect();
    let mut file = Table::new();
    for shown in &said {
        // What [defaults] says holds for each integration and is exported once.
        let inherited = defaults_key(&shown.key)
            .is_some_and(|key| said.iter().any(|other| other.key == key && other.origin == shown.origin));
        if is_private(&shown.key) || inherited {
            continue;
        }
        if let Some(value) = to_toml(&shown.value) {
            put(&mut file, &shown.key.split('.').collect::<Vec<_>>(), value);
        }
    }
    toml::to_string(&file).unwrap_or_default()
}

/// `integration.acme.retry.attempts` → `defaults.retry.attempts`.
fn defaults_key(key: &str) -> Option<String> {
    let (_, rest) = key.strip_prefix("integration.")?.split_once('.')?;
    Some(format!("defaults.{rest}"))
}

fn put(table: &mut Table, path: &[&str], value: Value) {
    match path {
        [] => {}
        [key] => {
            table.insert((*key).to_owned(), value);
        }
        [first, rest @ ..] => {
            let inner = table.entry((*first).to_owned()).or_insert_with(|| Value::Table(Table::new()));
            if let Value::Table(inner) = inner {
                put(inner, rest, value);
            }
        }
    }
}

fn to_toml(json: &Json) -> Option<Value> {
    Value::try_from(json).ok()
}

/// The same file without what is private, and the keys that were left out.
pub fn without_private(text: &str) -> Result<(String, Vec<String>), String> {
    let mut file: Table = text.parse().map_err(|error: toml::de::Error| error.message().to_owned())?;
    let mut dropped = Vec::new();
    strip(&mut file, "", &mut dropped);
    Ok((toml::to_string(&file).map_err(|error| error.to_string())?, dropped))
}

fn strip(table: &mut Table, path: &str, dropped: &mut Vec<String>) {
    let keys: Vec<String> = table.keys().cloned().collect();
    for key in keys {
        let dotted = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        if is_private(&dotted) {
            table.remove(&key);
            dropped.push(dotted);
        } else if let Some(Value::Table(inner)) = table.get_mut(&key) {
            strip(inner, &dotted, dropped);
            if inner.is_empty() {
                table.remove(&key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_secret_or_belongs_to_one_place_is_private() {
        for key in [
            "server.listen",
            "integration.acme.bigpanda.api_key",
            "integration.acme.servicenow.oauth.client_id",
            "integration.acme.webhook.header",
            "defaults.servicenow.password",
            "plugins.config.mine.api_token",
        ] {
            assert!(is_private(key), "{key}");
        }
        for key in ["log.level", "integration.acme.incidents.update_fields", "integration.acme.retry.attempts"] {
            assert!(!is_private(key), "{key}");
        }
    }

    #[test]
    fn an_import_leaves_private_keys_out_wherever_they_stand() {
        let text =
            "[integration.acme]\nservicenow = { url = \"https://x\", concurrency = 3 }\n[server]\nlisten = \"x\"\n";
        let (kept, dropped) = without_private(text).unwrap();
        assert_eq!(kept, "[integration.acme.servicenow]\nconcurrency = 3\n");
        assert_eq!(dropped, ["integration.acme.servicenow.url", "server.listen"]);
    }
}
