//! A limit on requests per second for one endpoint. Waiting is fair enough: a caller gets the next free place.

use std::num::NonZeroU32;

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};

/// Lets through so many requests a second, evenly, after a burst of one second's worth.
#[derive(Debug)]
pub struct Limiter(Option<DefaultDirectRateLimiter>);

impl Limiter {
    /// `None` lets everything through.
    pub fn per_second(rate: Option<NonZeroU32>) -> Self {
        Self(rate.map(|rate| RateLimiter::direct(Quota::per_second(rate))))
    }

    /// Waits for a place.
    pub async fn place(&self) {
        if let Some(limiter) = &self.0 {
            limiter.until_ready().await;
        }
    }
}
