//! The plugins directory: what is put there runs within a second, and what is broken changes nothing.

use serde_json::json;
use tandem::config::Plugins;
use tandem::domain::id::PluginId;
use tandem::domain::patch::Op;
use tandem::plugin::{Host, PluginState, PluginStatus};

use crate::support::plugins::{Plugged, bundle, input, relabelled, share};

fn line(host: &Host) -> String {
    let answer = host.transform_here(input(share(3, 3)));
    let value = answer.proposals.into_iter().rev().find_map(|proposal| match proposal.op {
        Op::Set { field, value } if field == "short_description" => Some(value),
        _ => None,
    });
    value.unwrap()
}

fn plugin(host: &Host, id: &str) -> PluginStatus {
    host.status().plugins.into_iter().find(|plugin| plugin.id == id).unwrap()
}

fn version(bytes: &[u8], version: &str) -> Vec<u8> {
    relabelled(bytes, |metadata| metadata["version"] = json!(version))
}

/// Without the offset at which a cut file ends, which depends on the compiler.
fn without_offset(text: &str) -> String {
    let Some((before, rest)) = text.split_once("(at offset 0x") else { return text.to_owned() };
    let after = rest.trim_start_matches(|c: char| c.is_ascii_hexdigit());
    format!("{before}(at offset N{after}")
}

const MINIMAL: &str = "BigPanda Incident: 66b0c0ffee - critical";

#[test]
fn a_file_that_appears_changes_or_goes_is_a_new_generation_within_a_second() {
    let moody = bundle("moody").bytes;
    let plugged = Plugged::start(&[]);
    assert_eq!((plugged.host.status().generation, line(&plugged.host).as_str()), (1, MINIMAL));
    plugged.put("mine.wasm", moody);
    let second = plugged.next_generation(1);
    assert_eq!((second, line(&plugged.host).as_str()), (2, "moody about alert-0002"));
    plugged.put("mine.wasm", &version(moody, "9.9.9"));
    assert_eq!(plugged.next_generation(2), 3);
    assert_eq!(plugin(&plugged.host, "moody").about.unwrap().version, "9.9.9");
    std::fs::remove_file(plugged.directory.join("mine.wasm")).unwrap();
    assert_eq!(plugged.next_generation(3), 4);
    assert_eq!(line(&plugged.host), MINIMAL);
}

#[test]
fn a_broken_file_leaves_what_ran_running_and_says_why() {
    let moody = bundle("moody").bytes;
    let plugged = Plugged::start(&[]);
    plugged.put("mine.wasm", moody);
    plugged.next_generation(1);
    plugged.put("mine.wasm", &moody[..moody.len() / 2]);
    let reload = plugged.host.reload_now();
    assert_eq!((reload.generation, reload.changed, reload.broken), (2, false, 1));
    assert_eq!(line(&plugged.host), "moody about alert-0002");
    let told = plugin(&plugged.host, "moody");
    assert_eq!(told.state, PluginState::Outdated);
    let problem = told.problem.unwrap();
    assert_eq!(problem.code, "plugin.damaged");
    assert!(problem.hint.is_some());
    plugged.put("mine.wasm", &version(moody, "2.0.0"));
    plugged.next_generation(2);
    let told = plugin(&plugged.host, "moody");
    assert_eq!((told.state, told.problem.is_none()), (PluginState::Running, true));
}

#[test]
fn files_that_are_no_plugins_are_refused_each_with_its_sentence() {
    let moody = bundle("moody").bytes;
    let core_module = {
        let mut module = wasm_encoder::Module::new();
        module.section(&wasm_encoder::TypeSection::new());
        module.finish()
    };
    let mut unlabelled = moody.to_vec();
    let marker = unlabelled.windows(13).rposition(|window| window == b"tandem:plugin").unwrap();
    unlabelled[marker] = b'T';
    let metadata = |change: &dyn Fn(&mut serde_json::Value)| relabelled(moody, change);
    let files: Vec<(&str, Vec<u8>)> = vec![
        ("a-empty", Vec::new()),
        ("b-elf", b"\x7fELF\x02\x01\x01 and so on".to_vec()),
        ("c-module", core_module),
        ("d-text", b"(component)".to_vec()),
        ("e-garbage", b"hello".to_vec()),
        ("f-short", moody[..7].to_vec()),
        ("g-cut", moody[..moody.len() / 2].to_vec()),
        ("h-unlabelled", unlabelled),
        ("i-format", metadata(&|metadata| metadata["format"] = json!(7))),
        ("j-id", metadata(&|metadata| metadata["id"] = json!("../etc"))),
        ("k-phase", metadata(&|metadata| metadata["phase"] = json!("first"))),
        ("l-grant", metadata(&|metadata| metadata["grants"] = json!(["log", "clock"]))),
        ("m-raw", metadata(&|metadata| metadata["grants"] = json!(["log", "clock", "random", "raw-share"]))),
        ("n-limit", metadata(&|metadata| metadata["limits"] = json!({ "memory": "all" }))),
        ("o-schema", metadata(&|metadata| metadata["config"] = json!({ "pattern": "(a*)*" }))),
        ("p-small", metadata(&|metadata| metadata["limits"] = json!({ "memory": "64 KiB" }))),
    ];
    let plugged = Plugged::start(&[]);
    for (name, bytes) in &files {
        plugged.put(&format!("{name}.wasm"), bytes);
    }
    plugged.host.reload_now();
    let status = plugged.host.status();
    let lines: Vec<String> = status
        .plugins
        .iter()
        .map(|plugin| {
            let problem = plugin.problem.as_ref().unwrap();
            format!("{} {}: {}", plugin.id, problem.code, problem.message)
        })
        .collect();
    let told = without_offset(&lines.join("\n"));
    insta::assert_snapshot!(told, @r#"
    a-empty plugin.format: it is an empty file, not a WebAssembly component
    b-elf plugin.format: it is native code, not a WebAssembly component
    c-module plugin.format: it is a core module, not a WebAssembly component
    d-text plugin.format: it is WebAssembly's text format, not a WebAssembly component
    e-garbage plugin.format: it is something else, not a WebAssembly component
    f-short plugin.damaged: it is cut off or damaged: its header ends early or names no known format
    g-cut plugin.damaged: it is cut off or damaged: unexpected end-of-file (at offset N)
    h-unlabelled plugin.metadata: it says nothing about itself: the section `tandem:plugin` is missing
    i-format plugin.metadata: what it says about itself can't be used: its format is 7, and this Tandem reads 1
    j-id plugin.metadata: what it says about itself can't be used: `../etc` is no id
    k-phase plugin.metadata: what it says about itself can't be used: there is no phase `first`
    l-grant plugin.grant: it uses `random` without asking for it
    m-raw plugin.grant: it asks for `raw-share`, which it was not granted
    n-limit plugin.metadata: what it says about itself can't be used: it asks for `memory = "all"`; write a number, or a text such as "16 MiB" or "20 ms"
    o-schema plugin.metadata: what it says about itself can't be used: the schema of its settings: the keyword `pattern` is not known
    p-small plugin.memory: it wanted more than 64 KiB of memory, before it was asked anything
    "#);
    assert_eq!(line(&plugged.host), MINIMAL);
}

#[test]
fn of_two_files_with_one_id_the_first_by_name_runs() {
    let moody = bundle("moody").bytes;
    let plugged = Plugged::start(&[]);
    plugged.put("a.wasm", &version(moody, "1.0.0"));
    plugged.put("b.wasm", &version(moody, "2.0.0"));
    plugged.host.reload_now();
    let status = plugged.host.status();
    assert_eq!(status.plugins[0].about.as_ref().unwrap().version, "1.0.0");
    assert_eq!(status.plugins[1].problem.as_ref().unwrap().code, "plugin.twin");
    std::fs::remove_file(plugged.directory.join("a.wasm")).unwrap();
    plugged.host.reload_now();
    assert_eq!(plugin(&plugged.host, "moody").about.unwrap().version, "2.0.0");
}

#[test]
fn a_dance_of_renames_ends_where_the_files_end() {
    let moody = bundle("moody").bytes;
    let plugged = Plugged::start(&[]);
    let path = |name: &str| plugged.directory.join(name);
    for round in 0..10 {
        plugged.put("mine.wasm", &version(moody, &format!("1.0.{round}")));
        std::fs::rename(path("mine.wasm"), path("mine.wasm.bak")).unwrap();
        std::fs::write(path(".mine.wasm.swp"), b"an editor's").unwrap();
        std::fs::rename(path("mine.wasm.bak"), path("mine.wasm")).unwrap();
        std::fs::remove_file(path(".mine.wasm.swp")).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    for _ in 0..200 {
        let found = plugged.host.status().plugins.into_iter().find(|plugin| plugin.id == "moody");
        if found.is_some_and(|plugin| plugin.about.is_some_and(|about| about.version == "1.0.9")) {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    panic!("{:#?}", plugged.host.status());
}

#[test]
fn a_directory_that_comes_later_is_found() {
    let moody = bundle("moody").bytes;
    let plugged = Plugged::start_with(&[], |config| config.directory = config.directory.join("later"));
    std::fs::create_dir(plugged.directory.join("later")).unwrap();
    std::fs::write(plugged.directory.join("later/mine.wasm"), moody).unwrap();
    for _ in 0..3000 {
        if plugged.host.status().generation > 1 {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    panic!("{:#?}", plugged.host.status());
}

#[test]
fn going_back_to_an_earlier_generation_lasts_until_a_file_changes() {
    let moody = bundle("moody").bytes;
    let plugged = Plugged::start(&[]);
    plugged.put("mine.wasm", moody);
    plugged.host.reload_now();
    assert_eq!(plugged.host.status().earlier, [1]);
    assert_eq!(plugged.host.roll_back(1).unwrap(), 3);
    assert_eq!(line(&plugged.host), MINIMAL);
    assert!(!plugged.host.reload_now().changed);
    plugged.put("mine.wasm", &version(moody, "2.0.0"));
    // The watcher may have been faster.
    plugged.host.reload_now();
    assert_eq!(line(&plugged.host), "moody about alert-0002");
    assert!(plugged.host.roll_back(77).is_err());
}

#[test]
fn a_file_with_a_bundled_id_replaces_it_and_a_disabled_plugin_rests() {
    let moody = bundle("moody");
    let plugged = Plugged::start(&[moody]);
    plugged.put("mine.wasm", &version(moody.bytes, "2.0.0"));
    plugged.host.reload_now();
    let states: Vec<_> =
        plugged.host.status().plugins.into_iter().map(|plugin| (plugin.about.unwrap().version, plugin.state)).collect();
    assert_eq!(states, [("2.0.0".to_owned(), PluginState::Running), ("0.1.0".to_owned(), PluginState::Replaced)]);
    let disable = |config: &mut Plugins| config.disabled = vec![PluginId::new("moody").unwrap()];
    let plugged = Plugged::start_with(&[moody], disable);
    assert_eq!(plugin(&plugged.host, "moody").state, PluginState::Disabled);
    assert_eq!(line(&plugged.host), MINIMAL);
}

#[test]
fn a_grant_that_reaches_outside_of_the_event_is_the_operators_to_give() {
    let asking = relabelled(bundle("moody").bytes, |metadata| {
        metadata["grants"] = json!(["log", "clock", "random", "raw-share"]);
    });
    let plugged = Plugged::start_with(&[], |config| {
        config.grants.insert(PluginId::new("moody").unwrap(), vec!["raw-share".into()]);
    });
    plugged.put("mine.wasm", &asking);
    plugged.host.reload_now();
    assert_eq!(plugin(&plugged.host, "moody").state, PluginState::Running);
}

#[test]
fn the_operators_settings_for_a_plugin_are_checked_when_it_is_loaded() {
    let plugged = Plugged::start_with(&[], |config| {
        config.config.insert(PluginId::new("moody").unwrap(), json!({ "moood": "well" }));
    });
    plugged.put("mine.wasm", bundle("moody").bytes);
    plugged.host.reload_now();
    let problem = plugged.host.status().plugins[0].problem.clone().unwrap();
    assert_eq!(problem.code, "plugin.config");
    assert_eq!(problem.message, "its settings in `[plugins.config.moody]` are wrong: there is no setting `moood`");
}

#[test]
fn compiled_code_that_this_host_did_not_write_is_never_run() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = tempfile::tempdir().unwrap();
    let cache = home.path().join("cache");
    let start = || Plugged::start_with(&[bundle("noop")], |config| config.cache = cache.clone());
    let code = || {
        let entries = std::fs::read_dir(&cache).unwrap();
        let mut files =
            entries.map(|entry| entry.unwrap().path()).filter(|path| path.extension().is_some_and(|e| e == "code"));
        files.next().unwrap()
    };
    drop(start());
    let file = code();
    let genuine = std::fs::read(&file).unwrap();
    let mut forged = genuine.clone();
    let last = forged.len() - 100;
    forged[last] ^= 1;
    std::fs::write(&file, &forged).unwrap();
    let plugged = start();
    assert_eq!(line(&plugged.host), "");
    assert_eq!(std::fs::read(code()).unwrap().len(), genuine.len(), "compiled anew and kept again");
    assert_ne!(std::fs::read(code()).unwrap(), forged);
    assert_eq!(std::fs::metadata(&cache).unwrap().permissions().mode() & 0o777, 0o700);
}

/// Where the code of a component begins.
fn first_operator(component: &[u8]) -> usize {
    let payloads = wasmparser::Parser::new(0).parse_all(component);
    let body = payloads.filter_map(Result::ok).find_map(|payload| match payload {
        wasmparser::Payload::CodeSectionEntry(body) => Some(body),
        _ => None,
    });
    body.unwrap().get_operators_reader().unwrap().original_position()
}

#[test]
fn a_file_is_compiled_by_a_child_process_and_what_that_says_is_told() {
    let moody = bundle("moody").bytes;
    let start = |program: &str| Plugged::start_compiling(&[], Some(program.into()), |_| ());
    let plugged = start(env!("CARGO_BIN_EXE_tandem"));
    plugged.put("mine.wasm", moody);
    plugged.host.reload_now();
    assert_eq!(line(&plugged.host), "moody about alert-0002");
    plugged.put("invalid.wasm", &{
        let mut invalid = relabelled(moody, |metadata| metadata["id"] = json!("invalid"));
        let first = first_operator(&invalid);
        // An addition, with nothing there to add.
        invalid[first] = 0x6a;
        invalid
    });
    plugged.host.reload_now();
    let problem = plugin(&plugged.host, "invalid").problem.unwrap();
    assert_eq!(problem.code, "plugin.compile");
    assert!(problem.message.contains("type mismatch"), "{problem:?}");
    let plugged = start("/bin/false");
    plugged.put("mine.wasm", moody);
    plugged.host.reload_now();
    let problem = plugin(&plugged.host, "mine").problem.unwrap();
    assert_eq!(problem.code, "plugin.compile");
}

#[test]
fn a_bundled_plugin_runs_whether_or_not_a_child_can_compile_it() {
    for program in [env!("CARGO_BIN_EXE_tandem"), "/bin/false"] {
        let plugged = Plugged::start_compiling(&[bundle("moody")], Some(program.into()), |_| ());
        assert_eq!(line(&plugged.host), "moody about alert-0002", "{program}");
    }
}

#[test]
fn a_hook_that_fails_event_after_event_rests_and_comes_back() {
    let plugged = Plugged::start(&[bundle("moody")]);
    let ask = |mood: &str, seconds: i64| {
        let settings = json!({ "mood": mood, "only": "short-description" }).to_string().into();
        let now = tandem::domain::time::Timestamp::from_seconds(seconds);
        plugged.host.transform_here(tandem::plugin::Input { settings, now, ..input(share(1, 1)) })
    };
    for _ in 0..10 {
        assert_eq!(ask("panic", 0).failures[0].code, "plugin.panic");
    }
    let resting = ask("panic", 1);
    assert_eq!(resting.failures[0].code, "plugin.resting");
    assert_eq!(resting.failures.len(), 1, "its other hooks go on");
    assert_eq!(ask("well", 60).failures, [], "the probe succeeds");
    assert_eq!(ask("well", 61).failures, []);
}
