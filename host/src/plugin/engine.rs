//! The one wasmtime engine of a process, and the thread that ticks for its deadlines.
//!
//! Every instance comes from a pool of slots that are reset after use, with copy-on-write images of its data. What
//! components don't need is switched off, so that there is less to go wrong.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

use super::limits::Limits;

/// How often deadlines are looked at.
pub(super) const TICK: Duration = Duration::from_millis(5);
/// Core modules instantiated for one component: its own, and the ones by which imports reach it.
const CORE_INSTANCES: u32 = 8;
/// Memory of a slot that is wiped instead of being given back to the system, so that the next event finds it mapped.
const KEEP_RESIDENT: usize = 2 << 20;

/// How large an engine to make.
#[derive(Debug, Clone)]
pub(super) struct Size {
    /// Instances that may live at the same time.
    pub(super) instances: u32,
    pub(super) memory: usize,
    pub(super) stack: usize,
    pub(super) handles: usize,
}

impl Size {
    pub(super) fn of(limits: &Limits, instances: u32) -> Self {
        Self { instances, memory: limits.memory, stack: limits.stack, handles: limits.handles }
    }
}

/// The settings that code is compiled for. They are part of the cache's key.
pub(super) fn config(size: &Size) -> Config {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(size.instances)
        .total_core_instances(size.instances * CORE_INSTANCES)
        .total_memories(size.instances)
        .total_tables(size.instances * CORE_INSTANCES)
        .max_core_instances_per_component(CORE_INSTANCES)
        .max_memories_per_component(1)
        .max_tables_per_component(CORE_INSTANCES)
        .max_memory_size(size.memory)
        .table_elements(size.handles)
        .linear_memory_keep_resident(KEEP_RESIDENT)
        .table_keep_resident(64 << 10)
        .max_unused_warm_slots(size.instances)
        // One look at the page tables instead of wiping everything; where the kernel can.
        .pagemap_scan(Enabled::Auto);
    let mut config = Config::new();
    config
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool))
        .max_wasm_stack(size.stack)
        .epoch_interruption(true)
        // Triples the price of a call, for something that sync hooks never use.
        .concurrency_support(false)
        .wasm_memory64(false)
        .wasm_relaxed_simd(false)
        .wasm_component_model(true);
    config
}

/// Ticks until dropped.
#[derive(Debug)]
pub(super) struct Ticker {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Ticker {
    pub(super) fn start(engine: &Engine) -> std::io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let (engine, stopped) = (engine.weak(), stop.clone());
        let thread = std::thread::Builder::new().name("plugin-ticker".into()).spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                // One tick per turn, however late: a process that was stopped must not come back to expired deadlines.
                std::thread::sleep(TICK);
                let Some(engine) = engine.upgrade() else { return };
                engine.increment_epoch();
            }
        })?;
        Ok(Self { stop, thread: Some(thread) })
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // It has nothing to say, not even when it panicked.
            drop(thread.join());
        }
    }
}
