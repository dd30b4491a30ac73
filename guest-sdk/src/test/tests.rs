//! The SDK against samples: views, settings, offers of the host.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use serde::Deserialize;
use serde_json::json;

use super::*;
use crate::answer::Error;
use crate::event::{ShareKind, Status};
use crate::{clock, log, random, raw_share};

fn sample() -> Sample {
    Sample::from_json(
        &json!({
            "kind": "tag-upserted",
            "incident": {
                "id": "66b0", "status": "critical", "severity": "critical", "active": true, "start": 1_700_000_000,
                "snooze": { "snoozed": true, "until": 1_700_009_000 },
                "environments": ["Prod", "EU"], "summary": "Größe 🚨",
                "assignee": { "id": "u1", "name": "Ana", "email": "ana@example.com" },
                "tags": [{ "name": "priority", "value": "P1" }, { "name": "", "value": "" }],
                "alerts": [
                    { "id": "a1", "status": "warning", "primary_property": "host",
                      "tags": [{ "name": "host", "value": "db-1" }, { "name": "host", "value": "db-2" }] },
                    { "id": "a2", "status": "critical", "active": true, "start": -5, "description": "naïve\nline" }
                ],
                "changes": [{ "identifier": "CHG1", "summary": "Deploy", "certainty": "MATCH", "end": 7 }]
            },
            "environment_id": "e1", "sender": "auto@example.com", "links": { "incident": "https://b/1" },
            "overrides": { "fields": { "urgency": "2" }, "mapping": [["host", "cmdb_ci"]] },
            "settings": { "limit": 3, "words": ["a", "b"], "deep": { "ratio": 0.5, "off": null }, "mode": "fast" },
            "now": 12_000, "seed": 1, "primary_alert": 1, "raw": "{}"
        })
        .to_string(),
    )
    .unwrap()
}

#[test]
fn views_show_what_the_sample_says() {
    let event = sample().event();
    assert_eq!(event.share_kind(), ShareKind::TagUpserted);
    assert_eq!((event.incident().id(), event.environment_id()), ("66b0", Some("e1")));
    assert_eq!(event.incident().summary(), Some("Größe 🚨"));
    assert_eq!(event.incident().environments().collect::<Vec<_>>(), ["Prod", "EU"]);
    assert_eq!(event.incident().snoozed_until(), Some(1_700_009_000));
    assert_eq!(event.incident().assignee_email(), Some("ana@example.com"));
    assert_eq!((event.incident().maintenance(), event.incident().end()), (None, None));
    assert_eq!((event.incident_tag("priority"), event.incident_tag("Priority")), (Some("P1"), None));
    assert_eq!(event.incident_tags().count(), 2);
    let alerts: Vec<_> = event.alerts().collect();
    assert_eq!((alerts[0].primary_value(), alerts[0].tags().count(), alerts[1].tags().count()), (Some("db-1"), 2, 0));
    assert_eq!((alerts[1].start(), alerts[1].end(), alerts[1].is_active()), (Some(-5), None, true));
    let primary = event.primary_alert().unwrap();
    assert_eq!((primary.id(), primary.status(), primary.index()), ("a2", Status::Critical, 1));
    assert_eq!(primary.description(), "naïve\nline");
    let change = event.changes().next().unwrap();
    assert_eq!(
        (change.identifier(), change.certainty(), change.start(), change.end()),
        ("CHG1", "MATCH", None, Some(7))
    );
    assert_eq!(event.field_overrides().value("urgency"), Some("2"));
    assert_eq!(event.mapping_overrides().value("host"), Some("cmdb_ci"));
    assert!(!event.has_ticket() && event.ticket().is_empty());
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Mode {
    Fast,
    Slow,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Deep {
    ratio: f64,
    off: Option<String>,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Config {
    limit: u8,
    words: Vec<String>,
    deep: Deep,
    mode: Mode,
}

#[test]
fn settings_read_into_the_authors_type() {
    let config: Config = sample().event().settings().unwrap();
    let words = vec!["a".to_owned(), "b".to_owned()];
    assert_eq!(config, Config { limit: 3, words, deep: Deep { ratio: 0.5, off: None }, mode: Mode::Fast });
}

#[test]
fn settings_that_do_not_fit_say_why() {
    let sample = sample().with_settings(json!({ "limit": 300, "words": [], "deep": { "ratio": 1 }, "mode": "slow" }));
    let Err(Error::InvalidConfig(why)) = sample.event().settings::<Config>() else { panic!("300 is no u8") };
    assert_eq!(why, "invalid value: integer `300`, expected u8");
}

#[test]
fn settings_skip_what_the_type_does_not_know() {
    #[derive(Deserialize)]
    struct Last {
        mode: Mode,
    }
    assert_eq!(sample().event().settings::<Last>().unwrap().mode, Mode::Fast);
}

#[test]
fn no_settings_are_an_empty_object() {
    #[derive(Deserialize)]
    #[serde(default)]
    struct Lenient {
        limit: u32,
    }
    impl Default for Lenient {
        fn default() -> Self {
            Self { limit: 10 }
        }
    }
    assert_eq!(Sample::new("i").event().settings::<Lenient>().unwrap().limit, 10);
    let Err(Error::InvalidConfig(why)) = Sample::new("i").event().settings::<Config>() else { panic!("all required") };
    assert_eq!(why, "missing field `limit`");
}

#[test]
fn the_hosts_offers_stand_still_and_repeat() {
    let sample = sample();
    let first = (sample.event(), random::next(), random::next());
    log::warn("watch out");
    assert_eq!(log_lines(), [(Level::Warn, "watch out".to_owned())]);
    let again = (sample.event(), random::next(), random::next());
    assert_eq!((first.1, first.2), (again.1, again.2));
    assert_ne!(first.1, first.2);
    assert!(log_lines().is_empty());
    assert_eq!((clock::now(), raw_share::read().as_deref()), (12_000, Some("{}")));
}
