//! Reading BigPanda's shares: body and headers to `domain::share::Share`, whatever the dialect.
//!
//! Pure and quick; `web` calls [`read`] before it answers, [`stored`] makes the bytes that the inbox keeps and
//! [`restore`] reads them after a restart. A body that can't be a share is a typed error with the place in the
//! body and the remedy. Headers never spoil a share, except when they are not text.

mod error;
mod headers;

use bytes::Bytes;
use sha2::{Digest, Sha256};

pub use self::error::Unusable;
pub use self::headers::{Destination, Layers, layers};
use super::convert;
use super::dialect::{Body, Envelope, Links, Metadata};
use super::tolerant::{Found, Text};
use crate::domain;
use crate::domain::id::EnvironmentId;
use crate::domain::share::{Overrides, Share, ShareKind};

/// A share with the destination that its headers name, which is never stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    pub share: Share,
    pub destination: Destination,
}

/// Reads a delivery: the body and the headers (names in any case). Headers that don't concern us are passed over.
pub fn read<'h>(body: &[u8], headers: impl IntoIterator<Item = (&'h str, &'h [u8])>) -> Result<Delivery, Unusable> {
    let Layers { overrides, destination } = layers(headers)?;
    let mut share = parse(body)?;
    let remarks = std::mem::replace(&mut share.overrides, overrides).ignored;
    share.overrides.ignored.extend(remarks);
    Ok(Delivery { share, destination })
}

/// Reads a body alone. Remarks about odd values are among `overrides.ignored`.
pub fn parse(body: &[u8]) -> Result<Share, Unusable> {
    let text = std::str::from_utf8(body).map_err(|cause| Unusable::Encoding { offset: cause.valid_up_to() })?;
    // Some relays put a byte order mark in front.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim_ascii().is_empty() {
        return Err(Unusable::Empty);
    }
    let body = match serde_json::from_str::<Found<Body<'_>>>(text).map_err(Unusable::json)? {
        Found::Value(body) => body,
        Found::Missing => return Err(Unusable::Kind { path: "$".to_owned(), kind: "null", expected: "an object" }),
        Found::Odd(kind) => return Err(Unusable::Kind { path: "$".to_owned(), kind, expected: "an object" }),
    };
    let Body { mut envelope, bare } = body;
    let read = match std::mem::take(&mut envelope.incident) {
        Found::Missing => convert::incident(bare, "$")?,
        Found::Value(mut wrapped) => {
            // Composed bodies put these beside the incident.
            if wrapped.tags.is_missing() {
                wrapped.tags = bare.tags;
            }
            if wrapped.assignee.is_missing() {
                wrapped.assignee = bare.assignee;
            }
            if wrapped.changes.is_missing() {
                wrapped.changes = bare.changes;
            }
            convert::incident(*wrapped, "$.incident")?
        }
        Found::Odd(kind) => {
            return Err(Unusable::Kind {
                path: "$.incident".to_owned(),
                kind,
                expected: "an object with the incident",
            });
        }
    };
    Ok(assemble(envelope, read))
}

fn assemble(envelope: Envelope<'_>, read: convert::Read) -> Share {
    let convert::Read { incident, complete, remarks } = read;
    let Envelope {
        metadata,
        links,
        event,
        sender,
        assigner,
        environment_id,
        environment_name,
        incident_url,
        timeline_url,
        ..
    } = envelope;
    let metadata = taken::<Metadata<'_>>(metadata);
    let links = taken::<Links<'_>>(links);
    let environment = first([metadata.environment_id, environment_id])
        .and_then(|id| EnvironmentId::new(&id).ok())
        .or_else(|| incident.environments.iter().find_map(|id| environment(id)));
    let sender = [metadata.sender, sender, assigner].into_iter().find_map(|found| match found {
        Found::Value(raw) => convert::person(raw),
        Found::Missing | Found::Odd(_) => None,
    });
    let sender =
        sender.map_or_else(String::new, |person| if person.email.is_empty() { person.name } else { person.email });
    let owned = |text: Option<Text<'_>>| text.map_or_else(String::new, Text::into_owned);
    Share {
        kind: first([event, metadata.event]).map_or(ShareKind::Unnamed, |name| ShareKind::parse(&name)),
        environment_id: environment,
        environment_name: owned(first([metadata.environment_name, environment_name])),
        sender,
        links: domain::share::Links {
            incident: owned(first([links.incident, incident_url])),
            timeline: owned(first([links.timeline, timeline_url])),
            preview: owned(first([links.preview, envelope.preview_url])),
        },
        // What an incomplete share lacks or gets wrong is fetched, so there is nothing to remark on.
        overrides: Overrides { ignored: if complete { remarks } else { Vec::new() }, ..Overrides::default() },
        incident,
        complete,
    }
}

/// Any environment that holds the incident serves for writing back. The list may also hold names; an id is what
/// looks like one.
fn environment(text: &str) -> Option<EnvironmentId> {
    (text.len() == 24 && text.bytes().all(|byte| byte.is_ascii_hexdigit())).then(|| EnvironmentId::new(text).ok())?
}

fn taken<T: Default>(found: Found<T>) -> T {
    match found {
        Found::Value(value) => value,
        Found::Missing | Found::Odd(_) => T::default(),
    }
}

fn first<const N: usize>(candidates: [Found<Text<'_>>; N]) -> Option<Text<'_>> {
    candidates.into_iter().find_map(|found| match found {
        Found::Value(text) => Some(text),
        Found::Missing | Found::Odd(_) => None,
    })
}

/// Equal for two deliveries of the same thing: a hexadecimal SHA-256 over the incident's id, the event kind, the
/// revision, the body and the headers that change behaviour.
pub fn dedupe_key(share: &Share, body: &[u8]) -> String {
    let mut hash = Sha256::new();
    let mut part = |bytes: &[u8]| {
        // The length keeps two neighbouring parts from passing for one.
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    };
    part(share.incident.id.as_str().as_bytes());
    part(share.kind.as_str().as_bytes());
    part(&share.incident.revision().to_le_bytes());
    part(body);
    let Overrides { settings, fields, mapping, ignored: _ } = &share.overrides;
    for (name, value) in settings.iter().chain(fields) {
        part(name.as_bytes());
        part(value.as_bytes());
    }
    for (from, to) in mapping {
        part(from.as_bytes());
        part(to.as_bytes());
    }
    let digest = hash.finalize();
    let mut text = String::with_capacity(64);
    for byte in digest {
        for nibble in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
        }
    }
    text
}

/// The bytes that the inbox keeps: one line with the overrides in JSON, then the body as it came. Nothing is
/// encoded again, so this costs a copy; and what plugins may see raw is still there.
pub fn stored(overrides: &Overrides, body: &[u8]) -> Bytes {
    let mut bytes = Vec::with_capacity(body.len() + 64);
    if *overrides == Overrides::default() {
        bytes.extend_from_slice(b"{}");
    } else if serde_json::to_writer(&mut bytes, overrides).is_err() {
        // Maps and lists of texts always have a JSON form; an empty line still leaves the share readable.
        bytes.clear();
        bytes.extend_from_slice(b"{}");
    }
    bytes.push(b'\n');
    bytes.extend_from_slice(body);
    bytes.into()
}

/// The body inside stored bytes, as BigPanda sent it.
pub fn raw(stored: &[u8]) -> &[u8] {
    stored.iter().position(|byte| *byte == b'\n').and_then(|at| stored.get(at + 1..)).unwrap_or_default()
}

/// Reads stored bytes again. The result equals what [`read`] gave.
pub fn restore(stored: &[u8]) -> Result<Share, Unusable> {
    let head = stored.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let mut share = parse(raw(stored))?;
    if head != b"{}" {
        share.overrides = serde_json::from_slice(head).map_err(Unusable::json)?;
    }
    Ok(share)
}
