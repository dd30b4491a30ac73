//! What stands in for the host's offers in a native test: the event's time, a seeded sequence, the log lines.

#[cfg(not(target_arch = "wasm32"))]
pub(crate) use here::*;

#[cfg(not(target_arch = "wasm32"))]
mod here {
    use std::cell::{Cell, RefCell};

    use crate::log::Level;

    thread_local! {
        pub(crate) static NOW: Cell<i64> = const { Cell::new(0) };
        pub(crate) static RANDOM: Cell<u64> = const { Cell::new(0) };
        pub(crate) static RAW: RefCell<Option<String>> = const { RefCell::new(None) };
        pub(crate) static LOG: RefCell<Vec<(Level, String)>> = const { RefCell::new(Vec::new()) };
    }
}
