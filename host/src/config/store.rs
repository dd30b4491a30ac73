//! `[store]`: where the queue lives.

use std::path::PathBuf;

use super::read::Section;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Store {
    /// File of the embedded database.
    pub path: PathBuf,
}

impl Store {
    pub(super) fn read(section: Section<'_>) -> Self {
        let store = Self { path: section.path("path") };
        section.finish();
        store
    }
}
