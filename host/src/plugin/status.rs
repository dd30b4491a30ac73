//! What the operator sees of the plugin host.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::error::LoadError;
use super::limits::Limits;
use super::loaded::{Digest, Loaded, Source};
use crate::domain::fault::Fault;
use crate::domain::patch::{Hook, PluginFailure};

/// The plugin host at one moment.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Status {
    /// Number of the running generation.
    pub generation: u64,
    /// Generations that can be gone back to, newest first.
    pub earlier: Vec<u64>,
    pub directory: PathBuf,
    /// The chain in its order, then what is in reserve or disabled, then files that could not be loaded.
    pub plugins: Vec<PluginStatus>,
}

/// One plugin or file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PluginStatus {
    /// The plugin's id; the file's name when it could not be read.
    pub id: String,
    pub state: PluginState,
    pub source: Source,
    #[serde(flatten, default, skip_serializing_if = "Option::is_none")]
    pub about: Option<About>,
    /// Why the file's newest content is not what runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<Problem>,
}

/// What a plugin does at present.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PluginState {
    /// Part of the chain.
    Running,
    /// Bundled, and replaced by a file; stands in when that fails.
    Replaced,
    /// Switched off by the operator; a bundled one still stands in when all others fail.
    Disabled,
    /// Part of the chain with earlier content, because the file's newest can't be loaded.
    Outdated,
    /// Can't be loaded.
    Broken,
}

impl PluginState {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Replaced => "replaced",
            Self::Disabled => "disabled",
            Self::Outdated => "outdated",
            Self::Broken => "broken",
        }
    }
}

/// A loaded plugin in detail.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct About {
    pub version: String,
    pub digest: Digest,
    pub description: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sdk: Option<String>,
    /// Size of the component in bytes.
    pub bytes: usize,
    pub hooks: Vec<Hook>,
    pub phase: String,
    pub priority: u32,
    pub grants: Vec<String>,
    /// What it really gets.
    pub limits: Limits,
    /// JSON Schema of its settings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<Value>,
    /// Hooks asked since it was loaded.
    pub asked: u64,
    pub failed: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_failure: Option<PluginFailure>,
}

/// Why a file can't be loaded.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Problem {
    /// Stable word-code such as `plugin.import`.
    pub code: String,
    pub message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl Problem {
    pub(super) fn of(error: &LoadError) -> Self {
        let message = crate::domain::fault::chain(error).join(": ");
        Self { code: error.code().to_owned(), message, hint: error.hint() }
    }
}

impl About {
    pub(super) fn of(plugin: &Loaded) -> Self {
        let (asked, failed, last_failure) = plugin.stats.read();
        let metadata = &plugin.metadata;
        Self {
            version: metadata.version.clone(),
            digest: plugin.digest.clone(),
            description: metadata.description.clone(),
            sdk: metadata.sdk.clone(),
            bytes: plugin.bytes,
            hooks: plugin.exports.hooks().collect(),
            phase: metadata.phase.clone(),
            priority: metadata.priority,
            grants: metadata.grants.clone(),
            limits: plugin.limits.clone(),
            config: metadata.config.clone(),
            asked,
            failed,
            last_failure,
        }
    }
}
