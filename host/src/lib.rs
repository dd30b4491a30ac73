//! Tandem keeps BigPanda incidents and ServiceNow incidents in step, and hands every value that it writes to
//! sandboxed WebAssembly plugins. The modules below stand from the ground to the roof; `ARCHITECTURE.md` draws them.

#![cfg_attr(
    test,
    allow(
        clippy::wildcard_enum_match_arm,
        clippy::match_wildcard_for_single_variants,
        clippy::nonminimal_bool,
        clippy::suspicious_map
    )
)]

// Ground: values.
pub mod clock;
pub mod domain;
pub mod steps;
// Engine: pure decisions.
pub mod engine;
pub mod mapping;
// Outlets: each knows the domain, its own configuration, and transport.
pub mod bigpanda;
pub mod config;
pub mod notify;
pub mod plugin;
pub mod servicenow;
pub mod store;
pub mod telemetry;
pub mod transport;
// Shell: the only place where time, store, plugins and clients meet.
pub mod sync;
pub mod web;
// What operators ask of both sides, beside the sync.
pub mod adopt;
pub mod doctor;
// A BigPanda and a ServiceNow for the demo, tests and benches; nothing of the above.
pub mod simulator;
// Roof: commands, and the one place where all of it is put together.
pub mod app;
pub mod cli;
