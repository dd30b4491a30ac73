//! The event's time. Grant `clock`.

/// When the host took up the event, milliseconds since 1970-01-01 UTC. It stands still while hooks run.
pub fn now() -> i64 {
    #[cfg(target_arch = "wasm32")]
    return crate::bindings::clock::now();
    #[cfg(not(target_arch = "wasm32"))]
    return crate::native::NOW.get();
}
