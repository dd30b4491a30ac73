//! Embeds the bundled plugins: every component in `plugins/dist`, or in the directory that `TANDEM_PLUGINS_DIST`
//! names. Builds none of them: `make plugins` does. Without them the binary builds all the same and says so later.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-env-changed=TANDEM_PLUGINS_DIST");
    let manifest = PathBuf::from(env::var("CARGO_MANIFEST_DIR").unwrap_or_default());
    let dist = env::var_os("TANDEM_PLUGINS_DIST").map_or_else(|| manifest.join("../plugins/dist"), PathBuf::from);
    watch(&dist);
    let mut code = String::from("/// Found at build time.\nstatic BUNDLED: &[Bundled] = &[\n");
    for file in components(&dist)? {
        println!("cargo::rerun-if-changed={}", file.display());
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let path = file.canonicalize()?;
        // Writing to a string can't fail.
        let _ = writeln!(
            code,
            "    Bundled {{ name: {name:?}, bytes: include_bytes!({:?}) }},",
            path.display().to_string()
        );
    }
    code.push_str("];\n");
    let out = PathBuf::from(env::var("OUT_DIR").unwrap_or_default());
    fs::write(out.join("bundled.rs"), code)
}

/// A path that doesn't exist would make cargo run this every time, so the nearest one that does is watched.
fn watch(dist: &Path) {
    let existing = dist.ancestors().find(|path| path.exists()).unwrap_or(dist);
    println!("cargo::rerun-if-changed={}", existing.display());
}

fn components(dist: &Path) -> io::Result<Vec<PathBuf>> {
    let Ok(entries) = fs::read_dir(dist) else { return Ok(Vec::new()) };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "wasm") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
