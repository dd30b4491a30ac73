//! What a ticket's fields are: the one dictionary against which every proposal is checked before it is sent.
//!
//! Knows names, kinds and lengths, not values of a particular instance: choices that differ between instances are
//! the instance's own business. Called by the shell, which hands the check to the plugin host.

pub mod fields;
pub mod time;

pub use fields::{Direction, Field, Kind, Refusal, check};
