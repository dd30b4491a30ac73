//! Hostile plugins: what the operator sees of each, and that nobody else suffers.

use std::time::{Duration, Instant};

use insta::assert_snapshot;
use tandem::domain::patch::{Op, PluginFailure, Transformation};
use tandem::plugin::{PluginState, Problem};

use crate::support::hostile::{module, written};
use crate::support::plugins::{Plugged, bundle, component, input, share};

/// A host with a plugin that behaves, which also stands in for whoever fails.
fn host() -> Plugged {
    Plugged::start(&[bundle("job")])
}

/// The failure as the operator reads it.
fn shown(failure: &PluginFailure) -> String {
    let PluginFailure { plugin, version, hook, code, message, hint, stood_in, .. } = failure;
    let hint = hint.as_deref().unwrap_or("none");
    format!("{plugin} {version} on {}\n{code}: {message}\nhint: {hint}\nstood in: {stood_in:?}", hook.as_str())
}

/// The short description of a ticket to be, and who wrote it.
fn line(answer: &Transformation) -> (&str, &str) {
    let lines = answer.proposals.iter().filter_map(|proposal| match &proposal.op {
        Op::Set { field, value } if field == "short_description" => Some((proposal.origin.plugin.as_str(), &**value)),
        _ => None,
    });
    lines.last().unwrap()
}

const GOOD: (&str, &str) = ("job", "BigPanda Incident: db-1.prod.example.com - Critical");

/// Lets a plugin work on an event. The event gets its line all the same, in time; and once the plugin is gone, the
/// next event has nothing to complain about.
fn outcome(bytes: &[u8]) -> String {
    let plugged = host();
    plugged.put("hostile.wasm", bytes);
    plugged.next_generation(1);
    let status = plugged.host.status();
    let loaded = status.plugins.iter().any(|plugin| plugin.id != "job" && plugin.state == PluginState::Running);
    assert!(loaded, "{status:#?}");

    let began = now();
    let answer = plugged.host.transform_here(input(share(3, 3)));
    assert!(began.elapsed() < Duration::from_secs(2), "one event took {:?}", began.elapsed());
    assert_eq!(line(&answer), GOOD);
    assert_eq!(answer.failures.len(), 1, "{:#?}", answer.failures);

    let before = plugged.host.status().generation;
    std::fs::remove_file(plugged.directory.join("hostile.wasm")).unwrap();
    plugged.next_generation(before);
    let next = plugged.host.transform_here(input(share(3, 3)));
    assert_eq!(line(&next), GOOD);
    assert_eq!(next.failures, []);
    shown(&answer.failures[0])
}

/// Puts a file into the directory that can't become a plugin. What ran before runs on.
fn refusal(bytes: &[u8]) -> String {
    let plugged = host();
    let before = plugged.host.status().generation;
    plugged.put("hostile.wasm", bytes);
    let Problem { code, message, hint } = problem(&plugged);
    assert_eq!(plugged.host.status().generation, before);
    let answer = plugged.host.transform_here(input(share(3, 3)));
    assert_eq!(line(&answer), GOOD);
    assert_eq!(answer.failures, []);
    format!("{code}: {message}\nhint: {}", hint.as_deref().unwrap_or("none"))
}

/// Why the file was refused, as soon as it was.
fn problem(plugged: &Plugged) -> Problem {
    for _ in 0..500 {
        let found = plugged.host.status().plugins.into_iter().find(|plugin| plugin.state == PluginState::Broken);
        if let Some(plugin) = found {
            assert_eq!(plugin.id, "hostile");
            return plugin.problem.unwrap();
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("the file was not refused: {:#?}", plugged.host.status());
}

#[expect(clippy::disallowed_methods, reason = "how long a person waits is what is measured")]
fn now() -> Instant {
    Instant::now()
}

#[test]
fn an_infinite_loop_ends_at_the_deadline() {
    assert_snapshot!(outcome(&std::fs::read(component("loops")).unwrap()), @"");
}

#[test]
fn a_panic_says_what_and_where() {
    assert_snapshot!(outcome(&std::fs::read(component("panics")).unwrap()), @"");
}

#[test]
fn deep_recursion_ends_at_the_stack_limit() {
    assert_snapshot!(outcome(&written("recurses", &[])), @"");
}

#[test]
fn memory_grown_page_by_page_ends_at_the_memory_limit() {
    assert_snapshot!(outcome(&written("grows-by-pages", &[])), @"");
}

#[test]
fn memory_grown_at_once_ends_at_the_memory_limit() {
    assert_snapshot!(outcome(&written("grows-at-once", &[])), @"");
}

#[test]
fn a_minimum_of_four_gib_is_refused() {
    assert_snapshot!(refusal(&written("wants-four-gib", &[])), @"");
}

#[test]
fn a_huge_table_is_refused() {
    assert_snapshot!(refusal(&written("wants-a-huge-table", &[])), @"");
}

#[test]
fn an_answer_outside_of_memory_is_not_read() {
    assert_snapshot!(outcome(&written("points-outside", &[])), @"");
}

#[test]
fn an_answer_that_is_no_text_is_not_used() {
    assert_snapshot!(outcome(&written("writes-no-text", &[])), @"");
}

#[test]
fn an_answer_of_eight_mib_is_not_copied() {
    assert_snapshot!(outcome(&written("answers-with-eight-mib", &[])), @"");
}

#[test]
fn a_log_line_of_eight_mib_is_not_copied() {
    assert_snapshot!(outcome(&written("logs-eight-mib", &["log"])), @"");
}

#[test]
fn a_log_flood_ends_at_the_limit_of_host_calls() {
    assert_snapshot!(outcome(&written("floods-the-log", &["log"])), @"");
}

#[test]
fn memory_offered_outside_of_memory_is_not_written() {
    assert_snapshot!(outcome(&written("realloc-outside", &[])), @"");
}

#[test]
fn a_loop_in_realloc_ends_at_the_deadline() {
    assert_snapshot!(outcome(&written("realloc-loops", &[])), @"");
}

#[test]
fn a_trap_in_realloc_is_told() {
    assert_snapshot!(outcome(&written("realloc-traps", &[])), @"");
}

#[test]
fn a_loop_in_the_start_function_is_refused() {
    assert_snapshot!(refusal(&written("start-loops", &[])), @"");
}

#[test]
fn a_loop_of_memory_fill_ends_at_the_deadline() {
    assert_snapshot!(outcome(&written("fills-memory", &[])), @"");
}

#[test]
fn an_import_that_was_not_asked_for_is_refused() {
    assert_snapshot!(refusal(&written("reads-the-raw-share", &[])), @"");
}

#[test]
fn an_import_that_was_not_granted_is_refused() {
    assert_snapshot!(refusal(&written("reads-the-raw-share", &["raw-share"])), @"");
}

#[test]
fn an_import_of_the_system_is_refused() {
    assert_snapshot!(refusal(&written("reads-files", &[])), @"");
}

#[test]
fn a_hook_of_another_type_is_refused() {
    assert_snapshot!(refusal(&written("exports-another-type", &[])), @"");
}

#[test]
fn what_is_no_component_is_refused_by_name() {
    let whole = written("recurses", &[]);
    let text = b"(component)".to_vec();
    let engine = wasmtime::Engine::default();
    let compiled = engine.precompile_component(&whole).unwrap();
    let files = [
        ("a core module", module("recurses")),
        ("garbage", (0..4096_u32).map(|number| (number.wrapping_mul(2_654_435_761) >> 24) as u8).collect()),
        ("an empty file", Vec::new()),
        ("half a file", whole[..whole.len() / 2].to_vec()),
        ("half a header", whole[..6].to_vec()),
        ("text", text),
        ("compiled code", compiled),
    ];
    let all: Vec<_> = files.into_iter().map(|(what, bytes)| format!("{what}: {}", refusal(&bytes))).collect();
    assert_snapshot!(all.join("\n"), @"");
}

#[test]
fn a_broken_file_leaves_the_version_before_it_running() {
    let plugged = host();
    plugged.put("hostile.wasm", &written("points-outside", &[]));
    let before = plugged.next_generation(1);
    plugged.put("hostile.wasm", b"half a download");
    let outdated = || {
        let plugins = plugged.host.status().plugins;
        plugins.into_iter().find(|plugin| plugin.state == PluginState::Outdated)
    };
    let plugin = (0..500).find_map(|_| {
        std::thread::sleep(Duration::from_millis(10));
        outdated()
    });
    let plugin = plugin.expect("the file is looked at");
    assert_eq!((plugin.id.as_str(), plugged.host.status().generation), ("points-outside", before));
    assert_eq!(plugin.problem.unwrap().code, "plugin.format");
}
