//! The harness: the real binary, both simulators, a directory of its own, and plain HTTP.
//!
//! Not a mock of anything of ours. A [`World`] is one host with its two sides; tests say what they wait for with
//! [`World::until`] and read what happened from the simulators.

mod binary;
pub mod hostile;
pub mod plugins;
pub mod receivers;
pub mod secure;
pub mod wire;
mod world;

pub use binary::tandem;
pub use world::{TOKEN, World, incident, share_channel};
