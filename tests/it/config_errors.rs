//! Folder = test: each folder of `tests/config-errors` is judged by `tandem check`, and what an operator reads is
//! compared with its `expected.txt`, exit code first.
//!
//! A folder holds a `tandem.toml` and what it refers to, and if need be `environment` (NAME=value a line) and `flags`
//! (one --set a line, or `@config FILE`). `UPDATE_EXPECTED=1` writes the files anew. The planted secret must never be
//! read by anybody.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

const PLANTED: &str = "swordfish";

fn folders() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/config-errors");
    let entries = std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path());
    let mut folders: Vec<_> = entries.filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

fn lines(path: &Path) -> Vec<String> {
    std::fs::read_to_string(path).map(|text| text.lines().map(str::to_owned).collect()).unwrap_or_default()
}

fn judge(folder: &Path) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tandem"));
    command.arg("check").current_dir(folder).env_clear().env("NO_COLOR", "1");
    for (name, value) in [
        ("BP_KEY", "swordfish-1"),
        ("BP_APP", "swordfish-2"),
        ("SN_PASSWORD", "swordfish-3"),
        ("HOOK_TOKEN", "swordfish-4-0123456789"),
    ] {
        command.env(name, value);
    }
    for line in lines(&folder.join("environment")) {
        let (name, value) = line.split_once('=').unwrap();
        command.env(name, value);
    }
    for line in lines(&folder.join("flags")) {
        match line.strip_prefix("@config ") {
            Some(file) => command.args(["--config", file]),
            None => command.args(["--set", &line]),
        };
    }
    let output = command.output().unwrap();
    let mut text = format!("exit {}\n", output.status.code().unwrap());
    for (name, stream) in [("standard error", output.stderr), ("standard output", output.stdout)] {
        if !stream.is_empty() {
            let stream = String::from_utf8(stream).unwrap();
            let _ = write!(text, "--- {name}\n{stream}");
        }
    }
    text
}

#[test]
fn every_bad_configuration_is_answered_with_place_and_remedy() {
    let update = std::env::var_os("UPDATE_EXPECTED").is_some();
    let mut wrong = Vec::new();
    for folder in folders() {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let told = judge(&folder);
        assert!(!told.contains(PLANTED), "{name} shows a secret:\n{told}");
        assert!(!told.contains("panicked"), "{name}:\n{told}");
        let expected = folder.join("expected.txt");
        if update {
            std::fs::write(&expected, &told).unwrap();
        } else if std::fs::read_to_string(&expected).ok().as_deref() != Some(&told) {
            wrong.push(format!("== {name}\n{told}"));
        }
    }
    assert!(wrong.is_empty(), "not as expected; after a look, run with UPDATE_EXPECTED=1\n{}", wrong.join("\n"));
}
