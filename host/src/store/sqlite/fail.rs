//! What can go wrong inside the store, sorted by what the host has to do about it.
//!
//! The writer and the readers speak [`Fail`]; callers of the store see `store::Error`. A disk that failed a write
//! is told from one that is full: the first ends all writing until a restart, because what the page cache holds
//! after a failed sync is not to be trusted; the second sheds and recovers.
#![allow(
    clippy::wildcard_enum_match_arm,
    clippy::match_wildcard_for_single_variants,
    reason = "matches enums of other crates"
)]

use std::sync::Arc;

use rusqlite::ErrorCode;
use rusqlite::ffi::SQLITE_IOERR_NOMEM;

use crate::store::Error;

/// A failure before it is dressed for the caller. Cheap to copy, because a whole batch shares one.
#[derive(Debug, Clone)]
pub(super) enum Fail {
    Sql(Arc<rusqlite::Error>),
    /// A row does not hold what we wrote.
    Row(String),
}

impl From<rusqlite::Error> for Fail {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(Arc::new(error))
    }
}

impl Fail {
    /// Whether nothing may be written any more.
    pub(super) fn breaks_the_store(&self) -> bool {
        let Self::Sql(error) = self else { return false };
        error.sqlite_error().is_some_and(|cause| {
            let on_disk = matches!(cause.code, ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase);
            let failed_disk = cause.code == ErrorCode::SystemIoFailure && cause.extended_code != SQLITE_IOERR_NOMEM;
            on_disk || failed_disk
        })
    }

    pub(super) fn into_error(self) -> Error {
        if self.breaks_the_store()
            && let Self::Sql(source) = self
        {
            return Error::Broken(Box::new(source));
        }
        match self {
            Self::Row(what) => Error::Corrupt { what },
            Self::Sql(source) => {
                let what = match source.sqlite_error_code() {
                    Some(ErrorCode::DiskFull) => "the disk is full",
                    Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                        "another process is using the database"
                    }
                    Some(ErrorCode::OutOfMemory) => "memory is short",
                    Some(ErrorCode::OperationInterrupted) => "the query took too long",
                    Some(_) | None => "the database refused",
                };
                Error::Unavailable { what: what.to_owned(), source: Some(Box::new(source)) }
            }
        }
    }
}

/// The writer has ended, which it only does when the store is closed or when it panicked.
pub(super) fn closed() -> Error {
    Error::Unavailable { what: "the store is closed".to_owned(), source: None }
}
