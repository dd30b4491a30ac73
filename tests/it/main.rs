//! One test binary: behaviours of the whole, named by what is promised.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod architecture;
mod config_errors;
mod clients;
mod crash;
mod plugin_chain;
mod shares;
mod support;
