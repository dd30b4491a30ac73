//! THE field dictionary of a ticket: a row per field, and the check of one operation against it.
//!
//! Source of names and lengths: ServiceNow's incident table as documented for the Table API. The database, not the
//! API, enforces lengths, and cuts in mid-word; so we cut ourselves, on a grapheme border.

use unicode_segmentation::UnicodeSegmentation;

use crate::domain::patch::Op;
use crate::domain::ticket::Reference;

/// What a field can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text of at most that many characters; longer text is cut.
    Text(usize),
    /// A whole number from the first to the second bound, as a choice's raw value.
    Number(i64, i64),
    /// A choice whose values differ between instances; at most 40 characters.
    Choice,
    /// UTC, `YYYY-MM-DD HH:MM:SS`.
    DateTime,
    /// `true` or `false`.
    Flag,
    /// The `sys_id` of a record in that table.
    Reference(&'static str),
}

/// Which way a field may be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Plugins may write it.
    Writable,
    /// ServiceNow or the host owns it.
    ReadOnly,
}

/// One row of the dictionary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    pub name: &'static str,
    pub kind: Kind,
    pub direction: Direction,
}

const fn w(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, direction: Direction::Writable }
}

const fn r(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, direction: Direction::ReadOnly }
}

/// Longest note that we send to a journal, in characters.
pub const NOTE_LIMIT: usize = 4000;

/// Longest text in a column that the dictionary does not know (`u_…`, `x_…`), in characters. ServiceNow stores
/// more than 255 as medium text, 16 MB.
pub const CUSTOM_LIMIT: usize = 65_536;

/// Every field that we know.
pub const FIELDS: &[Field] = &[
    w("short_description", Kind::Text(160)),
    w("description", Kind::Text(4000)),
    w("urgency", Kind::Number(1, 3)),
    w("impact", Kind::Number(1, 3)),
    w("severity", Kind::Number(1, 3)),
    w("state", Kind::Number(1, 8)),
    w("hold_reason", Kind::Choice),
    w("category", Kind::Choice),
    w("subcategory", Kind::Choice),
    w("contact_type", Kind::Choice),
    w("close_code", Kind::Choice),
    w("close_notes", Kind::Text(4000)),
    w("opened_at", Kind::DateTime),
    w("resolved_at", Kind::DateTime),
    w("due_date", Kind::DateTime),
    w("opened_by", Kind::Reference("sys_user")),
    w("caller_id", Kind::Reference("sys_user")),
    w("resolved_by", Kind::Reference("sys_user")),
    w("assigned_to", Kind::Reference("sys_user")),
    w("assignment_group", Kind::Reference("sys_user_group")),
    w("cmdb_ci", Kind::Reference("cmdb_ci")),
    w("business_service", Kind::Reference("cmdb_ci_service")),
    w("location", Kind::Reference("cmn_location")),
    w("company", Kind::Reference("core_company")),
    w("problem_id", Kind::Reference("problem")),
    w("rfc", Kind::Reference("change_request")),
    w("caused_by", Kind::Reference("change_request")),
    w("parent_incident", Kind::Reference("incident")),
    w("knowledge", Kind::Flag),
    w("correlation_id", Kind::Text(100)),
    w("correlation_display", Kind::Text(100)),
    w("watch_list", Kind::Text(4000)),
    w("user_input", Kind::Text(4000)),
    r("work_notes", Kind::Text(NOTE_LIMIT)),
    r("comments", Kind::Text(NOTE_LIMIT)),
    r("number", Kind::Text(40)),
    r("priority", Kind::Number(1, 5)),
    r("incident_state", Kind::Number(1, 8)),
    r("active", Kind::Flag),
    r("reopen_count", Kind::Number(0, i64::MAX)),
    r("closed_at", Kind::DateTime),
    r("closed_by", Kind::Reference("sys_user")),
    r("sys_id", Kind::Text(32)),
    r("sys_class_name", Kind::Text(80)),
    r("sys_created_on", Kind::DateTime),
    r("sys_created_by", Kind::Text(40)),
    r("sys_updated_on", Kind::DateTime),
    r("sys_updated_by", Kind::Text(40)),
    r("sys_mod_count", Kind::Number(0, i64::MAX)),
];

/// Why an operation can't be sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("the ticket has no field `{field}`{}", near(.nearest))]
    UnknownField { field: String, nearest: Option<&'static str> },
    #[error("the field `{field}` cannot be written: ServiceNow or the host sets it")]
    ReadOnly { field: String },
    #[error("the field `{field}` takes {expected}, not `{got}`")]
    Value { field: String, expected: String, got: String },
    #[error("the field `{field}` is a reference to {table}; use set-reference, or a sys_id")]
    NotASysId { field: String, table: &'static str },
    #[error("the field `{field}` is no reference, so set-reference cannot fill it")]
    NotAReference { field: String },
    #[error("the {what} contains the control character U+{code:04X}")]
    Control { what: String, code: u32 },
}

#[allow(
    clippy::ref_option,
    clippy::ref_option_ref,
    clippy::trivially_copy_pass_by_ref,
    reason = "thiserror passes a reference"
)]
fn near(nearest: &Option<&'static str>) -> String {
    nearest.map(|name| format!("; did you mean `{name}`?")).unwrap_or_default()
}

/// The dictionary's row of a field.
pub fn field(name: &str) -> Option<&'static Field> {
    FIELDS.iter().find(|field| field.name == name)
}

/// Columns that customers add; their names follow ServiceNow's rule.
fn is_custom(name: &str) -> bool {
    (name.starts_with("u_") || name.starts_with("x_"))
        && name.len() <= 80
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

/// Checks one operation, and cuts what is too long. What comes back may be sent.
pub fn check(op: &Op) -> Result<Op, Refusal> {
    match op {
        Op::Set { field, value } => Ok(Op::Set { field: field.clone(), value: checked_value(field, value, false)? }),
        Op::Append { field, value } => {
            Ok(Op::Append { field: field.clone(), value: checked_value(field, value, true)? })
        }
        Op::Unset { field } => {
            writable(field)?;
            Ok(op.clone())
        }
        Op::SetReference(reference) => checked_reference(reference),
        Op::AddNote { journal, text } => {
            plain(journal.field(), text)?;
            Ok(Op::AddNote { journal: *journal, text: cut(text, NOTE_LIMIT).to_owned() })
        }
    }
}

fn writable(name: &str) -> Result<Kind, Refusal> {
    match field(name) {
        Some(Field { direction: Direction::ReadOnly, .. }) => Err(Refusal::ReadOnly { field: name.to_owned() }),
        Some(Field { direction: Direction::Writable, kind, .. }) => Ok(*kind),
        None if is_custom(name) => Ok(Kind::Text(CUSTOM_LIMIT)),
        None => Err(Refusal::UnknownField { field: name.chars().take(80).collect(), nearest: nearest(name) }),
    }
}

fn nearest(name: &str) -> Option<&'static str> {
    FIELDS
        .iter()
        .filter(|field| field.direction == Direction::Writable)
        .map(|field| (strsim::jaro_winkler(field.name, name), field.name))
        .filter(|(likeness, _)| *likeness > 0.85)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, name)| name)
}

fn checked_value(name: &str, value: &str, append: bool) -> Result<String, Refusal> {
    let kind = writable(name)?;
    let wrong = |expected: String| Refusal::Value { field: name.to_owned(), expected, got: cut(value, 60).to_owned() };
    match kind {
        Kind::Text(limit) => {
            plain(name, value)?;
            return Ok(cut(value, limit).to_owned());
        }
        Kind::Number(low, high)
            if append || !value.parse::<i64>().is_ok_and(|number| (low..=high).contains(&number)) =>
        {
            return Err(wrong(format!("a whole number from {low} to {high}")));
        }
        Kind::Choice
            if append || value.is_empty() || value.chars().count() > 40 || value.chars().any(char::is_control) =>
        {
            return Err(wrong("a choice of up to 40 characters".to_owned()));
        }
        Kind::DateTime if append || !is_date_time(value) => {
            return Err(wrong("a UTC time as YYYY-MM-DD HH:MM:SS".to_owned()));
        }
        Kind::Flag if append || (value != "true" && value != "false") => {
            return Err(wrong("true or false".to_owned()));
        }
        Kind::Reference(table) if append || !is_sys_id(value) => {
            return Err(Refusal::NotASysId { field: name.to_owned(), table });
        }
        Kind::Number(..) | Kind::Choice | Kind::DateTime | Kind::Flag | Kind::Reference(_) => {}
    }
    Ok(value.to_owned())
}

fn checked_reference(reference: &Reference) -> Result<Op, Refusal> {
    let Reference { field: name, table, by, value } = reference;
    let fits = match writable(name)? {
        Kind::Reference(_) => true,
        Kind::Text(CUSTOM_LIMIT) => is_custom(name),
        Kind::Text(_) | Kind::Number(..) | Kind::Choice | Kind::DateTime | Kind::Flag => false,
    };
    if !fits {
        return Err(Refusal::NotAReference { field: name.clone() });
    }
    let word = |text: &str| {
        !text.is_empty()
            && text.len() <= 80
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    };
    // Table and column become part of a path and of a query, so nothing but a plain name may pass.
    for (what, text) in [("a table's name", table), ("a column's name", by)] {
        if !word(text) {
            return Err(Refusal::Value {
                field: name.clone(),
                expected: what.to_owned(),
                got: cut(text, 60).to_owned(),
            });
        }
    }
    plain(name, value)?;
    if value.trim().is_empty() {
        return Err(Refusal::Value {
            field: name.clone(),
            expected: "a name to look up".to_owned(),
            got: String::new(),
        });
    }
    Ok(Op::SetReference(Reference { value: cut(value, 255).to_owned(), ..reference.clone() }))
}

/// NUL and the other control characters but tab and line ends have no place in a ticket; ANSI escapes begin with one.
fn plain(what: &str, text: &str) -> Result<(), Refusal> {
    match text.chars().find(|c| c.is_control() && !matches!(c, '\t' | '\n' | '\r')) {
        Some(c) => Err(Refusal::Control { what: what.to_owned(), code: u32::from(c) }),
        None => Ok(()),
    }
}

/// At most `limit` characters of the text, ending on a grapheme border.
pub fn cut(text: &str, limit: usize) -> &str {
    if text.len() <= limit || text.chars().nth(limit).is_none() {
        return text;
    }
    let mut end = 0;
    let mut count = 0;
    for (at, grapheme) in text.grapheme_indices(true) {
        count += grapheme.chars().count();
        if count > limit {
            break;
        }
        end = at + grapheme.len();
    }
    text.get(..end).unwrap_or_default()
}

fn is_sys_id(value: &str) -> bool {
    value.len() == 32 && value.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn is_date_time(value: &str) -> bool {
    value.len() == 19
        && value
            .bytes()
            .zip("0000-00-00 00:00:00".bytes())
            .all(|(byte, shape)| if shape == b'0' { byte.is_ascii_digit() } else { byte == shape })
        && value.replace(' ', "T").parse::<jiff::civil::DateTime>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(field: &str, value: &str) -> Result<Op, Refusal> {
        check(&Op::Set { field: field.into(), value: value.into() })
    }

    #[test]
    fn a_refusal_names_the_field_and_the_remedy() {
        let reference = |field: &str, table: &str| {
            check(&Op::SetReference(Reference {
                field: field.into(),
                table: table.into(),
                by: "name".into(),
                value: "x".into(),
            }))
        };
        let all: Vec<String> = [
            set("short_descripton", "x"),
            set("banana", "x"),
            set("sys_id", "x"),
            set("urgency", "9"),
            set("opened_at", "2026-13-01 00:00:00"),
            set("assignment_group", "Network"),
            set("description", "a\u{1b}[31mred"),
            reference("urgency", "sys_user"),
            reference("caller_id", "sys_user^ORactive=true"),
        ]
        .into_iter()
        .map(|result| result.expect_err("refused").to_string())
        .collect();
        insta::assert_snapshot!(all.join("\n"), @r"
        the ticket has no field `short_descripton`; did you mean `short_description`?
        the ticket has no field `banana`
        the field `sys_id` cannot be written: ServiceNow or the host sets it
        the field `urgency` takes a whole number from 1 to 3, not `9`
        the field `opened_at` takes a UTC time as YYYY-MM-DD HH:MM:SS, not `2026-13-01 00:00:00`
        the field `assignment_group` is a reference to sys_user_group; use set-reference, or a sys_id
        the description contains the control character U+001B
        the field `urgency` is no reference, so set-reference cannot fill it
        the field `caller_id` takes a table's name, not `sys_user^ORactive=true`
        ");
    }

    #[test]
    fn long_text_is_cut_on_a_grapheme_border() {
        let family = "👨‍👩‍👧‍👦";
        let text = format!("{}{family}", "x".repeat(158));
        assert_eq!(cut(&text, 160), "x".repeat(158));
        assert_eq!(cut("short", 160), "short");
        assert_eq!(set("short_description", &"é".repeat(161)), set("short_description", &"é".repeat(160)));
    }

    #[test]
    fn custom_columns_pass_as_text_and_as_references() {
        assert!(set("u_bp_incident_json", "{}").is_ok());
        assert!(set("u_Bad Name", "x").is_err());
        let owner = Reference {
            field: "u_owner".into(),
            table: "sys_user".into(),
            by: "email".into(),
            value: "on.call@acme.example".into(),
        };
        assert!(check(&Op::SetReference(owner)).is_ok());
    }

    proptest::proptest! {
        #[test]
        fn a_cut_text_is_a_prefix_within_the_limit(text in "\\PC{0,300}", limit in 0usize..200) {
            let short = cut(&text, limit);
            proptest::prop_assert!(text.starts_with(short));
            proptest::prop_assert!(short.chars().count() <= limit);
        }
    }
}
