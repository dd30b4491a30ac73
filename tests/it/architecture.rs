//! The house rules that a machine can check: who may import whom, how long a file may be, what it may be called.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Module of `host/src` → modules of ours that it may name. What stands here is drawn in `host/ARCHITECTURE.md`.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("clock", &["domain"]),
    ("steps", &[]),
    ("engine", &["domain", "mapping"]),
    ("mapping", &["domain"]),
    ("config", &["domain"]),
    ("store", &["domain", "config", "steps"]),
    ("plugin", &["domain", "config", "steps"]),
    ("transport", &["domain", "clock", "config"]),
    ("bigpanda", &["domain", "clock", "config", "transport"]),
    ("servicenow", &["domain", "clock", "config", "transport"]),
    ("notify", &["domain", "clock", "config", "transport"]),
    (
        "sync",
        &["domain", "engine", "mapping", "store", "plugin", "bigpanda", "servicenow", "clock", "steps", "telemetry"],
    ),
    ("web", &["domain", "config", "store", "plugin", "sync", "bigpanda", "telemetry", "clock"]),
    ("adopt", &["domain", "config", "store", "bigpanda", "servicenow"]),
    ("doctor", &["domain", "config", "adopt", "bigpanda", "servicenow", "clock"]),
    ("simulator", &[]),
    ("telemetry", &["domain", "clock", "config", "transport"]),
    ("cli", &["*"]),
    ("app", &["*"]),
    ("main", &["*"]),
    ("lib", &["*"]),
];

/// Crate → the modules that may name it. A crate that isn't listed may be named anywhere.
const ONLY_IN: &[(&str, &[&str])] = &[
    ("rusqlite", &["store"]),
    ("wasmtime", &["plugin"]),
    ("wasmparser", &["plugin"]),
    ("reqwest", &["transport", "bigpanda", "servicenow", "cli"]),
    ("axum", &["web", "simulator"]),
    ("notify", &["plugin"]),
    ("lettre", &["notify"]),
    ("opentelemetry", &["telemetry"]),
    ("opentelemetry_http", &["telemetry"]),
    ("opentelemetry_otlp", &["telemetry"]),
    ("opentelemetry_sdk", &["telemetry"]),
    ("tracing_opentelemetry", &["telemetry"]),
    ("clap", &["cli", "main"]),
];

/// Crates and calls that pure layers must not name.
const PURE: &[&str] = &["domain", "engine", "mapping"];
const IMPURE: &[&str] =
    &["tokio", "reqwest", "wasmtime", "rusqlite", "axum", "std::fs", "std::net", "SystemTime", "Instant::now"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn rust_files(under: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![under.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                if name != "target" && name != "dist" && !name.starts_with('.') {
                    folders.push(path);
                }
            } else if name.ends_with(".rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

/// The module of `host/src` that a file belongs to.
fn module_of(file: &Path) -> String {
    let inner = file.strip_prefix(root().join("host/src")).unwrap();
    let first = inner.components().next().unwrap().as_os_str().to_string_lossy().into_owned();
    first.trim_end_matches(".rs").to_owned()
}

/// The code of a file: no comments, no unit tests. A word in prose is no import.
fn code(file: &Path) -> String {
    let text = fs::read_to_string(file).unwrap();
    let text = text.split("#[cfg(test)]\n").next().unwrap();
    text.lines().map(|line| line.split("//").next().unwrap()).collect::<Vec<_>>().join("\n")
}

/// The modules of ours that a text names, whether one by one or in a braced list.
fn named(code: &str) -> Vec<String> {
    let word = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        if let Some(list) = rest.strip_prefix('{') {
            let (mut depth, mut start) = (0, 0);
            for (index, c) in list.char_indices() {
                match c {
                    '{' => depth += 1,
                    '}' if depth == 0 => {
                        found.push(word(list[start..index].trim()));
                        break;
                    }
                    '}' => depth -= 1,
                    ',' if depth == 0 => {
                        found.push(word(list[start..index].trim()));
                        start = index + 1;
                    }
                    _ => {}
                }
            }
        } else {
            found.push(word(rest));
        }
    }
    found.retain(|name| !name.is_empty());
    found
}

fn is_test_file(file: &Path) -> bool {
    file.file_stem().is_some_and(|stem| stem == "tests") || file.components().any(|part| part.as_os_str() == "tests")
}

#[test]
fn modules_import_only_what_lies_below_them() {
    let rules: BTreeMap<_, _> = MAY_IMPORT.iter().copied().collect();
    let mut offences = Vec::new();
    for file in rust_files(&root().join("host/src")).into_iter().filter(|file| !is_test_file(file)) {
        let module = module_of(&file);
        let Some(allowed) = rules.get(module.as_str()) else {
            offences.push(format!("{}: the module `{module}` has no row in MAY_IMPORT", file.display()));
            continue;
        };
        for name in named(&code(&file)) {
            let ours = rules.contains_key(name.as_str());
            if ours && name != module && !allowed.contains(&"*") && !allowed.contains(&name.as_str()) {
                offences.push(format!("{}: `{module}` must not name `{name}`", file.display()));
            }
        }
    }
    assert!(offences.is_empty(), "{}", offences.join("\n"));
}

#[test]
fn a_crate_stays_in_its_room() {
    let mut offences = Vec::new();
    for file in rust_files(&root().join("host/src")).into_iter().filter(|file| !is_test_file(file)) {
        let (module, code) = (module_of(&file), code(&file));
        for (name, rooms) in ONLY_IN {
            // A module of ours may have the name of a crate.
            let own = code.contains(&format!("mod {name};"));
            let crates = code.replace(&format!("crate::{name}::"), "");
            if !own && crates.contains(&format!("{name}::")) && !rooms.contains(&module.as_str()) {
                offences.push(format!("{}: `{name}` belongs to {rooms:?}", file.display()));
            }
        }
        if PURE.contains(&module.as_str()) {
            for word in
                IMPURE.iter().filter(|word| code.contains(&format!("{word}::")) || code.contains(&format!("{word}(")))
            {
                offences.push(format!("{}: `{module}` is pure and must not name `{word}`", file.display()));
            }
        }
    }
    assert!(offences.is_empty(), "{}", offences.join("\n"));
}

#[test]
fn files_are_short_and_say_what_they_are() {
    let mut lengths = Vec::new();
    let mut offences = Vec::new();
    for file in rust_files(&root().join("host/src")).into_iter().chain(rust_files(&root().join("guest-sdk"))) {
        let text = fs::read_to_string(&file).unwrap();
        let lines = text.lines().count();
        if !is_test_file(&file) {
            lengths.push(lines);
        }
        let doc: Vec<&str> =
            text.lines().take_while(|line| line.starts_with("//!") || line.starts_with("#!")).collect();
        if !text.starts_with("//!") && !text.starts_with("#![doc") {
            offences.push(format!("{}: no module doc", file.display()));
        }
        if lines > 600 && !doc.iter().any(|line| line.contains("Long because")) {
            offences.push(format!("{}: {lines} lines and no sentence `Long because …`", file.display()));
        }
    }
    lengths.sort_unstable();
    let (median, ninth) = (lengths[lengths.len() / 2], lengths[lengths.len() * 9 / 10]);
    if median > 150 {
        offences.push(format!("the median file has {median} lines; 150 is the budget"));
    }
    if ninth > 400 {
        offences.push(format!("a tenth of the files has more than {ninth} lines; 400 is the budget"));
    }
    assert!(offences.is_empty(), "{}", offences.join("\n"));
}

#[test]
fn no_file_is_a_drawer() {
    let banned = ["mod", "utils", "util", "helpers", "helper", "common", "misc"];
    let offences: Vec<String> = ["host", "guest-sdk", "plugins", "tests", "examples"]
        .iter()
        .flat_map(|part| rust_files(&root().join(part)))
        .filter(|file| file.file_stem().is_some_and(|stem| banned.contains(&stem.to_string_lossy().as_ref())))
        .map(|file| file.display().to_string())
        .collect();
    assert!(offences.is_empty(), "{}", offences.join("\n"));
}

#[test]
fn the_top_level_holds_what_the_readme_lists() {
    let known = [
        "Cargo.toml",
        "Cargo.lock",
        "Makefile",
        "README.md",
        "CHANGELOG.md",
        "LICENSE",
        "host",
        "guest-sdk",
        "plugins",
        "wit",
        "tests",
        "examples",
        "rustfmt.toml",
        "deny.toml",
        "target",
    ];
    let offences: Vec<String> = fs::read_dir(root())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .filter(|name| !name.starts_with('.') && !known.contains(&name.as_str()))
        .collect();
    assert!(offences.is_empty(), "not expected at the top: {offences:?}");
}
