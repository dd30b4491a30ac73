//! Tandem keeps BigPanda incidents and ServiceNow incidents in step, and hands every value that it writes to
//! sandboxed WebAssembly plugins. The modules below stand from the ground to the roof; `ARCHITECTURE.md` draws them.

// Ground: values.
pub mod clock;
pub mod domain;
// Outlets: each knows the domain, its own configuration, and transport.
pub mod bigpanda;
pub mod servicenow;
pub mod store;
