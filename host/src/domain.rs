//! The ground: values that every other layer speaks in.
//!
//! Plain data and the rules that make it valid. No I/O, no async, no clock, no vendor JSON: a value that needs
//! one of those belongs further up. Everybody imports this module; it imports nobody.

pub mod event;
pub mod fault;
pub mod id;
pub mod incident;
pub mod link;
pub mod notice;
pub mod outcome;
pub mod patch;
pub mod request;
pub mod secret;
pub mod share;
pub mod tags;
pub mod ticket;
pub mod time;
