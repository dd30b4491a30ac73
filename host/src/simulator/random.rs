//! Seeded pseudo-random numbers: ids, tokens and the shuffling of equal rows.
//!
//! Not for secrets. Called by both vendors. Holds always: the same seed and the same requests give the same ids.

use std::sync::atomic::{AtomicU64, Ordering};

/// SplitMix64 over an atomic counter, so that it can be shared without a lock.
#[derive(Debug)]
pub(crate) struct Random(AtomicU64);

impl Random {
    pub(crate) fn seeded(seed: u64) -> Self {
        Self(AtomicU64::new(mix(seed)))
    }

    pub(crate) fn next(&self) -> u64 {
        mix(self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed).wrapping_add(0x9e37_79b9_7f4a_7c15))
    }

    pub(crate) fn wide(&self) -> u128 {
        u128::from(self.next()) << 64 | u128::from(self.next())
    }

    /// 32 hexadecimal digits.
    pub(crate) fn hex(&self) -> String {
        format!("{:032x}", self.wide())
    }

    /// 24 hexadecimal digits, the length of BigPanda's ids.
    pub(crate) fn hex24(&self) -> String {
        format!("{:024x}", self.wide() >> 32)
    }
}

/// A well-spread function of `value`; also orders equal rows differently for each request.
pub(crate) fn mix(value: u64) -> u64 {
    let mut z = value;
    z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ z >> 31
}
