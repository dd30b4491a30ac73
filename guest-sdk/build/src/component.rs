//! From a module to a component with its metadata.
#![allow(
    clippy::wildcard_enum_match_arm,
    clippy::match_wildcard_for_single_variants,
    reason = "matches enums of other crates"
)]

use std::borrow::Cow;

use wasm_encoder::{ComponentSection, CustomSection};
use wasmparser::{Parser, Payload};

use crate::Error;
use crate::cargo::Crate;
use crate::metadata::{Metadata, SECTION};

/// The section in which the SDK leaves its version.
const SDK_SECTION: &str = "tandem:sdk";

pub(crate) struct Component {
    pub(crate) bytes: Vec<u8>,
    pub(crate) metadata: Metadata,
}

pub(crate) fn make(module: &[u8], plugin: &Crate) -> Result<Component, Error> {
    let failed = |message: String| Error::Component { id: plugin.manifest.id.clone(), message };
    let metadata = plugin.manifest.metadata(&plugin.version, plugin.description.as_deref(), sdk_version(module));
    let mut bytes = wit_component::ComponentEncoder::default()
        .module(module)
        .map(|encoder| encoder.validate(true))
        .and_then(|mut encoder| encoder.encode())
        .map_err(|error| failed(format!("{error:#}")))?;
    let json = serde_json::to_vec(&metadata).map_err(|error| failed(error.to_string()))?;
    let section = CustomSection { name: Cow::Borrowed(SECTION), data: Cow::Borrowed(&json) };
    section.append_to_component(&mut bytes);
    Ok(Component { bytes, metadata })
}

fn sdk_version(module: &[u8]) -> Option<String> {
    Parser::new(0).parse_all(module).flatten().find_map(|payload| match payload {
        Payload::CustomSection(section) if section.name() == SDK_SECTION => {
            std::str::from_utf8(section.data()).ok().map(str::to_owned)
        }
        _ => None,
    })
}
