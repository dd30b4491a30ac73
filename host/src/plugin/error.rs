//! Why a plugin can't be loaded, or the plugin host can't start.
#![allow(
    clippy::wildcard_enum_match_arm,
    clippy::match_wildcard_for_single_variants,
    reason = "matches enums of other crates"
)]

use std::path::PathBuf;

use crate::domain::fault::{Class, Fault};

/// Why a component was refused. Each is one sentence about the file.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error("the file can't be read")]
    Read(#[source] std::io::Error),
    #[error("it is larger than {}", super::fault::size(*.0))]
    TooLarge(usize),
    /// Not a component at all.
    #[error("it is {0}, not a WebAssembly component")]
    NotAComponent(&'static str),
    #[error("it is cut off or damaged: {0}")]
    Damaged(String),
    /// Larger inside than anything that a plugin needs.
    #[error("it has {what}; at most {most} may be")]
    TooMuch { what: String, most: String },
    #[error("it says nothing about itself: the section `tandem:plugin` is missing")]
    NoMetadata,
    #[error("what it says about itself can't be used: {0}")]
    Metadata(String),
    #[error("it imports `{0}`, which Tandem doesn't offer")]
    Foreign(String),
    #[error("it was built for `{found}`, and this Tandem speaks {ours}")]
    Version { found: String, ours: String },
    /// The type of the component is the truth; the metadata only asks.
    #[error("it uses `{0}` without asking for it")]
    Unasked(&'static str),
    #[error("it asks for `{0}`, which it was not granted")]
    NotGranted(String),
    #[error("it exports no hook")]
    NoHook,
    #[error("it exports the hook `{hook}` with another type than the contract has")]
    HookType {
        hook: &'static str,
        #[source]
        source: wasmtime::Error,
    },
    #[error("it can't be compiled: {0}")]
    Compile(String),
    #[error("it can't be linked: {0}")]
    Link(String),
    /// The trial instance failed.
    #[error("{message}, before it was asked anything")]
    Start { code: &'static str, message: String },
    #[error("its settings in `[plugins.config.{id}]` are wrong: {message}")]
    Config { id: String, message: String },
    #[error("another file has the id `{id}` already: {}", .first.display())]
    Twin { id: String, first: PathBuf },
    #[error("it is the plugin `{found}`, and was given as `{given}`")]
    OtherId { given: String, found: String },
    #[error("the plugin `{0}` is switched off, so that it would not be asked")]
    Disabled(String),
}

impl Fault for LoadError {
    fn class(&self) -> Class {
        match self {
            Self::Config { .. } | Self::NotGranted(_) | Self::OtherId { .. } | Self::Disabled(_) => Class::Config,
            _ => Class::Plugin,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Read(_) => "plugin.read",
            Self::TooLarge(_) | Self::TooMuch { .. } => "plugin.size",
            Self::NotAComponent(_) => "plugin.format",
            Self::Damaged(_) => "plugin.damaged",
            Self::NoMetadata | Self::Metadata(_) => "plugin.metadata",
            Self::Foreign(_) => "plugin.import",
            Self::Version { .. } => "plugin.version",
            Self::Unasked(_) | Self::NotGranted(_) => "plugin.grant",
            Self::NoHook | Self::HookType { .. } => "plugin.hook",
            Self::Compile(_) => "plugin.compile",
            Self::Link(_) => "plugin.link",
            Self::Start { code, .. } => code,
            Self::Config { .. } => "plugin.config",
            Self::Twin { .. } => "plugin.twin",
            Self::OtherId { .. } => "plugin.id",
            Self::Disabled(_) => "plugin.disabled",
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Read(_) => "See that the file exists and that the host may read it.",
            Self::TooLarge(_) => {
                "Raise `artefact` in [plugins.limits], or build it with optimisation and without debug data."
            }
            Self::NotAComponent(_) | Self::NoMetadata => "Build it with `tandem plugin build DIR`.",
            Self::Damaged(_) => "Copy the file again; a copy under another name and a rename never shows half a file.",
            Self::TooMuch { .. } => "A plugin of this shape is refused to keep compiling quick; ask its author.",
            Self::Metadata(_) | Self::Unasked(_) => "Correct plugin.toml and build the plugin again.",
            Self::Foreign(_) => {
                "Plugins reach nothing but what tandem-guest offers: no files, sockets, environment or clock of the system."
            }
            Self::Version { .. } => "Build it with the tandem-guest of this release.",
            Self::NotGranted(grant) => return Some(format!("Add it with `[plugins.grants]`, `<id> = [\"{grant}\"]`.")),
            Self::NoHook | Self::HookType { .. } => {
                "Export hooks with `tandem_guest::export!(MyPlugin: Description);` of this release's tandem-guest."
            }
            Self::Compile(_) | Self::Link(_) | Self::Start { .. } => "Ask the plugin's author.",
            Self::Config { .. } => "`tandem plugin show ID` lists its settings and what they may be.",
            Self::Twin { .. } => "Remove one of the two files.",
            Self::OtherId { found, .. } => return Some(format!("Give it as `{found}=FILE`.")),
            Self::Disabled(_) => "Take it out of `disabled` in [plugins], or try another plugin.",
        };
        Some(hint.to_owned())
    }
}

/// Why the plugin host can't start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the WebAssembly engine can't be set up")]
    Engine(#[source] wasmtime::Error),
    #[error("a thread for plugins can't be started")]
    Thread(#[source] std::io::Error),
    #[error("the cache of compiled plugins at {} can't be used", .path.display())]
    Cache {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("there is no generation {0} to go back to")]
    NoGeneration(u64),
}

impl Fault for Error {
    fn class(&self) -> Class {
        match self {
            Self::Engine(_) | Self::Thread(_) => Class::Limit,
            Self::Cache { .. } => Class::Config,
            Self::NoGeneration(_) => Class::Missing,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Engine(_) => "plugin.engine",
            Self::Thread(_) => "plugin.thread",
            Self::Cache { .. } => "plugin.cache",
            Self::NoGeneration(_) => "plugin.generation",
        }
    }

    fn hint(&self) -> Option<String> {
        Some(
            match self {
                Self::Engine(_) => {
                    "Plugins need address space: a few GiB for each worker, reserved and not used. Lift `ulimit -v`, or \
                     set fewer `workers` in [plugins]."
                }
                Self::Thread(_) => "Lift the limit on threads (`ulimit -u`, or the container's pids limit).",
                Self::Cache { .. } => "Name a directory that the host may write to as `cache` in [plugins].",
                Self::NoGeneration(_) => "`tandem plugin list` shows the generations that are kept.",
            }
            .to_owned(),
        )
    }
}
