//! Golden cases, and the table of priorities.

#![allow(clippy::unwrap_used)]

use std::fmt::Write as _;

use tandem_guest::test::Sample;
use tandem_guest::{Journal, Op, Operation};

use super::*;

#[test]
fn cases_write_what_their_snapshots_say() {
    let cases = concat!(env!("CARGO_MANIFEST_DIR"), "/cases");
    for entry in std::fs::read_dir(cases).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let sample = Sample::from_json(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let patch = sample.run(Further::fields).unwrap();
        let shown: String = patch.operations().iter().map(shown).collect();
        insta::with_settings!({ snapshot_path => cases, prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(path.file_stem().unwrap().to_str().unwrap(), shown);
        });
    }
}

fn shown(Operation { op, reason, on_update }: &Operation) -> String {
    let mut line = match op {
        Op::Set { field, value } => format!("{field} = {value:?}"),
        Op::Append { field, value } => format!("{field} += {value:?}"),
        Op::Unset { field } => format!("{field} emptied"),
        Op::SetReference(reference) => {
            format!("{} → {} by {} {:?}", reference.field, reference.table, reference.by, reference.value)
        }
        Op::AddNote { journal: Journal::WorkNotes, text } => format!("work note {text:?}"),
        Op::AddNote { journal: Journal::Comments, text } => format!("comment {text:?}"),
    };
    if *on_update {
        line.push_str(", on updates too");
    }
    if let Some(reason) = reason {
        write!(line, "  ({reason})").unwrap();
    }
    line + "\n"
}

#[test]
fn priority_tags_are_understood_as_people_write_them() {
    let numbers = [
        ("P1", Some(1)),
        ("p2", Some(2)),
        ("3", Some(3)),
        ("4 - Low", Some(4)),
        ("Priority 5", Some(5)),
        ("sev2", Some(2)),
        ("P0", Some(1)),
        ("Critical", Some(1)),
        ("high", Some(2)),
        ("Moderate", Some(3)),
        ("medium", Some(3)),
        (" low ", Some(4)),
        ("PLANNING", Some(5)),
        ("P15", None),
        ("7", None),
        ("urgent", None),
        ("", None),
    ];
    for (tag, number) in numbers {
        assert_eq!(priority(tag), number, "{tag:?}");
    }
}

#[test]
fn each_priority_becomes_the_urgency_and_impact_that_servicenow_turns_back_into_it() {
    // ServiceNow's default matrix, impact by urgency.
    let matrix = [[1, 2, 3], [2, 3, 4], [3, 4, 5]];
    for number in 1..=5 {
        let sample = Sample::new("66b0").with_tag("priority", &format!("P{number}"));
        let sample = sample.with_settings(serde_json::json!({ "priority_tag": "priority" }));
        let patch = sample.run(Further::fields).unwrap();
        let value = |wanted: &str| {
            let found = patch.operations().iter().find_map(|operation| {
                let Op::Set { field, value } = &operation.op else { return None };
                value.parse::<usize>().ok().filter(|_| field == wanted)
            });
            found.unwrap()
        };
        assert_eq!(matrix[value("impact") - 1][value("urgency") - 1], number);
    }
}
