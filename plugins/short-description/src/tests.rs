//! Golden cases, and what holds for every line.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use serde_json::json;
use tandem_guest::Status;
use tandem_guest::test::{Sample, SampleAlert};

use super::*;

#[test]
fn cases_read_as_their_snapshots_say() {
    let cases = concat!(env!("CARGO_MANIFEST_DIR"), "/cases");
    for entry in std::fs::read_dir(cases).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let sample = Sample::from_json(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let text = sample.run(Line::short_description).unwrap();
        assert!(text.on_update, "the status changes");
        insta::with_settings!({ snapshot_path => cases, prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(path.file_stem().unwrap().to_str().unwrap(), text.text);
        });
    }
}

proptest! {
    #[test]
    fn every_line_fits_the_field_and_ends_with_the_status(
        host in "\\PC{0,200}", composed in prop::option::of("(?s).{0,200}"), priority in prop::option::of("\\PC{0,20}"),
        with_priority: bool,
    ) {
        let mut alert = SampleAlert::new("1", Status::Warning).with_tag("host", &host);
        if let Some(composed) = &composed {
            alert = alert.with_tag(COMPOSED, composed);
        }
        let mut sample = Sample::new("66b0").with_alert(alert).with_primary_alert(0).with_settings(
            json!({ "priority_in_short_description": with_priority, "priority_tag": "priority" }),
        );
        if let Some(priority) = &priority {
            sample = sample.with_tag("priority", priority);
        }
        let line = sample.run(Line::short_description).unwrap().text;
        prop_assert!(length(&line) <= LIMIT, "{}", line);
        prop_assert!(!line.contains(char::is_control));
        prop_assert!(line.ends_with(" - Warning") || (with_priority && composed.is_some()), "{}", line);
    }
}
