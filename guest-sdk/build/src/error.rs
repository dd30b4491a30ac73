//! What can go wrong between a crate and a component, in sentences with a remedy.

use std::path::PathBuf;

/// Why a plugin was not built. The remedy is in [`hint`](Self::hint).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file of the plugin is missing or unreadable.
    #[error("{} can't be read", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        #[source]
        /// What the system said.
        source: std::io::Error,
    },
    /// `plugin.toml` is not what it should be.
    #[error("{}: {message}", .path.display())]
    Manifest {
        /// The file.
        path: PathBuf,
        /// What is wrong, with line and column where known.
        message: String,
    },
    /// Two plugins have one id.
    #[error("{} and {} both call themselves `{id}`", .first.display(), .second.display())]
    Twins {
        /// The id.
        id: String,
        /// One plugin.
        first: PathBuf,
        /// The other.
        second: PathBuf,
    },
    /// The crate can't become a plugin as it is.
    #[error("{}: {message}", .path.display())]
    Crate {
        /// Its `Cargo.toml`.
        path: PathBuf,
        /// What is wrong.
        message: String,
        /// The remedy.
        hint: String,
    },
    /// No compiler can build for WebAssembly.
    #[error("No Rust compiler on this machine can build for wasm32-unknown-unknown ({tried})")]
    NoToolchain {
        /// What was looked at.
        tried: String,
    },
    /// A program could not be started.
    #[error("`{program}` can't be started")]
    Start {
        /// The program.
        program: String,
        #[source]
        /// What the system said.
        source: std::io::Error,
    },
    /// Cargo failed; it has said why.
    #[error("cargo failed while building {plugins}{}", said(.stderr))]
    Cargo {
        /// The plugins that it was building.
        plugins: String,
        /// What it said, when that was not shown already.
        stderr: String,
    },
    /// The module can't become a component.
    #[error("{id} was compiled, but no component can be made of it: {message}")]
    Component {
        /// The plugin.
        id: String,
        /// Why.
        message: String,
    },
    /// The output can't be written.
    #[error("{} can't be written", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        #[source]
        /// What the system said.
        source: std::io::Error,
    },
}

fn said(stderr: &str) -> String {
    if stderr.trim().is_empty() { String::new() } else { format!(":\n{}", stderr.trim_end()) }
}

impl Error {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Read { path, .. } if path.ends_with("plugin.toml") => Some(
                "A plugin is a crate with a plugin.toml beside its Cargo.toml; the smallest one is `id = \"my-plugin\"`."
                    .into(),
            ),
            Self::Read { .. } => Some("Name the directory of a plugin's crate.".into()),
            Self::Twins { .. } => Some("Give one of them another `id` in its plugin.toml.".into()),
            Self::Crate { hint, .. } => Some(hint.clone()),
            Self::NoToolchain { .. } => Some(
                "Run `rustup target add wasm32-unknown-unknown`. Where rustup can't reach its server, Debian has what \
                 it takes: `apt-get install rustc-web cargo-web rust-web-src`."
                    .into(),
            ),
            Self::Start { .. } => Some("Install Rust from https://rustup.rs and see that cargo is on the PATH.".into()),
            Self::Component { message, .. } if message.contains("wasi") || message.contains("unknown import") => Some(
                "A plugin may import only what tandem-guest offers. Leave out crates that reach for files, sockets or \
                 JavaScript; `cargo tree` shows who brings them in."
                    .into(),
            ),
            Self::Component { .. } => {
                Some("Export at least one hook with `tandem_guest::export!(MyPlugin: Description);`.".into())
            }
            Self::Manifest { .. } | Self::Cargo { .. } | Self::Write { .. } => None,
        }
    }
}
