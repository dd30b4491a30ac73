//! Times as ServiceNow writes them: UTC, `YYYY-MM-DD HH:MM:SS`.

const DAY: i64 = 86_400;

/// Epoch seconds in words; none outside the years 1 to 9999.
///
/// ```
/// use tandem_guest::time;
///
/// assert_eq!(time::utc(1_767_225_600).as_deref(), Some("2026-01-01 00:00:00"));
/// assert_eq!(time::parse("2026-01-01 00:00:00"), Some(1_767_225_600));
/// ```
pub fn utc(seconds: i64) -> Option<String> {
    let (days, second) = (seconds.div_euclid(DAY), seconds.rem_euclid(DAY));
    let (year, month, day) = date(days)?;
    let mut text = String::with_capacity(19);
    digits(&mut text, year / 100);
    digits(&mut text, year % 100);
    let rest = [('-', month), ('-', day), (' ', second / 3600), (':', second / 60 % 60), (':', second % 60)];
    for (separator, number) in rest {
        text.push(separator);
        digits(&mut text, number);
    }
    Some(text)
}

/// The epoch seconds of a time in words; none when it is no such time.
pub fn parse(text: &str) -> Option<i64> {
    let shape = "0000-00-00 00:00:00";
    let fits = |(byte, shape): (u8, u8)| if shape == b'0' { byte.is_ascii_digit() } else { byte == shape };
    if text.len() != shape.len() || !text.bytes().zip(shape.bytes()).all(fits) {
        return None;
    }
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<i64>().ok();
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    let days = days(number(0, 4)?, number(5, 7)?, number(8, 10)?)?;
    (hour < 24 && minute < 60 && second < 60).then_some(days * DAY + hour * 3600 + minute * 60 + second)
}

/// The inverse of [`date`]; none when there is no such day.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    if !(1..=12).contains(&month) {
        return None;
    }
    let year_of_march = year - i64::from(month <= 2);
    let era = year_of_march.div_euclid(400);
    let year_of_era = year_of_march.rem_euclid(400);
    let month_of_march = (month + 9) % 12;
    let day_of_year = (153 * month_of_march + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    let days = era * 146_097 + day_of_era - 719_468;
    // A day that its month doesn't have comes back as another date.
    (date(days) == Some((year, month, day))).then_some(days)
}

/// Year, month and day of a day since 1970-01-01. Years begin in March here, so that the leap day is a year's last,
/// and repeat every 400.
fn date(days: i64) -> Option<(i64, i64, i64)> {
    // From 0001-01-01 to 9999-12-31; checked first, so that nothing below can overflow.
    if !(-719_162..=2_932_896).contains(&days) {
        return None;
    }
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    Some((era * 400 + year_of_era + i64::from(month <= 2), month, day))
}

/// Two digits of a number below 100.
fn digits(text: &mut String, number: i64) {
    text.push(char::from(b'0' + (number / 10 % 10) as u8));
    text.push(char::from(b'0' + (number % 10) as u8));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_moments_read_as_they_should() {
        let words: Vec<_> = [0, -1, 951_782_400, 1_767_225_600, -62_135_596_800, 253_402_300_799].map(utc).into();
        let expected = [
            "1970-01-01 00:00:00",
            "1969-12-31 23:59:59",
            "2000-02-29 00:00:00",
            "2026-01-01 00:00:00",
            "0001-01-01 00:00:00",
            "9999-12-31 23:59:59",
        ];
        assert_eq!(words, expected.map(|text| Some(text.to_owned())));
        assert_eq!([i64::MIN, i64::MAX, -62_135_596_801, 253_402_300_800].map(utc), [const { None }; 4]);
    }

    #[test]
    fn what_is_no_time_reads_as_none() {
        let wrong = [
            "",
            "2026-01-01",
            "2026-01-01T00:00:00",
            "2026-13-01 00:00:00",
            "2026-00-01 00:00:00",
            "2025-02-29 00:00:00",
            "2026-04-31 00:00:00",
            "2026-01-00 00:00:00",
            "0000-01-01 00:00:00",
            "2026-01-01 24:00:00",
            "2026-01-01 00:60:00",
            "2026-01-01 00:00:60",
            "+026-01-01 00:00:00",
        ];
        assert_eq!(wrong.map(parse), [None; 13]);
    }

    proptest::proptest! {
        #[test]
        fn every_moment_reads_as_a_calendar_says(seconds in -62_135_596_800..=253_402_300_799_i64) {
            let calendar = jiff::Timestamp::from_second(seconds).unwrap();
            let expected = calendar.strftime("%Y-%m-%d %H:%M:%S").to_string();
            proptest::prop_assert_eq!(parse(&expected), Some(seconds));
            proptest::prop_assert_eq!(utc(seconds), Some(expected));
        }
    }
}
