#![doc = include_str!("../README.md")]
#![deny(missing_docs, rustdoc::broken_intra_doc_links)]

// What a hook is asked about.
pub mod event;
// What it answers.
pub mod answer;
// The hooks themselves.
mod export;
mod hook;
// What the host offers besides the event; each is a grant.
pub mod clock;
pub mod log;
pub mod random;
pub mod raw_share;
// What settings and events are written in.
pub mod time;
pub mod wildcard;
// Underneath.
#[cfg(target_arch = "wasm32")]
mod alloc;
#[cfg(target_arch = "wasm32")]
#[doc(hidden)]
pub mod bindings;
mod native;
mod table;
mod tree;
// Hooks run natively, in tests.
#[cfg(feature = "test")]
pub mod test;

pub use answer::{
    Answer, Body, Choice, Decision, Error, Hold, Journal, Op, Operation, Patch, Reference, Settlement, Text, Verdict,
};
pub use event::{Event, EventKind, ShareKind, Status};
#[cfg(target_arch = "wasm32")]
#[doc(hidden)]
pub use export::glue;
pub use hook::{
    Closure, Conflict, Description, Dispute, Fields, Gate, NoConfig, Plugin, PrimaryAlert, Reopen, ShortDescription,
    Tags,
};
