//! Epoch seconds as ServiceNow writes a time: UTC, `YYYY-MM-DD HH:MM:SS`.

const DAY: i64 = 86_400;

/// The time in words; none outside the years 1 to 9999.
pub(crate) fn utc(seconds: i64) -> Option<String> {
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

    proptest::proptest! {
        #[test]
        fn every_moment_reads_as_a_calendar_says(seconds in -62_135_596_800..=253_402_300_799_i64) {
            let calendar = jiff::Timestamp::from_second(seconds).unwrap();
            let expected = calendar.strftime("%Y-%m-%d %H:%M:%S").to_string();
            proptest::prop_assert_eq!(utc(seconds), Some(expected));
        }
    }
}
