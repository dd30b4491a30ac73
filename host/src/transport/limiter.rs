//! A limit on requests per second for one endpoint, evenly spaced, that slows down when the other side says so.
//!
//! The other side counts in windows of its own and sees us through a network that jitters, so we stay 5 % below the
//! limit and send no burst: a burst of a second's worth followed by the steady rate would be twice the limit. Others may
//! use up the same limit: a refusal halves our rate, and every minute after it gives back a tenth of the full one.

use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use tokio::time::Instant;

/// Lets through so many requests a second.
#[derive(Debug)]
pub struct Limiter(Option<Limited>);

#[derive(Debug)]
struct Limited {
    steady: DefaultDirectRateLimiter,
    slowed: Mutex<Slowed>,
}

impl Limiter {
    /// `None` lets everything through.
    pub fn per_second(rate: Option<NonZeroU32>) -> Self {
        let limited = rate.and_then(|rate| {
            let gap = Duration::from_secs_f64(1.05 / f64::from(rate.get()));
            // Timers are no finer than a millisecond or so; at high rates a few have to pass at once.
            let burst = NonZeroU32::new(rate.get() / 50).unwrap_or(NonZeroU32::MIN);
            let steady = RateLimiter::direct(Quota::with_period(gap)?.allow_burst(burst));
            Some(Limited { steady, slowed: Mutex::new(Slowed { gap, after: None }) })
        });
        Self(limited)
    }

    /// Waits for a place.
    pub async fn place(&self) {
        let Some(Limited { steady, slowed }) = &self.0 else { return };
        steady.until_ready().await;
        let at = slowed.lock().unwrap_or_else(PoisonError::into_inner).place(Instant::now());
        if let Some(at) = at {
            tokio::time::sleep_until(at).await;
        }
    }

    /// Takes note that the other side found us too fast.
    pub fn refused(&self) {
        if let Some(Limited { slowed, .. }) = &self.0 {
            slowed.lock().unwrap_or_else(PoisonError::into_inner).refused(Instant::now());
        }
    }
}

/// Below this share of the full rate refusals don't push us.
const LEAST: f64 = 1.0 / 16.0;
/// What comes back in a minute, as a share of the full rate.
const BACK: f64 = 0.1;

/// The brake on top of the steady rate.
#[derive(Debug)]
struct Slowed {
    /// Between two requests at the full rate.
    gap: Duration,
    after: Option<Refusal>,
}

/// What the last refusal left.
#[derive(Debug, Clone, Copy)]
struct Refusal {
    at: Instant,
    /// Share of the full rate right after it.
    share: f64,
    /// When the next request may leave.
    next: Instant,
}

impl Refusal {
    fn share(&self, now: Instant) -> f64 {
        self.share + BACK * now.duration_since(self.at).as_secs_f64() / 60.0
    }
}

impl Slowed {
    fn refused(&mut self, now: Instant) {
        // Requests that left together are refused together, and count once.
        if self.after.is_some_and(|refusal| now.duration_since(refusal.at) < Duration::from_secs(1)) {
            return;
        }
        let share = self.after.map_or(1.0, |refusal| refusal.share(now).min(1.0));
        self.after = Some(Refusal { at: now, share: (share / 2.0).max(LEAST), next: now });
    }

    /// When a request that is ready now may leave; `None`: at once.
    fn place(&mut self, now: Instant) -> Option<Instant> {
        let refusal = self.after.as_mut()?;
        let share = refusal.share(now);
        if share >= 1.0 {
            self.after = None;
            return None;
        }
        let at = refusal.next.max(now);
        refusal.next = at + self.gap.div_f64(share);
        Some(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn places_are_evenly_spaced_from_the_first() {
        let limiter = Limiter::per_second(NonZeroU32::new(20));
        let started = Instant::now();
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

    /// Milliseconds between two places asked for at the same moment.
    fn gap(slowed: &mut Slowed, at: Instant) -> Option<u128> {
        let (first, second) = (slowed.place(at)?, slowed.place(at)?);
        Some(second.duration_since(first).as_millis())
    }

    #[test]
    fn a_refusal_halves_the_rate_and_every_minute_gives_back_a_tenth() {
        let mut slowed = Slowed { gap: Duration::from_millis(100), after: None };
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(gap(&mut slowed, start), None);
        slowed.refused(start);
        assert_eq!(gap(&mut slowed, start), Some(200));
        assert_eq!(gap(&mut slowed, after(60)), Some(166));
        slowed.refused(after(60));
        assert_eq!(gap(&mut slowed, after(60)), Some(333));
        assert!(gap(&mut slowed, after(60 + 7 * 60 - 1)).is_some());
        assert_eq!(gap(&mut slowed, after(60 + 7 * 60 + 1)), None);
    }

    #[test]
    fn refusals_of_one_moment_count_once_and_there_is_a_least_rate() {
        let mut slowed = Slowed { gap: Duration::from_millis(100), after: None };
        let start = Instant::now();
        for _ in 0..16 {
            slowed.refused(start);
        }
        assert_eq!(gap(&mut slowed, start), Some(200));
        for second in 1..40 {
            slowed.refused(start + Duration::from_secs(2 * second));
        }
        assert_eq!(gap(&mut slowed, start + Duration::from_secs(78)), Some(1600));
    }
}
