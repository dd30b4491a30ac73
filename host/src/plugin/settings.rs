//! The settings that one plugin sees: the integration's, filtered to what the plugin says it reads, and what the
//! operator wrote for this plugin on top. Checked against the plugin's schema, packed, and kept.

use std::sync::Arc;

use arc_swap::ArcSwap;
use serde_json::{Map, Value};

use super::fault::{Complaint, Fault, FaultKind};
use super::metadata::{Metadata, setting_names};
use super::pack::tree;
use super::schema;
use super::wire::Packed;

/// How many different settings are kept packed: one for each integration, and a few for shares with headers.
const KEPT: usize = 32;

/// Settings as the shell hands them over, and what became of them.
type Entry = (Arc<str>, Packed);

/// The settings of one plugin in one generation.
pub(super) struct PluginSettings {
    id: String,
    /// What it reads, when it says so.
    names: Option<Vec<String>>,
    schema: Option<Value>,
    /// `[plugins.config.<id>]`.
    own: Map<String, Value>,
    kept: ArcSwap<Vec<Entry>>,
}

impl PluginSettings {
    /// # Errors
    /// A sentence when the operator's own settings for this plugin break its schema.
    pub(super) fn new(metadata: &Metadata, own: Option<&Value>) -> Result<Self, String> {
        let own = own.and_then(Value::as_object).cloned().unwrap_or_default();
        if let Some(config) = &metadata.config {
            // What is required may still come from the integration.
            let mut lenient = config.clone();
            if let Some(rules) = lenient.as_object_mut() {
                rules.remove("required");
            }
            schema::check(&lenient, &Value::Object(own.clone()))?;
        }
        let names = setting_names(metadata).map(|names| names.into_iter().map(str::to_owned).collect());
        let id = metadata.id.clone();
        Ok(Self { id, names, schema: metadata.config.clone(), own, kept: ArcSwap::default() })
    }

    /// The settings for one event, packed.
    pub(super) fn packed(&self, settings: &Arc<str>) -> Result<Packed, Fault> {
        let kept = self.kept.load();
        let same = |entry: &&Entry| Arc::ptr_eq(&entry.0, settings) || entry.0 == *settings;
        if let Some((_, packed)) = kept.iter().find(same) {
            return Ok(packed.clone());
        }
        let packed = self.make(settings)?;
        self.kept.rcu(|kept| {
            let newest = [(settings.clone(), packed.clone())];
            newest.into_iter().chain(kept.iter().take(KEPT - 1).cloned()).collect::<Vec<_>>()
        });
        Ok(packed)
    }

    fn make(&self, settings: &str) -> Result<Packed, Fault> {
        let unreadable =
            |what: String| Fault::from(FaultKind::Host(format!("the settings are no JSON object: {what}")));
        let mut all: Map<String, Value> =
            serde_json::from_str(settings).map_err(|error| unreadable(error.to_string()))?;
        let by_plugin = all.remove("plugins");
        if let Some(names) = &self.names {
            all.retain(|name, _| names.contains(name));
        }
        all.extend(self.own.clone());
        if let Some(Value::Object(own)) = by_plugin.as_ref().and_then(|plugins| plugins.get(&self.id)) {
            all.extend(own.clone());
        }
        let all = Value::Object(all);
        if let Some(schema) = &self.schema {
            schema::check(schema, &all).map_err(|why| Fault::from(FaultKind::Said(Complaint::Config, why)))?;
        }
        Ok(tree::pack(&all))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    fn metadata(config: &Value) -> Metadata {
        serde_json::from_value(json!({
            "format": 1, "id": "mine", "version": "1.0.0", "phase": "map", "priority": 100, "config": config
        }))
        .unwrap()
    }

    fn schema() -> Value {
        json!({ "type": "object", "properties": { "max": { "type": "integer" }, "tag": { "type": "string" } },
                "required": ["tag"], "additionalProperties": false })
    }

    #[test]
    fn a_plugin_sees_what_it_reads_with_its_own_settings_on_top() {
        let settings = PluginSettings::new(&metadata(&schema()), Some(&json!({ "max": 3 }))).unwrap();
        let shell: Arc<str> =
            json!({ "tag": "a", "max": 1, "secret": "x", "plugins": { "mine": { "tag": "b" } } }).to_string().into();
        let packed = settings.packed(&shell).unwrap();
        assert_eq!(packed.arena.as_str(), "maxtagb");
        let again = settings.packed(&Arc::from(shell.as_ref())).unwrap();
        assert!(Arc::ptr_eq(&packed.arena, &again.arena), "equal settings are packed once");
    }

    #[test]
    fn settings_that_break_the_schema_are_the_operators_business() {
        let wrong = PluginSettings::new(&metadata(&schema()), Some(&json!({ "maximum": 3 }))).err().unwrap();
        assert_eq!(wrong, "there is no setting `maximum`");
        let settings = PluginSettings::new(&metadata(&schema()), None).unwrap();
        let fault = settings.packed(&Arc::from("{}")).unwrap_err();
        assert_eq!(
            (fault.code(), fault.message().as_str()),
            ("plugin.config", "its settings are wrong: `tag` is missing")
        );
    }
}
