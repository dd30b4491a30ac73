//! Special states of an incident that its ticket is told about: snoozed, flapping, under maintenance.
//!
//! A mark is remembered by its words, so each change of it is told once.

use jiff::Timestamp;

use crate::domain::incident::Incident;

/// The sentences that hold of the incident now.
pub fn marks(incident: &Incident) -> Vec<String> {
    let mut marks = Vec::new();
    if incident.snooze.snoozed {
        let until = incident.snooze.until.and_then(|until| Timestamp::from_second(until).ok());
        marks.push(until.map_or_else(|| "snoozed".to_owned(), |until| format!("snoozed until {until}")));
    }
    if incident.flapping {
        marks.push("flapping".to_owned());
    }
    if let Some(maintenance) = &incident.maintenance {
        let part = if maintenance.eq_ignore_ascii_case("partial") { "partly under" } else { "under" };
        marks.push(format!("{part} planned maintenance"));
    }
    marks
}

/// What to tell the ticket: what holds now and didn't, and what held and doesn't any more.
pub fn news(before: &[String], now: &[String]) -> Vec<String> {
    let kind = |mark: &str| mark.split(' ').next().unwrap_or_default().to_owned();
    let begun = now.iter().filter(|mark| !before.contains(mark)).map(|mark| format!("The incident is {mark}."));
    let gone = before
        .iter()
        .filter(|mark| !now.iter().any(|other| kind(other) == kind(mark)))
        .map(|mark| format!("The incident is no longer {}.", mark.split(" until ").next().unwrap_or_default()));
    begun.chain(gone).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::seal::samples;

    #[test]
    fn a_special_state_is_told_when_it_begins_changes_and_ends() {
        let mut incident = samples::share(100).incident;
        let calm = marks(&incident);
        assert!(calm.is_empty());
        incident.snooze.snoozed = true;
        incident.snooze.until = Some(1_767_225_600);
        incident.flapping = true;
        incident.maintenance = Some("partial".to_owned());
        let first = marks(&incident);
        incident.snooze.until = Some(1_767_229_200);
        incident.flapping = false;
        let second = marks(&incident);
        let told = [news(&calm, &first), news(&first, &first), news(&first, &second), news(&second, &calm)];
        insta::assert_snapshot!(told.map(|lines| lines.join("\n")).join("\n--\n"), @r"
        The incident is snoozed until 2026-01-01T00:00:00Z.
        The incident is flapping.
        The incident is partly under planned maintenance.
        --

        --
        The incident is snoozed until 2026-01-01T01:00:00Z.
        The incident is no longer flapping.
        --
        The incident is no longer snoozed.
        The incident is no longer partly under planned maintenance.
        ");
    }
}
