//! One test binary: behaviours of the whole, named by what is promised.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    clippy::match_wildcard_for_single_variants,
    clippy::disallowed_methods,
    clippy::duration_suboptimal_units,
    clippy::needless_pass_by_value,
    clippy::items_after_statements,
    clippy::type_complexity,
    clippy::result_large_err,
    clippy::format_push_string,
    clippy::format_collect,
    clippy::needless_for_each,
    clippy::unused_async,
    clippy::case_sensitive_file_extension_comparisons,
    dead_code,
    unreachable_pub
)]

mod adopt;
mod architecture;
mod both_ways;
mod clients;
mod commands;
mod config_errors;
mod crash;
mod delivery;
mod doctor;
mod frozen;
mod headers;
mod hostile;
mod load;
mod notify;
mod on_premises;
mod plugin_chain;
mod plugin_hooks;
mod plugin_reload;
mod poison;
mod pull_script;
mod shares;
mod simulation;
mod simulator;
mod support;
mod takeover;
mod telemetry;
mod upkeep;
