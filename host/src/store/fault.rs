//! What an operator can do about an error of the store.

use super::Error;
use crate::domain::fault::{Class, Fault};

impl Fault for Error {
    fn class(&self) -> Class {
        match self {
            Self::Unavailable { .. } | Self::Broken(_) | Self::Locked { .. } | Self::Open { .. } => Class::Store,
            Self::Newer { .. } => Class::Config,
            Self::Corrupt { .. } => Class::Bug,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Unavailable { .. } => "store.unavailable",
            Self::Broken(_) => "store.broken",
            Self::Locked { .. } => "store.locked",
            Self::Newer { .. } => "store.newer",
            Self::Open { .. } => "store.open",
            Self::Corrupt { .. } => "store.corrupt",
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Unavailable { .. } => "free disk space if it is full; the next try may succeed",
            Self::Broken(_) => {
                "look after the disk, then restart the host; when `tandem doctor` says that the store is damaged, restore a \
                 backup as host/OPERATIONS.md says"
            }
            Self::Locked { .. } => "stop the other host, or give this one a store of its own",
            Self::Newer { .. } => "start the version that wrote it, or a newer one",
            Self::Open { .. } => "check `store.path`, and that the host's user may write there",
            Self::Corrupt { .. } => "keep the file and report this; the other rows are served",
        };
        Some(hint.to_owned())
    }
}
