//! Names with values: tags, ticket fields, details, overrides.

use crate::table::{Row, Rows};

/// A name with its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair<'a> {
    /// Such as the name of a tag.
    pub name: &'a str,
    /// Its value.
    pub value: &'a str,
}

/// Names with values, in their order. A name may come more than once.
#[derive(Debug, Clone)]
pub struct Pairs<'a> {
    rows: Rows<'a>,
    /// For tables whose first word sorts the rows into kinds: the kind wanted.
    kind: Option<u32>,
}

impl<'a> Pairs<'a> {
    pub(crate) fn new(rows: Rows<'a>) -> Self {
        Self { rows, kind: None }
    }

    pub(crate) fn of_kind(rows: Rows<'a>, kind: u32) -> Self {
        Self { rows, kind: Some(kind) }
    }

    /// The value of the first pair of that name, in exact case.
    pub fn value(&self, name: &str) -> Option<&'a str> {
        self.clone().find(|pair| pair.name == name).map(|pair| pair.value)
    }

    /// Values of every pair of that name, in exact case.
    pub fn values<'n>(&self, name: &'n str) -> impl Iterator<Item = &'a str> + use<'a, 'n> {
        self.clone().filter(move |pair| pair.name == name).map(|pair| pair.value)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.clone().next().is_none()
    }
}

impl<'a> Iterator for Pairs<'a> {
    type Item = Pair<'a>;

    fn next(&mut self) -> Option<Pair<'a>> {
        let pair = |row: Row<'a>, column: usize| Pair { name: row.text(column), value: row.text(column + 2) };
        match self.kind {
            None => self.rows.next().map(|row| pair(row, 0)),
            Some(kind) => self.rows.by_ref().find(|row| row.number(0) == kind).map(|row| pair(row, 1)),
        }
    }
}
