//! The few `javascript:` expressions that integrations put into queries.
//!
//! Not a JavaScript engine: a closed list of calls on `gs`. Called by `filter`. Holds always: an expression that is
//! not on the list gives `None`, and the condition around it counts as invalid.

use super::world::Caller;
use crate::simulator::calendar::{self, Civil};

/// What a call stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Scripted {
    Text(String),
    Time(i64),
}

/// Evaluates `javascript:…`; text without that prefix is itself.
pub(crate) fn evaluate(text: &str, now: i64, caller: &Caller) -> Option<Scripted> {
    let Some(script) = text.strip_prefix("javascript:") else {
        return Some(Scripted::Text(text.to_owned()));
    };
    let script = script.trim().trim_end_matches(';').trim();
    let (name, arguments) = script.strip_suffix(')')?.split_once('(')?;
    let arguments: Vec<&str> = arguments.split(',').map(|argument| argument.trim().trim_matches(['\'', '"'])).collect();
    let first = arguments.first().copied().unwrap_or_default();
    let count = || first.parse::<i64>().ok();
    let today = calendar::day_start(now);
    let time = match name.trim() {
        "gs.getUserID" => return Some(Scripted::Text(caller.id.to_string())),
        "gs.getUserName" => return Some(Scripted::Text(caller.name.to_string())),
        "gs.now" | "gs.nowDateTime" => now,
        "gs.daysAgo" => now - count()? * 86_400,
        "gs.daysAgoStart" => today - count()? * 86_400,
        "gs.daysAgoEnd" => today - count()? * 86_400 + 86_399,
        "gs.hoursAgo" => now - count()? * 3_600,
        "gs.hoursAgoStart" => hour_start(now) - count()? * 3_600,
        "gs.hoursAgoEnd" => hour_start(now) - count()? * 3_600 + 3_599,
        "gs.minutesAgo" => now - count()? * 60,
        "gs.minutesAgoStart" => now - now.rem_euclid(60) - count()? * 60,
        "gs.minutesAgoEnd" => now - now.rem_euclid(60) - count()? * 60 + 59,
        "gs.beginningOfToday" => today,
        "gs.endOfToday" => today + 86_399,
        "gs.beginningOfYesterday" => today - 86_400,
        "gs.endOfYesterday" => today - 1,
        "gs.beginningOfThisWeek" => week_start(today),
        "gs.endOfThisWeek" => week_start(today) + 7 * 86_400 - 1,
        "gs.beginningOfLastWeek" => week_start(today) - 7 * 86_400,
        "gs.endOfLastWeek" => week_start(today) - 1,
        "gs.beginningOfThisMonth" => month_start(now, 0),
        "gs.endOfThisMonth" => month_start(now, 1) - 1,
        "gs.beginningOfLastMonth" => month_start(now, -1),
        "gs.endOfLastMonth" => month_start(now, 0) - 1,
        "gs.beginningOfThisYear" => year_start(now),
        "gs.dateGenerate" => {
            let clock = match arguments.get(1).copied() {
                Some("start") | None => "00:00:00",
                Some("end") => "23:59:59",
                Some(clock) => clock,
            };
            calendar::parse_stamp(&format!("{first} {clock}"))?
        }
        _ => return None,
    };
    Some(Scripted::Time(time))
}

fn hour_start(now: i64) -> i64 {
    now - now.rem_euclid(3_600)
}

/// Weeks start on Monday; 1970 began on a Thursday.
fn week_start(today: i64) -> i64 {
    today - (today.div_euclid(86_400) + 3).rem_euclid(7) * 86_400
}

fn month_start(now: i64, ahead: i64) -> i64 {
    let at = calendar::civil(now);
    let months = at.year * 12 + i64::from(at.month) - 1 + ahead;
    calendar::seconds(Civil {
        year: months.div_euclid(12),
        month: months.rem_euclid(12) as u32 + 1,
        day: 1,
        hour: 0,
        minute: 0,
        second: 0,
    })
}

fn year_start(now: i64) -> i64 {
    let at = calendar::civil(now);
    calendar::seconds(Civil { month: 1, day: 1, hour: 0, minute: 0, second: 0, ..at })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulator::servicenow::row::SysId;
    use crate::simulator::servicenow::world::Role;

    fn at(script: &str) -> Option<String> {
        let caller = Caller { id: SysId(7), name: "me".into(), role: Role::Admin };
        let now = calendar::parse_stamp("2026-03-18 10:20:30").unwrap_or(0);
        evaluate(script, now, &caller).map(|scripted| match scripted {
            Scripted::Text(text) => text,
            Scripted::Time(at) => calendar::stamp(at),
        })
    }

    #[test]
    fn dates_are_counted_as_glidesystem_does() {
        for (script, expected) in [
            ("javascript:gs.daysAgoStart(1)", "2026-03-17 00:00:00"),
            ("javascript:gs.daysAgoEnd(0)", "2026-03-18 23:59:59"),
            ("javascript:gs.hoursAgo(2)", "2026-03-18 08:20:30"),
            ("javascript:gs.minutesAgoStart(5)", "2026-03-18 10:15:00"),
            ("javascript:gs.beginningOfLastMonth()", "2026-02-01 00:00:00"),
            ("javascript:gs.beginningOfThisWeek()", "2026-03-16 00:00:00"),
            ("javascript:gs.dateGenerate('2026-01-02','03:04:05')", "2026-01-02 03:04:05"),
            ("plain", "plain"),
        ] {
            assert_eq!(at(script).as_deref(), Some(expected), "{script}");
        }
        assert_eq!(at("javascript:alert(1)"), None);
    }
}
