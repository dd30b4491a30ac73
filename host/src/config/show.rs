//! What was decided, key by key, with who said it; secrets masked. For `tandem config show`.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Value as Json, json};

use super::tree::{Node, Origin, Value};
use crate::domain::secret::MASK;

/// One setting as it holds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Shown {
    /// Dotted, such as `integration.acme.retry.attempts`.
    pub key: String,
    pub value: Json,
    /// `default`, `tandem.toml:12`, `environment TANDEM__…` or `--set …`.
    pub origin: String,
}

/// Everything that holds, in order of the keys.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Resolved(Vec<Shown>);

impl Resolved {
    pub(super) fn new(tree: &Node, secrets: &BTreeSet<String>) -> Self {
        let mut shown = Vec::new();
        walk(tree, "", secrets, &mut shown);
        Self(shown)
    }

    pub fn settings(&self) -> &[Shown] {
        &self.0
    }
}

fn walk(node: &Node, path: &str, secrets: &BTreeSet<String>, shown: &mut Vec<Shown>) {
    let secret = secrets.contains(path);
    match &node.value {
        Value::Table(table) if !secret && !table.is_empty() => {
            for (key, node) in table {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                walk(node, &path, secrets, shown);
            }
        }
        // An empty table says nothing.
        Value::Table(table) if table.is_empty() => {}
        Value::Text(_)
        | Value::Integer(_)
        | Value::Float(_)
        | Value::Boolean(_)
        | Value::Moment(_)
        | Value::List(_)
        | Value::Table(_) => {
            let value = if secret { masked(node) } else { to_json(node) };
            shown.push(Shown { key: path.to_owned(), value, origin: node.origin.describe() });
        }
    }
}

/// Says where a secret comes from, or that there is one, never what it is.
fn masked(node: &Node) -> Json {
    match &node.value {
        Value::Table(_) => to_json(node),
        Value::Text(text) if text.is_empty() => json!(""),
        Value::Text(_)
        | Value::Integer(_)
        | Value::Float(_)
        | Value::Boolean(_)
        | Value::Moment(_)
        | Value::List(_) => json!(MASK),
    }
}

fn to_json(node: &Node) -> Json {
    match &node.value {
        // A number or a switch from the environment or the command line came as text.
        Value::Text(text) if node.origin.is_text() => loose(text),
        Value::Text(text) | Value::Moment(text) => json!(text),
        Value::Integer(number) => json!(number),
        Value::Float(number) => json!(number),
        Value::Boolean(on) => json!(on),
        Value::List(items) => items.iter().map(to_json).collect(),
        Value::Table(table) => Json::Object(table.iter().map(|(key, node)| (key.clone(), to_json(node))).collect()),
    }
}

fn loose(text: &str) -> Json {
    match text.trim() {
        "true" => json!(true),
        "false" => json!(false),
        text => text.parse::<i64>().map_or_else(|_| json!(text), |number| json!(number)),
    }
}

/// Whether a setting was said by somebody, rather than being a default.
impl Shown {
    pub fn is_default(&self) -> bool {
        self.origin == Origin::Default.describe()
    }
}
