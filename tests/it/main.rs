//! One test binary: behaviours of the whole, named by what is promised.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod architecture;
mod clients;
mod config_errors;
mod crash;
mod hostile;
mod plugin_chain;
mod plugin_reload;
mod shares;
mod simulator;
mod support;
