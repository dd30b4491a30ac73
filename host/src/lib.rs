//! Tandem keeps BigPanda incidents and ServiceNow incidents in step, and hands every value that it writes to
//! sandboxed WebAssembly plugins. The modules below stand from the ground to the roof; `ARCHITECTURE.md` draws them.

pub mod domain;
