//! From a plugin's crate to `<id>.wasm`: a component that describes itself.
//!
//! Not a replacement for cargo: it finds a compiler that can build for WebAssembly, lets cargo build, turns the
//! module into a component and writes the metadata of `plugin.toml` into it. `tandem plugin build` and the
//! bootstrap of the bundled plugins call it. It starts cargo and rustc, nothing else, and writes into its own
//! target directory and the output directory only.

use std::path::{Path, PathBuf};

mod cargo;
mod component;
mod error;
pub mod metadata;
mod toolchain;

pub use error::Error;
pub use metadata::{Metadata, SECTION};
pub use toolchain::Toolchain;

/// What to build and where to put it.
#[derive(Debug, Clone)]
pub struct Options {
    /// Directories of plugin crates, each with a `Cargo.toml` and a `plugin.toml`.
    pub plugins: Vec<PathBuf>,
    /// Where `<id>.wasm` goes; created when missing.
    pub out: PathBuf,
    /// Where cargo works; by default `tandem-plugins` inside the workspace's own target directory.
    pub target_dir: Option<PathBuf>,
    /// Keeps cargo quiet.
    pub quiet: bool,
}

/// A plugin that was built.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Built {
    /// The component.
    pub file: PathBuf,
    /// Its size in bytes.
    pub bytes: u64,
    /// What it says of itself.
    pub metadata: Metadata,
    /// False when the file held the same bytes already and was left alone.
    pub changed: bool,
}

/// Builds plugins; `say` gets one plain sentence per step.
///
/// Crates of one workspace are built by one run of cargo, so that they share what they depend on.
pub fn build(options: &Options, say: &mut dyn FnMut(&str)) -> Result<Vec<Built>, Error> {
    let crates = options.plugins.iter().map(|dir| cargo::Crate::read(dir)).collect::<Result<Vec<_>, _>>()?;
    refuse_twins(&crates)?;
    let mut built = Vec::with_capacity(crates.len());
    let mut left: Vec<cargo::Crate> = crates;
    while let Some(first) = left.first() {
        let root = first.workspace_root.clone();
        let (together, rest): (Vec<_>, Vec<_>) = left.into_iter().partition(|plugin| plugin.workspace_root == root);
        left = rest;
        let toolchain = Toolchain::find(&root)?;
        say(&toolchain.sentence());
        let modules = cargo::compile(&toolchain, &together, options)?;
        for (plugin, module) in together.into_iter().zip(modules) {
            let component = component::make(&module, &plugin)?;
            let file = options.out.join(format!("{}.wasm", component.metadata.id));
            let changed = write_if_changed(&file, &component.bytes)?;
            say(&format!(
                "{} {} → {} ({} KiB{})",
                component.metadata.id,
                component.metadata.version,
                file.display(),
                component.bytes.len().div_ceil(1024),
                if changed { "" } else { ", unchanged" }
            ));
            let bytes = component.bytes.len() as u64;
            built.push(Built { file, bytes, metadata: component.metadata, changed });
        }
    }
    Ok(built)
}

/// Two plugins of one id would overwrite each other's file.
fn refuse_twins(crates: &[cargo::Crate]) -> Result<(), Error> {
    for (place, plugin) in crates.iter().enumerate() {
        let twin = crates.iter().skip(place + 1).find(|other| other.manifest.id == plugin.manifest.id);
        if let Some(twin) = twin {
            return Err(Error::Twins {
                id: plugin.manifest.id.clone(),
                first: plugin.dir.clone(),
                second: twin.dir.clone(),
            });
        }
    }
    Ok(())
}

/// Writes beside the file and renames, so that a watcher never sees half a component; leaves equal bytes alone,
/// so that it isn't woken for nothing.
fn write_if_changed(file: &Path, bytes: &[u8]) -> Result<bool, Error> {
    let failed = |source| Error::Write { path: file.to_owned(), source };
    if std::fs::read(file).is_ok_and(|old| old == bytes) {
        return Ok(false);
    }
    if let Some(dir) = file.parent() {
        std::fs::create_dir_all(dir).map_err(failed)?;
    }
    let beside = file.with_extension("wasm.part");
    std::fs::write(&beside, bytes).map_err(failed)?;
    std::fs::rename(&beside, file).map_err(failed)?;
    Ok(true)
}
