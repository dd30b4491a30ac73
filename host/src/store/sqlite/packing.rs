//! Bodies of events as they lie in their rows: as LZ4 blocks where that saves something, else as they came.
//!
//! A share repeats its names with every alert, so its block is a fifth of it; that is less to write twice, to the log and
//! to the database, and less to keep for a month. Packed by the caller, because there is only one writer.

use bytes::Bytes;
use lz4_flex::block::{compress, decompress};

use super::fail::Fail;
use crate::domain::id::EventId;
use crate::store::NewEvent;

/// Shorter bodies fit into a page anyway.
pub(super) const WORTH: usize = 1024;
/// No body is larger; a row that claims more is damaged.
const LARGEST: usize = 256 << 20;

/// An event on its way into its rows, packed before it reached the writer.
pub(super) struct EventRow {
    pub(super) event: NewEvent,
    packed: Option<Vec<u8>>,
}

impl EventRow {
    pub(super) fn new(event: NewEvent) -> Self {
        let packed = (event.body.len() >= WORTH).then(|| compress(&event.body));
        let packed = packed.filter(|block| block.len() < event.body.len() / 4 * 3);
        Self { event, packed }
    }

    /// The columns `body` and `size`.
    pub(super) fn columns(&self) -> (&[u8], Option<i64>) {
        match &self.packed {
            Some(block) => (block, Some(self.event.body.len() as i64)),
            None => (&self.event.body, None),
        }
    }
}

/// A body from its columns.
pub(super) fn unpack(event: EventId, body: Vec<u8>, size: Option<i64>) -> Result<Bytes, Fail> {
    let Some(size) = size else { return Ok(body.into()) };
    let damaged = |why: &str| Fail::Row(format!("the body of event {event} cannot be unpacked: {why}"));
    let size =
        usize::try_from(size).ok().filter(|size| *size <= LARGEST).ok_or_else(|| damaged("its size is wrong"))?;
    let whole = decompress(&body, size).map_err(|error| damaged(&error.to_string()))?;
    if whole.len() == size { Ok(whole.into()) } else { Err(damaged("its size is wrong")) }
}
