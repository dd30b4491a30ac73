//! The one strict pass from what was said to what is decided: a section hands out typed values and remembers which
//! keys were asked for; the rest of its keys are unknown and refused.
//!
//! Nothing here stops at the first problem: a value that cannot be read becomes a placeholder, and the whole
//! configuration is refused at the end. Each section's own file says which keys there are.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use url::Url;

use super::mask::mask;
use super::names::{nearest, variable};
use super::problem::{Problem, UNWISE};
use super::tree::{Node, Origin, Value, parse_value};
use super::units;

/// What all sections of one pass share.
pub(super) struct Context<'a> {
    /// The process's environment, for secrets that live there.
    pub(super) environment: &'a BTreeMap<String, String>,
    /// Directory of tandem.toml.
    pub(super) base: &'a Path,
    /// Working directory.
    pub(super) working: &'a Path,
    /// The default layer, to say where a misplaced key belongs.
    pub(super) known: &'a Node,
    problems: RefCell<Vec<Problem>>,
    warnings: RefCell<Vec<Problem>>,
    secrets: RefCell<BTreeSet<String>>,
    /// What each key takes, in words; only kept for the reference.
    kinds: Option<RefCell<BTreeMap<String, String>>>,
}

impl<'a> Context<'a> {
    pub(super) fn new(
        environment: &'a BTreeMap<String, String>,
        base: &'a Path,
        working: &'a Path,
        known: &'a Node,
    ) -> Self {
        let (problems, warnings, secrets) = Default::default();
        Self { environment, base, working, known, problems, warnings, secrets, kinds: None }
    }

    /// Keeps what each key takes, for [`Self::into_kinds`].
    #[must_use]
    pub(super) fn describing(mut self) -> Self {
        self.kinds = Some(RefCell::default());
        self
    }

    pub(super) fn into_kinds(self) -> BTreeMap<String, String> {
        self.kinds.map(RefCell::into_inner).unwrap_or_default()
    }

    pub(super) fn problem(&self, problem: Problem) {
        let mut problems = self.problems.borrow_mut();
        if !problems.iter().any(|earlier| earlier.is_same(&problem)) {
            problems.push(problem);
        }
    }

    pub(super) fn warning(&self, warning: Problem) {
        let mut warnings = self.warnings.borrow_mut();
        if !warnings.iter().any(|earlier| earlier.is_same(&warning)) {
            warnings.push(warning);
        }
    }

    pub(super) fn secret(&self, path: &str) {
        self.secrets.borrow_mut().insert(path.to_owned());
    }

    /// Problems, warnings, and the dotted keys that hold secrets.
    pub(super) fn into_parts(self) -> (Vec<Problem>, Vec<Problem>, BTreeSet<String>) {
        (self.problems.into_inner(), self.warnings.into_inner(), self.secrets.into_inner())
    }
}

/// One table of the configuration while it is read.
pub(super) struct Section<'a> {
    pub(super) context: &'a Context<'a>,
    pub(super) path: String,
    /// `None` when something else stands in its place, which has been reported.
    node: Option<&'a Node>,
    asked: RefCell<BTreeSet<&'static str>>,
}

impl<'a> Section<'a> {
    pub(super) fn new(context: &'a Context<'a>, path: String, node: &'a Node) -> Self {
        let node = match &node.value {
            Value::Table(_) => Some(node),
            Value::Text(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::Boolean(_)
            | Value::Moment(_)
            | Value::List(_) => {
                let message = format!("`{path}` has to be a table, and is {}", node.value.kind());
                context.problem(
                    Problem::new("config.type", message)
                        .hint(format!("write [{path}] and its settings below"))
                        .at(&node.origin, "here"),
                );
                None
            }
        };
        Self { context, path, node, asked: RefCell::default() }
    }

    /// Whether somebody said it, so that it isn't the default.
    pub(super) fn is_said(&self, key: &'static str) -> bool {
        let node = self.node.and_then(|table| table.get(key));
        node.is_some_and(|node| !matches!(node.origin, Origin::Default))
    }

    /// The node of a key; a key that is missing is reported.
    pub(super) fn node(&self, key: &'static str) -> Option<&'a Node> {
        self.asked.borrow_mut().insert(key);
        let table = self.node?;
        let found = table.get(key);
        if found.is_none() {
            let message = format!("`{}` is missing", self.dotted(key));
            let problem = Problem::new("config.missing", message).hint(format!("write {key} = … there"));
            self.context.problem(problem.at(&table.origin, "in this table"));
        }
        found
    }

    /// Whether a key that need not be there is there.
    pub(super) fn has(&self, key: &'static str) -> bool {
        self.asked.borrow_mut().insert(key);
        self.node.is_some_and(|table| table.get(key).is_some())
    }

    /// Remembers what a key takes. The first word holds: it is the most exact one.
    pub(super) fn kind(&self, key: &str, kind: impl FnOnce() -> String) {
        if let Some(kinds) = &self.context.kinds {
            kinds.borrow_mut().entry(self.dotted(key)).or_insert_with(kind);
        }
    }

    pub(super) fn dotted(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// Reports something about a key that the section itself found out.
    pub(super) fn refuse(&self, key: &'static str, reason: &str, remedy: &str) {
        let problem = Problem::new("config.value", format!("`{}` {reason}", self.dotted(key))).hint(remedy);
        self.context.problem(match self.node.and_then(|table| table.get(key)) {
            Some(node) => problem.at(&node.origin, "here"),
            None => problem,
        });
    }

    pub(super) fn warn(&self, key: &'static str, reason: &str, remedy: &str) {
        let warning = Problem::new(UNWISE, format!("`{}` {reason}", self.dotted(key))).hint(remedy);
        self.context.warning(match self.node.and_then(|table| table.get(key)) {
            Some(node) => warning.at(&node.origin, "here"),
            None => warning,
        });
    }

    /// Reports a setting that has no default and has to be set.
    pub(super) fn require(&self, key: &'static str, example: &str) {
        let said = self.node.and_then(|table| table.get(key)).map(|node| &node.value);
        if !said.is_some_and(|value| matches!(value, Value::Text(text) if text.trim().is_empty())) {
            // What is wrong with it has been reported.
            return;
        }
        let dotted = self.dotted(key);
        let table = self.path.clone();
        let problem = Problem::new("config.required", format!("`{dotted}` is not set"))
            .hint(format!("under [{table}] write {key} = {example}, or set {}", variable(&dotted)));
        // The place of the default would help nobody.
        let said = self.node.filter(|table| !matches!(table.origin, Origin::Default));
        self.context.problem(match said {
            Some(table) => match (&table.origin, &table.key) {
                (Origin::File { source, .. }, Some(at)) => problem.at_span(source, at.clone(), "in this table"),
                _ => problem,
            },
            None => problem,
        });
    }

    fn wrong_type(&self, key: &str, node: &Node, wanted: &str, remedy: &str) {
        let message = format!("`{}` has to be {wanted}, and is {}", self.dotted(key), node.value.kind());
        self.context.problem(Problem::new("config.type", message).hint(remedy).at(&node.origin, "here"));
    }

    fn wrong_value(&self, key: &str, node: &Node, shown: &str, reason: &str, remedy: &str) {
        // An address may carry a password by mistake.
        let shown = mask(shown);
        let message = match shown.as_str() {
            "" => format!("`{}` is not set, and has to be", self.dotted(key)),
            _ => format!("`{}` is `{shown}`, which {reason}", self.dotted(key)),
        };
        self.context.problem(Problem::new("config.value", message).hint(remedy).at(&node.origin, "here"));
    }

    pub(super) fn text(&self, key: &'static str) -> String {
        self.text_or(key, "put it in quotes")
    }

    fn text_or(&self, key: &'static str, remedy: &str) -> String {
        self.kind(key, || "text".to_owned());
        let Some(node) = self.node(key) else { return String::new() };
        if let Value::Text(text) = &node.value {
            if text.chars().any(|c| c.is_control() && c != '\n' && c != '\t') {
                self.wrong_value(
                    key,
                    node,
                    &text.escape_debug().to_string(),
                    "contains a control character",
                    "remove it",
                );
            }
            return text.trim().to_owned();
        }
        self.wrong_type(key, node, "a text", remedy);
        String::new()
    }

    /// A text; the empty one counts as not set.
    pub(super) fn optional(&self, key: &'static str) -> Option<String> {
        Some(self.text(key)).filter(|text| !text.is_empty())
    }

    /// A text that means something.
    pub(super) fn parsed<T>(
        &self,
        key: &'static str,
        remedy: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let text = self.text_or(key, remedy);
        match parse(&text) {
            Ok(value) => Some(value),
            Err(reason) => {
                let node = self.node(key)?;
                if let Value::Text(_) = node.value {
                    self.wrong_value(key, node, &text, &reason, remedy);
                }
                None
            }
        }
    }

    /// Like [`Self::parsed`], where the empty text means not set.
    pub(super) fn parsed_optional<T>(
        &self,
        key: &'static str,
        remedy: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        if self.text_or(key, remedy).is_empty() {
            return None;
        }
        self.parsed(key, remedy, parse)
    }

    /// One of a few words.
    pub(super) fn choice<T: Copy>(&self, key: &'static str, choices: &[(&'static str, T)]) -> Option<T> {
        let words = choices.iter().map(|(word, _)| *word);
        let quoted = words.clone().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", ");
        let remedy = format!("choose one of {quoted}");
        self.kind(key, || format!("one of {quoted}"));
        self.parsed(key, &remedy, |text| {
            choices.iter().find(|(word, _)| word.eq_ignore_ascii_case(text)).map(|(_, value)| *value).ok_or_else(|| {
                nearest(text, words).map_or_else(
                    || "is not one of the choices".to_owned(),
                    |word| format!("is not one of the choices (did you mean \"{word}\"?)"),
                )
            })
        })
    }

    pub(super) fn switch(&self, key: &'static str) -> bool {
        self.kind(key, || "true or false".to_owned());
        let Some(node) = self.node(key) else { return false };
        match &node.value {
            Value::Boolean(on) => return *on,
            Value::Text(text) if node.origin.is_text() => match text.trim().to_ascii_lowercase().as_str() {
                "true" | "1" | "yes" | "on" => return true,
                "false" | "0" | "no" | "off" => return false,
                _ => {
                    self.wrong_value(key, node, text, "is neither true nor false", "write true or false");
                    return false;
                }
            },
            Value::Text(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::Moment(_)
            | Value::List(_)
            | Value::Table(_) => {}
        }
        self.wrong_type(key, node, "true or false", "write true or false, without quotes");
        false
    }

    pub(super) fn count(&self, key: &'static str, range: RangeInclusive<u32>) -> u32 {
        let placeholder = *range.start();
        self.kind(key, || format!("number, {} to {}", range.start(), range.end()));
        let Some(node) = self.node(key) else { return placeholder };
        let remedy = format!("write a whole number from {} to {}", range.start(), range.end());
        let number = match &node.value {
            Value::Integer(number) => *number,
            Value::Text(text) if node.origin.is_text() => {
                if let Ok(number) = text.trim().parse() {
                    number
                } else {
                    self.wrong_value(key, node, text, "is not a whole number", &remedy);
                    return placeholder;
                }
            }
            Value::Text(_)
            | Value::Float(_)
            | Value::Boolean(_)
            | Value::Moment(_)
            | Value::List(_)
            | Value::Table(_) => {
                self.wrong_type(key, node, "a whole number", &remedy);
                return placeholder;
            }
        };
        if let Some(number) = u32::try_from(number).ok().filter(|number| range.contains(number)) {
            return number;
        }
        let reason = format!("is out of range, {} to {}", range.start(), range.end());
        self.wrong_value(key, node, &number.to_string(), &reason, &remedy);
        placeholder
    }

    pub(super) fn duration(&self, key: &'static str, range: RangeInclusive<Duration>) -> Duration {
        let remedy = duration_remedy(&range);
        self.kind(key, || format!("duration, {}", duration_range(&range)));
        self.parsed(key, &remedy, |text| duration_in(text, &range)).unwrap_or(*range.start())
    }

    /// A list of durations.
    pub(super) fn durations(&self, key: &'static str, range: &RangeInclusive<Duration>) -> Vec<Duration> {
        let remedy = duration_remedy(range);
        self.kind(key, || format!("list of durations, {}", duration_range(range)));
        let texts = self.list(key);
        let read = texts.iter().map(|text| duration_in(text, range).map_err(|reason| (text, reason)));
        match read.collect() {
            Ok(durations) => durations,
            Err((text, reason)) => {
                if let Some(node) = self.node(key) {
                    self.wrong_value(key, node, text, &reason, &remedy);
                }
                Vec::new()
            }
        }
    }

    pub(super) fn size(&self, key: &'static str, range: RangeInclusive<u64>) -> u64 {
        let (least, most) = (units::show_size(*range.start()), units::show_size(*range.end()));
        let remedy = format!("write a size from {least} to {most}, such as \"64 KiB\"");
        self.kind(key, || format!("size, {least} to {most}"));
        let read = self.parsed(key, &remedy, |text| {
            let size = units::size(text)?;
            if range.contains(&size) { Ok(size) } else { Err(format!("is out of range, {least} to {most}")) }
        });
        read.unwrap_or(*range.start())
    }

    pub(super) fn address(&self, key: &'static str) -> std::net::SocketAddr {
        let remedy = "write an IP address and a port, such as \"127.0.0.1:7700\" or \"[::]:7700\"";
        self.kind(key, || "IP address and port".to_owned());
        self.parsed(key, remedy, |text| text.parse().map_err(|_| "is not an address with a port".to_owned()))
            .unwrap_or_else(|| std::net::SocketAddr::from(([127, 0, 0, 1], 0)))
    }

    /// An http(s) address; what a person may paste too much of is refused with a sentence.
    pub(super) fn url(&self, key: &'static str) -> Option<Url> {
        self.url_such_as(key, "https://acme.service-now.com")
    }

    pub(super) fn url_such_as(&self, key: &'static str, example: &str) -> Option<Url> {
        self.kind(key, || "URL".to_owned());
        self.parsed_optional(key, &format!("write an address such as \"{example}\""), parse_url)
    }

    pub(super) fn path(&self, key: &'static str) -> PathBuf {
        self.kind(key, || "path".to_owned());
        let text = self.text(key);
        if text.is_empty() {
            self.refuse(key, "is empty", "write the path of a file or directory");
        }
        let from = self.node.and_then(|table| table.get(key)).map(|node| &node.origin);
        self.resolve(&text, from)
    }

    fn resolve(&self, path: &str, origin: Option<&Origin>) -> PathBuf {
        let base = if origin.is_some_and(Origin::is_text) { self.context.working } else { self.context.base };
        base.join(path)
    }

    /// A list of texts; in the environment, on the command line and in headers, separated by commas.
    pub(super) fn list(&self, key: &'static str) -> Vec<String> {
        self.kind(key, || "list of texts".to_owned());
        let Some(node) = self.node(key) else { return Vec::new() };
        let remedy = "write a list of texts, such as [\"one\", \"two\"]";
        match &node.value {
            Value::List(items) => items
                .iter()
                .filter_map(|item| {
                    if let Value::Text(text) = &item.value {
                        return Some(text.trim().to_owned());
                    }
                    self.wrong_type(key, item, "a list of texts", remedy);
                    None
                })
                .filter(|text| !text.is_empty())
                .collect(),
            Value::Text(text) if node.origin.is_text() => {
                text.split(',').map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned).collect()
            }
            Value::Text(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::Boolean(_)
            | Value::Moment(_)
            | Value::Table(_) => {
                self.wrong_type(key, node, "a list of texts", remedy);
                Vec::new()
            }
        }
    }

    pub(super) fn section(&self, key: &'static str) -> Section<'a> {
        let path = self.dotted(key);
        match self.node(key) {
            Some(node) => Section::new(self.context, path, node),
            None => Section { context: self.context, path, node: None, asked: RefCell::default() },
        }
    }

    /// The subsections of a table whose keys the operator chooses.
    pub(super) fn tables(&self, key: &'static str) -> Vec<(&'a str, &'a Node)> {
        self.kind(key, || "table".to_owned());
        let Some(node) = self.node(key) else { return Vec::new() };
        if let Value::Table(table) = &node.value {
            return table.iter().map(|(name, node)| (name.as_str(), node)).collect();
        }
        self.wrong_type(key, node, "a table", &format!("write [{}.<name>]", self.dotted(key)));
        Vec::new()
    }

    /// The rows of a list of tables. From the environment and the command line it may come as TOML text.
    pub(super) fn rows(&self, key: &'static str) -> Vec<(String, Node)> {
        self.kind(key, || "list of rows".to_owned());
        let Some(node) = self.node(key) else { return Vec::new() };
        let from_text = match &node.value {
            Value::Text(text) if node.origin.is_text() => parse_value(text, &node.origin),
            Value::Text(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::Boolean(_)
            | Value::Moment(_)
            | Value::List(_)
            | Value::Table(_) => None,
        };
        if let Value::List(items) = &from_text.as_ref().unwrap_or(node).value {
            let path = self.dotted(key);
            return items.iter().enumerate().map(|(i, row)| (format!("{path}[{i}]"), row.clone())).collect();
        }
        self.wrong_type(key, node, "a list of tables", "write rows such as [{ … }, { … }]");
        Vec::new()
    }

    /// Reports every key that nobody asked for.
    pub(super) fn finish(self) {
        let asked = self.asked.into_inner();
        let Some(Value::Table(table)) = self.node.map(|node| &node.value) else { return };
        for (key, node) in table.iter().filter(|(key, _)| !asked.contains(key.as_str())) {
            let path = if self.path.is_empty() { key.clone() } else { format!("{}.{key}", self.path) };
            let hint = match nearest(key, asked.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => match place_of(key, &self.path, self.context.known) {
                    Some(place) => format!("`{key}` belongs into [{place}]"),
                    None => format!("known here: {}", asked.iter().copied().collect::<Vec<_>>().join(", ")),
                },
            };
            let what = if matches!(node.value, Value::Table(_)) { "section" } else { "setting" };
            let problem = Problem::new("config.unknown-key", format!("`{path}` is not a {what}")).hint(hint);
            self.context.problem(match (&node.origin, &node.key) {
                (Origin::File { source, .. }, Some(at)) => problem.at_span(source, at.clone(), "unknown"),
                (origin, _) => problem.at(origin, "unknown"),
            });
        }
    }
}

/// Where a key that stands in the wrong section is known, as the operator would write that section.
fn place_of(key: &str, wrong: &str, known: &Node) -> Option<String> {
    fn search(key: &str, node: &Node, path: &str) -> Option<String> {
        let Value::Table(table) = &node.value else { return None };
        if nearest(key, table.keys().map(String::as_str)).is_some_and(|near| near == key) {
            return Some(path.to_owned());
        }
        table.iter().find_map(|(name, node)| {
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            search(key, node, &path)
        })
    }
    let mut parts = wrong.split('.');
    let integration = match (parts.next(), parts.next()) {
        (Some("integration"), Some(name)) => format!("integration.{name}"),
        _ => "integration.<name>".to_owned(),
    };
    let place = search(key, known, "")?;
    Some(match place.strip_prefix("defaults") {
        Some(rest) => format!("{integration}{rest}"),
        None => place,
    })
}

fn duration_in(text: &str, range: &RangeInclusive<Duration>) -> Result<Duration, String> {
    let duration = units::duration(text)?;
    if range.contains(&duration) { Ok(duration) } else { Err(format!("is out of range, {}", duration_range(range))) }
}

fn duration_range(range: &RangeInclusive<Duration>) -> String {
    format!("{} to {}", units::show_duration(*range.start()), units::show_duration(*range.end()))
}

fn duration_remedy(range: &RangeInclusive<Duration>) -> String {
    format!("write a duration from {}, such as \"15m\" or \"1h 30m\"", duration_range(range))
}

fn parse_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|_| {
        if text.contains("://") { "is not a valid address".to_owned() } else { "has no https:// in front".to_owned() }
    })?;
    if url.scheme() != "https" && url.scheme() != "http" {
        return Err(format!("has the scheme `{}`, which is not http or https", url.scheme()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("carries a user name or password, which belong into settings of their own".to_owned());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("has a part after `?` or `#`, which does not belong to it".to_owned());
    }
    Ok(url)
}
