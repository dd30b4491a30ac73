//! Both sides of the boundary agree: whatever the host packs, the guest SDK's views show again.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use serde_json::{Value, json};
use tandem_guest::Event;
use tandem_guest::event::{Pair, Pairs};
use tandem_guest::test::{Sample, Tables, event_from};

use super::super::wire::Packed;
use super::{event, tree};
use crate::domain::id::{AlertId, EnvironmentId, IncidentId, PluginId};
use crate::domain::incident::{Alert, Change, Incident, Person, Snooze, Status, Tag};
use crate::domain::patch::{Hook, Op, Origin, Proposal};
use crate::domain::share::{Links, Overrides, Share, ShareKind};
use crate::domain::ticket::{Journal, Reference};

/// What a guest would see of a share.
fn seen(share: &Share, ticket: Option<&BTreeMap<String, String>>, settings: &Value, proposals: &[Proposal]) -> Event {
    let both = |packed: Packed| (packed.rows.to_vec(), packed.arena.to_string());
    let incident = &share.incident;
    let tables = Tables {
        alerts: both(event::alerts(&incident.alerts)),
        alert_tags: both(event::alert_tags(&incident.alerts)),
        incident_tags: both(event::incident_tags(&incident.tags)),
        changes: both(event::changes(&incident.changes)),
        details: both(event::details(share)),
        overrides: both(event::overrides(&share.overrides)),
        ticket: both(event::ticket(ticket)),
        settings: both(tree::pack(settings)),
        proposed: both(event::proposed(proposals, None)),
    };
    event_from(&Sample::new(incident.id.as_str()), tables)
}

fn pairs(pairs: Pairs<'_>) -> Vec<(String, String)> {
    pairs.map(|Pair { name, value }| (name.to_owned(), value.to_owned())).collect()
}

fn tags(tags: &[Tag]) -> Vec<(String, String)> {
    tags.iter().map(|tag| (tag.name.clone(), tag.value.clone())).collect()
}

fn agrees(share: &Share, ticket: Option<&BTreeMap<String, String>>, settings: &Value, proposals: &[Proposal]) {
    let event = seen(share, ticket, settings, proposals);
    let incident = &share.incident;
    assert_eq!(event.alerts().len(), incident.alerts.len());
    for (view, alert) in event.alerts().zip(&incident.alerts) {
        assert_eq!((view.id(), view.is_active()), (alert.id.as_str(), alert.active));
        assert_eq!(view.status().as_str(), alert.status.as_str());
        assert_eq!(
            (view.start(), view.end(), view.changed(), view.updated()),
            (alert.start, alert.end, alert.changed, alert.updated)
        );
        assert_eq!(
            (view.primary_property(), view.secondary_property(), view.source_system(), view.description()),
            (
                alert.primary_property.as_str(),
                alert.secondary_property.as_str(),
                alert.source_system.as_str(),
                alert.description.as_str()
            )
        );
        assert_eq!(pairs(view.tags()), tags(&Vec::from(alert.tags.clone())));
        assert_eq!(view.primary_value(), alert.primary_value());
        assert_eq!(event.alert(view.index()).unwrap().id(), view.id());
    }
    assert!(event.alert(incident.alerts.len()).is_none());
    assert_eq!(pairs(event.incident_tags()), tags(&incident.tags));
    for tag in &incident.tags {
        assert_eq!(event.incident_tag(&tag.name), incident.tag(&tag.name));
    }
    for (view, change) in event.changes().zip(&incident.changes) {
        assert_eq!(
            (view.identifier(), view.summary(), view.url(), view.status(), view.certainty(), view.start(), view.end()),
            (
                change.identifier.as_str(),
                change.summary.as_str(),
                change.url.as_str(),
                change.status.as_str(),
                change.certainty.as_str(),
                change.start,
                change.end
            )
        );
    }
    assert_eq!(event.changes().len(), incident.changes.len());
    details_agree(&event, share);
    assert_eq!(pairs(event.field_overrides()), share.overrides.fields.clone().into_iter().collect::<Vec<_>>());
    assert_eq!(pairs(event.mapping_overrides()), share.overrides.mapping);
    assert_eq!(pairs(event.ticket()), ticket.cloned().unwrap_or_default().into_iter().collect::<Vec<_>>());
    assert_eq!(&event.settings::<Value>().unwrap(), settings);
    let proposed = event.proposed();
    assert_eq!(proposed.iter().len(), proposals.len());
    for (view, proposal) in proposed.iter().zip(proposals) {
        assert_eq!((view.field(), view.plugin()), (proposal.op.field(), proposal.origin.plugin.as_str()));
    }
}

fn details_agree(event: &Event, share: &Share) {
    // An empty text and none are the same in details.
    let said = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let (view, incident) = (event.incident(), &share.incident);
    assert_eq!(view.summary().map(str::to_owned), incident.summary.as_deref().and_then(said));
    assert_eq!(view.maintenance().map(str::to_owned), incident.maintenance.as_deref().and_then(said));
    assert_eq!(view.snoozed_until(), incident.snooze.until);
    let person = incident.assignee.clone().unwrap_or_default();
    assert_eq!(view.assignee_id().map(str::to_owned), said(&person.id));
    assert_eq!(view.assignee_name().map(str::to_owned), said(&person.name));
    assert_eq!(view.assignee_email().map(str::to_owned), said(&person.email));
    assert_eq!(view.environment_name().map(str::to_owned), said(&share.environment_name));
    assert_eq!(view.sender().map(str::to_owned), said(&share.sender));
    assert_eq!(view.link().map(str::to_owned), said(&share.links.incident));
    assert_eq!(view.timeline_link().map(str::to_owned), said(&share.links.timeline));
    assert_eq!(view.preview_link().map(str::to_owned), said(&share.links.preview));
    assert!(view.environments().eq(incident.environments.iter().map(String::as_str)));
    assert!(view.folders().eq(incident.folders.iter().map(String::as_str)));
}

fn id() -> impl Strategy<Value = String> {
    "[^\\p{C}]{1,12}"
}

fn status() -> impl Strategy<Value = Status> {
    prop::sample::select(vec![Status::Critical, Status::Warning, Status::Unknown, Status::Ok])
}

/// The smallest number stands for none and is no time of any system.
fn time() -> impl Strategy<Value = Option<i64>> {
    option::of((i64::MIN + 1)..=i64::MAX)
}

fn tag() -> impl Strategy<Value = Tag> {
    (any::<String>(), any::<String>()).prop_map(|(name, value)| Tag { name, value })
}

fn alert() -> impl Strategy<Value = Alert> {
    let times = (time(), time(), time(), time());
    let texts = (any::<String>(), any::<String>(), any::<String>(), any::<String>());
    (id(), status(), any::<bool>(), times, texts, vec(tag(), 0..6)).prop_map(
        |(id, status, active, times, texts, tags)| Alert {
            id: AlertId::new(&id).unwrap(),
            status,
            active,
            start: times.0,
            end: times.1,
            changed: times.2,
            updated: times.3,
            primary_property: texts.0,
            secondary_property: texts.1,
            source_system: texts.2,
            description: texts.3,
            tags: tags.into(),
        },
    )
}

fn change() -> impl Strategy<Value = Change> {
    let texts = (any::<String>(), any::<String>(), any::<String>(), any::<String>(), any::<String>());
    (texts, time(), time()).prop_map(|(texts, start, end)| Change {
        identifier: texts.0,
        summary: texts.1,
        url: texts.2,
        status: texts.3,
        certainty: texts.4,
        start,
        end,
    })
}

fn incident() -> impl Strategy<Value = Incident> {
    let person =
        (any::<String>(), any::<String>(), any::<String>()).prop_map(|(id, name, email)| Person { id, name, email });
    let names = || vec(any::<String>(), 0..4);
    let lists = (names(), names(), vec(tag(), 0..8), vec(alert(), 0..6), vec(change(), 0..4));
    let rare = (option::of(any::<String>()), option::of(any::<String>()), option::of(person), option::of(any::<i64>()));
    (id(), status(), lists, rare).prop_map(|(id, status, lists, rare)| Incident {
        id: IncidentId::new(&id).unwrap(),
        status,
        severity: status,
        active: true,
        flapping: false,
        snooze: Snooze { snoozed: rare.3.is_some(), until: rare.3, cancel_on_update: false },
        maintenance: rare.0,
        start: None,
        end: None,
        changed: None,
        updated: None,
        environments: lists.0,
        folders: lists.1,
        tags: lists.2,
        alerts: lists.3,
        changes: lists.4,
        assignee: rare.2,
        summary: rare.1,
    })
}

fn share() -> impl Strategy<Value = Share> {
    let texts = (any::<String>(), any::<String>(), any::<String>(), any::<String>(), any::<String>());
    let overrides = (btree_map(any::<String>(), any::<String>(), 0..4), vec((any::<String>(), any::<String>()), 0..4));
    (incident(), option::of(id()), texts, overrides).prop_map(|(incident, environment, texts, overrides)| Share {
        kind: ShareKind::New,
        incident,
        environment_id: environment.map(|id| EnvironmentId::new(&id).unwrap()),
        environment_name: texts.0,
        sender: texts.1,
        links: Links { incident: texts.2, timeline: texts.3, preview: texts.4 },
        overrides: Overrides { fields: overrides.0, mapping: overrides.1, ..Overrides::default() },
        complete: true,
    })
}

fn settings() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        prop::num::f64::NORMAL.prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    let inner = leaf.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(Value::from),
            btree_map(any::<String>(), inner, 0..5).prop_map(|members| json!(members)),
        ]
    });
    btree_map(any::<String>(), inner, 0..5).prop_map(|members| json!(members))
}

fn op() -> impl Strategy<Value = Op> {
    let text = any::<String>;
    prop_oneof![
        (text(), text()).prop_map(|(field, value)| Op::Set { field, value }),
        (text(), text()).prop_map(|(field, value)| Op::Append { field, value }),
        text().prop_map(|field| Op::Unset { field }),
        (text(), text(), text(), text()).prop_map(|(field, table, by, value)| Op::SetReference(Reference {
            field,
            table,
            by,
            value
        })),
        text().prop_map(|text| Op::AddNote { journal: Journal::Comments, text }),
    ]
}

fn proposal() -> impl Strategy<Value = Proposal> {
    (op(), id()).prop_map(|(op, plugin)| {
        let plugin = PluginId::new(&plugin).unwrap();
        let origin = Origin { plugin, digest: String::new(), hook: Hook::Fields };
        Proposal { op, origin, reason: None, on_update: false }
    })
}

proptest! {
    #[test]
    fn whatever_the_host_packs_a_guest_sees(
        share in share(),
        ticket in option::of(btree_map(any::<String>(), any::<String>(), 0..5)),
        settings in settings(),
        proposals in vec(proposal(), 0..6),
    ) {
        agrees(&share, ticket.as_ref(), &settings, &proposals);
    }

    #[test]
    fn a_guest_reads_any_words_without_a_panic(
        words in vec(any::<u32>(), 0..40),
        small in vec(0_u32..30, 0..40),
        arena in any::<String>(),
    ) {
        for words in [words, small] {
            let table = (words, arena.clone());
            let tables = Tables {
                alerts: table.clone(), alert_tags: table.clone(), incident_tags: table.clone(),
                changes: table.clone(), details: table.clone(), overrides: table.clone(), ticket: table.clone(),
                settings: table.clone(), proposed: table,
            };
            let event = event_from(&Sample::new("i"), tables);
            for alert in event.alerts().take(50) {
                let _ = (alert.id(), alert.description(), alert.updated(), alert.tags().take(50).count());
            }
            let _ = (event.incident_tags().take(50).count(), event.changes().take(50).map(|change| change.end()).count());
            let _ = (event.incident().summary(), event.field_overrides().take(50).count());
            let _ = event.settings::<Value>();
        }
    }
}

#[test]
fn five_hundred_alerts_of_forty_tags_cross_whole() {
    let tag = |alert: usize, tag: usize| Tag {
        name: format!("tag {tag} 🏷"),
        value: format!("{alert}/{tag} ü").repeat(3),
    };
    let alert = |number: usize| Alert {
        id: AlertId::new(&format!("alert-{number}")).unwrap(),
        status: Status::Warning,
        active: number.is_multiple_of(2),
        start: Some(number as i64),
        end: None,
        changed: None,
        updated: None,
        primary_property: "tag 7 🏷".into(),
        secondary_property: String::new(),
        source_system: "a.b".into(),
        description: "x".repeat(2_048),
        tags: (0..40).map(|place| tag(number, place)).collect(),
    };
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut share = proptest::strategy::ValueTree::current(&share().new_tree(&mut runner).unwrap());
    share.incident.alerts = (0..500).map(alert).collect();
    agrees(&share, None, &json!({}), &[]);
}
