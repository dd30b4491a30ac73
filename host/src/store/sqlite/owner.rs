//! The lock that makes this process the only owner of a store.
//!
//! A file beside the database, locked by the operating system for as long as the process lives, so that no crash
//! leaves it behind. It holds the owner's process id for people. It is never deleted: a lock on a deleted file
//! keeps nobody out.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use super::upkeep::PRIVATE;
use crate::store::Error;

/// Holds the lock until it is dropped.
#[derive(Debug)]
pub(super) struct Owner {
    _file: File,
}

impl Owner {
    /// Takes the lock beside `database`; fails at once when another process has it.
    pub(super) fn take(database: &Path) -> Result<Self, Error> {
        let path = lock_path(database);
        let unusable = |source: std::io::Error| Error::Open { path: path.display().to_string(), source: source.into() };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(PRIVATE)
            .open(&path)
            .map_err(unusable)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut pid = String::new();
                // Only for the message: whoever can't be named is still the owner.
                let holder = match file.read_to_string(&mut pid) {
                    Ok(_) => pid.trim().parse::<u32>().ok(),
                    Err(_) => None,
                };
                return Err(Error::Locked { path: database.display().to_string(), holder });
            }
            Err(TryLockError::Error(source)) => return Err(unusable(source)),
        }
        file.set_len(0).map_err(unusable)?;
        file.seek(SeekFrom::Start(0)).map_err(unusable)?;
        // A full disk must not keep the host from starting: it could then not even show its queue.
        if let Err(error) = writeln!(file, "{}", std::process::id()) {
            tracing::warn!(%error, path = %path.display(), "store.lock.unsigned: the process id could not be written");
        }
        Ok(Self { _file: file })
    }
}

fn lock_path(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(".lock");
    PathBuf::from(name)
}
