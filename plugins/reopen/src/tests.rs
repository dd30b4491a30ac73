//! Golden cases, and the window to the second.

#![allow(clippy::unwrap_used)]

use serde_json::json;
use tandem_guest::test::Sample;

use super::*;

#[test]
fn cases_decide_what_their_snapshots_say() {
    let cases = concat!(env!("CARGO_MANIFEST_DIR"), "/cases");
    for entry in std::fs::read_dir(cases).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let sample = Sample::from_json(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let shown = match sample.run(Return::reopen) {
            Ok(decision) => format!("{decision:?}"),
            Err(error) => error.to_string(),
        };
        insta::with_settings!({ snapshot_path => cases, prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(path.file_stem().unwrap().to_str().unwrap(), shown);
        });
    }
}

#[test]
fn the_window_ends_with_its_last_moment() {
    let resolved = "2026-01-01 00:00:00";
    let after = |millis: i64| {
        let mut sample = Sample::new("66b0")
            .with_ticket_field("state", "6")
            .with_ticket_field("resolved_at", resolved)
            .with_settings(json!({ "reopen_resolved": true, "reopen_window": 1800 }));
        sample.now = time::parse(resolved).unwrap() * 1000 + millis;
        matches!(sample.run(Return::reopen).unwrap(), Decision::Reopen(_))
    };
    assert!(after(0));
    assert!(after((29 * 60 + 59) * 1000), "29:59");
    assert!(after(30 * 60 * 1000 - 1), "29:59.999");
    assert!(!after(30 * 60 * 1000), "30:00");
    assert!(!after((30 * 60 + 1) * 1000), "30:01");
}

#[test]
fn what_counts_is_when_the_incident_came_back_not_when_the_host_heard_of_it() {
    let resolved = time::parse("2026-01-01 00:00:00").unwrap();
    let after = |changed: Option<i64>, heard: i64| {
        let mut sample = Sample::new("66b0")
            .with_ticket_field("state", "6")
            .with_ticket_field("resolved_at", "2026-01-01 00:00:00")
            .with_settings(json!({ "reopen_resolved": true, "reopen_window": 1800 }));
        sample.incident.changed = changed.map(|seconds| resolved + seconds);
        sample.incident.updated = Some(resolved + 10_800);
        sample.now = (resolved + heard) * 1000;
        matches!(sample.run(Return::reopen).unwrap(), Decision::Reopen(_))
    };
    assert!(after(Some(900), 10_800), "the host was down for three hours");
    assert!(!after(Some(1800), 10_800));
    assert!(!after(None, 10_800));
    assert!(!after(Some(-60), 10_800), "the ticket was resolved after that change");
    assert!(!after(Some(0), 10_800), "that change is the end itself");
    assert!(after(Some(10_800), 900), "a clock that is ahead");
}

#[test]
fn a_window_is_told_in_the_largest_unit_that_fits() {
    assert_eq!(
        [0, 1, 90, 60, 1800, 3600, 7200].map(words),
        ["0 minutes", "1 second", "90 seconds", "1 minute", "30 minutes", "1 hour", "2 hours"]
    );
}
