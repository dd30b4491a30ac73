//! Rows of one inheritance tree with their indexes.
//!
//! Not aware of tables' meaning. Called by `world`. Holds always: every index agrees with the rows after each call;
//! inserting, changing and looking up by key cost the same however many rows there are (up to a logarithm).

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};

use super::row::{Row, SysId};
use super::schema::{ClassId, ColumnId};

/// A row's place, in order of insertion.
pub(crate) type RowNo = u32;

#[derive(Debug, Default)]
pub(crate) struct Heap {
    rows: Vec<Option<Row>>,
    by_id: HashMap<SysId, RowNo>,
    postings: HashMap<ColumnId, HashMap<Box<str>, Vec<RowNo>>>,
    by_updated: BTreeSet<(i64, RowNo)>,
    by_created: BTreeSet<(i64, RowNo)>,
    counts: HashMap<ClassId, usize>,
}

/// The form under which text is indexed and compared: without case.
pub(crate) fn folded(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase()) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.to_lowercase())
    }
}

impl Heap {
    pub(crate) fn index(&mut self, column: ColumnId) {
        self.postings.entry(column).or_default();
    }

    pub(crate) fn is_indexed(&self, column: ColumnId) -> bool {
        self.postings.contains_key(&column)
    }

    pub(crate) fn get(&self, no: RowNo) -> Option<&Row> {
        self.rows.get(no as usize)?.as_ref()
    }

    pub(crate) fn find(&self, id: SysId) -> Option<RowNo> {
        self.by_id.get(&id).copied()
    }

    pub(crate) fn by_id(&self, id: SysId) -> Option<&Row> {
        self.get(self.find(id)?)
    }

    pub(crate) fn count(&self, class: ClassId) -> usize {
        self.counts.get(&class).copied().unwrap_or(0)
    }

    /// All rows in order of insertion.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (RowNo, &Row)> {
        self.rows.iter().enumerate().filter_map(|(no, row)| Some((no as RowNo, row.as_ref()?)))
    }

    /// Rows whose indexed column holds `text`, whatever its case.
    pub(crate) fn with_text(&self, column: ColumnId, text: &str) -> &[RowNo] {
        self.postings.get(&column).and_then(|map| map.get(folded(text).as_ref())).map_or(&[], Vec::as_slice)
    }

    /// Rows updated within `[from, to]`.
    pub(crate) fn updated_within(&self, from: i64, to: i64) -> impl Iterator<Item = RowNo> {
        within(&self.by_updated, from, to)
    }

    /// Rows created within `[from, to]`.
    pub(crate) fn created_within(&self, from: i64, to: i64) -> impl Iterator<Item = RowNo> {
        within(&self.by_created, from, to)
    }

    pub(crate) fn insert(&mut self, row: Row) -> RowNo {
        let no = self.rows.len() as RowNo;
        self.by_id.insert(row.id, no);
        self.by_updated.insert((row.updated, no));
        self.by_created.insert((row.created, no));
        *self.counts.entry(row.class).or_default() += 1;
        for (column, text) in row.cells() {
            if let Some(map) = self.postings.get_mut(column) {
                post(map, text, no);
            }
        }
        self.rows.push(Some(row));
        no
    }

    /// Stores `text` (or the default) in a cell; gives what stood there.
    pub(crate) fn put(&mut self, no: RowNo, column: ColumnId, text: Option<Box<str>>) -> Option<Box<str>> {
        let row = self.rows.get_mut(no as usize)?.as_mut()?;
        let Some(map) = self.postings.get_mut(&column) else {
            return row.put(column, text);
        };
        let new = text.clone();
        let old = row.put(column, text);
        if let Some(old) = &old {
            unpost(map, old, no);
        }
        if let Some(new) = new {
            post(map, &new, no);
        }
        old
    }

    /// Runs `change` on the row's own attributes and keeps the time indexes right.
    pub(crate) fn touch(&mut self, no: RowNo, change: impl FnOnce(&mut Row)) {
        let Some(row) = self.rows.get_mut(no as usize).and_then(Option::as_mut) else {
            return;
        };
        let before = (row.updated, row.created);
        change(row);
        if before.0 != row.updated {
            self.by_updated.remove(&(before.0, no));
            self.by_updated.insert((row.updated, no));
        }
        if before.1 != row.created {
            self.by_created.remove(&(before.1, no));
            self.by_created.insert((row.created, no));
        }
    }

    pub(crate) fn remove(&mut self, no: RowNo) -> Option<Row> {
        let row = self.rows.get_mut(no as usize)?.take()?;
        self.by_id.remove(&row.id);
        self.by_updated.remove(&(row.updated, no));
        self.by_created.remove(&(row.created, no));
        if let Some(count) = self.counts.get_mut(&row.class) {
            *count = count.saturating_sub(1);
        }
        for (column, text) in row.cells() {
            if let Some(map) = self.postings.get_mut(column) {
                unpost(map, text, no);
            }
        }
        Some(row)
    }
}

fn within(index: &BTreeSet<(i64, RowNo)>, from: i64, to: i64) -> impl Iterator<Item = RowNo> {
    // An empty range would panic in the tree.
    let (from, to) = if from > to { (1, 0) } else { (from, to) };
    let range = (from <= to).then(|| index.range((from, 0)..=(to, RowNo::MAX)));
    range.into_iter().flatten().map(|(_, no)| *no)
}

fn post(map: &mut HashMap<Box<str>, Vec<RowNo>>, text: &str, no: RowNo) {
    let key = folded(text);
    if let Some(list) = map.get_mut(key.as_ref()) {
        list.push(no);
    } else {
        map.insert(key.into(), vec![no]);
    }
}

fn unpost(map: &mut HashMap<Box<str>, Vec<RowNo>>, text: &str, no: RowNo) {
    let key = folded(text);
    if let Some(list) = map.get_mut(key.as_ref()) {
        list.retain(|other| *other != no);
        if list.is_empty() {
            map.remove(key.as_ref());
        }
    }
}
