//! Golden cases, the language of the criteria line by line, and that narrowing down is sorting.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use proptest::prelude::*;
use serde_json::json;
use tandem_guest::Status;
use tandem_guest::test::{Sample, SampleAlert};

use super::*;

#[test]
fn cases_choose_what_their_snapshots_say() {
    let cases = concat!(env!("CARGO_MANIFEST_DIR"), "/cases");
    for entry in std::fs::read_dir(cases).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let sample = Sample::from_json(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let shown = match sample.run(Primary::primary_alert) {
            Ok(Choice { alert, reason }) => {
                let id = alert.map_or("none", |index| &sample.incident.alerts[index].id);
                format!("alert: {id}\nreason: {}", reason.unwrap_or_default())
            }
            Err(error) => error.to_string(),
        };
        insta::with_settings!({ snapshot_path => cases, prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(path.file_stem().unwrap().to_str().unwrap(), shown);
        });
    }
}

/// The id of the chosen alert.
fn chosen(alerts: &[SampleAlert], criteria: &str) -> String {
    let mut sample = Sample::new("66b0").with_settings(json!({ "primary_alert": criteria }));
    sample.incident.alerts = alerts.to_vec();
    let choice = sample.run(Primary::primary_alert).unwrap();
    alerts[choice.alert.unwrap()].id.clone()
}

fn alerts() -> Vec<SampleAlert> {
    let mut one = SampleAlert::new("1", Status::Warning).with_tag("host", "DB-1.eu").with_tag("load", "9");
    one.start = Some(300);
    one.end = Some(900);
    one.description = "Übertragung steht".into();
    one.source_system = "zabbix.main".into();
    let mut two = SampleAlert::new("2", Status::Ok).with_tag("host", "web-2").with_tag("load", "10.5");
    two.start = Some(100);
    two.source_system = "datadog.eu".into();
    let mut three = SampleAlert::new("3", Status::Critical).with_tag("host", "web-1").with_tag("load", "n/a");
    three.start = Some(200);
    three.updated = Some(5);
    three.primary_property = "check".into();
    let mut four = SampleAlert::new("4", Status::Unknown).with_tag("status", "odd").with_tag("check", "Disk");
    four.start = Some(400);
    vec![one, two, three, four]
}

#[test]
fn every_criterion_means_what_the_readme_says() {
    let expected = [
        // A match comes first, in any case and with wildcards anywhere.
        ("host=db-1.EU", "1"),
        ("host=*1", "3"),
        ("host=*-*.eu", "1"),
        ("host=web*, -startedOn", "3"),
        ("description=über*", "1"),
        ("host=*, startedOn", "2"),
        // What nothing matches decides nothing.
        ("host=mail*, -startedOn", "4"),
        // Sorting: smallest first, `-` largest first; statuses from critical to ok.
        ("start", "2"),
        ("-STARTEDON", "4"),
        ("status", "3"),
        ("-status", "2"),
        ("-active, start", "3"),
        // Numbers as numbers and before texts, texts regardless of case; what is missing comes last either way.
        ("load", "1"),
        ("-load", "3"),
        ("host", "1"),
        ("-host", "2"),
        ("endedOn", "1"),
        ("-endedOn", "1"),
        ("updatedOn", "3"),
        // Attributes and tags.
        ("id=2", "2"),
        ("source_system=ZABBIX.*", "1"),
        ("primary_property=check", "3"),
        ("primary=web-2", "2"),
        ("secondary=disk", "4"),
        ("tags.status=odd", "4"),
        ("startedOn=200", "3"),
        // The left criterion is the more important one.
        ("status=warning, startedOn", "1"),
        ("startedOn, status=warning", "2"),
        // Left empty: the default.
        ("", "3"),
    ];
    for (criteria, id) in expected {
        assert_eq!(chosen(&alerts(), criteria), id, "{criteria}");
    }
}

fn any_alert() -> impl Strategy<Value = SampleAlert> {
    let status = prop::sample::select(vec![Status::Critical, Status::Warning, Status::Unknown, Status::Ok]);
    let tag = || prop::option::of(prop::sample::select(vec!["", "a", "B", "ab", "7", "07", "11", "-3", "é"]));
    (status, prop::option::of(0..4_i64), tag(), tag()).prop_map(|(status, start, one, two)| {
        let mut alert = SampleAlert::new("", status);
        alert.start = start;
        for (name, value) in [("one", one), ("two", two)] {
            if let Some(value) = value {
                alert = alert.with_tag(name, value);
            }
        }
        alert
    })
}

proptest! {
    #[test]
    fn the_choice_is_the_first_of_a_sorted_list_in_whichever_order_the_alerts_come(
        alerts in prop::collection::vec(any_alert(), 1..12),
        criteria in prop::collection::vec(
            prop::sample::select(vec!["one", "-one", "two", "-two", "status", "-start", "one=a*", "two=7", "status=ok"]),
            1..4,
        ),
        turn in any::<prop::sample::Index>(),
    ) {
        let mut alerts = alerts;
        for (index, alert) in alerts.iter_mut().enumerate() {
            alert.id = format!("{index:02}");
        }
        let text = criteria.join(", ");

        let mut sample = Sample::new("66b0");
        sample.incident.alerts.clone_from(&alerts);
        let event = sample.event();
        let mut sorted: Vec<_> = event.alerts().collect();
        sorted.sort_by(|one, two| {
            let by = |criterion: &Criterion<'_>| match criterion {
                Criterion::Equal { field, pattern } => {
                    field.of(two).matches(pattern).cmp(&field.of(one).matches(pattern))
                }
                Criterion::Sorted { field, descending } => field.of(one).compare(&field.of(two), *descending),
            };
            let order = Criterion::parse(&text).unwrap().iter().map(by).find(|order| order.is_ne());
            order.unwrap_or_else(|| one.id().cmp(two.id()))
        });
        let expected = sorted[0].id().to_owned();

        prop_assert_eq!(&chosen(&alerts, &text), &expected);
        let middle = turn.index(alerts.len());
        alerts.rotate_left(middle);
        prop_assert_eq!(&chosen(&alerts, &text), &expected);
    }

    #[test]
    fn a_pattern_made_from_a_text_matches_it(
        text in "[a-zA-Z0-9éÜ.:_-]{1,12}",
        stars in prop::collection::vec(any::<prop::sample::Index>(), 0..4),
    ) {
        // Each star replaces what lies between two places of the text, maybe nothing.
        let mut letters: Vec<char> = text.to_uppercase().chars().collect();
        for star in stars {
            let at = star.index(letters.len());
            letters.splice(at..(at + star.index(3)).min(letters.len()), ['*']);
        }
        let pattern: String = letters.iter().collect();
        let alerts = [SampleAlert::new("1", Status::Ok), SampleAlert::new("2", Status::Ok).with_tag("x", &text)];
        prop_assert_eq!(chosen(&alerts, &format!("x={pattern}")), "2");
    }
}
