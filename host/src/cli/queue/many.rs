//! `tandem queue retry --all`: puts dead letters back at a bounded rate, and says how many and how long it takes.

use std::fmt::Write as _;
use std::time::Duration;

use super::desk::Desk;
use super::what::Rate;
use crate::cli::{Exit, output};
use crate::clock::{Clock as _, SystemClock};
use crate::domain::id::IntegrationName;
use crate::domain::time::Timestamp;
use crate::store::{Redrive, Redriven};

/// Which dead letters.
#[derive(Debug, Clone)]
pub(super) struct Which {
    pub(super) integration: Option<IntegrationName>,
    pub(super) reason: Option<String>,
}

pub(super) async fn run(desk: &Desk, which: Which, rate: Rate, dry_run: bool, json: bool) -> anyhow::Result<Exit> {
    let now = SystemClock::new().now();
    let Which { integration, reason } = which;
    let redrive = Redrive { integration, reason, rate: rate.count, per: rate.per, now, dry_run };
    let redriven = desk.redrive(&redrive).await?;
    if json {
        output::json(&redriven)?;
        return Ok(Exit::Success);
    }
    if redriven.requests == 0 && redrive.reason.is_some() {
        // What could have been meant.
        let any = desk.redrive(&Redrive { reason: None, dry_run: true, ..redrive.clone() }).await?;
        output::talk(&none(&redrive, &redriven, &any));
    } else if redriven.requests == 0 {
        output::talk(&none(&redrive, &redriven, &Redriven::default()));
    } else {
        output::data(&done(&redriven, rate, now, dry_run))?;
        if !dry_run && !desk.is_host() {
            output::talk("no host runs: those that have fallen due when it starts go at once");
        }
    }
    Ok(Exit::Success)
}

fn done(redriven: &Redriven, rate: Rate, now: Timestamp, dry_run: bool) -> String {
    let count = redriven.requests;
    let what = match (count, dry_run) {
        (1, true) => "1 dead letter would go back into the queue".to_owned(),
        (1, false) => "1 dead letter goes back into the queue".to_owned(),
        (_, true) => format!("{count} dead letters would go back into the queue"),
        (_, false) => format!("{count} dead letters go back into the queue"),
    };
    let lasts = redriven.last_due.map_or(Duration::ZERO, |due| due.since(now));
    let when = if count == 1 {
        "due now".to_owned()
    } else {
        format!("{}: the first now, the last in {}", rate.words(), words(lasts))
    };
    let mut text = format!("{what}, {when}\n");
    let rows: Vec<Vec<String>> =
        redriven.reasons.iter().map(|(code, count)| vec![format!("  {code}"), count.to_string()]).collect();
    text.push_str(&output::table(&rows));
    text.push_str(&left(redriven));
    text
}

/// What stays where it is.
fn left(redriven: &Redriven) -> String {
    match redriven.overtaken {
        0 => String::new(),
        1 => "1 stays: a newer request of the same incident overtook it; retry or discard it by number\n".to_owned(),
        more => {
            format!(
                "{more} stay: newer requests of the same incidents overtook them; retry or discard them by number\n"
            )
        }
    }
}

fn none(redrive: &Redrive, redriven: &Redriven, any: &Redriven) -> String {
    let mut text = match &redrive.reason {
        Some(reason) => format!("no dead letter failed for {reason}"),
        None => "there is no dead letter to put back".to_owned(),
    };
    for (code, count) in &any.reasons {
        let _ = write!(text, "\n  {count} failed for {code}");
    }
    let left = left(redriven);
    if !left.is_empty() {
        let _ = write!(text, "\n{}", left.trim_end());
    }
    text
}

/// A length of time for people, in its two largest units.
fn words(time: Duration) -> String {
    // What begins counts.
    let seconds = time.as_millis().div_ceil(1000);
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const NOW: Timestamp = Timestamp(1_767_225_600_000);

    fn redriven(requests: u64, milliseconds: i64, overtaken: u64) -> Redriven {
        Redriven {
            requests,
            last_due: (requests > 0).then_some(Timestamp(NOW.0 + milliseconds)),
            reasons: vec![("servicenow.unavailable".to_owned(), requests), ("transport.connect".to_owned(), 1)],
            overtaken,
        }
    }

    #[test]
    fn it_says_how_many_how_fast_and_how_long() {
        let (second, hour) = ("10/s".parse().unwrap(), "500/h".parse().unwrap());
        let texts = [
            done(&redriven(214, 21_300, 3), second, NOW, false),
            done(&redriven(1, 0, 0), second, NOW, false),
            done(&redriven(4000, 28_792_800, 1), hour, NOW, true),
        ];
        insta::assert_snapshot!(texts.join("\n"), @r#"
        214 dead letters go back into the queue, 10 a second: the first now, the last in 22 s
          servicenow.unavailable  214
          transport.connect       1
        3 stay: newer requests of the same incidents overtook them; retry or discard them by number

        1 dead letter goes back into the queue, due now
          servicenow.unavailable  1
          transport.connect       1

        4000 dead letters would go back into the queue, 500 an hour: the first now, the last in 7 h 59 min
          servicenow.unavailable  4000
          transport.connect       1
        1 stays: a newer request of the same incident overtook it; retry or discard it by number
        "#);
    }

    #[test]
    fn it_says_when_there_is_nothing() {
        let redrive =
            Redrive { integration: None, reason: None, rate: 1, per: Duration::from_secs(1), now: NOW, dry_run: false };
        let wrong = Redrive { reason: Some("servicenow.refuse".to_owned()), ..redrive.clone() };
        let nothing = Redriven::default();
        let texts = [none(&redrive, &nothing, &nothing), none(&wrong, &redriven(0, 0, 2), &redriven(7, 0, 0))];
        insta::assert_snapshot!(texts.join("\n\n"), @r#"
        there is no dead letter to put back

        no dead letter failed for servicenow.refuse
          7 failed for servicenow.unavailable
          1 failed for transport.connect
        2 stay: newer requests of the same incidents overtook them; retry or discard them by number
        "#);
    }

    #[test]
    fn times_have_two_units_at_most() {
        let texts: Vec<String> =
            [0, 1, 59_000, 61_000, 3_600_000, 90_000_000].map(Duration::from_millis).map(words).to_vec();
        assert_eq!(texts, ["0 s", "1 s", "59 s", "1 min 1 s", "1 h 0 min", "25 h 0 min"]);
    }
}
