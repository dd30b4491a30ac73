//! Golden cases, and what a tag holds.

#![allow(clippy::unwrap_used)]

use serde_json::json;
use tandem_guest::test::Sample;
use tandem_guest::{Op, Operation};

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
        let patch = sample.run(Mapped::tags).unwrap();
        let shown: String = patch.operations().iter().map(shown).collect();
        insta::with_settings!({ snapshot_path => cases, prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(path.file_stem().unwrap().to_str().unwrap(), shown);
        });
    }
}

fn shown(Operation { op, reason, .. }: &Operation) -> String {
    let reason = reason.as_deref().unwrap();
    match op {
        Op::Set { field, value } => format!("{field} = {value:?}  ({reason})\n"),
        Op::Unset { field } => format!("{field} removed  ({reason})\n"),
        Op::Append { .. } | Op::SetReference(_) | Op::AddNote { .. } => format!("{op:?}\n"),
    }
}

#[test]
fn a_long_value_is_cut_to_what_a_tag_holds() {
    let row = json!({ "tag": "team", "field": "u_team", "direction": "both" });
    let sample = Sample::new("66b0").of_ticket().with_ticket_field("u_team", &"ü".repeat(600));
    let patch = sample.with_settings(json!({ "tag_mapping": [row] })).run(Mapped::tags).unwrap();
    let [Operation { op: Op::Set { value, .. }, .. }] = patch.operations() else { panic!("{patch:?}") };
    assert_eq!(value.chars().count(), LIMIT);
}
