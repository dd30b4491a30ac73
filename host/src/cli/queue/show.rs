//! Requests as text for people.

use std::fmt::Write as _;

use crate::cli::output::{table, time};
use crate::domain::outcome::Failure;
use crate::store::{RequestDetail, RequestView};

/// One line a request.
pub(super) fn list(requests: &[RequestView]) -> String {
    let head = ["ID", "STATE", "TRIES", "DUE", "INTEGRATION", "INCIDENT", "TICKET", "OPERATION", "FAILURE"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    rows.extend(requests.iter().map(|request| {
        vec![
            request.id.to_string(),
            request.state.as_str().to_owned(),
            request.attempts.to_string(),
            time(request.due),
            request.integration.to_string(),
            request.incident.to_string(),
            request.ticket.clone().unwrap_or_else(|| "-".to_owned()),
            request.operation.clone(),
            request.failure.as_ref().map(short).unwrap_or_default(),
        ]
    }));
    table(&rows)
}

/// The failure's code, errno and status.
fn short(failure: &Failure) -> String {
    let errno = failure.errno.as_deref().map(|errno| format!(" {errno}")).unwrap_or_default();
    let status = failure.status.map(|status| format!(" {status}")).unwrap_or_default();
    format!("{}{errno}{status}", failure.code)
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
    line("tries", &view.attempts.to_string());
    line("integration", view.integration.as_str());
    line("incident", view.incident.as_str());
    line("ticket", view.ticket.as_deref().unwrap_or("-"));
    line("sealed", &time(view.created));
    line("due", &time(view.due));
    line("generation", &view.generation.to_string());
    if view.crashes > 0 {
        line("crashes", &view.crashes.to_string());
    }
    if let Some(failure) = &view.failure {
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
    use crate::domain::id::{IncidentId, IntegrationName, LinkId, RequestId, RequestKey};
    use crate::domain::request::{Cause, Operation, Request, Target};
    use crate::domain::share::ShareKind;
    use crate::domain::time::Timestamp;
    use crate::store::{AttemptView, JournalEntry, RequestState};

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
    fn a_request_is_shown_with_content_attempts_and_history() {
        let operation = Operation::Callback { incident: view().incident, kind: ShareKind::New };
        let shown = detail(&RequestDetail {
            view: view(),
            request: Request {
                key: RequestKey::new("acme-12").unwrap(),
                operation,
                lineage: Vec::new(),
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
