//! What was said: values as a tree in which every node knows its origin.
//!
//! Layers are merged here, before anything is judged: a table takes the keys of both, anything else is replaced by
//! the higher layer. Not the decided settings; `read` makes those. Only this module knows TOML's parser.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A file that took part.
pub(super) struct Source {
    /// As the operator would write it.
    pub(super) name: String,
    /// As it is, secrets included: whoever shows a part of it masks it first.
    pub(super) text: String,
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name)
    }
}

/// Who said a value.
#[derive(Debug, Clone)]
pub(super) enum Origin {
    Default,
    File { source: Arc<Source>, at: Range<usize> },
    Environment(String),
    Flag(String),
    Header(String),
}

impl Origin {
    /// Whether the value came as bare text that the reader has to make sense of.
    pub(super) fn is_text(&self) -> bool {
        match self {
            Self::Default | Self::File { .. } => false,
            Self::Environment(_) | Self::Flag(_) | Self::Header(_) => true,
        }
    }

    /// For people: `default`, `tandem.toml:12`, `environment TANDEM__LOG__LEVEL`.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Default => "default".to_owned(),
            Self::File { source, at } => {
                let before = source.text.get(..at.start).unwrap_or("");
                format!("{}:{}", source.name, before.matches('\n').count() + 1)
            }
            Self::Environment(name) => format!("environment {name}"),
            Self::Flag(key) => format!("--set {key}"),
            Self::Header(name) => format!("header {name}"),
        }
    }
}

#[derive(Debug, Clone)]
pub(super) enum Value {
    Text(String),
    Integer(i64),
    Float(f64),
    Boolean(bool),
    /// A date or time, which no setting takes.
    Moment(String),
    List(Vec<Node>),
    Table(BTreeMap<String, Node>),
}

impl Value {
    /// What it is, with article, for "is a number".
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "a text",
            Self::Integer(_) | Self::Float(_) => "a number",
            Self::Boolean(_) => "true or false",
            Self::Moment(_) => "a date",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
        }
    }
}

#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) value: Value,
    pub(super) origin: Origin,
    /// Where its key stands, when it came from a file.
    pub(super) key: Option<Range<usize>>,
}

impl Node {
    pub(super) fn table() -> Self {
        Self { value: Value::Table(BTreeMap::new()), origin: Origin::Default, key: None }
    }

    pub(super) fn text(text: String, origin: Origin) -> Self {
        Self { value: Value::Text(text), origin, key: None }
    }

    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        match &self.value {
            Value::Table(table) => table.get(key),
            Value::Text(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::Boolean(_)
            | Value::Moment(_)
            | Value::List(_) => None,
        }
    }

    /// Removes a key and returns what it held.
    pub(super) fn take(&mut self, key: &str) -> Option<Self> {
        if let Value::Table(table) = &mut self.value { table.remove(key) } else { None }
    }

    /// Puts `other` on top of this.
    pub(super) fn merge(&mut self, other: Self) {
        let replaces = self.is_reference() || other.is_reference();
        match (&mut self.value, other.value) {
            (Value::Table(below), Value::Table(above)) if !replaces => {
                for (key, node) in above {
                    match below.get_mut(&key) {
                        Some(existing) => existing.merge(node),
                        None => {
                            below.insert(key, node);
                        }
                    }
                }
                // The header of the higher layer's table is the better place to point at.
                if !matches!(other.origin, Origin::Default) {
                    self.origin = other.origin;
                    self.key = other.key.or(self.key.take());
                }
            }
            (_, value) => *self = Self { value, origin: other.origin, key: other.key },
        }
    }

    /// `{ env = … }` or `{ file = … }`: one value, though TOML calls it a table.
    fn is_reference(&self) -> bool {
        let Value::Table(table) = &self.value else { return false };
        table.len() == 1 && table.keys().all(|key| key == "env" || key == "file")
    }

    /// Puts a value at a dotted place, making tables on the way.
    pub(super) fn put(&mut self, path: &[String], node: Self) {
        let mut whole = node;
        for key in path.iter().rev() {
            let origin = whole.origin.clone();
            let table = BTreeMap::from([(key.clone(), whole)]);
            whole = Self { value: Value::Table(table), origin, key: None };
        }
        self.merge(whole);
    }
}

/// What is wrong with a file's TOML, and where.
pub(super) struct Malformed {
    pub(super) message: String,
    pub(super) at: Range<usize>,
}

/// Parses a file; `None` as source makes the values defaults.
pub(super) fn parse(text: &str, source: Option<&Arc<Source>>) -> Result<Node, Vec<Malformed>> {
    let (table, errors) = DeTable::parse_recoverable(text);
    if errors.is_empty() {
        let span = table.span();
        return Ok(convert_table(table.get_ref(), span, source));
    }
    Err(errors
        .iter()
        .map(|error| Malformed { message: error.message().to_owned(), at: error.span().unwrap_or(0..0) })
        .collect())
}

/// Parses one value as TOML writes it, for lists and tables in the environment and in flags.
pub(super) fn parse_value(text: &str, origin: &Origin) -> Option<Node> {
    let value = DeValue::parse(text).ok()?;
    let mut node = convert(value.get_ref(), value.span(), None);
    stamp(&mut node, origin);
    Some(node)
}

fn stamp(node: &mut Node, origin: &Origin) {
    node.origin = origin.clone();
    match &mut node.value {
        Value::List(items) => items.iter_mut().for_each(|item| stamp(item, origin)),
        Value::Table(table) => table.values_mut().for_each(|item| stamp(item, origin)),
        Value::Text(_) | Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Moment(_) => {}
    }
}

fn convert_table(table: &DeTable<'_>, at: Range<usize>, source: Option<&Arc<Source>>) -> Node {
    let entries = table.iter().map(|(key, value)| {
        let mut node = convert(value.get_ref(), value.span(), source);
        node.key = source.map(|_| Spanned::span(key));
        (key.get_ref().to_string(), node)
    });
    Node { value: Value::Table(entries.collect()), origin: origin(at, source), key: None }
}

fn convert(value: &DeValue<'_>, at: Range<usize>, source: Option<&Arc<Source>>) -> Node {
    let value = match value {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(number) => i64::from_str_radix(&number.as_str().replace('_', ""), number.radix())
            .map_or_else(|_| Value::Float(f64::INFINITY), Value::Integer),
        DeValue::Float(number) => Value::Float(number.as_str().replace('_', "").parse().unwrap_or(f64::NAN)),
        DeValue::Boolean(flag) => Value::Boolean(*flag),
        DeValue::Datetime(moment) => Value::Moment(moment.to_string()),
        DeValue::Array(items) => {
            Value::List(items.iter().map(|item| convert(item.get_ref(), item.span(), source)).collect())
        }
        DeValue::Table(table) => return convert_table(table, at, source),
    };
    Node { value, origin: origin(at, source), key: None }
}

fn origin(at: Range<usize>, source: Option<&Arc<Source>>) -> Origin {
    source.map_or(Origin::Default, |source| Origin::File { source: source.clone(), at })
}
