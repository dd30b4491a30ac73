//! Every recorded share parses, and the dialects of one incident say the same.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use tandem::bigpanda::share::{Unusable, dedupe_key, parse, raw, read, restore, stored};
use tandem::domain::fault::{Fault, chain};
use tandem::domain::incident::Status;
use tandem::domain::share::{Share, ShareKind};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures")
}

fn files() -> Vec<PathBuf> {
    let mut files = Vec::new();
    for story in std::fs::read_dir(folder()).unwrap() {
        let story = story.unwrap().path();
        if story.is_dir() {
            files.extend(std::fs::read_dir(story).unwrap().map(|file| file.unwrap().path()));
        }
    }
    files.sort();
    files
}

fn body(name: &str) -> Vec<u8> {
    std::fs::read(folder().join(name)).unwrap()
}

fn share(name: &str) -> Share {
    parse(&body(name)).unwrap()
}

#[test]
fn every_fixture_parses_without_a_remark() {
    let files = files();
    assert!(files.len() >= 30, "{} fixtures", files.len());
    for file in files {
        let share = parse(&std::fs::read(&file).unwrap()).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        assert_eq!(share.overrides.ignored, Vec::<String>::new(), "{}", file.display());
        assert!(share.incident.revision() > 0 || !share.complete, "{}", file.display());
    }
}

#[test]
fn the_dialects_of_one_incident_say_the_same() {
    let mut told: BTreeMap<String, Vec<(String, Share)>> = BTreeMap::new();
    for file in files() {
        let name = file.strip_prefix(folder()).unwrap().to_str().unwrap().to_owned();
        let (step, dialect) = name.strip_suffix(".json").unwrap().rsplit_once('.').unwrap();
        told.entry(step.to_owned()).or_default().push((dialect.to_owned(), share(&name)));
    }
    let mut compared = 0;
    for (step, shares) in told {
        for pair in shares.windows(2) {
            let [(_, one), (_, other)] = pair else { unreachable!() };
            assert_eq!(one.incident.id, other.incident.id, "{step}");
            if one.complete && other.complete {
                assert_eq!(one.incident, other.incident, "{step}");
                compared += 1;
            }
        }
    }
    assert!(compared >= 12, "{compared} comparisons");
}

#[test]
fn a_composed_body_with_little_more_than_an_id_is_incomplete() {
    let share = share("checkout-errors/1-new.composed.json");
    assert!(!share.complete);
    assert_eq!(share.kind, ShareKind::New);
    assert_eq!(share.incident.status, Status::Critical);
    assert_eq!(share.environment_id.unwrap().as_str(), "64a7f0c2be19d80013f4e201");
    let least = parse(br#"{"id": 4711}"#).unwrap();
    assert_eq!((least.incident.id.as_str(), least.complete), ("4711", false));
    assert_eq!(parse(br#"{"incident": "65f1"}"#).unwrap().incident.id.as_str(), "65f1");
}

#[test]
fn a_homegrown_relay_is_understood() {
    let Share { kind, incident, complete, sender, links, .. } = share("homegrown-relay/1-new.composed.json");
    assert!(complete);
    assert_eq!(kind, ShareKind::New);
    assert_eq!(sender, "relay@example.com");
    assert!(links.incident.ends_with("69b73a08d5b7e20011b70001"));
    assert_eq!(
        (incident.start, incident.changed, incident.updated),
        (Some(1_769_657_400), Some(1_769_657_700), Some(1_769_657_701))
    );
    let tags: Vec<_> = incident.tags.iter().map(|tag| (tag.name.as_str(), tag.value.as_str())).collect();
    assert_eq!(tags, [("priority", "P2"), ("batch_window", "4"), ("customers", "Hauptbank|Nebenbank")]);
    assert_eq!(incident.alerts[0].primary_value(), Some("PAYRUN07"));
}

#[test]
fn what_a_story_tells_arrives() {
    let Share { incident, environment_name, links, sender, .. } = share("database-pool/2-updated.webhook.json");
    assert_eq!(incident.alerts.len(), 12);
    assert_eq!(incident.assignee.unwrap().name, "Ingrid Solheim");
    assert!(incident.summary.unwrap().contains("orders-db"));
    assert_eq!((environment_name.as_str(), sender.as_str()), ("Production", "autoshare@bigpanda.io"));
    assert!(links.timeline.ends_with("/timeline"));

    let snoozed = share("tunnel-flapping/2-snoozed.webhook.json");
    assert!(snoozed.incident.flapping && snoozed.incident.snooze.snoozed && snoozed.incident.snooze.cancel_on_update);
    assert_eq!(snoozed.incident.snooze.until, Some(1_768_547_520));

    let changes = share("bad-deployment/1-new.webhook.json").incident.changes;
    assert_eq!((changes[0].certainty.as_str(), changes[1].certainty.as_str()), ("MATCH", "SUSPECT"));

    let closed = share("certificate-renewed/1-closed.webhook.json").incident;
    assert_eq!((closed.status, closed.severity, closed.active), (Status::Ok, Status::Warning, false));

    let awkward = share("awkward-text/1-new.webhook.json").incident;
    assert_eq!(awkward.alerts[0].description.chars().count(), 2048);
    assert_eq!(awkward.alerts[0].tag("host"), None);
    assert_eq!(awkward.alerts[0].tag("empty"), Some(""));

    assert_eq!(share("switch-outage/1-new.webhook.json").incident.alerts.len(), 300);
}

#[test]
fn what_the_inbox_keeps_reads_back_as_the_same_share() {
    for file in files() {
        let body = std::fs::read(&file).unwrap();
        let headers =
            [("x-bp-config-updateFields", &b"state"[..]), ("x-bp-config-other", b"x"), ("x-bp-field-u_a", b"b\nc")];
        let delivery = read(&body, headers).unwrap();
        let bytes = stored(&delivery.share.overrides, &body);
        assert_eq!(raw(&bytes), body);
        assert_eq!(restore(&bytes).unwrap(), delivery.share, "{}", file.display());
        let plain = parse(&body).unwrap();
        assert_eq!(restore(&stored(&plain.overrides, &body)).unwrap(), plain, "{}", file.display());
    }
}

#[test]
fn a_repeated_delivery_has_the_same_key_and_a_different_one_has_not() {
    let body = body("checkout-errors/1-new.webhook.json");
    let one = read(&body, []).unwrap().share;
    assert_eq!(dedupe_key(&one, &body), dedupe_key(&read(&body, []).unwrap().share, &body));
    assert_eq!(dedupe_key(&one, &body).len(), 64);
    let with_header = read(&body, [("x-bp-field-u_a", &b"b"[..])]).unwrap().share;
    assert_ne!(dedupe_key(&one, &body), dedupe_key(&with_header, &body));
    let updated = self::body("checkout-errors/2-updated.webhook.json");
    assert_ne!(dedupe_key(&one, &body), dedupe_key(&parse(&updated).unwrap(), &updated));
    let mut spaced = body.clone();
    spaced.push(b' ');
    assert_ne!(dedupe_key(&one, &body), dedupe_key(&one, &spaced));
}

#[test]
fn a_body_that_cannot_be_a_share_says_where_and_what_to_do() {
    let deep = format!("{{\"id\":\"1\",\"alerts\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000));
    let bodies: [&[u8]; 16] = [
        b"",
        b" \n",
        b"\xff\xfe{",
        b"{\"id\": \"65f1\"",
        b"[1, 2]",
        b"null",
        b"\"65f1\"",
        b"{\"metadata\": {}}",
        b"{\"incident\": [1]}",
        b"{\"incident\": {\"id\": {\"$oid\": \"65f1\"}}}",
        b"{\"id\": \"{{incident.id}}\"}",
        b"{\"id\": \"65\\u0000f1\"}",
        b"{\"incident\": {\"id\": \"65f1\", \"status\": \"ok\", \"alerts\": 3}}",
        b"{\"incident\": {\"id\": \"65f1\", \"status\": [\"ok\"]}}",
        b"{\"id\": \"65f1\", \"alerts\": [{\"id\": \"1\", \"status\": \"ok\"}, {\"status\": \"ok\"}]}",
        b"{\"id\": \"65f1\", \"alerts\": [{\"id\": \"1\", \"tags\": \"host=a\"}]}",
    ];
    let mut said = Vec::new();
    for body in bodies.into_iter().chain([deep.as_bytes()]) {
        let error: Unusable = parse(body).unwrap_err();
        let chain = chain(&error).join("; ");
        said.push(format!("{}: {chain}\n  -> {}", error.code(), error.hint().unwrap()));
    }
    insta::assert_snapshot!(said.join("\n"), @r#"
    share.empty: the body is empty
      -> send the incident as a JSON object in the body
    share.empty: the body is empty
      -> send the incident as a JSON object in the body
    share.encoding: the body is not UTF-8 from byte 0 on
      -> send the body as UTF-8
    share.json: the body is not valid JSON (line 1, column 13); EOF while parsing an object at line 1 column 13
      -> check the body of the webhook; a variable that was inserted without quotes is the usual cause
    share.kind: `$` is a list, but an object was expected
      -> send the incident as BigPanda's notifications webhook or its REST API writes it
    share.kind: `$` is null, but an object was expected
      -> send the incident as BigPanda's notifications webhook or its REST API writes it
    share.kind: `$` is a text, but an object was expected
      -> send the incident as BigPanda's notifications webhook or its REST API writes it
    share.id: the body names no incident: `$.id` is missing
      -> put the incident's id under `id` or `incident_id`, or under `incident.id` of an envelope; in a composed body that is `{{incident.id}}`
    share.kind: `$.incident` is a list, but an object with the incident was expected
      -> send the incident as BigPanda's notifications webhook or its REST API writes it
    share.kind: `$.incident.id` is an object, but the incident's id as text was expected
      -> send the incident as BigPanda's notifications webhook or its REST API writes it
    share.id: `$.id` still holds a template variable
      -> the variable was not replaced; check its name in the webhook's body (for the id it is `{{incident.id}}`)
    share.id: `$.id` is not usable as an id; the incident id contains a control character
      -> send the id as BigPanda gives it
    share.kind: `$.incident.alerts` is a number, but a list of alerts was expected
      -> send the alerts as a list of objects, or leave the key out: then Tandem fetches the incident
    share.kind: `$.incident.status` is a list, but critical, warning, unknown or ok was expected
      -> send the incident as BigPanda's notifications webhook or its REST API writes it
    share.id: the alert at `$.alerts[1]` has no id
      -> send each alert with its id under `id` or `alert_id`
    share.kind: `$.alerts[0].tags` is a text, but a list of named values or an object was expected
      -> send the incident as BigPanda's notifications webhook or its REST API writes it
    share.kind: `$.alerts[0]` is a list, but an alert or an alert's id was expected
      -> send the incident as BigPanda's notifications webhook or its REST API writes it
    "#);
}

#[test]
fn odd_values_that_matter_less_are_left_out_with_a_sentence() {
    let share = parse(
        br#"{"id": "65f1", "status": "acknowledged", "flapping": "often", "end": "soon", "snooze": "yes", "maintenance": {"plan": 1},
            "alerts": [{"id": "1", "status": "ok", "description": ["a"], "tags": {"a": {"b": 1}, "c": null, "d": 1.5, "e": true}}]}"#,
    )
    .unwrap();
    assert!(share.complete);
    assert_eq!(share.incident.status, Status::Unknown);
    let tags: Vec<_> = share.incident.alerts[0].tags.iter().collect();
    assert_eq!(tags, [("d", "1.5"), ("e", "true")]);
    insta::assert_snapshot!(share.overrides.ignored.join("\n"), @r#"
    the status `acknowledged` at `$.status` is not known and counts as unknown
    `$.alerts[0].description` is a list and was left out
    `$.alerts[0].tags.a` is an object and was left out
    `$.flapping` is a text and was left out
    `$.snooze` is a text and was left out
    `$.maintenance` is an object and was left out
    `$.end` is a text that is no time and was left out
    "#);
}

mod any {
    use proptest::prelude::*;
    use serde_json::{Map, Value, json};
    use tandem::bigpanda::share::{parse, read, restore, stored};

    const KEYS: [&str; 24] = [
        "id",
        "alert_id",
        "incident",
        "incident_id",
        "status",
        "severity",
        "active",
        "resolved",
        "alerts",
        "tags",
        "name",
        "value",
        "tag_id",
        "tag_value",
        "startedOn",
        "end",
        "snooze",
        "metadata",
        "environment_id",
        "changes",
        "change",
        "assignee",
        "links",
        "event_type",
    ];

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(|number| json!(number)),
            "\\PC{0,12}".prop_map(Value::from),
            prop::sample::select(vec!["critical", "OK", "65f1c2a9e0b7d40012a4c101", "1767225600", "{{x}}", ""])
                .prop_map(Value::from),
        ];
        leaf.prop_recursive(5, 64, 6, |inner| {
            let pair = (prop::sample::select(KEYS.to_vec()), inner.clone());
            prop_oneof![
                prop::collection::vec(inner, 0..5).prop_map(Value::from),
                prop::collection::vec(pair, 0..8).prop_map(|pairs| {
                    Value::Object(pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect::<Map<_, _>>())
                }),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_json_is_a_share_or_an_error_and_reads_back_alike(value in value(), header in "\\PC{0,20}") {
            let body = serde_json::to_vec(&value).unwrap();
            if let Ok(share) = parse(&body) {
                prop_assert_eq!(restore(&stored(&share.overrides, &body)).unwrap(), share);
            }
            if let Ok(delivery) = read(&body, [("x-bp-field-u_a", header.as_bytes())]) {
                prop_assert_eq!(restore(&stored(&delivery.share.overrides, &body)).unwrap(), delivery.share);
            }
        }

        #[test]
        fn any_bytes_never_bring_it_down(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&bytes);
        }
    }
}
