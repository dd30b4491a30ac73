//! The plugin host as the shell knows it: started once, asked about events, watched by the operator.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use tokio::sync::watch;
use wasmtime::Engine;

use super::cache::Cache;
use super::chain::{self, Dictionary, Surroundings};
use super::compile::Compiler;
use super::context::Input;
use super::engine::{self, Size, Ticker};
use super::error::{Error, LoadError};
use super::generation::Generation;
use super::hook::minimal::HOST;
use super::imports;
use super::load::Loader;
use super::pool::Pool;
use super::registry::{Bundled, Registry, Reload};
use super::status::Status;
use super::trial::Trial;
use super::watch::Watch;
use crate::config::{OnTwoWriters, Plugins};
use crate::domain::id::PluginId;
use crate::domain::patch::{Hook, PluginFailure, StoodIn, Transformation};

/// Fewest workers: one that is kept busy by a bad plugin, and one for everybody else.
const FEWEST_WORKERS: usize = 2;
/// Events that callers may run on threads of their own at the same time.
const GUESTS: usize = 4;

/// Everything that plugins need. Dropping it ends its threads.
pub struct Host {
    // In the order in which they must end.
    watch: Option<Watch>,
    pool: Pool,
    inner: Arc<Inner>,
    _ticker: Ticker,
}

struct Inner {
    engine: Engine,
    registry: Arc<Registry>,
    dictionary: Arc<dyn Dictionary>,
    on_two_writers: OnTwoWriters,
    guests: Mutex<usize>,
    freed: Condvar,
}

impl Host {
    /// Loads the bundled plugins and those of the directory, and begins to watch it. All are compiled here.
    pub fn start(config: Plugins, bundled: &[Bundled], dictionary: Arc<dyn Dictionary>) -> Result<Self, Error> {
        Self::start_with(config, bundled, dictionary, None)
    }

    /// The same; plugins are compiled by a child process of `program`, which is the program that runs.
    pub fn start_with(
        config: Plugins,
        bundled: &[Bundled],
        dictionary: Arc<dyn Dictionary>,
        program: Option<PathBuf>,
    ) -> Result<Self, Error> {
        let workers = match config.workers {
            0 => std::thread::available_parallelism().map_or(FEWEST_WORKERS, usize::from),
            workers => workers,
        };
        let workers = workers.max(FEWEST_WORKERS);
        // One more, for trying out a new plugin.
        let instances = (workers + GUESTS) * chain::MOST_ALIVE + 1;
        let size = Size::of(&config.limits, u32::try_from(instances).unwrap_or(u32::MAX));
        let engine = Engine::new(&engine::config(&size)).map_err(Error::Engine)?;
        let ticker = Ticker::start(&engine).map_err(Error::Thread)?;
        let cache = Cache::open(&config.cache).map_err(|source| Error::Cache { path: config.cache.clone(), source })?;
        let on_two_writers = config.on_two_writers;
        let loader = Loader {
            linker: imports::linker(&engine).map_err(Error::Engine)?,
            engine: engine.clone(),
            compiler: Compiler { cache: Some(cache), program, size },
            config,
        };
        let registry = Arc::new(Registry::new(loader, bundled));
        registry.reload();
        let watch = Watch::start(registry.clone()).map_err(Error::Thread)?;
        let pool = Pool::start(workers).map_err(Error::Thread)?;
        let (guests, freed) = (Mutex::new(GUESTS), Condvar::new());
        let inner = Arc::new(Inner { engine, registry, dictionary, on_two_writers, guests, freed });
        Ok(Self { watch: Some(watch), pool, inner, _ticker: ticker })
    }

    /// Asks the plugins about an event, on a thread of the pool. Always answers.
    pub async fn transform(&self, input: Input) -> Transformation {
        let inner = self.inner.clone();
        let fallback = input.clone();
        match self.pool.run(move || inner.transform(input)).await {
            Some(transformation) => transformation,
            None => self.inner.without_plugins(fallback, "the host is stopping"),
        }
    }

    /// A chain of its own for single events: what runs now, with this component in it. Compiles, so it blocks.
    pub fn trial(&self, id: &PluginId, bytes: &[u8]) -> Result<Trial, LoadError> {
        Trial::load(&self.inner.registry, id, bytes)
    }

    /// The same as [`Host::transform`], with the plugins of a trial.
    pub async fn transform_with(&self, trial: &Trial, input: Input) -> Transformation {
        let (inner, generation) = (self.inner.clone(), trial.generation.clone());
        let fallback = input.clone();
        match self.pool.run(move || inner.answer(&generation, input)).await {
            Some(transformation) => transformation,
            None => self.inner.without_plugins(fallback, "the host is stopping"),
        }
    }

    /// Asks the plugins about an event on this thread, which stays busy for as long as they take.
    pub fn transform_here(&self, input: Input) -> Transformation {
        {
            let mut free = self.inner.guests.lock().unwrap_or_else(PoisonError::into_inner);
            while *free == 0 {
                free = self.inner.freed.wait(free).unwrap_or_else(PoisonError::into_inner);
            }
            *free -= 1;
        }
        let transformation = self.inner.transform(input);
        *self.inner.guests.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.inner.freed.notify_one();
        transformation
    }

    /// What runs, what doesn't and why.
    pub fn status(&self) -> Status {
        self.inner.registry.status()
    }

    /// Looks at the directory now instead of waiting for a notice.
    pub fn reload_now(&self) -> Reload {
        self.inner.registry.reload()
    }

    /// Makes an earlier generation run again until a file changes; the number that it gets.
    pub fn roll_back(&self, generation: u64) -> Result<u64, Error> {
        self.inner.registry.roll_back(generation)
    }

    /// Number of the running generation; changes when another takes over.
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.inner.registry.subscribe()
    }

    /// Hooks that some plugin answers at present.
    pub fn hooks(&self) -> Vec<Hook> {
        let current = self.inner.registry.current();
        Hook::ALL.into_iter().filter(|hook| !current.chain_of(*hook).is_empty()).collect()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // Before the pool: a reload that begins now would be for nobody.
        self.watch = None;
    }
}

impl Inner {
    fn transform(&self, input: Input) -> Transformation {
        self.answer(&self.registry.current(), input)
    }

    fn answer(&self, generation: &Generation, input: Input) -> Transformation {
        let again = input.clone();
        // A panic of the host itself must not take the worker with it, nor the event.
        match catch_unwind(AssertUnwindSafe(|| self.run(generation, input))) {
            Ok(transformation) => transformation,
            Err(_) => self.without_plugins(again, "it panicked; the log has the place"),
        }
    }

    fn run(&self, generation: &Generation, input: Input) -> Transformation {
        let surroundings = Surroundings {
            engine: &self.engine,
            dictionary: self.dictionary.as_ref(),
            on_two_writers: self.on_two_writers,
        };
        chain::transform(&surroundings, generation, input)
    }

    /// The minimal record, when plugins can't even be asked.
    fn without_plugins(&self, input: Input, why: &str) -> Transformation {
        let current = self.registry.current();
        let empty = Generation::new(current.number, &[], &[], &self.registry.loader().config);
        let mut transformation = self.run(&empty, input);
        if let Ok(plugin) = PluginId::new(HOST) {
            transformation.failures.push(PluginFailure {
                plugin,
                version: env!("CARGO_PKG_VERSION").to_owned(),
                digest: String::new(),
                hook: Hook::Description,
                code: "plugin.host".to_owned(),
                message: format!("the host failed while running plugins: {why}"),
                hint: None,
                frames: Vec::new(),
                stood_in: StoodIn::Minimal,
            });
        }
        transformation
    }
}
