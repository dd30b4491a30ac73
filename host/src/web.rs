//! The two sockets: one where shares come in, one for operators.
//!
//! Reads requests, checks who asks, hands shares to the sync and questions to the store. Decides nothing about
//! incidents and calls no vendor. `app` starts it; whatever goes wrong is one JSON shape with code, message and hint.

mod api;
mod auth;
mod health;
mod listener;
mod problem;
mod pull;
mod redo;
mod router;
mod site;
mod webhook;

pub use listener::{Error, Server, start};
pub use site::{Gate, PluginDesk, Site};

#[cfg(test)]
mod tests;
