//! Golden cases: what a resolved ticket gets, and what is said about a closed one.

#![allow(clippy::unwrap_used)]

use std::fmt::Write as _;

use serde_json::json;
use tandem_guest::test::Sample;
use tandem_guest::{EventKind, Op, Operation};

use super::*;

#[test]
fn cases_answer_what_their_snapshots_say() {
    let cases = concat!(env!("CARGO_MANIFEST_DIR"), "/cases");
    for entry in std::fs::read_dir(cases).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let sample = Sample::from_json(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let answer = if sample.event().kind() == EventKind::TicketChanged {
            sample.run(End::comment).map(|comment| comment.unwrap_or_default() + "\n")
        } else {
            sample.run(End::close_ticket).map(|patch| patch.operations().iter().map(shown).collect())
        };
        let shown = answer.unwrap_or_else(|error| format!("{error}\n"));
        insta::with_settings!({ snapshot_path => cases, prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(path.file_stem().unwrap().to_str().unwrap(), shown);
        });
    }
}

fn shown(Operation { op, reason, .. }: &Operation) -> String {
    let mut line = match op {
        Op::Set { field, value } => format!("{field} = {value:?}"),
        Op::SetReference(reference) => {
            format!("{} → {} by {} {:?}", reference.field, reference.table, reference.by, reference.value)
        }
        Op::Append { .. } | Op::Unset { .. } | Op::AddNote { .. } => format!("{op:?}"),
    };
    if let Some(reason) = reason {
        write!(line, "  ({reason})").unwrap();
    }
    line + "\n"
}

#[test]
fn code_and_notes_are_never_empty() {
    for settings in [json!({}), json!({ "close_code": " ", "close_notes": " " })] {
        let patch = Sample::new("66b0").with_settings(settings).run(End::close_ticket).unwrap();
        for wanted in ["close_code", "close_notes"] {
            let value = patch.operations().iter().find_map(|operation| {
                let Op::Set { field, value } = &operation.op else { return None };
                Some(value.as_str()).filter(|_| field == wanted)
            });
            assert!(!value.unwrap().trim().is_empty(), "{wanted}");
        }
    }
}

#[test]
fn long_notes_leave_a_comment_within_what_a_comment_holds() {
    let sample = Sample::new("66b0").of_ticket().with_ticket_field("close_notes", &"é".repeat(4000));
    let comment = sample.with_settings(json!({ "send_closure_code": true })).run(End::comment).unwrap().unwrap();
    assert_eq!(comment.chars().count(), "ServiceNow ticket was resolved: ".len() + LONGEST_NOTES);
}
