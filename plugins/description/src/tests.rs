//! Golden cases, and what holds for every body.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use serde_json::json;
use tandem_guest::test::{Sample, SampleAlert, SampleChange};

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
        let body = sample.run(Template::description).unwrap();
        assert!(body.on_update, "counts and statuses change");
        let mut shown = body.text;
        if let Some(note) = body.work_note {
            shown.push_str("\n========== work note ==========\n");
            shown.push_str(&note);
        }
        insta::with_settings!({ snapshot_path => cases, prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(path.file_stem().unwrap().to_str().unwrap(), shown);
        });
    }
}

#[test]
fn titles_are_words_with_a_capital() {
    let titles = ["host", "cmdb_ci", "source-ip", "URL", "__x__", "größe", ""].map(text::title);
    assert_eq!(titles, ["Host", "Cmdb Ci", "Source Ip", "URL", "X", "Größe", ""]);
}

fn alert() -> impl Strategy<Value = SampleAlert> {
    ("\\PC{0,600}", "(?s).{0,80}", 0..4_usize).prop_map(|(host, check, status)| {
        let status = [Status::Critical, Status::Warning, Status::Unknown, Status::Ok].into_iter().nth(status).unwrap();
        SampleAlert::new("", status).with_tag("host", &host).with_tag("check", &check)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn every_body_fits_the_field_counts_honestly_and_ends_with_the_links(
        alerts in prop::collection::vec(alert(), 0..40),
        summary in prop::option::of("\\PC{1,1500}"),
        causes in prop::collection::vec("\\PC{0,300}", 0..12),
        max in 0..50_usize,
    ) {
        let mut sample = Sample::new("66b0").with_settings(json!({
            "ai_summary_in_description": true, "description_alert_tags": ["host", "check"],
            "max_alerts_in_description": max, "add_links_to_description": true,
        }));
        sample.links.insert("incident".into(), "https://a.bigpanda.io/1".into());
        sample.incident.summary = summary;
        sample.incident.alerts = alerts;
        for summary in causes {
            sample = sample.with_change(SampleChange { identifier: "CHG1".into(), summary, ..SampleChange::default() });
        }
        let body = sample.run(Template::description).unwrap().text;
        prop_assert!(length(&body) <= LIMIT);
        prop_assert!(!body.contains(|c: char| c.is_control() && !matches!(c, '\n' | '\t')));
        prop_assert!(body.ends_with("Incident Link: https://a.bigpanda.io/1"), "{}", body);

        let total = sample.incident.alerts.len();
        let shown = body.matches("\n\nAlert: ").count();
        let left_out = body.lines().find_map(|line| line.strip_prefix("… and ")?.split(' ').next()?.parse::<usize>().ok());
        if max == 0 || total == 0 {
            prop_assert_eq!((shown, left_out), (0, None));
        } else {
            prop_assert!(shown >= 1 && shown <= max);
            prop_assert_eq!(shown + left_out.unwrap_or_default(), total);
        }
    }
}
