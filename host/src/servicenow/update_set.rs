//! What an administrator imports into ServiceNow: columns, form buttons, the job that pulls, and private properties, as
//! the XML of one update set.
//!
//! Pure: it knows nothing of a connection. Called by `cli`. Equal contents have equal ids, so that importing a newer
//! file changes records and makes none twice. No credential is ever in it.

mod columns;
mod records;
mod xml;

pub use columns::{COLUMNS, Column};

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use self::records::Record;
use self::xml::Element;
use crate::domain::time::Timestamp;

/// What the update set is made for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contents {
    /// Table of the tickets.
    pub table: String,
    pub incident_button: bool,
    pub timeline_button: bool,
    /// Where the instance asks for shares and answers. `None`: the job is there and not active.
    pub pull: Option<Pull>,
    pub pull_count: u32,
}

/// The two addresses of on-premises mode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pull {
    pub retrieve: String,
    pub callback: String,
}

const NAME: &str = "Tandem";
const DESCRIPTION: &str = "Columns, form buttons and the pull job of Tandem, which keeps BigPanda incidents and \
    ServiceNow incidents in step.";
/// Whoever imports is the author, as far as an update set is concerned.
const AUTHOR: &str = "tandem";

/// The file. `now` is when it was made: ServiceNow lets the newer of two changes win.
pub fn write(contents: &Contents, now: Timestamp) -> String {
    let stamp = Stamp::new(now);
    let set = sys_id("sys_remote_update_set", NAME);
    // Each record begins a line, so that people can compare two files.
    let mut file = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<unload unload_date=\"{}\">\n", stamp.date);
    let _ = writeln!(file, "{}", remote(&set, &stamp));
    for record in records::all(contents) {
        let _ = writeln!(file, "{}", update(&record, &set, &stamp));
    }
    file.push_str("</unload>\n");
    file
}

/// The moment in the forms that the records want.
struct Stamp {
    date: String,
    recorded: String,
}

impl Stamp {
    fn new(now: Timestamp) -> Self {
        let date = jiff::Timestamp::from_millisecond(now.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        Self {
            date: date.strftime("%Y-%m-%d %H:%M:%S").to_string(),
            // Milliseconds in hexadecimal with a counter behind them; only their order matters.
            recorded: format!("{:x}0000001", now.0.max(0)),
        }
    }
}

/// A stable id for a record of ours.
fn sys_id(table: &str, key: &str) -> String {
    fingerprint(&format!("tandem\n{table}\n{key}"))
}

/// 32 hexadecimal digits.
fn fingerprint(text: &str) -> String {
    Sha256::digest(text).iter().take(16).fold(String::with_capacity(32), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The head of the set, as one that was retrieved from elsewhere and waits for its preview.
fn remote(set: &str, stamp: &Stamp) -> Element {
    let empty = |name| Element::new(name);
    let reference = |name| Element::new(name).attribute("display_value", "");
    Element::new("sys_remote_update_set")
        .attribute("action", "INSERT_OR_UPDATE")
        .child(global("application"))
        .child(Element::text("application_name", "Global"))
        .child(Element::text("application_scope", "global"))
        .child(empty("application_version"))
        .child(empty("collisions"))
        .child(empty("commit_date"))
        .child(empty("deleted"))
        .child(Element::text("description", DESCRIPTION))
        .child(empty("inserted"))
        .child(Element::text("name", NAME))
        .child(empty("origin_sys_id"))
        .child(reference("parent"))
        .child(empty("release_date"))
        .child(reference("remote_base_update_set"))
        .child(empty("remote_parent_id"))
        .child(Element::text("remote_sys_id", &sys_id("sys_update_set", NAME)))
        .child(Element::text("state", "loaded"))
        .child(empty("summary"))
        .child(Element::text("sys_class_name", "sys_remote_update_set"))
        .child(Element::text("sys_id", set))
        .children(audit(stamp))
        .child(reference("update_set"))
        .child(reference("update_source"))
        .child(empty("updated"))
}

/// One change of the set: the record as XML inside of text.
fn update(record: &Record, set: &str, stamp: &Stamp) -> Element {
    let payload = payload(record, stamp);
    let hash = java_hash(&payload);
    let guid = fingerprint(&payload);
    Element::new("sys_update_xml")
        .attribute("action", "INSERT_OR_UPDATE")
        .child(Element::text("action", "INSERT_OR_UPDATE"))
        .child(global("application"))
        .child(Element::text("category", "customer"))
        .child(Element::new("comments"))
        .child(Element::text("name", &record.update_name))
        .child(Element::text("payload", &payload))
        .child(Element::text("payload_hash", &hash.to_string()))
        .child(Element::text("remote_update_set", set).attribute("display_value", NAME))
        .child(Element::text("replace_on_upgrade", "false"))
        .child(Element::text("sys_id", &sys_id("sys_update_xml", &record.update_name)))
        .child(Element::text("sys_recorded_at", &stamp.recorded))
        .children(audit(stamp))
        .child(Element::text("table", record.belongs_to))
        .child(Element::text("target_name", &record.name))
        .child(Element::text("type", record.kind))
        .child(Element::text("update_domain", "global"))
        .child(Element::text("update_guid", &guid))
        .child(Element::text("update_guid_history", &format!("{guid}:{hash}")))
        .child(Element::new("update_set").attribute("display_value", ""))
        .child(Element::new("view"))
}

fn payload(record: &Record, stamp: &Stamp) -> String {
    let mut fields: Vec<Element> = record.fields.iter().map(|(name, value)| Element::text(name, value)).collect();
    fields.extend([
        Element::text("sys_id", &record.sys_id),
        Element::text("sys_class_name", record.table),
        Element::text("sys_name", &record.name),
        Element::text("sys_package", "global").attribute("display_value", "Global").attribute("source", "global"),
        global("sys_scope"),
        Element::text("sys_update_name", &record.update_name),
    ]);
    fields.extend(audit(stamp));
    let row = Element::new(record.table).attribute("action", "INSERT_OR_UPDATE").children(fields);
    let whole = Element::new("record_update").attribute("table", record.table).child(row);
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>{whole}")
}

fn audit(stamp: &Stamp) -> Vec<Element> {
    vec![
        Element::text("sys_created_by", AUTHOR),
        Element::text("sys_created_on", &stamp.date),
        Element::text("sys_mod_count", "0"),
        Element::text("sys_updated_by", AUTHOR),
        Element::text("sys_updated_on", &stamp.date),
    ]
}

fn global(name: &'static str) -> Element {
    Element::text(name, "global").attribute("display_value", "Global")
}

/// The form of hash that ServiceNow's exports carry: Java's of a text.
fn java_hash(text: &str) -> i32 {
    text.encode_utf16().fold(0_i32, |hash, unit| hash.wrapping_mul(31).wrapping_add(i32::from(unit)))
}

#[cfg(test)]
mod tests;
