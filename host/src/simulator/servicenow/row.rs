//! One stored record, kept compact: only cells that differ from their column's default.
//!
//! Called by `heap` and `world`. Holds always: cells are sorted by column, so reading one is a short binary search.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use super::schema::{ClassId, ColumnId};
use crate::simulator::calendar;

/// The 32 hexadecimal digits that identify a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SysId(pub(crate) u128);

impl SysId {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        (text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit()))
            .then(|| u128::from_str_radix(text, 16).ok().map(Self))
            .flatten()
    }

    pub(crate) fn write(self, out: &mut Vec<u8>) {
        for shift in (0..32_u32).rev() {
            let digit = (self.0 >> (shift * 4) & 15) as u8;
            out.push(if digit < 10 { b'0' + digit } else { b'a' + digit - 10 });
        }
    }
}

impl fmt::Display for SysId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// A stored record.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) id: SysId,
    pub(crate) class: ClassId,
    pub(crate) created: i64,
    pub(crate) updated: i64,
    pub(crate) mods: u32,
    pub(crate) created_by: Arc<str>,
    pub(crate) updated_by: Arc<str>,
    cells: Vec<(ColumnId, Box<str>)>,
}

impl Row {
    pub(crate) fn new(id: SysId, class: ClassId, at: i64, by: &Arc<str>) -> Self {
        Self {
            id,
            class,
            created: at,
            updated: at,
            mods: 0,
            created_by: Arc::clone(by),
            updated_by: Arc::clone(by),
            cells: Vec::with_capacity(16),
        }
    }

    /// The stored text; `None` means that the column's default holds.
    pub(crate) fn cell(&self, column: ColumnId) -> Option<&str> {
        let at = self.cells.binary_search_by_key(&column, |(id, _)| *id).ok()?;
        self.cells.get(at).map(|(_, text)| text.as_ref())
    }

    /// Stores `text`, or goes back to the default. Gives the text that stood there.
    pub(crate) fn put(&mut self, column: ColumnId, text: Option<Box<str>>) -> Option<Box<str>> {
        match (self.cells.binary_search_by_key(&column, |(id, _)| *id), text) {
            (Ok(at), Some(text)) => self.cells.get_mut(at).map(|cell| std::mem::replace(&mut cell.1, text)),
            (Ok(at), None) => Some(self.cells.remove(at).1),
            (Err(at), Some(text)) => {
                self.cells.insert(at, (column, text));
                None
            }
            (Err(_), None) => None,
        }
    }

    pub(crate) fn cells(&self) -> &[(ColumnId, Box<str>)] {
        &self.cells
    }
}

/// A value as read from a row, not yet text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    Text(&'a str),
    Time(i64),
    Number(u32),
    Id(SysId),
}

impl<'a> Value<'a> {
    pub(crate) const EMPTY: Value<'static> = Value::Text("");

    pub(crate) fn is_empty(self) -> bool {
        matches!(self, Self::Text(""))
    }

    pub(crate) fn text(self) -> Cow<'a, str> {
        match self {
            Self::Text(text) => Cow::Borrowed(text),
            Self::Time(at) => Cow::Owned(calendar::stamp(at)),
            Self::Number(number) => Cow::Owned(number.to_string()),
            Self::Id(id) => Cow::Owned(id.to_string()),
        }
    }

    pub(crate) fn number(self) -> Option<i64> {
        match self {
            Self::Text(text) => text.trim().parse().ok(),
            Self::Number(number) => Some(i64::from(number)),
            Self::Time(at) => Some(at),
            Self::Id(_) => None,
        }
    }

    pub(crate) fn time(self) -> Option<i64> {
        match self {
            Self::Text(text) => calendar::parse_stamp(text),
            Self::Time(at) => Some(at),
            Self::Number(_) | Self::Id(_) => None,
        }
    }
}
