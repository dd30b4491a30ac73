//! The settings under `incidents` that say how a resolved ticket looks: closure code, notes, mandatory fields.
//!
//! `incidents` calls it. What the values do is the business of the bundled plugin `closure`.

use std::collections::BTreeMap;

use serde::Serialize;

use super::incidents::field_name;
use super::problem::Problem;
use super::read::Section;
use super::tree::Value;

/// What `close_notes` may contain between braces.
const PLACEHOLDERS: [&str; 3] = ["alerts", "end", "incident"];
/// Longest notes that ServiceNow keeps, in characters.
const LONGEST_NOTES: usize = 4000;
/// Longest value of a choice, in characters.
const LONGEST_CODE: usize = 40;

/// An incident tag whose value leads to a closure code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CloseCode {
    pub tag: String,
    /// With `*` for any text.
    pub value: String,
    pub close_code: String,
}

pub(super) fn code(section: &Section<'_>, key: &'static str) -> String {
    let remedy = "write a choice of your instance, such as \"Solution provided\"";
    let read = section.parsed(key, remedy, |text| {
        if text.is_empty() || text.chars().count() > LONGEST_CODE {
            return Err(format!("has to have 1 to {LONGEST_CODE} characters"));
        }
        Ok(text.to_owned())
    });
    read.unwrap_or_default()
}

pub(super) fn code_mapping(section: &Section<'_>) -> Vec<CloseCode> {
    let read = |(path, node): (String, super::tree::Node)| {
        let row = Section::new(section.context, path, &node);
        let (tag, value) = (row.text("tag"), row.text("value"));
        let close_code = if row.has("close_code") { code(&row, "close_code") } else { row.text("close_code") };
        if row.has("tag") && tag.is_empty() {
            row.refuse("tag", "is empty", "write the name of an incident tag");
        }
        if row.has("value") && value.is_empty() {
            row.refuse("value", "is empty", "write the value of the tag, or \"*\" for any");
        }
        row.finish();
        CloseCode { tag, value, close_code }
    };
    section.rows("close_code_mapping").into_iter().map(read).collect()
}

/// The template of the notes. ServiceNow takes no resolved ticket without any.
pub(super) fn notes(section: &Section<'_>) -> String {
    let remedy = "write a text such as \"Resolved in BigPanda at {end}.\"; there are {alerts}, {end} and {incident}";
    let read = section.parsed("close_notes", remedy, |text| {
        if text.chars().count() > LONGEST_NOTES {
            return Err(format!("has more than {LONGEST_NOTES} characters"));
        }
        match unknown_placeholder(text) {
            Some(unknown) => Err(format!("has the placeholder `{{{unknown}}}`, which there isn't")),
            None if text.is_empty() => Err("is empty".to_owned()),
            None => Ok(text.to_owned()),
        }
    });
    read.unwrap_or_default()
}

/// A word between braces that stands for nothing. Other braces are text.
fn unknown_placeholder(text: &str) -> Option<&str> {
    let word = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    let inner = text.split('{').skip(1).filter_map(|rest| rest.split_once('}').map(|(inner, _)| inner));
    inner.into_iter().find(|inner| word(inner) && !PLACEHOLDERS.contains(inner))
}

/// Ticket fields with the values that they get on resolution where they are empty.
pub(super) fn mandatory(section: &Section<'_>) -> BTreeMap<String, String> {
    const KEY: &str = "mandatory_on_resolve";
    let mut fields = BTreeMap::new();
    for (field, node) in section.tables(KEY) {
        let refuse = |reason: &str, remedy: &str| {
            let problem = Problem::new("config.value", format!("`{}` {reason}", section.dotted(KEY))).hint(remedy);
            section.context.problem(problem.at(&node.origin, "here"));
        };
        if field_name(field).is_err() {
            let reason = format!("holds `{field}`, which is not a field of ServiceNow");
            refuse(&reason, "write names of columns, such as u_cause = \"Monitoring\"");
        }
        let value = match &node.value {
            Value::Text(text) => text.trim().to_owned(),
            Value::Integer(number) => number.to_string(),
            Value::Boolean(on) => on.to_string(),
            Value::Float(_) | Value::Moment(_) | Value::List(_) | Value::Table(_) => String::new(),
        };
        if value.is_empty() {
            refuse(&format!("gives `{field}` no value"), &format!("write {field} = \"value\""));
        }
        fields.insert(field.to_owned(), value);
    }
    fields
}
