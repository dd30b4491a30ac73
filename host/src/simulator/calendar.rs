//! Dates as ServiceNow prints them, and as HTTP does, computed from whole UTC seconds.
//!
//! Not a time library: no zones beyond a fixed offset, no leap seconds. Called by the clock's users everywhere in
//! the simulator. Holds always: `parse_stamp(&stamp(t)) == Some(t)` for years 1 to 9999.

const DAY: i64 = 86_400;
const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A point in time split into its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Civil {
    pub(crate) year: i64,
    pub(crate) month: u32,
    pub(crate) day: u32,
    pub(crate) hour: u32,
    pub(crate) minute: u32,
    pub(crate) second: u32,
}

/// Splits UTC seconds into year, month, … (proleptic Gregorian calendar).
pub(crate) fn civil(seconds: i64) -> Civil {
    let days = seconds.div_euclid(DAY);
    let rest = seconds.rem_euclid(DAY) as u32;
    // Eras of 400 years that start on 1 March, so that the leap day is the last of its year.
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = (day_of_year - (153 * shifted_month + 2) / 5 + 1) as u32;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 } as u32;
    Civil {
        year: year_of_era + era * 400 + i64::from(month <= 2),
        month,
        day,
        hour: rest / 3_600,
        minute: rest % 3_600 / 60,
        second: rest % 60,
    }
}

/// UTC seconds of a calendar date and time; the inverse of [`civil`].
pub(crate) fn seconds(at: Civil) -> i64 {
    let year = at.year - i64::from(at.month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let shifted_month = i64::from((at.month + 9) % 12);
    let day_of_year = (153 * shifted_month + 2) / 5 + i64::from(at.day) - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    let days = era * 146_097 + day_of_era - 719_468;
    days * DAY + i64::from(at.hour * 3_600 + at.minute * 60 + at.second)
}

/// `2026-01-31 09:05:00`, appended to `out`.
pub(crate) fn write_stamp(out: &mut Vec<u8>, at: i64) {
    let c = civil(at);
    digits(out, c.year as u32, 4);
    out.push(b'-');
    digits(out, c.month, 2);
    out.push(b'-');
    digits(out, c.day, 2);
    out.push(b' ');
    write_time(out, c);
}

fn write_time(out: &mut Vec<u8>, c: Civil) {
    digits(out, c.hour, 2);
    out.push(b':');
    digits(out, c.minute, 2);
    out.push(b':');
    digits(out, c.second, 2);
}

fn digits(out: &mut Vec<u8>, number: u32, width: u32) {
    let mut power = 10_u32.pow(width - 1);
    while power > 0 {
        out.push(b'0' + (number / power % 10) as u8);
        power /= 10;
    }
}

/// `2026-01-31 09:05:00`.
pub(crate) fn stamp(at: i64) -> String {
    let mut out = Vec::with_capacity(19);
    write_stamp(&mut out, at);
    String::from_utf8(out).unwrap_or_default()
}

/// Renders `at` in one of ServiceNow's date formats: `yyyy`, `MM`, `dd`, `HH`, `mm`, `ss` are replaced.
pub(crate) fn formatted(at: i64, format: &str) -> String {
    let c = civil(at);
    format
        .replace("yyyy", &format!("{:04}", c.year))
        .replace("MM", &format!("{:02}", c.month))
        .replace("dd", &format!("{:02}", c.day))
        .replace("HH", &format!("{:02}", c.hour))
        .replace("mm", &format!("{:02}", c.minute))
        .replace("ss", &format!("{:02}", c.second))
}

/// Reads `2026-01-31 09:05:00`, `2026-01-31T09:05:00Z`, or a bare date (midnight).
pub(crate) fn parse_stamp(text: &str) -> Option<i64> {
    let text = text.trim().trim_end_matches('Z');
    let (date, time) = match text.split_once([' ', 'T']) {
        Some((date, time)) => (date, time),
        None => (text, "00:00:00"),
    };
    let mut date = date.splitn(3, '-');
    let year = date.next()?;
    if year.len() != 4 {
        return None;
    }
    let mut time = time.splitn(3, ':');
    let at = Civil {
        year: year.parse().ok()?,
        month: date.next()?.parse().ok()?,
        day: date.next()?.parse().ok()?,
        hour: time.next()?.parse().ok()?,
        minute: time.next().unwrap_or("0").parse().ok()?,
        second: time.next().unwrap_or("0").parse().ok()?,
    };
    let valid =
        (1..=12).contains(&at.month) && (1..=31).contains(&at.day) && at.hour < 24 && at.minute < 60 && at.second < 60;
    valid.then(|| seconds(at))
}

/// `Sat, 31 Jan 2026 09:05:00 GMT`.
pub(crate) fn http_date(at: i64) -> String {
    let c = civil(at);
    let weekday = WEEKDAYS.get(at.div_euclid(DAY).rem_euclid(7) as usize).unwrap_or(&"Thu");
    let month = MONTHS.get(c.month as usize - 1).unwrap_or(&"Jan");
    format!("{weekday}, {:02} {month} {:04} {:02}:{:02}:{:02} GMT", c.day, c.year, c.hour, c.minute, c.second)
}

/// Midnight of the day that `at` falls into.
pub(crate) fn day_start(at: i64) -> i64 {
    at - at.rem_euclid(DAY)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn known_instants_print_as_servicenow_does() {
        assert_eq!(stamp(0), "1970-01-01 00:00:00");
        assert_eq!(stamp(1_767_225_600), "2026-01-01 00:00:00");
        assert_eq!(stamp(1_709_164_799), "2024-02-28 23:59:59");
        assert_eq!(stamp(1_709_164_800), "2024-02-29 00:00:00");
        assert_eq!(http_date(784_111_777), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(formatted(0, "dd/MM/yyyy HH:mm"), "01/01/1970 00:00");
    }

    #[test]
    fn bad_dates_are_refused() {
        for text in ["", "yesterday", "2026-13-01", "2026-01-01 25:00:00", "26-01-01"] {
            assert_eq!(parse_stamp(text), None, "{text}");
        }
        assert_eq!(parse_stamp("2026-01-01"), Some(1_767_225_600));
    }

    proptest::proptest! {
        #[test]
        fn a_stamp_reads_back(at in -50_000_000_000_i64..200_000_000_000) {
            let c = civil(at);
            if c.year > 0 {
                proptest::prop_assert_eq!(parse_stamp(&stamp(at)), Some(at));
            }
        }
    }
}
