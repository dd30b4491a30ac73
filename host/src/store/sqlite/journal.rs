//! The history of a link: one row for all lines that one transaction wrote, numbered by link.

use rusqlite::{Connection, params};

use super::fail::Fail;
use super::rows;
use crate::domain::id::LinkId;
use crate::domain::time::Timestamp;
use crate::store::{JournalEntry, JournalNote};

/// A line that the store itself writes.
pub(super) fn note(kind: &str, text: &str) -> JournalNote {
    JournalNote { kind: kind.to_owned(), text: text.to_owned() }
}

/// Appends lines to a link's history.
pub(super) fn write(db: &Connection, link: LinkId, now: Timestamp, notes: &[JournalNote]) -> Result<(), Fail> {
    if notes.is_empty() {
        return Ok(());
    }
    let lines = rows::to_json(&notes, "a history")?;
    db.prepare_cached(
        "INSERT INTO journal (link, n, at, lines)
         VALUES (?1, (SELECT coalesce(max(n), 0) + 1 FROM journal WHERE link = ?1), ?2, ?3)",
    )?
    .execute(params![link.0, now.0, lines])?;
    Ok(())
}

/// A link's history, oldest line first.
pub(super) fn read(db: &Connection, link: LinkId) -> Result<Vec<JournalEntry>, Fail> {
    let mut statement = db.prepare_cached("SELECT at, lines FROM journal WHERE link = ?1 ORDER BY n")?;
    let mut found = statement.query([link.0])?;
    let mut entries = Vec::new();
    while let Some(row) = found.next()? {
        let at = Timestamp(row.get(0)?);
        let lines: Vec<JournalNote> = rows::json(rows::text(row, 1)?, "a history")?;
        entries.extend(lines.into_iter().map(|JournalNote { kind, text }| JournalEntry { at, kind, text }));
    }
    Ok(entries)
}
