//! A plugin's crate as cargo sees it, and the one run of cargo that compiles several.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;

use crate::metadata::Manifest;
use crate::toolchain::{TARGET, Toolchain};
use crate::{Error, Options};

/// Stack of a guest. Small, because fresh memory costs; enough for recursion a few hundred deep.
const STACK_BYTES: u32 = 64 * 1024;
/// Memory that is there from the start, so that an ordinary event never grows it: growing is slow, and doesn't
/// scale over threads. Untouched pages cost nothing.
const HEAP_BYTES: u32 = 1024 * 1024;

/// A plugin's crate.
#[derive(Debug)]
pub(crate) struct Crate {
    pub(crate) dir: PathBuf,
    pub(crate) manifest: Manifest,
    pub(crate) workspace_root: PathBuf,
    /// Name of the package.
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) description: Option<String>,
    /// Name of the library target, as in the file name.
    library: String,
    target_directory: PathBuf,
}

#[derive(Deserialize)]
struct CargoMetadata {
    packages: Vec<Package>,
    workspace_root: PathBuf,
    target_directory: PathBuf,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    description: Option<String>,
    manifest_path: PathBuf,
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    crate_types: Vec<String>,
}

impl Crate {
    pub(crate) fn read(dir: &Path) -> Result<Self, Error> {
        let manifest = Manifest::read(&dir.join("plugin.toml"))?;
        let path = dir.join("Cargo.toml");
        let path = path.canonicalize().map_err(|source| Error::Read { path, source })?;
        let metadata = ask_cargo(&path)?;
        let package = metadata.packages.into_iter().find(|package| package.manifest_path == path);
        let Some(package) = package else {
            return Err(Error::Crate {
                path,
                message: "cargo finds no package there".into(),
                hint: "A plugin is a package of its own; name its directory, not the workspace's.".into(),
            });
        };
        let library = package.targets.into_iter().find(|target| target.crate_types.iter().any(|kind| kind == "cdylib"));
        let Some(library) = library else {
            return Err(Error::Crate {
                path,
                message: "the crate builds no `cdylib`".into(),
                hint: "Add to its Cargo.toml:\n[lib]\ncrate-type = [\"cdylib\", \"rlib\"]".into(),
            });
        };
        Ok(Self {
            dir: dir.to_owned(),
            manifest,
            workspace_root: metadata.workspace_root,
            name: package.name,
            version: package.version,
            description: package.description.filter(|text| !text.is_empty()),
            library: library.name.replace('-', "_"),
            target_directory: metadata.target_directory,
        })
    }
}

fn ask_cargo(manifest: &Path) -> Result<CargoMetadata, Error> {
    let output = Command::new("cargo")
        .args(["metadata", "--no-deps", "--format-version", "1", "--manifest-path"])
        .arg(manifest)
        .output()
        .map_err(|source| Error::Start { program: "cargo".into(), source })?;
    let plugins = manifest.display().to_string();
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(Error::Cargo { plugins, stderr });
    }
    serde_json::from_slice(&output.stdout).map_err(|error| Error::Cargo { plugins, stderr: error.to_string() })
}

/// Compiles crates of one workspace in one run and reads the modules, in the order of the crates.
pub(crate) fn compile(toolchain: &Toolchain, crates: &[Crate], options: &Options) -> Result<Vec<Vec<u8>>, Error> {
    let Some(first) = crates.first() else { return Ok(Vec::new()) };
    let target_dir = options.target_dir.clone().unwrap_or_else(|| first.target_directory.join("tandem-plugins"));
    let mut command = toolchain.cargo();
    command.arg("build").arg("--release").args(["--target", TARGET]).args(toolchain.arguments());
    command.arg("--manifest-path").arg(first.workspace_root.join("Cargo.toml"));
    command.arg("--target-dir").arg(&target_dir).arg("--lib");
    for plugin in crates {
        command.arg("-p").arg(&plugin.name);
    }
    if options.quiet {
        command.arg("--quiet").stderr(Stdio::piped());
    }
    // Whatever the workspace's release profile says: a guest is small, stops at a panic, and keeps its names so
    // that a trap can be told. The library that comes with rustup's target brings 1.5 MB of its own debug information.
    for (key, value) in [
        ("OPT_LEVEL", "3"),
        ("PANIC", "abort"),
        ("LTO", "fat"),
        ("CODEGEN_UNITS", "1"),
        ("DEBUG", "0"),
        ("STRIP", "debuginfo"),
    ] {
        command.env(format!("CARGO_PROFILE_RELEASE_{key}"), value);
    }
    command.env(
        "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS",
        format!("-Clink-arg=-zstack-size={STACK_BYTES} -Clink-arg=--initial-heap={HEAP_BYTES}"),
    );
    let output = command
        .stdout(Stdio::null())
        .spawn()
        .and_then(std::process::Child::wait_with_output)
        .map_err(|source| Error::Start { program: "cargo".into(), source })?;
    if !output.status.success() {
        let plugins = crates.iter().map(|plugin| plugin.name.as_str()).collect::<Vec<_>>().join(", ");
        return Err(Error::Cargo { plugins, stderr: String::from_utf8_lossy(&output.stderr).into_owned() });
    }
    let module = |plugin: &Crate| {
        let path = target_dir.join(TARGET).join("release").join(format!("{}.wasm", plugin.library));
        std::fs::read(&path).map_err(|source| Error::Read { path, source })
    };
    crates.iter().map(module).collect()
}
