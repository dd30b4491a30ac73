//! `[plugins]`: where components come from, how they are ordered, and what they may use up.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::json;

use super::limits::PluginLimits;
use super::read::Section;
use super::tree::{Node, Value};
use crate::domain::id::PluginId;

/// Imports that reach outside of the event, which an operator must allow.
const GRANTS: [&str; 1] = ["raw-share"];

/// Which of two plugins that set one field is heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnTwoWriters {
    LastWins,
    FirstWins,
    Fail,
}

/// The part of the chain in which a plugin stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    Normalize,
    Enrich,
    Map,
    Logic,
    Finalize,
    Guard,
}

impl Phase {
    pub const WORDS: [(&'static str, Self); 6] = [
        ("normalize", Self::Normalize),
        ("enrich", Self::Enrich),
        ("map", Self::Map),
        ("logic", Self::Logic),
        ("finalize", Self::Finalize),
        ("guard", Self::Guard),
    ];
}

/// The operator's say about a plugin's place; `None` leaves it to the plugin.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Order {
    pub phase: Option<Phase>,
    pub priority: Option<u32>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Plugins {
    pub directory: PathBuf,
    pub cache: PathBuf,
    /// 0 = one for each processor.
    pub workers: usize,
    pub on_two_writers: OnTwoWriters,
    pub disabled: Vec<PluginId>,
    pub limits: PluginLimits,
    /// A JSON object for each plugin that has one.
    pub config: BTreeMap<PluginId, serde_json::Value>,
    pub order: BTreeMap<PluginId, Order>,
    /// What reaches outside of the event and was allowed, by plugin.
    pub grants: BTreeMap<PluginId, Vec<String>>,
}

impl Plugins {
    pub(super) fn read(section: Section<'_>) -> Self {
        let writers = [
            ("last-wins", OnTwoWriters::LastWins),
            ("first-wins", OnTwoWriters::FirstWins),
            ("fail", OnTwoWriters::Fail),
        ];
        let plugins = Self {
            directory: section.path("directory"),
            cache: section.path("cache"),
            workers: section.count("workers", 0..=1024) as usize,
            on_two_writers: section.choice("on_two_writers", &writers).unwrap_or(OnTwoWriters::LastWins),
            disabled: section.list("disabled").iter().filter_map(|id| plugin_id(&section, "disabled", id)).collect(),
            limits: PluginLimits::read(section.section("limits")),
            config: read_config(&section),
            order: read_order(&section),
            grants: read_grants(&section),
        };
        // Who has no plugins of their own need not have the default's directory.
        if section.is_said("directory") && !plugins.directory.is_dir() {
            let reason =
                format!("is {}, which is no directory, so only the bundled plugins run", plugins.directory.display());
            section.warn("directory", &reason, "make the directory, or correct the path");
        }
        section.finish();
        plugins
    }
}

fn plugin_id(section: &Section<'_>, key: &'static str, id: &str) -> Option<PluginId> {
    PluginId::new(id)
        .inspect_err(|error| section.refuse(key, &format!("names no plugin: {error}"), "write a plugin's id"))
        .ok()
}

fn read_config(section: &Section<'_>) -> BTreeMap<PluginId, serde_json::Value> {
    let tables = section.tables("config").into_iter().filter_map(|(id, node)| {
        if !matches!(node.value, Value::Table(_)) {
            section.refuse("config", &format!("has no table for `{id}`"), "write [plugins.config.<id>]");
        }
        Some((plugin_id(section, "config", id)?, to_json(node)))
    });
    tables.collect()
}

fn read_order(section: &Section<'_>) -> BTreeMap<PluginId, Order> {
    let tables = section.tables("order").into_iter().filter_map(|(id, node)| {
        let order = Section::new(section.context, section.dotted(&format!("order.{id}")), node);
        let read = Order {
            phase: if order.has("phase") { order.choice("phase", &Phase::WORDS) } else { None },
            priority: order.has("priority").then(|| order.count("priority", 0..=10_000)),
        };
        order.finish();
        Some((plugin_id(section, "order", id)?, read))
    });
    tables.collect()
}

fn read_grants(section: &Section<'_>) -> BTreeMap<PluginId, Vec<String>> {
    let tables = section.tables("grants").into_iter().filter_map(|(id, node)| {
        let Value::List(items) = &node.value else {
            section.refuse("grants", &format!("has no list for `{id}`"), "write a list such as [\"raw-share\"]");
            return None;
        };
        let grants = items.iter().filter_map(|item| match &item.value {
            Value::Text(grant) if GRANTS.contains(&grant.as_str()) => Some(grant.clone()),
            Value::Text(_)
            | Value::Moment(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::Boolean(_)
            | Value::List(_)
            | Value::Table(_) => {
                let remedy = format!("there are {}", GRANTS.join(", "));
                section.refuse("grants", &format!("names no grant for `{id}`"), &remedy);
                None
            }
        });
        Some((plugin_id(section, "grants", id)?, grants.collect()))
    });
    tables.collect()
}

/// A plugin's own table, whose shape is the plugin's business.
fn to_json(node: &Node) -> serde_json::Value {
    match &node.value {
        Value::Text(text) | Value::Moment(text) => json!(text),
        Value::Integer(number) => json!(number),
        Value::Float(number) => json!(number),
        Value::Boolean(on) => json!(on),
        Value::List(items) => items.iter().map(to_json).collect(),
        Value::Table(table) => {
            serde_json::Value::Object(table.iter().map(|(key, node)| (key.clone(), to_json(node))).collect())
        }
    }
}
