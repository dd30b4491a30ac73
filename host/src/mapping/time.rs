//! Times as ServiceNow writes them: `2026-01-31 23:59:59`, always UTC on the wire.

use jiff::civil::DateTime;
use jiff::tz::Offset;

use crate::domain::time::Timestamp;

/// Reads a time; nothing for an empty or an odd text.
pub fn parse(text: &str) -> Option<Timestamp> {
    let at: DateTime = text.trim().parse().ok()?;
    Some(Timestamp::from_seconds(Offset::UTC.to_timestamp(at).ok()?.as_second()))
}

/// Writes a time, without its fraction of a second.
pub fn text(at: Timestamp) -> String {
    let at = jiff::Timestamp::from_second(at.seconds()).unwrap_or_default();
    Offset::UTC.to_datetime(at).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_go_to_and_fro() {
        let at = parse("2026-03-01 00:00:30").expect("a time");
        assert_eq!(at, Timestamp::from_seconds(1_772_323_230));
        assert_eq!(text(at), "2026-03-01 00:00:30");
        assert_eq!(parse(""), None);
        assert_eq!(parse("yesterday"), None);
    }
}
