//! Requests as text for people.

use std::fmt::Write as _;

use crate::cli::output::{table, time};
use crate::domain::outcome::Failure;
use crate::store::{EventView, RequestDetail, RequestState, RequestView};
use crate::sync::Redone;

/// One line a request.
pub(super) fn list(requests: &[RequestView]) -> String {
    let head = ["ID", "STATE", "TRIES", "DUE", "INTEGRATION", "INCIDENT", "TICKET", "OPERATION", "FAILURE"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    rows.extend(requests.iter().map(|request| {
        vec![
            request.id.to_string(),
            request.state.as_str().to_owned(),
            tried(request).to_string(),
            time(request.due),
            request.integration.to_string(),
            request.incident.to_string(),
            request.ticket.clone().unwrap_or_else(|| "-".to_owned()),
            request.operation.clone(),
            failure(request).map(short).unwrap_or_default(),
        ]
    }));
    table(&rows)
}

/// How often it was tried since it was last made due. The row counts failures only, and what is done was tried once
/// more.
fn tried(request: &RequestView) -> u32 {
    match request.state {
        RequestState::Done => request.attempts.saturating_add(1),
        RequestState::Ready
        | RequestState::Leased
        | RequestState::Retry
        | RequestState::DeadPending
        | RequestState::Dead
        | RequestState::Discarded => request.attempts,
    }
}

/// Why it is not done. What is done has no failure, whatever came before; its attempts tell of that.
fn failure(request: &RequestView) -> Option<&Failure> {
    request.failure.as_ref().filter(|_| request.state != RequestState::Done)
}

/// The failure's code, errno and status.
fn short(failure: &Failure) -> String {
    let errno = failure.errno.as_deref().map(|errno| format!(" {errno}")).unwrap_or_default();
    let status = failure.status.map(|status| format!(" {status}")).unwrap_or_default();
    format!("{}{errno}{status}", failure.code)
}

/// One line an event that was set aside.
pub(super) fn events(events: &[EventView]) -> String {
    let mut rows = vec![["EVENT", "RECEIVED", "DEATHS", "INTEGRATION", "INCIDENT", "WHY"].map(str::to_owned).to_vec()];
    rows.extend(events.iter().map(|event| {
        vec![
            format!("e{}", event.id),
            time(event.received),
            event.crashes.to_string(),
            event.integration.to_string(),
            event.incident.to_string(),
            event.why.clone(),
        ]
    }));
    table(&rows)
}

/// What a request holds since another plugin was asked.
pub(super) fn redone(redone: &Redone) -> String {
    let Redone { request, plugin, changes } = redone;
    let mut text = format!("request {request} was sealed again with {plugin}, for it alone, and is due now\n");
    if changes.is_empty() {
        text.push_str("  it holds what it held before\n");
        return text;
    }
    let mut rows = vec![["  FIELD", "BEFORE", "NOW"].map(str::to_owned).to_vec()];
    let cell = |value: &Option<String>| value.as_deref().map_or_else(|| "-".to_owned(), brief);
    rows.extend(
        changes.iter().map(|change| vec![format!("  {}", change.field), cell(&change.before), cell(&change.after)]),
    );
    text.push_str(&table(&rows));
    text
}

/// A value on one line, and not a long one.
fn brief(value: &str) -> String {
    let line: String = value.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    match line.char_indices().nth(60) {
        Some((cut, _)) => format!("{}…", line.get(..cut).unwrap_or_default()),
        None => line,
    }
}

/// All that is kept of a request.
pub(super) fn detail(detail: &RequestDetail) -> String {
    let RequestDetail { view, request, tries, journal } = detail;
    let mut text = String::new();
    let mut line = |label: &str, value: &str| {
        let _ = writeln!(text, "{label:12} {value}");
    };
    line("request", &format!("{} ({})", view.id, request.key));
    line("operation", &format!("{} → {}", view.operation, view.target.as_str()));
    line("state", view.state.as_str());
    line("tries", &tried(view).to_string());
    line("integration", view.integration.as_str());
    line("incident", view.incident.as_str());
    line("ticket", view.ticket.as_deref().unwrap_or("-"));
    line("sealed", &time(view.created));
    line("due", &time(view.due));
    line("generation", &view.generation.to_string());
    if view.crashes > 0 {
        line("crashes", &view.crashes.to_string());
    }
    if let Some(failure) = failure(view) {
        line("failure", &format!("{} [{}]", failure.summary, short(failure)));
        if let Some(detail) = &failure.detail {
            line("", detail);
        }
        if let Some(hint) = &failure.hint {
            line("hint", hint);
        }
    }
    let content = serde_json::to_string_pretty(&request.operation).unwrap_or_default();
    let _ = writeln!(text, "\ncontent\n{content}");
    if !tries.is_empty() {
        let rows = tries.iter().map(|attempt| {
            let failure = attempt.failure.as_ref();
            vec![
                time(attempt.at),
                format!("{} ms", attempt.took_ms),
                attempt.outcome.clone(),
                failure.map(|failure| format!("{} [{}]", failure.summary, short(failure))).unwrap_or_default(),
            ]
        });
        let _ = write!(text, "\nattempts\n{}", table(&rows.collect::<Vec<_>>()));
    }
    if !journal.is_empty() {
        let rows = journal.iter().map(|entry| vec![time(entry.at), entry.kind.clone(), entry.text.clone()]);
        let _ = write!(text, "\nhistory\n{}", table(&rows.collect::<Vec<_>>()));
    }
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::domain::id::{EventId, IncidentId, IntegrationName, LinkId, RequestId, RequestKey};
    use crate::domain::request::{Cause, Operation, Request, Target};
    use crate::domain::share::ShareKind;
    use crate::domain::time::Timestamp;
    use crate::store::{AttemptView, JournalEntry};
    use crate::sync::Change;

    fn view() -> RequestView {
        RequestView {
            id: RequestId(12),
            link: LinkId(3),
            integration: IntegrationName::new("acme").unwrap(),
            incident: IncidentId::new("65f1c2a9e0b7d40012a4c101").unwrap(),
            ticket: None,
            operation: "callback".to_owned(),
            target: Target::BigPanda,
            state: RequestState::DeadPending,
            attempts: 5,
            crashes: 0,
            due: Timestamp(1_767_229_200_000),
            created: Timestamp(1_767_225_600_000),
            failure: Some(failure()),
            generation: 4,
        }
    }

    fn failure() -> Failure {
        Failure {
            code: "transport.connect".to_owned(),
            errno: Some("ECONNREFUSED".to_owned()),
            status: None,
            summary: "BigPanda could not be reached".to_owned(),
            detail: None,
            hint: Some("check that the address is right".to_owned()),
        }
    }

    #[test]
    fn a_list_has_one_line_for_each_request() {
        insta::assert_snapshot!(list(&[view()]), @r#"
        ID  STATE         TRIES  DUE                   INTEGRATION  INCIDENT                  TICKET  OPERATION  FAILURE
        12  dead-pending  5      2026-01-01 01:00:00Z  acme         65f1c2a9e0b7d40012a4c101  -       callback   transport.connect ECONNREFUSED
        "#);
    }

    #[test]
    fn what_is_done_shows_every_try_and_no_failure() {
        let done = RequestView { state: RequestState::Done, attempts: 1, ..view() };
        insta::assert_snapshot!(list(&[done]), @r#"
        ID  STATE  TRIES  DUE                   INTEGRATION  INCIDENT                  TICKET  OPERATION  FAILURE
        12  done   2      2026-01-01 01:00:00Z  acme         65f1c2a9e0b7d40012a4c101  -       callback
        "#);
    }

    #[test]
    fn quarantined_events_are_listed_with_the_reason() {
        let event = EventView {
            id: EventId(17),
            link: LinkId(3),
            integration: view().integration,
            incident: view().incident,
            received: view().created,
            crashes: 3,
            why: "the host died 3 times while handling it".to_owned(),
        };
        insta::assert_snapshot!(events(&[event]), @r#"
        EVENT  RECEIVED              DEATHS  INTEGRATION  INCIDENT                  WHY
        e17    2026-01-01 00:00:00Z  3       acme         65f1c2a9e0b7d40012a4c101  the host died 3 times while handling it
        "#);
    }

    #[test]
    fn what_another_plugin_changes_is_told_field_by_field() {
        let text = |text: &str| Some(text.to_owned());
        let changes = vec![
            Change { field: "description".to_owned(), before: text(&"long ".repeat(20)), after: text("two\nlines") },
            Change { field: "urgency".to_owned(), before: text("9"), after: None },
        ];
        let plugin = "description 1.2.0 (0123456789ab)".to_owned();
        let one = redone(&Redone { request: RequestId(17), plugin: plugin.clone(), changes });
        let none = redone(&Redone { request: RequestId(18), plugin, changes: Vec::new() });
        insta::assert_snapshot!(format!("{one}{none}"), @r#"
        request 17 was sealed again with description 1.2.0 (0123456789ab), for it alone, and is due now
          FIELD        BEFORE                                                         NOW
          description  long long long long long long long long long long long long …  two lines
          urgency      9                                                              -
        request 18 was sealed again with description 1.2.0 (0123456789ab), for it alone, and is due now
          it holds what it held before
        "#);
    }

    #[test]
    fn a_request_is_shown_with_content_attempts_and_history() {
        let operation = Operation::Callback { incident: view().incident, kind: ShareKind::New };
        let shown = detail(&RequestDetail {
            view: view(),
            request: Request {
                key: RequestKey::new("acme-12").unwrap(),
                operation,
                lineage: Vec::new(),
                extra: crate::domain::request::Extra::default(),
                cause: Cause { kind: ShareKind::New, environment: None, response_tag: "servicenow_link".to_owned() },
                generation: 4,
            },
            tries: vec![AttemptView {
                at: Timestamp(1_767_225_601_000),
                took_ms: 12,
                outcome: "again".to_owned(),
                failure: Some(failure()),
            }],
            journal: vec![JournalEntry {
                at: Timestamp(1_767_225_600_000),
                kind: "share.decided".to_owned(),
                text: "A ticket is to be created.".to_owned(),
            }],
        });
        insta::assert_snapshot!(shown, @r#"
        request      12 (acme-12)
        operation    callback → bigpanda
        state        dead-pending
        tries        5
        integration  acme
        incident     65f1c2a9e0b7d40012a4c101
        ticket       -
        sealed       2026-01-01 00:00:00Z
        due          2026-01-01 01:00:00Z
        generation   4
        failure      BigPanda could not be reached [transport.connect ECONNREFUSED]
        hint         check that the address is right

        content
        {
          "op": "callback",
          "incident": "65f1c2a9e0b7d40012a4c101",
          "kind": "new"
        }

        attempts
        2026-01-01 00:00:01Z  12 ms  again  BigPanda could not be reached [transport.connect ECONNREFUSED]

        history
        2026-01-01 00:00:00Z  share.decided  A ticket is to be created.
        "#);
    }
}
