//! A limit on requests per second for one endpoint, evenly spaced.
//!
//! The other side counts in windows of its own and sees us through a network that jitters, so we stay 5 % below the
//! limit and send no burst: a burst of a second's worth followed by the steady rate would be twice the limit.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};

/// Lets through so many requests a second.
#[derive(Debug)]
pub struct Limiter(Option<DefaultDirectRateLimiter>);

impl Limiter {
    /// `None` lets everything through.
    pub fn per_second(rate: Option<NonZeroU32>) -> Self {
        let quota = rate.and_then(|rate| {
            let quota = Quota::with_period(Duration::from_secs_f64(1.05 / f64::from(rate.get())))?;
            // Timers are no finer than a millisecond or so; at high rates a few have to pass at once.
            Some(quota.allow_burst(NonZeroU32::new(rate.get() / 50).unwrap_or(NonZeroU32::MIN)))
        });
        Self(quota.map(RateLimiter::direct))
    }

    /// Waits for a place.
    pub async fn place(&self) {
        if let Some(limiter) = &self.0 {
            limiter.until_ready().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn places_are_evenly_spaced_from_the_first() {
        let limiter = Limiter::per_second(NonZeroU32::new(20));
        let started = tokio::time::Instant::now();
        for _ in 0..5 {
            limiter.place().await;
        }
        // Four gaps of 52.5 ms.
        assert!(started.elapsed() >= Duration::from_millis(200), "{:?}", started.elapsed());
    }

    #[tokio::test]
    async fn without_a_rate_everything_passes() {
        let limiter = Limiter::per_second(None);
        for _ in 0..100_000 {
            limiter.place().await;
        }
    }
}
