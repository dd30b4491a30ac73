//! Packed tables as they come from the host, and rows read out of them.
//!
//! Layout: `wit/README.md`. Nothing here trusts the numbers: a span outside the arena reads as empty text, a
//! column that the host does not know yet reads as absent.

/// A table: words and the texts that they point into.
#[derive(Debug, Clone, Default)]
pub(crate) struct Table {
    words: Vec<u32>,
    arena: String,
}

/// Words before the first row.
const HEADER: usize = 2;

impl Table {
    #[cfg(any(target_arch = "wasm32", feature = "test"))]
    pub(crate) fn new(words: Vec<u32>, arena: String) -> Self {
        Self { words, arena }
    }

    fn stride(&self) -> usize {
        self.words.first().map_or(0, |&stride| stride as usize)
    }

    pub(crate) fn len(&self) -> usize {
        self.words.get(1).map_or(0, |&count| count as usize)
    }

    pub(crate) fn row(&self, index: usize) -> Option<Row<'_>> {
        if index >= self.len() {
            return None;
        }
        let stride = self.stride();
        let start = index.checked_mul(stride)?.checked_add(HEADER)?;
        Some(Row { words: self.words.get(start..start.checked_add(stride)?)?, arena: &self.arena })
    }

    /// The rows from `first` on, `count` of them or as many as there are.
    pub(crate) fn range(&self, first: usize, count: usize) -> Rows<'_> {
        let stride = self.stride();
        let first = first.min(self.len());
        let end = first.saturating_add(count).min(self.len());
        let place = |row: usize| row.saturating_mul(stride).saturating_add(HEADER);
        let words = self.words.get(place(first)..place(end)).unwrap_or_default();
        // A stride of nothing would never end.
        Rows { chunks: words.chunks_exact(stride.max(1)), arena: &self.arena }
    }

    pub(crate) fn rows(&self) -> Rows<'_> {
        self.range(0, self.len())
    }
}

/// Rows in order.
#[derive(Debug, Clone)]
pub(crate) struct Rows<'a> {
    chunks: std::slice::ChunksExact<'a, u32>,
    arena: &'a str,
}

impl<'a> Iterator for Rows<'a> {
    type Item = Row<'a>;

    fn next(&mut self) -> Option<Row<'a>> {
        Some(Row { words: self.chunks.next()?, arena: self.arena })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.chunks.size_hint()
    }
}

impl ExactSizeIterator for Rows<'_> {}

/// One row. A column is counted in words.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row<'a> {
    words: &'a [u32],
    arena: &'a str,
}

impl<'a> Row<'a> {
    pub(crate) fn word(&self, column: usize) -> Option<u32> {
        self.words.get(column).copied()
    }

    pub(crate) fn number(&self, column: usize) -> u32 {
        self.word(column).unwrap_or(0)
    }

    pub(crate) fn text(&self, column: usize) -> &'a str {
        let (start, length) = (self.number(column) as usize, self.number(column + 1) as usize);
        self.arena.get(start..start.saturating_add(length)).unwrap_or("")
    }

    /// Two words as a signed number, the low one first.
    pub(crate) fn long(&self, column: usize) -> Option<i64> {
        let (low, high) = (self.word(column)?, self.word(column + 1)?);
        Some((u64::from(low) | u64::from(high) << 32) as i64)
    }

    /// Epoch seconds; the smallest number stands for none.
    pub(crate) fn time(&self, column: usize) -> Option<i64> {
        self.long(column).filter(|&seconds| seconds != i64::MIN)
    }
}
