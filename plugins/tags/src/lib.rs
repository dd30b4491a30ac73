//! Writes incident tags from fields of a ticket: the rows of `tag_mapping` towards BigPanda, or both ways.
//!
//! A tag gets what people read in the ticket. Whether it is news is the host's business.

use std::borrow::Cow;

use serde::Deserialize;
use tandem_guest::{Answer, Event, Patch, Plugin, Tags};

/// Characters of a tag's value.
const LIMIT: usize = 512;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Config {
    tag_mapping: Vec<Mapping>,
}

#[derive(Debug, Deserialize)]
struct Mapping {
    tag: String,
    field: String,
    direction: Direction,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
enum Direction {
    #[serde(rename = "to-servicenow")]
    ToServiceNow,
    #[serde(rename = "to-bigpanda")]
    ToBigPanda,
    #[serde(rename = "both")]
    Both,
}

struct Mapped;

impl Plugin for Mapped {
    type Config = Config;
}

impl Tags for Mapped {
    fn tags(event: &Event, config: &Config) -> Answer<Patch> {
        let mut patch = Patch::new();
        for Mapping { tag, field, direction } in &config.tag_mapping {
            if *direction == Direction::ToServiceNow {
                continue;
            }
            // A field that the ticket doesn't have says nothing about the tag.
            let Some(text) = event.ticket_text(field) else { continue };
            let text = plain(text);
            let operation = match text.trim() {
                "" => patch.unset(tag),
                text => patch.set(tag, cut(text)),
            };
            operation.because(["the ticket's ", field].concat());
        }
        Ok(patch)
    }
}

/// The host refuses control characters; a field that holds one should not cost the tag.
fn plain(value: &str) -> Cow<'_, str> {
    let unwanted = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    if value.contains(unwanted) { Cow::Owned(value.replace(unwanted, "")) } else { Cow::Borrowed(value) }
}

/// At most as many characters as a tag holds.
fn cut(text: &str) -> &str {
    text.char_indices().nth(LIMIT).and_then(|(end, _)| text.get(..end)).unwrap_or(text)
}

tandem_guest::export!(Mapped: Tags);

#[cfg(test)]
mod tests;
