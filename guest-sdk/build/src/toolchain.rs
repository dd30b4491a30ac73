//! Finds a compiler that can build for WebAssembly, and says which.
//!
//! Best is a compiler that has the target's libraries. Else one that has the sources of the standard library and
//! builds them along; Debian packages such a one. `rustc --print target-libdir` names a path even when nothing
//! is there, so only a look into it counts.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Error;

/// The target of every plugin.
pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

/// A compiler with its cargo, and how the two get at the target's libraries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Toolchain {
    cargo: PathBuf,
    rustc: PathBuf,
    /// First line of `rustc --version`.
    version: String,
    way: Way,
    /// Found by name on the PATH, where rustup may stand in between; else by full path.
    on_path: bool,
    linker: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// The target's libraries are installed.
    Installed,
    /// They are built from source along with the plugin.
    FromSource,
}

/// A compiler to look at.
struct Candidate {
    cargo: PathBuf,
    rustc: PathBuf,
    version: String,
    sysroot: PathBuf,
    installed: bool,
    sources: bool,
    on_path: bool,
}

impl Candidate {
    fn look(rustc: &Path, cargo: &Path, on_path: bool, dir: &Path) -> Option<Self> {
        let ask = |arguments: &[&str]| -> Option<String> {
            let mut command = Command::new(rustc);
            command.args(arguments).current_dir(dir);
            if !on_path {
                command.env_remove("RUSTUP_TOOLCHAIN");
            }
            let output = command.output().ok()?;
            output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
        };
        let version = ask(&["--version"])?;
        let sysroot = PathBuf::from(ask(&["--print", "sysroot"])?);
        let libraries = ask(&["--print", "target-libdir", "--target", TARGET]).map(PathBuf::from);
        let installed = libraries.is_some_and(|dir| has_core(&dir));
        let sources = sysroot.join("lib/rustlib/src/rust/library/std/Cargo.toml").is_file();
        Some(Self { cargo: cargo.into(), rustc: rustc.into(), version, sysroot, installed, sources, on_path })
    }

    fn become_toolchain(self, way: Way, others: &[PathBuf]) -> Toolchain {
        let linker = match way {
            Way::Installed => None,
            Way::FromSource => linker(&self.sysroot, others),
        };
        Toolchain { cargo: self.cargo, rustc: self.rustc, version: self.version, way, on_path: self.on_path, linker }
    }
}

fn has_core(dir: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(dir) else { return false };
    entries.flatten().any(|entry| {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        name.starts_with("libcore-") && name.ends_with(".rlib")
    })
}

/// The linker that comes with a Rust toolchain; Debian's compiler doesn't look for it by itself.
fn linker(own: &Path, others: &[PathBuf]) -> Option<PathBuf> {
    let inside = |sysroot: &PathBuf| -> Option<PathBuf> {
        let hosts = std::fs::read_dir(sysroot.join("lib/rustlib")).ok()?;
        hosts.flatten().map(|host| host.path().join("bin/rust-lld")).find(|path| path.is_file())
    };
    let usual = PathBuf::from("/usr/bin/rust-lld");
    inside(&own.to_owned()).or_else(|| usual.is_file().then_some(usual)).or_else(|| others.iter().find_map(inside))
}

impl Toolchain {
    /// Looks at the compiler on the PATH as the plugin's directory sees it, then at the system's.
    pub fn find(dir: &Path) -> Result<Self, Error> {
        let candidates: Vec<Candidate> = [("rustc", "cargo", true), ("/usr/bin/rustc", "/usr/bin/cargo", false)]
            .into_iter()
            .filter_map(|(rustc, cargo, on_path)| Candidate::look(Path::new(rustc), Path::new(cargo), on_path, dir))
            .collect();
        let tried = candidates
            .iter()
            .map(|one| format!("{} has neither the target nor the library sources", one.version))
            .collect::<Vec<_>>()
            .join("; ");
        let sysroots: Vec<PathBuf> = candidates.iter().map(|one| one.sysroot.clone()).collect();
        let mut candidates = candidates;
        if let Some(place) = candidates.iter().position(|one| one.installed) {
            return Ok(candidates.swap_remove(place).become_toolchain(Way::Installed, &sysroots));
        }
        if let Some(place) = candidates.iter().position(|one| one.sources) {
            return Ok(candidates.swap_remove(place).become_toolchain(Way::FromSource, &sysroots));
        }
        Err(Error::NoToolchain { tried: if tried.is_empty() { "there is none at all".into() } else { tried } })
    }

    /// What is used, for people.
    pub fn sentence(&self) -> String {
        match self.way {
            Way::Installed => format!("Building for {TARGET} with {}.", self.version),
            Way::FromSource => format!(
                "Building for {TARGET} with {}, and the standard library from its sources (a minute or so the first \
                 time).",
                self.version
            ),
        }
    }

    /// A cargo command with the environment that this way needs. Arguments are the caller's.
    pub(crate) fn cargo(&self) -> Command {
        let mut command = Command::new(&self.cargo);
        // What an outer cargo or a person set for the host would leak into the guest.
        for variable in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_TARGET", "RUSTC", "RUSTDOC", "CARGO"] {
            command.env_remove(variable);
        }
        if !self.on_path {
            command.env_remove("RUSTUP_TOOLCHAIN").env("RUSTC", &self.rustc);
        }
        if let Some(linker) = &self.linker {
            command.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker);
        }
        if self.way == Way::FromSource {
            // The switch to build the standard library is not stable yet.
            command.env("RUSTC_BOOTSTRAP", "1");
        }
        command
    }

    /// Arguments after `cargo build` that this way needs.
    pub(crate) fn arguments(&self) -> &'static [&'static str] {
        match self.way {
            Way::Installed => &[],
            Way::FromSource => &["-Zbuild-std=std,panic_abort"],
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    /// A compiler that says where its things are; whether they are there is the test's business.
    fn compiler(home: &Path) -> PathBuf {
        let path = home.join("rustc");
        let script = format!(
            "#!/bin/sh\ncase \"$*\" in\n--version) echo 'rustc 1.99.0';;\n*sysroot*) echo {0};;\n*libdir*) echo {0}/wasm/lib;;\nesac\n",
            home.display()
        );
        fs::write(&path, script).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    fn look(home: &Path) -> Candidate {
        Candidate::look(&compiler(home), Path::new("cargo"), false, home).unwrap()
    }

    #[test]
    fn a_target_counts_only_when_its_libraries_are_there() {
        let home = tempfile::tempdir().unwrap();
        assert!(!look(home.path()).installed, "a path is printed though nothing is there");
        fs::create_dir_all(home.path().join("wasm/lib")).unwrap();
        assert!(!look(home.path()).installed, "an empty directory is no target");
        fs::write(home.path().join("wasm/lib/libcore-0123.rlib"), "").unwrap();
        assert!(look(home.path()).installed);
    }

    #[test]
    fn library_sources_are_the_second_way_and_bring_a_linker() {
        let home = tempfile::tempdir().unwrap();
        let library = home.path().join("lib/rustlib/src/rust/library/std");
        fs::create_dir_all(&library).unwrap();
        fs::write(library.join("Cargo.toml"), "").unwrap();
        let linker = home.path().join("lib/rustlib/x86_64-unknown-linux-gnu/bin/rust-lld");
        fs::create_dir_all(linker.parent().unwrap()).unwrap();
        fs::write(&linker, "").unwrap();
        let candidate = look(home.path());
        assert!(candidate.sources && !candidate.installed);
        let toolchain = candidate.become_toolchain(Way::FromSource, &[]);
        assert_eq!(toolchain.linker, Some(linker));
        assert_eq!(toolchain.arguments(), ["-Zbuild-std=std,panic_abort"]);
        assert!(toolchain.sentence().contains("rustc 1.99.0, and the standard library from its sources"));
    }
}
