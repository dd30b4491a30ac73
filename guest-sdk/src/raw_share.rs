//! The share as BigPanda sent it, for what the views don't show. Grant `raw-share`.

/// The share's JSON, or none when the host no longer has it.
pub fn read() -> Option<String> {
    #[cfg(target_arch = "wasm32")]
    return crate::bindings::raw_share::read();
    #[cfg(not(target_arch = "wasm32"))]
    return crate::native::RAW.with_borrow(Clone::clone);
}
