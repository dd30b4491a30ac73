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
    let mut lines = answer.proposals.iter().filter_map(|proposal| match &proposal.op {
        Op::Set { field, value } if field == "short_description" => Some((proposal.origin.plugin.as_str(), &**value)),
        _ => None,
    });
    lines.next_back().unwrap()
}

const GOOD: (&str, &str) = ("job", "BigPanda Incident: db-1.prod.example.com - Critical");

/// Lets a plugin work on an event. The event gets its line all the same, in time; and once the plugin is gone, the
/// next event has nothing to complain about.
fn outcome(bytes: &[u8]) -> String {
    let plugged = host();
    put(&plugged, bytes);
    let status = plugged.host.status();
    let loaded = status.plugins.iter().any(|plugin| plugin.id != "job" && plugin.state == PluginState::Running);
    assert!(loaded, "{status:#?}");

    let began = now();
    let answer = plugged.host.transform_here(input(share(3, 3)));
    assert!(began.elapsed() < Duration::from_secs(2), "one event took {:?}", began.elapsed());
    assert_eq!(line(&answer), GOOD);
    assert_eq!(answer.failures.len(), 1, "{:#?}", answer.failures);

    std::fs::remove_file(plugged.directory.join("hostile.wasm")).unwrap();
    plugged.host.reload_now();
    let next = plugged.host.transform_here(input(share(3, 3)));
    assert_eq!(line(&next), GOOD);
    assert_eq!(next.failures, []);
    shown(&answer.failures[0])
}

/// Puts a file into the directory that can't become a plugin. What ran before runs on.
fn refusal(bytes: &[u8]) -> String {
    let plugged = host();
    let before = plugged.host.status().generation;
    put(&plugged, bytes);
    let status = plugged.host.status();
    let broken = status.plugins.iter().find(|plugin| plugin.state == PluginState::Broken);
    let broken = broken.unwrap_or_else(|| panic!("it was not refused: {status:#?}"));
    let Problem { code, message, hint } = broken.problem.clone().unwrap();
    assert_eq!(plugged.host.status().generation, before);
    let answer = plugged.host.transform_here(input(share(3, 3)));
    assert_eq!(line(&answer), GOOD);
    assert_eq!(answer.failures, []);
    format!("{code}: {message}\nhint: {}", hint.as_deref().unwrap_or("none"))
}

/// Puts a file into the directory, and waits until it was looked at.
fn put(plugged: &Plugged, bytes: &[u8]) {
    plugged.put("hostile.wasm", bytes);
    plugged.host.reload_now();
}

#[expect(clippy::disallowed_methods, reason = "how long a person waits is what is measured")]
fn now() -> Instant {
    Instant::now()
}

#[test]
fn an_infinite_loop_ends_at_the_deadline() {
    assert_snapshot!(outcome(&std::fs::read(component("loops")).unwrap()), @r"
    loops 0.1.0 on short-description
    plugin.deadline: it ran longer than 50 ms
    hint: Raise `deadline` in [plugins.limits] if the work is worth it; a loop needs the author.
    stood in: PreviousInChain
    ");
}

#[test]
fn a_panic_says_what_and_where() {
    assert_snapshot!(outcome(&std::fs::read(component("panics")).unwrap()), @r"
    panics 0.1.0 on short-description
    plugin.panic: it panicked: every alert has a rack (tests/components/panics/src/lib.rs:14)
    hint: Tell the plugin's author; until then another version or the bundled plugin can stand in.
    stood in: PreviousInChain
    ");
}

#[test]
fn deep_recursion_ends_at_the_stack_limit() {
    assert_snapshot!(outcome(&written("recurses", &[])), @r"
    recurses 1.0.0 on short-description
    plugin.stack: its calls went deeper than a stack of 512 KiB holds
    hint: Raise `stack` in [plugins.limits]; endless recursion needs the author.
    stood in: PreviousInChain
    ");
}

#[test]
fn memory_grown_page_by_page_ends_at_the_memory_limit() {
    assert_snapshot!(outcome(&written("grows-by-pages", &[])), @r"
    grows-by-pages 1.0.0 on short-description
    plugin.memory: it wanted more than 32 MiB of memory
    hint: Raise `memory` in [plugins.limits] if the work is worth it.
    stood in: PreviousInChain
    ");
}

#[test]
fn memory_grown_at_once_ends_at_the_memory_limit() {
    assert_snapshot!(outcome(&written("grows-at-once", &[])), @r"
    grows-at-once 1.0.0 on short-description
    plugin.memory: it wanted more than 32 MiB of memory
    hint: Raise `memory` in [plugins.limits] if the work is worth it.
    stood in: PreviousInChain
    ");
}

#[test]
fn a_minimum_of_four_gib_is_refused() {
    assert_snapshot!(refusal(&written("wants-four-gib", &[])), @r"
    plugin.compile: it can't be compiled: module memory does not fit in pooling allocator requirements: memory index 0 is unsupported in this pooling allocator configuration: memory has a minimum byte size of 4294967296 which exceeds the limit of 0x2000000 bytes
    hint: Ask the plugin's author.
    ");
}

#[test]
fn a_huge_table_is_refused() {
    assert_snapshot!(refusal(&written("wants-a-huge-table", &[])), @r"
    plugin.compile: it can't be compiled: module table does not fit in pooling allocator requirements: table index 0 has a minimum element size of 10000000 which exceeds the limit of 1000
    hint: Ask the plugin's author.
    ");
}

#[test]
fn an_answer_outside_of_memory_is_not_read() {
    assert_snapshot!(outcome(&written("points-outside", &[])), @r"
    points-outside 1.0.0 on short-description
    plugin.unreadable: what it handed over can't be read: pointer out of bounds of memory
    hint: Tell the plugin's author; until then another version or the bundled plugin can stand in.
    stood in: PreviousInChain
    ");
}

#[test]
fn an_answer_that_is_no_text_is_not_used() {
    assert_snapshot!(outcome(&written("writes-no-text", &[])), @r"
    writes-no-text 1.0.0 on short-description
    plugin.unreadable: what it handed over can't be read: invalid utf-8 sequence of 1 bytes from index 0
    hint: Tell the plugin's author; until then another version or the bundled plugin can stand in.
    stood in: PreviousInChain
    ");
}

#[test]
fn an_answer_of_eight_mib_is_not_copied() {
    assert_snapshot!(outcome(&written("answers-with-eight-mib", &[])), @r"
    answers-with-eight-mib 1.0.0 on short-description
    plugin.unreadable: what it handed over can't be read: too much data is being copied between the host and the guest: fuel allocated for hostcalls has been exhausted
    hint: Tell the plugin's author; until then another version or the bundled plugin can stand in.
    stood in: PreviousInChain
    ");
}

#[test]
fn a_log_line_of_eight_mib_is_not_copied() {
    assert_snapshot!(outcome(&written("logs-eight-mib", &["log"])), @r"
    logs-eight-mib 1.0.0 on short-description
    plugin.unreadable: what it handed over can't be read: too much data is being copied between the host and the guest: fuel allocated for hostcalls has been exhausted
    hint: Tell the plugin's author; until then another version or the bundled plugin can stand in.
    stood in: PreviousInChain
    ");
}

#[test]
fn a_log_flood_ends_at_the_limit_of_host_calls() {
    assert_snapshot!(outcome(&written("floods-the-log", &["log"])), @r"
    floods-the-log 1.0.0 on short-description
    plugin.host-calls: it called the host more than 10000 times
    hint: Raise `host_calls` in [plugins.limits] if the work is worth it.
    stood in: PreviousInChain
    ");
}

#[test]
fn memory_offered_outside_of_memory_is_not_written() {
    assert_snapshot!(outcome(&written("realloc-outside", &[])), @r"
    realloc-outside 1.0.0 on short-description
    plugin.unreadable: what it handed over can't be read: realloc return: beyond end of memory
    hint: Tell the plugin's author; until then another version or the bundled plugin can stand in.
    stood in: PreviousInChain
    ");
}

#[test]
fn a_loop_in_realloc_ends_at_the_deadline() {
    assert_snapshot!(outcome(&written("realloc-loops", &[])), @r"
    realloc-loops 1.0.0 on short-description
    plugin.deadline: it ran longer than 50 ms
    hint: Raise `deadline` in [plugins.limits] if the work is worth it; a loop needs the author.
    stood in: PreviousInChain
    ");
}

#[test]
fn a_trap_in_realloc_is_told() {
    assert_snapshot!(outcome(&written("realloc-traps", &[])), @r"
    realloc-traps 1.0.0 on short-description
    plugin.trap: it was stopped: wasm trap: wasm `unreachable` instruction executed
    hint: Tell the plugin's author; until then another version or the bundled plugin can stand in.
    stood in: PreviousInChain
    ");
}

#[test]
fn a_loop_in_the_start_function_is_refused() {
    assert_snapshot!(refusal(&written("start-loops", &[])), @r"
    plugin.deadline: it ran longer than 50 ms, before it was asked anything
    hint: Ask the plugin's author.
    ");
}

#[test]
fn a_loop_of_memory_fill_ends_at_the_deadline() {
    assert_snapshot!(outcome(&written("fills-memory", &[])), @r"
    fills-memory 1.0.0 on short-description
    plugin.deadline: it ran longer than 50 ms
    hint: Raise `deadline` in [plugins.limits] if the work is worth it; a loop needs the author.
    stood in: PreviousInChain
    ");
}

#[test]
fn an_import_that_was_not_asked_for_is_refused() {
    assert_snapshot!(refusal(&written("reads-the-raw-share", &[])), @r"
    plugin.grant: it uses `raw-share` without asking for it
    hint: Correct plugin.toml and build the plugin again.
    ");
}

#[test]
fn an_import_that_was_not_granted_is_refused() {
    assert_snapshot!(refusal(&written("reads-the-raw-share", &["raw-share"])), @r#"
    plugin.grant: it asks for `raw-share`, which it was not granted
    hint: Add it with `[plugins.grants]`, `<id> = ["raw-share"]`.
    "#);
}

#[test]
fn an_import_of_the_system_is_refused() {
    assert_snapshot!(refusal(&written("reads-files", &[])), @r"
    plugin.import: it imports `wasi:filesystem/preopens@0.2.0`, which Tandem doesn't offer
    hint: Plugins reach nothing but what tandem-guest offers: no files, sockets, environment or clock of the system.
    ");
}

#[test]
fn a_hook_of_another_type_is_refused() {
    assert_snapshot!(refusal(&written("exports-another-type", &[])), @r"
    plugin.hook: it exports the hook `short-description` with another type than the contract has: failed to convert function to given type: type mismatch with results: expected `result` found `u32`
    hint: Export hooks with `tandem_guest::export!(MyPlugin: Description);` of this release's tandem-guest.
    ");
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
    assert_snapshot!(all.join("\n"), @r"
    a core module: plugin.format: it is a core module, not a WebAssembly component
    hint: Build it with `tandem plugin build DIR`.
    garbage: plugin.format: it is something else, not a WebAssembly component
    hint: Build it with `tandem plugin build DIR`.
    an empty file: plugin.format: it is an empty file, not a WebAssembly component
    hint: Build it with `tandem plugin build DIR`.
    half a file: plugin.damaged: it is cut off or damaged: unexpected end-of-file (at offset 0x32c)
    hint: Copy the file again; a copy under another name and a rename never shows half a file.
    half a header: plugin.damaged: it is cut off or damaged: its header ends early or names no known format
    hint: Copy the file again; a copy under another name and a rename never shows half a file.
    text: plugin.format: it is WebAssembly's text format, not a WebAssembly component
    hint: Build it with `tandem plugin build DIR`.
    compiled code: plugin.format: it is native code, not a WebAssembly component
    hint: Build it with `tandem plugin build DIR`.
    ");
}

#[test]
fn a_broken_file_leaves_the_version_before_it_running() {
    let plugged = host();
    put(&plugged, &written("points-outside", &[]));
    let before = plugged.host.status().generation;
    put(&plugged, b"half a download");
    let status = plugged.host.status();
    let plugin = status.plugins.iter().find(|plugin| plugin.state == PluginState::Outdated).unwrap();
    assert_eq!((plugin.id.as_str(), status.generation), ("points-outside", before));
    assert_eq!(plugin.problem.as_ref().unwrap().code, "plugin.format");
}
