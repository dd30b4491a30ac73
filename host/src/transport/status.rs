//! What a status code means for whoever sent the request, and how long the other side wants to be left alone.

use std::time::Duration;

use http::{HeaderMap, StatusCode};

use super::Settings;
use crate::domain::time::Timestamp;

/// What a status says of the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// 2xx: done, if the body agrees.
    Done,
    /// Not applied; another try may succeed.
    Later,
    /// It may have been applied.
    Unsure,
    /// Refused for good.
    Final,
    /// 401.
    Credentials,
    /// 404 or 410.
    Gone,
    /// 429: the whole instance wants a pause.
    Pause,
}

/// Sorts a status. 501 and above is what the original tries again; 408, 425 and 500 are ours and switchable.
pub fn standing(status: StatusCode, settings: &Settings) -> Standing {
    match status.as_u16() {
        200..=299 => Standing::Done,
        401 => Standing::Credentials,
        404 | 410 => Standing::Gone,
        429 => Standing::Pause,
        408 | 425 if !settings.documented_only => Standing::Later,
        // A transaction that was cancelled may have been half done.
        500 if !settings.documented_only => Standing::Unsure,
        502 | 504 => Standing::Unsure,
        501.. => Standing::Later,
        _ => Standing::Final,
    }
}

/// How long the other side asks for: `Retry-After` in seconds or as a date, else `X-RateLimit-Reset` in epoch
/// seconds, between a second and an hour. `None` when it says nothing usable.
pub fn wait_asked(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let until = |at: i64| Duration::from_secs(u64::try_from(at.saturating_sub(now.seconds())).unwrap_or(0));
    let after = text("retry-after").and_then(|value| match value.parse::<u64>() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => jiff::fmt::rfc2822::parse(value).ok().map(|date| until(date.timestamp().as_second())),
    });
    let reset = || text("x-ratelimit-reset").and_then(|value| value.parse::<i64>().ok()).map(until);
    after.or_else(reset).map(|wait| wait.clamp(Duration::from_secs(1), Duration::from_hours(1)))
}

/// What time it was on the other side when it answered.
pub fn server_time(headers: &HeaderMap) -> Option<Timestamp> {
    let date = headers.get("date")?.to_str().ok()?;
    Some(Timestamp::from_seconds(jiff::fmt::rfc2822::parse(date).ok()?.timestamp().as_second()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_status_has_its_standing() {
        let of = |documented_only: bool| {
            let settings = Settings { documented_only, ..Settings::default() };
            let codes = [
                200, 201, 202, 204, 301, 400, 401, 403, 404, 408, 409, 410, 422, 425, 429, 500, 501, 502, 503, 504, 507,
            ];
            let line = |code: &u16| format!("{code} {:?}", standing(StatusCode::from_u16(*code).unwrap(), &settings));
            codes.iter().map(line).collect::<Vec<_>>().join(", ")
        };
        insta::assert_snapshot!(of(false), @"200 Done, 201 Done, 202 Done, 204 Done, 301 Final, 400 Final, 401 Credentials, 403 Final, 404 Gone, 408 Later, 409 Final, 410 Gone, 422 Final, 425 Later, 429 Pause, 500 Unsure, 501 Later, 502 Unsure, 503 Later, 504 Unsure, 507 Later");
        insta::assert_snapshot!(of(true), @"200 Done, 201 Done, 202 Done, 204 Done, 301 Final, 400 Final, 401 Credentials, 403 Final, 404 Gone, 408 Final, 409 Final, 410 Gone, 422 Final, 425 Final, 429 Pause, 500 Final, 501 Later, 502 Unsure, 503 Later, 504 Unsure, 507 Later");
    }

    #[test]
    fn the_wait_asked_for_is_read_in_all_its_forms_and_clamped() {
        let now = Timestamp::from_seconds(784_111_777);
        let asked = |name: &'static str, value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(name, value.parse().unwrap());
            wait_asked(&headers, now).map(|wait| wait.as_secs())
        };
        assert_eq!(asked("retry-after", "120"), Some(120));
        assert_eq!(asked("retry-after", "0"), Some(1));
        assert_eq!(asked("retry-after", "999999"), Some(3600));
        assert_eq!(asked("retry-after", "Sun, 06 Nov 1994 08:50:37 GMT"), Some(60));
        assert_eq!(asked("retry-after", "Sun, 06 Nov 1994 08:00:00 GMT"), Some(1));
        assert_eq!(asked("x-ratelimit-reset", "784111807"), Some(30));
        assert_eq!(asked("retry-after", "soon"), None);
        assert_eq!(wait_asked(&HeaderMap::new(), now), None);
    }
}
