//! What the chain of plugins answers, and that it always does.

use serde_json::json;
use tandem::config::OnTwoWriters;
use tandem::domain::id::PluginId;
use tandem::domain::patch::{Op, StoodIn, Transformation, Verdict};
use tandem::plugin::{Bundled, Input};

use crate::support::plugins::{Plugged, bundle, input, relabelled, share};

fn set<'a>(answer: &'a Transformation, field: &str) -> Option<&'a str> {
    answer.proposals.iter().rev().find_map(|proposal| match &proposal.op {
        Op::Set { field: name, value } if name == field => Some(value.as_str()),
        _ => None,
    })
}

fn mood(mood: &str) -> Input {
    Input { settings: json!({ "mood": mood }).to_string().into(), ..input(share(3, 3)) }
}

/// The same, for one hook alone.
fn mood_on(mood: &str, hook: &str) -> Input {
    Input { settings: json!({ "mood": mood, "only": hook }).to_string().into(), ..input(share(3, 3)) }
}

/// One line for each failure: who, on what, why, and what stood in.
fn failures(answer: &Transformation) -> String {
    let line = |failure: &tandem::domain::patch::PluginFailure| {
        format!(
            "{} {} {}: {} [{:?}]",
            failure.plugin,
            failure.hook.as_str(),
            failure.code,
            failure.message,
            failure.stood_in
        )
    };
    answer.failures.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn as_id(bundle: Bundled, id: &str, phase: &str) -> Vec<u8> {
    relabelled(bundle.bytes, |metadata| {
        metadata["id"] = json!(id);
        metadata["phase"] = json!(phase);
    })
}

#[test]
fn a_plugin_answers_all_its_hooks_from_one_event() {
    let plugged = Plugged::start(&[bundle("job")]);
    let answer = plugged.host.transform_here(input(share(3, 3)));
    assert_eq!(answer.failures, []);
    assert_eq!(answer.verdict, Verdict::Proceed);
    assert_eq!(answer.primary_alert, Some(1));
    assert_eq!(set(&answer, "short_description"), Some("BigPanda Incident: db-1.prod.example.com - Critical"));
    assert!(set(&answer, "description").unwrap().starts_with("Alert Summary: 1 Critical, 2 Warning, 0 Resolved\n"));
    assert_eq!(set(&answer, "close_notes"), Some("3 alerts resolved in BigPanda"));
}

#[test]
fn every_operation_arrives_with_its_origin_and_its_marks() {
    let plugged = Plugged::start(&[bundle("moody")]);
    let answer = plugged.host.transform_here(mood("well"));
    assert_eq!(answer.failures, []);
    let lines: Vec<String> = answer
        .proposals
        .iter()
        .map(|proposal| {
            let reason = proposal.reason.as_deref().unwrap_or("-");
            assert_eq!((proposal.origin.plugin.as_str(), proposal.origin.digest.len()), ("moody", 12));
            format!("{} {:?} update={} {reason}", proposal.origin.hook.as_str(), proposal.op, proposal.on_update)
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    short-description Set { field: "short_description", value: "moody about alert-0002" } update=true it is what it is
    description Set { field: "description", value: "3 alerts" } update=false -
    fields Set { field: "category", value: "moody" } update=true -
    fields SetReference(Reference { field: "assignment_group", table: "sys_user_group", by: "name", value: "Database" }) update=false by setting
    fields AddNote { journal: Comments, text: "hello" } update=false -
    "#);
}

#[test]
fn whatever_a_plugin_does_the_ticket_gets_the_minimum_and_the_operator_a_sentence() {
    let plugged = Plugged::start(&[bundle("moody")]);
    let mut told = Vec::new();
    for bad in ["panic", "loop", "memory", "recursion", "calls", "transient", "big-output"] {
        let answer = plugged.host.transform_here(mood_on(bad, "short-description"));
        assert_eq!(set(&answer, "short_description"), Some("BigPanda Incident: 66b0c0ffee - critical"), "{bad}");
        assert_eq!(set(&answer, "category"), Some("moody").filter(|_| !["loop", "memory"].contains(&bad)), "{bad}");
        told.push(failures(&answer));
        let next = plugged.host.transform_here(mood("well"));
        assert_eq!(next.failures, [], "after {bad}");
    }
    insta::with_settings!({ filters => vec![(r"lib\.rs:\d+", "lib.rs:N")] }, {
        insta::assert_snapshot!(told.join("\n"), @r#"
        moody short-description plugin.panic: it panicked: in a bad mood about short-description (tests/components/moody/src/lib.rs:N) [Minimal]
        moody short-description plugin.deadline: it ran longer than 50 ms [Minimal]
        moody description plugin.deadline: it ran longer than 50 ms [Minimal]
        moody fields plugin.deadline: it ran longer than 50 ms [Nothing]
        moody short-description plugin.memory: it wanted more than 32 MiB of memory [Minimal]
        moody description plugin.memory: it wanted more than 32 MiB of memory [Minimal]
        moody fields plugin.memory: it wanted more than 32 MiB of memory [Nothing]
        moody short-description plugin.stack: its calls went deeper than its own stack holds [Minimal]
        moody short-description plugin.host-calls: it called the host more than 10000 times [Minimal]
        moody short-description plugin.transient: it failed for now: the moon is in the wrong house [Minimal]
        moody short-description plugin.output: its answer can't be used: 300 KiB of text; at most 256 KiB may be [Minimal]
        "#);
    });
}

#[test]
fn a_trap_shows_the_guests_own_functions() {
    let plugged = Plugged::start(&[bundle("moody")]);
    let answer = plugged.host.transform_here(mood_on("panic", "fields"));
    let [failure] = answer.failures.as_slice() else { panic!("{:?}", answer.failures) };
    assert!(failure.frames.iter().any(|frame| frame.contains("moody")), "{:?}", failure.frames);
    assert!(failure.hint.is_some());
}

#[test]
fn answers_that_cannot_be_used_are_told_and_cost_only_themselves() {
    let plugged = Plugged::start(&[bundle("moody")]);
    let answer = plugged.host.transform_here(mood("forbidden"));
    assert_eq!((set(&answer, "urgency"), set(&answer, "impact")), (Some("1"), Some("2")));
    let mut told = vec![failures(&answer)];
    for bad in ["many-operations", "long-note", "no-such-alert"] {
        told.push(failures(&plugged.host.transform_here(mood(bad))));
    }
    insta::assert_snapshot!(told.join("\n"), @r#"
    moody fields plugin.output: its answer can't be used: there is no field `forbidden` [Nothing]
    moody fields plugin.output: its answer can't be used: 600 operations; at most 500 may be [Nothing]
    moody description plugin.output: its answer can't be used: a note of 5000 characters; at most 4000 may be [Minimal]
    moody primary-alert plugin.output: its answer can't be used: alert number 999 of 3 [Minimal]
    "#);
}

#[test]
fn a_gate_stops_an_event_or_puts_it_off() {
    let plugged = Plugged::start(&[bundle("moody")]);
    let answer = plugged.host.transform_here(mood("stop"));
    assert!(matches!(&answer.verdict, Verdict::Skip { reason, .. } if reason == "enough for today"));
    assert_eq!(answer.proposals, []);
    let answer = plugged.host.transform_here(mood("hold"));
    assert!(matches!(&answer.verdict, Verdict::Hold { until, .. } if until.0 == 1_700_000_001_000));
    let answer = plugged.host.transform_here(mood_on("panic", "gate"));
    assert_eq!(answer.verdict, Verdict::Proceed, "a broken gate stops nothing");
}

#[test]
fn a_flood_of_lines_is_cut_and_harms_nobody() {
    let plugged = Plugged::start(&[bundle("moody")]);
    let answer = plugged.host.transform_here(mood("log-flood"));
    assert_eq!(answer.failures, []);
    assert_eq!(set(&answer, "category"), Some("moody"));
}

#[test]
fn equal_events_get_equal_answers() {
    let plugged = Plugged::start(&[bundle("moody")]);
    let first = plugged.host.transform_here(mood("telling"));
    let again = plugged.host.transform_here(mood("telling"));
    assert_eq!(first, again);
    let told = set(&first, "short_description").unwrap();
    assert!(told.starts_with("1700000000000 alert-0002 "), "{told}");
    let other = plugged.host.transform_here(Input { seed: 8, ..mood("telling") });
    assert_ne!(set(&other, "short_description"), Some(told));
}

#[test]
fn the_last_plugin_with_something_to_say_is_heard_and_sees_what_was_said_before() {
    let moody = bundle("moody");
    let plugged = Plugged::start(&[bundle("job"), moody]);
    let answer = plugged.host.transform_here(mood_on("wrapping", "short-description"));
    assert_eq!(
        set(&answer, "short_description"),
        Some("[BigPanda Incident: db-2.prod.example.com - Warning]"),
        "job comes first by id, and moody wraps it"
    );
    let answer = plugged.host.transform_here(mood_on("skip", "short-description"));
    assert_eq!(set(&answer, "short_description"), Some("BigPanda Incident: db-2.prod.example.com - Warning"));
    let answer = plugged.host.transform_here(mood_on("panic", "short-description"));
    assert_eq!(set(&answer, "short_description"), Some("BigPanda Incident: db-2.prod.example.com - Warning"));
    assert_eq!(answer.failures[0].stood_in, StoodIn::PreviousInChain);
}

#[test]
fn phase_comes_before_priority_and_priority_before_id() {
    let moody = bundle("moody");
    let late = Bundled { name: "a", bytes: as_id(moody, "a-late", "finalize").leak() };
    let early = Bundled { name: "z", bytes: as_id(moody, "z-early", "normalize").leak() };
    let chain = |plugged: &Plugged| -> Vec<String> {
        plugged.host.status().plugins.iter().map(|plugin| plugin.id.clone()).collect()
    };
    assert_eq!(chain(&Plugged::start(&[late, moody, early])), ["z-early", "moody", "a-late"]);
    let plugged = Plugged::start_with(&[late, moody, early], |config| {
        let order = tandem::config::Order { phase: Some(tandem::config::Phase::Map), priority: Some(1) };
        config.order.insert(PluginId::new("a-late").unwrap(), order);
    });
    assert_eq!(chain(&plugged), ["z-early", "a-late", "moody"]);
}

#[test]
fn a_plugin_of_ones_own_comes_after_the_bundled_ones_whatever_its_id() {
    let moody = bundle("moody");
    let plugged = Plugged::start(&[moody, bundle("job")]);
    let own = as_id(moody, "a-plugin-of-ones-own", "map");
    plugged.put("own.wasm", &own);
    // What replaces a bundled one keeps its place.
    plugged.put("job.wasm", bundle("job").bytes);
    plugged.host.reload_now();
    let chain: Vec<String> = plugged.host.status().plugins.iter().map(|plugin| plugin.id.clone()).collect();
    assert_eq!(chain[..3], ["job", "moody", "a-plugin-of-ones-own"]);
}

#[test]
fn two_writers_of_one_field_are_settled_as_the_operator_says() {
    let moody = bundle("moody");
    let twin = Bundled { name: "twin", bytes: as_id(moody, "twin", "finalize").leak() };
    let start = |on_two_writers| Plugged::start_with(&[moody, twin], |config| config.on_two_writers = on_two_writers);
    let writers = |plugged: &Plugged| -> Vec<String> {
        let answer = plugged.host.transform_here(mood("well"));
        let sets = answer.proposals.iter().filter(|proposal| proposal.op.field() == "category");
        sets.map(|proposal| proposal.origin.plugin.to_string()).collect()
    };
    assert_eq!(writers(&start(OnTwoWriters::LastWins)), ["moody", "twin"]);
    assert_eq!(writers(&start(OnTwoWriters::FirstWins)), ["moody"]);
    let plugged = start(OnTwoWriters::Fail);
    assert_eq!(writers(&plugged), ["moody"]);
    let told = failures(&plugged.host.transform_here(mood("well")));
    assert!(
        told.contains("twin fields plugin.output: its answer can't be used: `category` was set by moody already"),
        "{told}"
    );
}

#[test]
fn a_replaced_bundled_plugin_stands_in_for_the_one_that_replaced_it() {
    let plugged = Plugged::start(&[Bundled { name: "job", bytes: as_id(bundle("job"), "moody", "map").leak() }]);
    plugged.put("mine.wasm", bundle("moody").bytes);
    // The watcher may have been faster; either way the file is in use from here on.
    plugged.host.reload_now();
    let answer = plugged.host.transform_here(mood("well"));
    assert_eq!(set(&answer, "short_description"), Some("moody about alert-0002"));
    let answer = plugged.host.transform_here(mood_on("loop", "short-description"));
    assert_eq!(set(&answer, "short_description"), Some("BigPanda Incident: db-2.prod.example.com - Warning"));
    assert_eq!(answer.failures[0].stood_in, StoodIn::Bundled);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_looping_plugin_does_not_hold_up_other_events() {
    let plugged = Plugged::start(&[bundle("moody")]);
    let plugged = std::sync::Arc::new(plugged);
    let bad = tokio::spawn({
        let plugged = plugged.clone();
        async move { plugged.host.transform(mood("loop")).await }
    });
    for _ in 0..20 {
        let answer = plugged.host.transform(mood("well")).await;
        assert_eq!(answer.failures, []);
    }
    let answer = bad.await.unwrap();
    assert_eq!(set(&answer, "short_description"), Some("BigPanda Incident: 66b0c0ffee - critical"));
}

#[test]
fn wrong_settings_are_named_and_the_plugin_is_stood_in_for() {
    let plugged = Plugged::start(&[bundle("moody")]);
    let answer =
        plugged.host.transform_here(Input { settings: json!({ "mood": 5 }).to_string().into(), ..mood("well") });
    assert!(failures(&answer).contains("plugin.config: its settings are wrong: `mood` is an integer, not a string"));
    let answer = plugged.host.transform_here(mood("jolly"));
    assert!(failures(&answer).contains("its settings are wrong: unknown variant `jolly`"), "{}", failures(&answer));
    assert_eq!(set(&answer, "short_description"), Some("BigPanda Incident: 66b0c0ffee - critical"));
}
