//! The highest layer: what a share's headers say about the settings under `incidents`.
//!
//! The same section reads them, so the same checks hold. A header that fails its check is ignored with a sentence;
//! a share is never lost over one.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::incidents::Settings;
use super::names::{are_same, canonical, nearest};
use super::read::{Context, Section};
use super::tree::{Node, Origin, Value};
use crate::domain::share::Overrides;

/// Settings that are the host's or the instance's business, whatever a share says.
const NOT_BY_SHARES: [&str; 7] = [
    "active",
    "callback_endpoint",
    "mandatory_on_resolve",
    "retrieval_count",
    "retrieval_endpoint",
    "show_incident_button",
    "show_timeline_button",
];

/// Whether the headers of a share may say something about a setting under `incidents`.
pub(super) fn may_come_with_a_share(key: &str) -> bool {
    !NOT_BY_SHARES.contains(&key)
}

/// The settings of one integration with the headers on top, and a sentence for each header that was ignored.
pub(super) fn apply(said: &Node, decided: &Arc<Settings>, overrides: &Overrides) -> (Arc<Settings>, Vec<String>) {
    let mut ignored = Vec::new();
    let Value::Table(table) = &said.value else { return (decided.clone(), ignored) };
    let mut tree = said.clone();
    for (name, text) in &overrides.settings {
        let keys = table.keys().map(String::as_str).filter(|key| may_come_with_a_share(key));
        let known = canonical(name, &keys);
        // HTTP has taken the capitals away.
        let header = header_of(known.filter(|key| are_same(key, name)).unwrap_or(name));
        if let Some(key) = known {
            let one = Node::text(with_unit(key, text), Origin::Header(header.clone()));
            let mut alone = said.clone();
            alone.put(&[key.to_owned()], one.clone());
            // Each header is judged by itself, so that a bad one does not take the good ones with it.
            match judge(&alone) {
                (_, Some(reason)) => {
                    let reason = reason.replacen(&format!("`incidents.{key}`"), "its value", 1);
                    ignored.push(format!("The header {header} was ignored: {reason}"));
                }
                (_, None) => tree.put(&[key.to_owned()], one),
            }
        } else if canonical(name, &table.keys().map(String::as_str)).is_some() {
            ignored.push(format!("The header {header} was ignored: only the configuration says this."));
        } else {
            let hint = nearest(name, keys).map_or_else(String::new, |key| format!(" Did you mean {}?", header_of(key)));
            ignored.push(format!("The header {header} was ignored: it names no setting.{hint}"));
        }
    }
    (Arc::new(judge(&tree).0), ignored)
}

/// The settings, and what is wrong with them.
fn judge(tree: &Node) -> (Settings, Option<String>) {
    let (environment, empty) = (BTreeMap::new(), Node::table());
    let context = Context::new(&environment, Path::new(""), Path::new(""), &empty);
    let settings = Settings::read(Section::new(&context, "incidents".to_owned(), tree));
    let (problems, _, _) = context.into_parts();
    let reason = problems.first().map(|problem| match problem.remedy() {
        Some(remedy) => format!("{}; {remedy}.", problem.message()),
        None => format!("{}.", problem.message()),
    });
    (settings, reason)
}

/// The ServiceNow application counts the window in minutes and writes no unit.
fn with_unit(key: &str, text: &str) -> String {
    let bare = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if key == "reopen_window" && bare { format!("{text}m") } else { text.to_owned() }
}

/// `update_fields` → `x-bp-config-updateFields`.
pub(super) fn header_of(name: &str) -> String {
    let mut header = "x-bp-config-".to_owned();
    let mut upper = false;
    for c in name.chars() {
        if c == '_' {
            upper = true;
        } else {
            header.push(if upper { c.to_ascii_uppercase() } else { c });
            upper = false;
        }
    }
    header
}
