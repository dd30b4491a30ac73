//! A first look at a file, before any of it is compiled: is it a component, is it whole, is it of a sane size?
//!
//! What the look finds out, it finds without running or compiling anything of the file.
#![allow(
    clippy::wildcard_enum_match_arm,
    clippy::match_wildcard_for_single_variants,
    reason = "matches enums of other crates"
)]

use wasmparser::{Parser, Payload};

use super::error::LoadError;
use super::limits::Limits;
use super::metadata::{self, Metadata};

/// Modules and components inside a component; a plugin that wraps a dozen others is none.
const MOST_INNER: usize = 8;
/// Nesting of components.
const MOST_DEPTH: usize = 4;

/// Looks at the bytes and reads what the component says of itself.
pub(super) fn look(bytes: &[u8], limits: &Limits) -> Result<Metadata, LoadError> {
    if bytes.len() > limits.artefact {
        return Err(LoadError::TooLarge(limits.artefact));
    }
    kind(bytes)?;
    let mut metadata = None;
    let (mut functions, mut inner, mut depth) = (0_u32, 0_usize, 0_usize);
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.map_err(|error| LoadError::Damaged(error.to_string()))? {
            Payload::ModuleSection { .. } => {
                inner += 1;
                depth += 1;
            }
            Payload::ComponentSection { .. } => {
                inner += 1;
                depth += 1;
            }
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::CodeSectionStart { count, .. } => functions = functions.saturating_add(count),
            Payload::CodeSectionEntry(body) => {
                let size = body.range().len();
                if size > limits.function_bytes {
                    return Err(too_much(
                        format!("a function of {} KiB", size >> 10),
                        format!("{} KiB", limits.function_bytes >> 10),
                    ));
                }
            }
            Payload::CustomSection(section) if section.name() == metadata::SECTION && depth == 0 => {
                if metadata.is_some() {
                    return Err(LoadError::Metadata("it says it twice".into()));
                }
                metadata = Some(metadata::parse(section.data())?);
            }
            _ => {}
        }
        if functions > limits.functions {
            return Err(too_much(format!("{functions} functions"), limits.functions.to_string()));
        }
        if inner > MOST_INNER || depth > MOST_DEPTH {
            return Err(too_much(format!("{inner} modules and components inside it"), MOST_INNER.to_string()));
        }
    }
    metadata.ok_or(LoadError::NoMetadata)
}

fn too_much(what: String, most: String) -> LoadError {
    LoadError::TooMuch { what, most }
}

/// By its first bytes.
fn kind(bytes: &[u8]) -> Result<(), LoadError> {
    let what = if bytes.is_empty() {
        "an empty file"
    } else if bytes.starts_with(b"\x7fELF") {
        // Code that somebody else compiled is never run, whoever made it.
        "native code"
    } else if Parser::is_component(bytes) {
        return Ok(());
    } else if Parser::is_core_wasm(bytes) {
        "a core module"
    } else if bytes.starts_with(b"\0asm") {
        return Err(LoadError::Damaged("its header ends early or names no known format".into()));
    } else if bytes.trim_ascii_start().starts_with(b"(") {
        "WebAssembly's text format"
    } else {
        "something else"
    };
    Err(LoadError::NotAComponent(what))
}
