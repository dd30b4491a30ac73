//! `[integration.<name>.incidents]`: the settings of BigPanda's ServiceNow application under names of our own.
//!
//! These, and only these, may be overridden by a share's headers, and these are what plugins see.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::Serialize;
use url::Url;

use super::closing::{self, CloseCode};
use super::read::Section;

/// How the incidents of one integration become tickets. As JSON it is what plugins see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Settings {
    pub active: bool,
    pub assignment_group: Option<String>,
    pub caller_email: Option<String>,
    pub opened_by_email: Option<String>,
    pub resolved_by_email: Option<String>,
    pub cmdb_ci_field: Option<String>,
    pub primary_alert: String,
    pub priority_in_short_description: bool,
    pub priority_tag: String,
    pub ai_summary_in_short_description: bool,
    pub ai_summary_in_description: bool,
    pub description_incident_tags: Vec<String>,
    pub description_alert_tags: Vec<String>,
    pub max_alerts_in_description: u32,
    pub add_links_to_description: bool,
    pub add_description_to_work_notes: bool,
    /// For the update set.
    pub show_incident_button: bool,
    /// For the update set.
    pub show_timeline_button: bool,
    pub resolve_servicenow_incident: bool,
    pub resolve_bigpanda_incident: bool,
    pub close_code: String,
    /// The first row that fits wins over `close_code`.
    pub close_code_mapping: Vec<CloseCode>,
    /// Never empty.
    pub close_notes: String,
    /// Ticket field to value.
    pub mandatory_on_resolve: BTreeMap<String, String>,
    /// For a ticket whose incident was merged away. Empty: such a ticket gets a note.
    #[serde(skip)]
    pub merged_close_code: String,
    pub send_closure_code: bool,
    pub reopen_resolved: bool,
    /// Plugins see whole seconds.
    #[serde(serialize_with = "as_seconds")]
    pub reopen_window: Duration,
    pub comments_to_servicenow: CommentsTo,
    pub notes_to_bigpanda: NotesFrom,
    /// Empty: those that plugins marked.
    pub update_fields: Vec<String>,
    pub response_incident_tag: String,
    /// For an instance that pulls.
    #[serde(skip)]
    pub retrieval_count: u32,
    /// For the update set; the host itself makes no use of it.
    #[serde(skip)]
    pub retrieval_endpoint: Option<Url>,
    /// For the update set; the host itself makes no use of it.
    #[serde(skip)]
    pub callback_endpoint: Option<Url>,
    pub tag_mapping: Vec<TagMapping>,
}

/// Where a comment on the incident goes on the ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CommentsTo {
    WorkNotes,
    Comments,
    Off,
}

impl CommentsTo {
    const WORDS: [(&'static str, Self); 3] =
        [("work_notes", Self::WorkNotes), ("comments", Self::Comments), ("off", Self::Off)];
}

/// What of a ticket's journal becomes a comment on the incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NotesFrom {
    Off,
    WorkNotes,
    Comments,
    Both,
}

impl NotesFrom {
    const WORDS: [(&'static str, Self); 4] =
        [("off", Self::Off), ("work_notes", Self::WorkNotes), ("comments", Self::Comments), ("both", Self::Both)];
}

/// Which way a mapped value travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TagDirection {
    #[serde(rename = "to-servicenow")]
    ToServiceNow,
    #[serde(rename = "to-bigpanda")]
    ToBigPanda,
    Both,
}

/// An incident tag and the ticket field that holds the same value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TagMapping {
    pub tag: String,
    pub field: String,
    pub direction: TagDirection,
}

fn as_seconds<S: serde::Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(duration.as_secs())
}

impl Settings {
    pub(super) fn read(section: Section<'_>) -> Self {
        let address = |key| section.parsed_optional(key, "write an e-mail address such as \"ops@acme.example\"", email);
        let settings = Self {
            active: section.switch("active"),
            assignment_group: section.optional("assignment_group"),
            caller_email: address("caller_email"),
            opened_by_email: address("opened_by_email"),
            resolved_by_email: address("resolved_by_email"),
            cmdb_ci_field: section.optional("cmdb_ci_field"),
            primary_alert: section
                .parsed("primary_alert", "write criteria such as \"status=critical, startedOn\"", criteria)
                .unwrap_or_default(),
            priority_in_short_description: section.switch("priority_in_short_description"),
            priority_tag: tag(&section, "priority_tag"),
            ai_summary_in_short_description: section.switch("ai_summary_in_short_description"),
            ai_summary_in_description: section.switch("ai_summary_in_description"),
            description_incident_tags: section.list("description_incident_tags"),
            description_alert_tags: section.list("description_alert_tags"),
            max_alerts_in_description: section.count("max_alerts_in_description", 0..=300),
            add_links_to_description: section.switch("add_links_to_description"),
            add_description_to_work_notes: section.switch("add_description_to_work_notes"),
            show_incident_button: section.switch("show_incident_button"),
            show_timeline_button: section.switch("show_timeline_button"),
            resolve_servicenow_incident: section.switch("resolve_servicenow_incident"),
            resolve_bigpanda_incident: section.switch("resolve_bigpanda_incident"),
            close_code: closing::code(&section, "close_code"),
            close_code_mapping: closing::code_mapping(&section),
            close_notes: closing::notes(&section),
            mandatory_on_resolve: closing::mandatory(&section),
            merged_close_code: section.text("merged_close_code"),
            send_closure_code: section.switch("send_closure_code"),
            reopen_resolved: section.switch("reopen_resolved"),
            reopen_window: section.duration("reopen_window", Duration::ZERO..=Duration::from_hours(30 * 24)),
            comments_to_servicenow: section
                .choice("comments_to_servicenow", &CommentsTo::WORDS)
                .unwrap_or(CommentsTo::WorkNotes),
            notes_to_bigpanda: section.choice("notes_to_bigpanda", &NotesFrom::WORDS).unwrap_or(NotesFrom::Off),
            update_fields: fields(&section, "update_fields"),
            response_incident_tag: tag(&section, "response_incident_tag"),
            retrieval_count: section.count("retrieval_count", 1..=1000),
            retrieval_endpoint: section.url("retrieval_endpoint"),
            callback_endpoint: section.url("callback_endpoint"),
            tag_mapping: mapping(&section),
        };
        section.finish();
        settings
    }
}

/// Checks an e-mail address as far as a slip of the pen would spoil it.
pub(super) fn email(text: &str) -> Result<String, String> {
    let whole = text.split_once('@').filter(|(user, host)| {
        !user.is_empty() && host.contains('.') && !host.contains('@') && !text.contains(char::is_whitespace)
    });
    whole.map(|_| text.to_owned()).ok_or_else(|| "is not an e-mail address".to_owned())
}

/// Checks the name of a table or column.
pub(super) fn field_name(text: &str) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if text.is_empty() || text.len() > 80 || !text.chars().all(plain) {
        return Err("can be no name in ServiceNow: those have lower-case letters, digits and `_`".to_owned());
    }
    Ok(text.to_owned())
}

/// Checks the criteria that choose the primary alert.
fn criteria(text: &str) -> Result<String, String> {
    for part in text.split(',').map(str::trim) {
        let (field, test) =
            part.split_once('=').map_or((part, None), |(field, value)| (field.trim(), Some(value.trim())));
        let name = field.strip_prefix('-').unwrap_or(field);
        if name.is_empty() {
            return Err("has a criterion without a field".to_owned());
        }
        if test.is_some_and(str::is_empty) {
            return Err(format!("compares `{field}` with nothing"));
        }
        if test.is_some() && field.starts_with('-') {
            return Err(format!("has the criterion `{part}`, which both compares and sorts"));
        }
    }
    Ok(text.to_owned())
}

fn tag(section: &Section<'_>, key: &'static str) -> String {
    let read = section.parsed(key, "write the name of an incident tag", |text| {
        if text.is_empty() || text.chars().count() > 100 {
            return Err("has to have 1 to 100 characters".to_owned());
        }
        Ok(text.to_owned())
    });
    read.unwrap_or_default()
}

fn fields(section: &Section<'_>, key: &'static str) -> Vec<String> {
    let names = section.list(key);
    if let Some(bad) = names.iter().find(|name| field_name(name).is_err()) {
        section.refuse(
            key,
            &format!("holds `{bad}`, which is not a field of ServiceNow"),
            "write names of columns, such as [\"short_description\", \"urgency\"]",
        );
    }
    names
}

fn mapping(section: &Section<'_>) -> Vec<TagMapping> {
    const DIRECTIONS: [(&str, TagDirection); 3] = [
        ("to-servicenow", TagDirection::ToServiceNow),
        ("to-bigpanda", TagDirection::ToBigPanda),
        ("both", TagDirection::Both),
    ];
    let mut rows = Vec::new();
    let mut pairs = BTreeSet::new();
    for (path, node) in section.rows("tag_mapping") {
        let row = Section::new(section.context, path, &node);
        let tag = row.text("tag");
        let field = row.parsed("field", "write the name of a column, such as \"u_owner_team\"", field_name);
        let direction = row.choice("direction", &DIRECTIONS);
        if row.has("tag") && tag.is_empty() {
            row.refuse("tag", "is empty", "write the name of an incident tag");
        }
        row.finish();
        let (Some(field), Some(direction)) = (field, direction) else { continue };
        if !pairs.insert((tag.clone(), field.clone())) {
            section.refuse("tag_mapping", &format!("maps `{tag}` to `{field}` twice"), "leave one of the rows out");
        }
        rows.push(TagMapping { tag, field, direction });
    }
    rows
}
