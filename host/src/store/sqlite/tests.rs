//! What the store promises, each promise by name.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod adopt;
mod deliver;
mod desk;
mod disk;
mod intake;
mod model;
mod packing;
mod redrive;
mod retention;
mod samples;
mod upkeep;
mod way_through;
