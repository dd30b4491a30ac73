//! Who wins, and what is said about it.

#![allow(clippy::unwrap_used)]

use tandem_guest::test::Sample;

use super::*;

#[test]
fn the_newest_change_wins_and_the_reason_says_so() {
    let at = 1_767_225_600;
    let cases = [
        (Some(at), Some(at + 40)),
        (Some(at + 1), Some(at)),
        (Some(at), Some(at)),
        (None, Some(at)),
        (Some(at), None),
        (None, None),
        (Some(i64::MIN), Some(i64::MAX)),
    ];
    let told: Vec<String> = cases
        .into_iter()
        .map(|(incident_changed, ticket_changed)| {
            let dispute = Dispute {
                tag: "owner".into(),
                field: "u_owner".into(),
                agreed: Some("before".into()),
                incident_value: "incident".into(),
                ticket_value: "ticket".into(),
                incident_changed,
                ticket_changed,
            };
            let event = Sample::new("66b0").of_ticket().event();
            let Settlement { value, reason } = Newest::settle(&dispute, &event, &NoConfig {}).unwrap();
            format!("{value}: {}", reason.unwrap())
        })
        .collect();
    insta::assert_snapshot!(told.join("\n"), @r"
    ticket: the ticket changed last, at 2026-01-01 00:00:40 UTC, 40 s after the other side
    incident: the incident changed last, at 2026-01-01 00:00:01 UTC, 1 s after the other side
    incident: both sides changed in the same second, and then BigPanda wins
    ticket: the ticket changed last, at 2026-01-01 00:00:00 UTC; when the other side changed is not known
    incident: the incident changed last, at 2026-01-01 00:00:00 UTC; when the other side changed is not known
    incident: nobody knows which side changed last, and then BigPanda wins
    ticket: the ticket changed last, 9223372036854775807 s after the other side
    ");
}
