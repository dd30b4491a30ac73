//! Durations and sizes as people write them: `1h 30m`, `64 KiB`.

use std::time::Duration;

/// Reads `500ms`, `15s`, `1h 30m`. Units: ms, s, m, h, d. The error says what is wrong.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let mut total = Duration::ZERO;
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err("is empty".to_owned());
    }
    while !rest.is_empty() {
        let (number, unit, tail) = split(rest)?;
        let millis: u64 = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" | "min" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            "" => return Err("has no unit".to_owned()),
            other => return Err(format!("has an unknown unit, `{other}`")),
        };
        let part = number.checked_mul(millis).ok_or("is too long")?;
        total = total.checked_add(Duration::from_millis(part)).ok_or("is too long")?;
        rest = tail.trim_start();
    }
    Ok(total)
}

/// Reads `64 KiB`, `1MiB`, `512 B`. The error says what is wrong.
pub(super) fn size(text: &str) -> Result<u64, String> {
    let (number, unit, tail) = split(text.trim())?;
    if !tail.is_empty() {
        return Err(format!("has `{}` too much", tail.trim()));
    }
    let factor: u64 = match unit {
        "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "kB" | "KB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "" => return Err("has no unit".to_owned()),
        other => return Err(format!("has an unknown unit, `{other}`")),
    };
    number.checked_mul(factor).ok_or_else(|| "is too large".to_owned())
}

/// Number, unit, and what follows.
fn split(text: &str) -> Result<(u64, &str, &str), String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, rest) = text.split_at(digits);
    let number = number.parse().map_err(|_| format!("has no number before `{text}`"))?;
    let rest = rest.trim_start();
    let letters = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
    let (unit, tail) = rest.split_at(letters);
    Ok((number, unit, tail))
}

/// Writes a duration in the form that [`duration`] reads.
pub(super) fn show_duration(duration: Duration) -> String {
    let mut millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    if millis == 0 {
        return "0s".to_owned();
    }
    let mut parts = Vec::new();
    for (unit, length) in [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)] {
        if millis >= length {
            parts.push(format!("{}{unit}", millis / length));
            millis %= length;
        }
    }
    parts.join(" ")
}

/// Writes a size in the form that [`size`] reads.
pub(super) fn show_size(bytes: u64) -> String {
    for (unit, length) in [("GiB", 1u64 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)] {
        if bytes >= length && bytes.is_multiple_of(length) {
            return format!("{} {unit}", bytes / length);
        }
    }
    format!("{bytes} B")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations_read_as_people_write_them() {
        assert_eq!(duration("15m"), Ok(Duration::from_mins(15)));
        assert_eq!(duration("1h 30m"), Ok(Duration::from_mins(90)));
        assert_eq!(duration("250 ms"), Ok(Duration::from_millis(250)));
        assert_eq!(duration("0s"), Ok(Duration::ZERO));
        assert_eq!(duration("15"), Err("has no unit".to_owned()));
        assert_eq!(duration("15 fortnights"), Err("has an unknown unit, `fortnights`".to_owned()));
        assert_eq!(duration("soon"), Err("has no number before `soon`".to_owned()));
        assert_eq!(duration("-1s"), Err("has no number before `-1s`".to_owned()));
        assert!(duration("99999999999999d").is_err());
    }

    #[test]
    fn sizes_read_as_people_write_them() {
        assert_eq!(size("1 MiB"), Ok(1 << 20));
        assert_eq!(size("64KiB"), Ok(64 << 10));
        assert_eq!(size("10"), Err("has no unit".to_owned()));
        assert_eq!(size("10 pages"), Err("has an unknown unit, `pages`".to_owned()));
        assert_eq!(size("1 MiB 2"), Err("has `2` too much".to_owned()));
    }

    proptest! {
        #[test]
        fn what_is_shown_reads_back(millis in 0u64..10_000_000_000, bytes in any::<u64>()) {
            let length = Duration::from_millis(millis);
            prop_assert_eq!(duration(&show_duration(length)), Ok(length));
            prop_assert_eq!(size(&show_size(bytes)), Ok(bytes));
        }
    }
}
