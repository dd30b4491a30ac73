//! What the store promises, each promise by name. The model is in `tests/model.rs`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(dead_code)]

mod samples;
mod way_through;
