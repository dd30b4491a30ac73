//! Components written by hand below the SDK, from the texts in `tests/components/<name>`.
//!
//! `core.wat` is a core module of the world `short-description-plugin`; `component.wat` is a whole component, for
//! what no world allows.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use serde_json::json;
use wasm_encoder::{ComponentSection, CustomSection};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The component of that name, version 1.0.0, which asks for these grants.
pub fn written(name: &str, grants: &[&str]) -> Vec<u8> {
    let folder = root().join("tests/components").join(name);
    let core = folder.join("core.wat");
    let bytes = if core.is_file() { encoded(&core) } else { wat::parse_file(folder.join("component.wat")).unwrap() };
    described(bytes, name, grants)
}

/// The core module of that name.
pub fn module(name: &str) -> Vec<u8> {
    wat::parse_file(root().join("tests/components").join(name).join("core.wat")).unwrap()
}

fn encoded(core: &Path) -> Vec<u8> {
    let mut module = wat::parse_file(core).unwrap();
    let mut contract = Resolve::default();
    let (package, _) = contract.push_dir(root().join("wit")).unwrap();
    let world = contract.select_world(&[package], Some("short-description-plugin")).unwrap();
    embed_component_metadata(&mut module, &contract, world, StringEncoding::UTF8).unwrap();
    ComponentEncoder::default().module(&module).unwrap().validate(true).encode().unwrap()
}

fn described(mut component: Vec<u8>, id: &str, grants: &[&str]) -> Vec<u8> {
    let metadata =
        json!({ "format": 1, "id": id, "version": "1.0.0", "phase": "map", "priority": 100, "grants": grants });
    let data = metadata.to_string().into_bytes();
    let section = CustomSection { name: Cow::Borrowed(tandem_plugin_build::SECTION), data: Cow::Owned(data) };
    section.append_to_component(&mut component);
    component
}
