//! Packed tables: how lists cross into a guest in one piece each.
//!
//! A table is a list of words (words in a row, number of rows, then the rows) and one string that the rows point
//! into. `wit/README.md` is the layout's reference; the guest SDK reads it.

use std::sync::Arc;

use super::wire::Packed;

pub(super) mod event;
#[cfg(test)]
mod tests;
pub(super) mod tree;

/// Stands for a time that isn't there.
const NO_TIME: i64 = i64::MIN;

/// Writes one table row by row. Every row must get exactly as many words as the table's stride.
#[derive(Debug)]
pub(super) struct Writer {
    words: Vec<u32>,
    arena: String,
    stride: usize,
}

impl Writer {
    /// A table of rows of `stride` words, with room for `rows` of them and `bytes` of text.
    pub(super) fn new(stride: usize, rows: usize, bytes: usize) -> Self {
        let mut words = Vec::with_capacity(2 + stride * rows);
        words.extend([stride as u32, 0]);
        Self { words, arena: String::with_capacity(bytes), stride }
    }

    pub(super) fn word(&mut self, word: u32) {
        self.words.push(word);
    }

    /// Words that make one row.
    pub(super) fn row<const N: usize>(&mut self, words: [u32; N]) {
        self.words.extend_from_slice(&words);
    }

    /// Texts that rows will point into; where they begin.
    pub(super) fn append(&mut self, texts: &str) -> u32 {
        let begin = self.arena.len() as u32;
        self.arena.push_str(texts);
        begin
    }

    /// A span; two words.
    pub(super) fn text(&mut self, text: &str) {
        let span = [self.arena.len() as u32, text.len() as u32];
        self.arena.push_str(text);
        self.words.extend(span);
    }

    /// Two words, the low one first.
    pub(super) fn long(&mut self, number: i64) {
        let bits = number as u64;
        self.words.extend([bits as u32, (bits >> 32) as u32]);
    }

    pub(super) fn time(&mut self, seconds: Option<i64>) {
        self.long(seconds.unwrap_or(NO_TIME));
    }

    /// How many rows there are so far.
    pub(super) fn rows(&self) -> u32 {
        ((self.words.len() - 2) / self.stride) as u32
    }

    pub(super) fn finish(mut self) -> Packed {
        debug_assert_eq!((self.words.len() - 2) % self.stride, 0, "a row has too few or too many words");
        let rows = self.rows();
        if let Some(count) = self.words.get_mut(1) {
            *count = rows;
        }
        Packed { rows: Arc::new(self.words), arena: Arc::new(self.arena) }
    }

    /// Sets the third word of a row that was begun earlier.
    pub(super) fn patch(&mut self, row: u32, column: usize, word: u32) {
        if let Some(place) = self.words.get_mut(2 + row as usize * self.stride + column) {
            *place = word;
        }
    }
}
