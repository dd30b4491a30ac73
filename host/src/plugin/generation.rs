//! A generation: an immutable snapshot of all plugins and their order.

use std::collections::HashSet;
use std::sync::Arc;

use super::loaded::{Loaded, Source};
use super::metadata::PHASES;
use crate::config::{Phase, Plugins};
use crate::domain::id::PluginId;
use crate::domain::patch::Hook;

/// All plugins at one moment. An event takes it once and keeps it to its end.
pub(super) struct Generation {
    pub(super) number: u64,
    /// The chain in its order, then bundled plugins that stand in reserve.
    pub(super) plugins: Vec<Arc<Loaded>>,
    /// How many of them are the chain.
    chain: usize,
    /// Places of the chain by hook.
    hooks: [Vec<usize>; Hook::ALL.len()],
    /// Places of the reserve by hook.
    reserve: [Vec<usize>; Hook::ALL.len()],
}

impl Generation {
    /// Puts plugins in order. A file replaces the bundled plugin of its id; what was replaced or disabled by the
    /// operator stays in reserve.
    pub(super) fn new(number: u64, bundled: &[Arc<Loaded>], files: &[Arc<Loaded>], config: &Plugins) -> Self {
        let replaced: HashSet<&PluginId> = files.iter().map(|plugin| &plugin.id).collect();
        let runs = |plugin: &Arc<Loaded>| !config.disabled.contains(&plugin.id);
        let kept = bundled.iter().filter(|plugin| !replaced.contains(&plugin.id) && runs(plugin));
        let mut plugins: Vec<Arc<Loaded>> = files.iter().filter(|plugin| runs(plugin)).chain(kept).cloned().collect();
        let ours: HashSet<&PluginId> = bundled.iter().map(|plugin| &plugin.id).collect();
        plugins.sort_by_key(|plugin| order(plugin, ours.contains(&plugin.id), config));
        let chain = plugins.len();
        plugins.extend(bundled.iter().filter(|plugin| replaced.contains(&plugin.id) || !runs(plugin)).cloned());
        let places = |hook: Hook, range: std::ops::Range<usize>| -> Vec<usize> {
            range.filter(|&place| plugins.get(place).is_some_and(|plugin| plugin.exports.of(hook).is_some())).collect()
        };
        let hooks = Hook::ALL.map(|hook| places(hook, 0..chain));
        let reserve = Hook::ALL.map(|hook| places(hook, chain..plugins.len()));
        Self { number, plugins, chain, hooks, reserve }
    }

    /// The same plugins under another number.
    pub(super) fn renumbered(&self, number: u64) -> Self {
        let Self { plugins, chain, hooks, reserve, .. } = self;
        Self { number, plugins: plugins.clone(), chain: *chain, hooks: hooks.clone(), reserve: reserve.clone() }
    }

    /// Bundled plugins that are not in the chain.
    pub(super) fn reserve(&self) -> &[Arc<Loaded>] {
        self.plugins.get(self.chain..).unwrap_or_default()
    }

    /// The chain in its order.
    pub(super) fn chain(&self) -> &[Arc<Loaded>] {
        self.plugins.get(..self.chain).unwrap_or_default()
    }

    /// Plugins of the chain that export a hook, in order.
    pub(super) fn chain_of(&self, hook: Hook) -> &[usize] {
        self.hooks.get(hook as usize).map_or(&[], Vec::as_slice)
    }

    /// Bundled plugins that export a hook and are not in the chain.
    pub(super) fn reserve_of(&self, hook: Hook) -> &[usize] {
        self.reserve.get(hook as usize).map_or(&[], Vec::as_slice)
    }

    /// Whether two snapshots would answer alike.
    pub(super) fn same_as(&self, other: &Self) -> bool {
        let key = |plugin: &Arc<Loaded>| (plugin.digest.clone(), plugin.source == Source::Bundled);
        self.plugins.iter().map(key).eq(other.plugins.iter().map(key)) && self.chain == other.chain
    }
}

/// Phase, priority, id; the operator's word over the plugin's. Where phase and priority are equal, the bundled plugins and
/// what replaces them come first: whoever drops a plugin of his own in means it to have the last word, whatever its id.
fn order(plugin: &Loaded, is_ours: bool, config: &Plugins) -> (usize, u32, bool, PluginId) {
    let said = config.order.get(&plugin.id).copied().unwrap_or_default();
    let own = PHASES.iter().position(|name| *name == plugin.metadata.phase).unwrap_or(PHASES.len());
    let phase = said.phase.map_or(own, place);
    (phase, said.priority.unwrap_or(plugin.metadata.priority), !is_ours, plugin.id.clone())
}

fn place(phase: Phase) -> usize {
    match phase {
        Phase::Normalize => 0,
        Phase::Enrich => 1,
        Phase::Map => 2,
        Phase::Logic => 3,
        Phase::Finalize => 4,
        Phase::Guard => 5,
    }
}
