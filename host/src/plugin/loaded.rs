//! A plugin that is ready to run: compiled, linked, checked against the contract.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use wasmtime::component::{Component, ComponentExportIndex, InstancePre};

use super::error::LoadError;
use super::imports::full_name;
use super::limits::Limits;
use super::metadata::Metadata;
use super::settings::PluginSettings;
use super::state::State;
use super::stats::Stats;
use crate::domain::event::Occasion;
use crate::domain::id::PluginId;
use crate::domain::patch::{Hook, Origin};

/// Where a component came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// Embedded in the binary.
    Bundled,
    File(PathBuf),
}

/// A plugin that is ready to run.
pub(super) struct Loaded {
    pub(super) id: PluginId,
    pub(super) metadata: Metadata,
    pub(super) digest: Digest,
    pub(super) source: Source,
    pub(super) limits: Limits,
    pub(super) exports: Exports,
    pub(super) pre: InstancePre<State>,
    pub(super) settings: PluginSettings,
    /// Size of the component in bytes.
    pub(super) bytes: usize,
    pub(super) stats: Stats,
}

impl Loaded {
    pub(super) fn origin(&self, hook: Hook) -> Origin {
        Origin { plugin: self.id.clone(), digest: self.digest.short().to_owned(), hook }
    }
}

/// SHA-256 of a component.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Digest(String);

impl Digest {
    pub(super) fn of(bytes: &[u8]) -> Self {
        use std::fmt::Write as _;
        let mut text = String::with_capacity(64);
        for byte in Sha256::digest(bytes) {
            // Writing to a string can't fail.
            let _ = write!(text, "{byte:02x}");
        }
        Self(text)
    }

    /// All 64 hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first twelve.
    pub fn short(&self) -> &str {
        self.0.get(..12).unwrap_or(&self.0)
    }
}

/// A function that a component exports.
#[derive(Debug, Clone)]
pub(super) struct Export(ComponentExportIndex);

impl Export {
    pub(super) fn index(&self) -> &ComponentExportIndex {
        &self.0
    }
}

/// The hooks of a component, found from its type.
#[derive(Debug, Clone, Default)]
pub(super) struct Exports {
    pub(super) gate: Option<Export>,
    pub(super) primary_alert: Option<Export>,
    pub(super) short_description: Option<Export>,
    pub(super) description: Option<Export>,
    pub(super) fields: Option<Export>,
    pub(super) tags: Option<Export>,
    pub(super) close_ticket: Option<Export>,
    pub(super) closing_comment: Option<Export>,
    pub(super) reopen: Option<Export>,
    pub(super) conflict: Option<Export>,
}

impl Exports {
    pub(super) fn find(component: &Component) -> Result<Self, LoadError> {
        let function = |interface: &str, name: &str| -> Option<Export> {
            let interface = component.get_export_index(None, full_name(interface))?;
            component.get_export_index(Some(&interface), name).map(Export)
        };
        let exports = Self {
            gate: function("gate", "decide"),
            primary_alert: function("primary-alert", "choose"),
            short_description: function("short-description", "write"),
            description: function("description", "write"),
            fields: function("fields", "transform"),
            tags: function("tags", "transform"),
            close_ticket: function("closure", "close-ticket"),
            closing_comment: function("closure", "comment"),
            reopen: function("reopen", "decide"),
            conflict: function("conflict", "settle"),
        };
        if exports.hooks().next().is_none() { Err(LoadError::NoHook) } else { Ok(exports) }
    }

    /// The function by which a hook is asked on this occasion: closing has one for each side.
    pub(super) fn on(&self, occasion: Occasion, hook: Hook) -> Option<&Export> {
        match (hook, occasion) {
            (Hook::Closure, Occasion::TicketChanged) => self.closing_comment.as_ref(),
            (_, Occasion::Shared | Occasion::IncidentChanged | Occasion::TicketChanged) => self.of(hook),
        }
    }

    /// The function that tells whether a hook is there.
    pub(super) fn of(&self, hook: Hook) -> Option<&Export> {
        match hook {
            Hook::Gate => self.gate.as_ref(),
            Hook::PrimaryAlert => self.primary_alert.as_ref(),
            Hook::ShortDescription => self.short_description.as_ref(),
            Hook::Description => self.description.as_ref(),
            Hook::Fields => self.fields.as_ref(),
            Hook::Tags => self.tags.as_ref(),
            Hook::Closure => self.close_ticket.as_ref(),
            Hook::Reopen => self.reopen.as_ref(),
            Hook::Conflict => self.conflict.as_ref(),
        }
    }

    pub(super) fn hooks(&self) -> impl Iterator<Item = Hook> {
        Hook::ALL.into_iter().filter(|hook| self.of(*hook).is_some())
    }
}
