//! `[store]`: where the queue lives.

use std::path::PathBuf;

use super::read::Section;
use crate::domain::id::IntegrationName;

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

    /// The file whose presence keeps shares of an integration out. A file, so that it works with and without a host
    /// and outlives both.
    pub fn stop_marker(&self, integration: &IntegrationName) -> PathBuf {
        let mut name = self.path.as_os_str().to_owned();
        name.push(format!(".stopped-{integration}"));
        PathBuf::from(name)
    }
}
