//! Numbers that look random and are the same whenever the same event is run. Grant `random`.

/// The next number of the event's sequence.
pub fn next() -> u64 {
    #[cfg(target_arch = "wasm32")]
    return crate::bindings::random::next();
    #[cfg(not(target_arch = "wasm32"))]
    {
        // SplitMix64, as good as any for a test.
        let state = crate::native::RANDOM.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
        crate::native::RANDOM.set(state);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
