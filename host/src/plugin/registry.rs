//! Keeps the running generation in step with the plugins directory.
//!
//! Reloads are serialised. A file that can't be loaded leaves running what was loaded from it before; all else that
//! changed takes effect. A generation, once made, never changes.

use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use tokio::sync::watch;

use super::error::{Error, LoadError};
use super::generation::Generation;
use super::load::Loader;
use super::loaded::{Digest, Loaded, Source};
use super::status::{About, PluginState, PluginStatus, Problem, Status};
use crate::steps::{Step, reached};

/// A component that is part of the binary.
#[derive(Debug, Clone, Copy)]
pub struct Bundled {
    /// The file's name without its ending.
    pub name: &'static str,
    pub bytes: &'static [u8],
}

/// Generations that can be gone back to.
const KEPT: usize = 5;

pub(super) struct Registry {
    loader: Loader,
    bundled: Vec<Arc<Loaded>>,
    /// Bundled components that could not be loaded.
    broken: Vec<(&'static str, Problem)>,
    current: ArcSwap<Generation>,
    ledger: Mutex<Ledger>,
    announce: watch::Sender<u64>,
}

/// What a reload reads and writes.
#[derive(Default)]
struct Ledger {
    files: BTreeMap<PathBuf, Known>,
    /// Newest last.
    earlier: VecDeque<Arc<Generation>>,
    newest: u64,
}

/// What is known of a file.
struct Known {
    digest: Option<Digest>,
    /// What runs of it.
    loaded: Option<Arc<Loaded>>,
    problem: Option<Problem>,
}

/// When the directory is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    /// Something is going on: what is whole and new is taken over, all else waits.
    Unrest,
    Rest,
}

/// What a reload came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reload {
    /// Number of the generation that runs now.
    pub generation: u64,
    /// Whether it is a new one.
    pub changed: bool,
    /// Files that could not be loaded.
    pub broken: usize,
}

impl Registry {
    pub(super) fn new(loader: Loader, bundled: &[Bundled]) -> Self {
        let mut loaded = Vec::new();
        let mut broken = Vec::new();
        for &Bundled { name, bytes } in bundled {
            match loader.load(bytes, Source::Bundled) {
                Ok(plugin) => loaded.push(Arc::new(plugin)),
                Err(error) => {
                    let problem = Problem::of(&error);
                    tracing::error!(plugin.id = name, "the bundled plugin can't be loaded: {}", problem.message);
                    broken.push((name, problem));
                }
            }
        }
        let first = Generation::new(0, &loaded, &[], &loader.config);
        let (announce, _) = watch::channel(0);
        Self {
            loader,
            bundled: loaded,
            broken,
            current: ArcSwap::from_pointee(first),
            ledger: Mutex::default(),
            announce,
        }
    }

    pub(super) fn current(&self) -> Arc<Generation> {
        self.current.load_full()
    }

    pub(super) fn subscribe(&self) -> watch::Receiver<u64> {
        self.announce.subscribe()
    }

    pub(super) fn loader(&self) -> &Loader {
        &self.loader
    }

    fn ledger(&self) -> std::sync::MutexGuard<'_, Ledger> {
        // A reload that panicked leaves the ledger as it was before a file or after it; both are fine.
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at the directory and takes over what changed in it.
    pub(super) fn reload(&self) -> Reload {
        self.reload_at(Moment::Rest)
    }

    pub(super) fn reload_at(&self, moment: Moment) -> Reload {
        let mut ledger = self.ledger();
        let mut changed = ledger.newest == 0;
        let found = components(&self.loader.config.directory);
        if moment == Moment::Rest {
            let gone = ledger.files.extract_if(.., |path, _| !found.contains(path)).count();
            changed |= gone > 0;
        }
        for path in &found {
            changed |= self.look(&mut ledger, path, moment);
        }
        let plugins = settle_twins(&mut ledger);
        let broken = ledger.files.values().filter(|known| known.problem.is_some()).count();
        if changed {
            let next = Generation::new(ledger.newest + 1, &self.bundled, &plugins, &self.loader.config);
            if ledger.newest == 0 || !next.same_as(&self.current.load()) {
                self.swap(&mut ledger, next);
                return Reload { generation: ledger.newest, changed: true, broken };
            }
        }
        Reload { generation: self.current.load().number, changed: false, broken }
    }

    /// What runs, with another plugin in it or in the place of the one of its id.
    pub(super) fn with(&self, plugin: &Arc<Loaded>) -> Generation {
        let ledger = self.ledger();
        let others = ledger.files.values().filter_map(|known| known.loaded.as_ref());
        let mut files: Vec<Arc<Loaded>> = others.filter(|other| other.id != plugin.id).cloned().collect();
        files.push(plugin.clone());
        Generation::new(self.current.load().number, &self.bundled, &files, &self.loader.config)
    }

    fn swap(&self, ledger: &mut Ledger, next: Generation) {
        reached(Step::Compiled);
        ledger.newest = next.number;
        let number = next.number;
        let old = self.current.swap(Arc::new(next));
        // The one before the first look at the directory is nothing to go back to.
        if old.number > 0 {
            ledger.earlier.push_back(old);
            if ledger.earlier.len() > KEPT {
                ledger.earlier.pop_front();
            }
        }
        self.announce.send_replace(number);
        tracing::info!(generation = number, "a new generation of plugins answers");
    }

    /// Reads a file; true when what runs, or what is wrong, is another than before.
    fn look(&self, ledger: &mut Ledger, path: &Path, moment: Moment) -> bool {
        let read = fs::read(path).map_err(LoadError::Read);
        let digest = read.as_ref().ok().map(|bytes| Digest::of(bytes));
        let known = ledger.files.get(path);
        if known.is_some_and(|known| known.digest == digest && digest.is_some()) {
            return false;
        }
        let before = known.and_then(|known| known.loaded.clone());
        let loaded = read.and_then(|bytes| self.loader.load(&bytes, Source::File(path.to_owned())));
        let known = match loaded {
            Ok(plugin) => {
                tracing::info!(
                    plugin.id = %plugin.id,
                    plugin.version = plugin.metadata.version,
                    plugin.digest = plugin.digest.short(),
                    file = %path.display(),
                    "a plugin was loaded"
                );
                Known { digest, loaded: Some(Arc::new(plugin)), problem: None }
            }
            // Perhaps half of it is written.
            Err(_) if moment == Moment::Unrest => return false,
            Err(error) => {
                let problem = Problem::of(&error);
                tracing::warn!(
                    file = %path.display(),
                    code = problem.code,
                    "a plugin can't be loaded, {}: {}",
                    if before.is_some() { "what ran before keeps running" } else { "it is left out" },
                    problem.message
                );
                Known { digest, loaded: before, problem: Some(problem) }
            }
        };
        ledger.files.insert(path.to_owned(), known);
        true
    }

    /// Makes an earlier generation run again, until a file changes.
    pub(super) fn roll_back(&self, number: u64) -> Result<u64, Error> {
        let mut ledger = self.ledger();
        let earlier = ledger.earlier.iter().find(|earlier| earlier.number == number);
        let again = earlier.ok_or(Error::NoGeneration(number))?.renumbered(ledger.newest + 1);
        self.swap(&mut ledger, again);
        Ok(ledger.newest)
    }

    pub(super) fn status(&self) -> Status {
        let ledger = self.ledger();
        let current = self.current.load();
        let problem_of = |plugin: &Loaded| match &plugin.source {
            Source::Bundled => None,
            Source::File(path) => ledger.files.get(path).and_then(|known| known.problem.clone()),
        };
        let chain = current.chain().iter().map(|plugin| {
            let problem = problem_of(plugin);
            let state = if problem.is_some() { PluginState::Outdated } else { PluginState::Running };
            line(plugin, state, problem)
        });
        let reserve = current.reserve().iter().map(|plugin| {
            let disabled = self.loader.config.disabled.contains(&plugin.id);
            line(plugin, if disabled { PluginState::Disabled } else { PluginState::Replaced }, None)
        });
        let off = ledger
            .files
            .values()
            .filter_map(|known| known.loaded.as_ref())
            .filter(|plugin| self.loader.config.disabled.contains(&plugin.id));
        let off = off.map(|plugin| line(plugin, PluginState::Disabled, problem_of(plugin)));
        let broken = ledger.files.iter().filter(|(_, known)| known.loaded.is_none()).map(|(path, known)| {
            let name = path.file_stem().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
            let source = Source::File(path.clone());
            PluginStatus { id: name, state: PluginState::Broken, source, about: None, problem: known.problem.clone() }
        });
        let unbundled = self.broken.iter().map(|(name, problem)| PluginStatus {
            id: (*name).to_owned(),
            state: PluginState::Broken,
            source: Source::Bundled,
            about: None,
            problem: Some(problem.clone()),
        });
        Status {
            generation: current.number,
            earlier: ledger.earlier.iter().rev().map(|earlier| earlier.number).collect(),
            directory: self.loader.config.directory.clone(),
            plugins: chain.chain(reserve).chain(off).chain(broken).chain(unbundled).collect(),
        }
    }
}

fn line(plugin: &Loaded, state: PluginState, problem: Option<Problem>) -> PluginStatus {
    let source = plugin.source.clone();
    PluginStatus { id: plugin.id.to_string(), state, source, about: Some(About::of(plugin)), problem }
}

/// Components in the directory, by name. A directory that doesn't exist is an empty one.
fn components(directory: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
    let is_component = |path: &PathBuf| {
        let hidden = path.file_name().is_none_or(|name| name.as_encoded_bytes().starts_with(b"."));
        !hidden && path.extension().is_some_and(|extension| extension == "wasm")
    };
    let mut found: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).filter(is_component).collect();
    found.sort();
    found
}

/// What runs: of two files with one id, the first by name.
fn settle_twins(ledger: &mut Ledger) -> Vec<Arc<Loaded>> {
    let mut plugins: Vec<Arc<Loaded>> = Vec::new();
    for known in ledger.files.values_mut() {
        let Some(plugin) = known.loaded.clone() else { continue };
        let first = plugins.iter().find(|other| other.id == plugin.id).map(|other| other.source.clone());
        let Some(Source::File(first)) = first else {
            plugins.push(plugin);
            continue;
        };
        known.loaded = None;
        // Looked at again next time: the other file may have gone.
        known.digest = None;
        known.problem = Some(Problem::of(&LoadError::Twin { id: plugin.id.to_string(), first }));
    }
    plugins
}
