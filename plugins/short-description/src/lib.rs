//! Writes the one line by which people know a ticket: `BigPanda Incident: {what} - {status}`.
//!
//! The README has the variants. The line has at most 160 characters, never a line end or another control
//! character, and when it is too long, it is the part before the ending that is cut.

use serde::Deserialize;
use tandem_guest::{Answer, Event, Plugin, ShortDescription, Text};
use unicode_segmentation::UnicodeSegmentation;

/// Characters that the field holds.
const LIMIT: usize = 160;
/// A composition tag of this name replaces the line; the ending is still added.
const COMPOSED: &str = "bp_short_description";
const PREFIX: &str = "BigPanda Incident: ";
const BETWEEN: &str = " - ";

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Config {
    priority_in_short_description: bool,
    priority_tag: String,
    ai_summary_in_short_description: bool,
}

struct Line;

impl Plugin for Line {
    type Config = Config;
}

impl ShortDescription for Line {
    fn short_description(event: &Event, config: &Config) -> Answer<Text> {
        let incident = event.incident();
        let alert = event.primary_alert();
        let status = alert.map_or(incident.status(), |alert| alert.status()).title();
        let priority = event
            .incident_tag(&config.priority_tag)
            .filter(|value| config.priority_in_short_description && !value.trim().is_empty());

        let mut line = String::with_capacity(LIMIT);
        let mut ending = status;
        if let Some(composed) = alert.and_then(|alert| alert.tag(COMPOSED)).filter(|text| !text.trim().is_empty()) {
            push(&mut line, composed);
            ending = priority.unwrap_or(status);
        } else {
            line.push_str(PREFIX);
            if let Some(priority) = priority {
                push(&mut line, priority);
                line.push_str(BETWEEN);
            }
            let summary = incident.summary().filter(|_| config.ai_summary_in_short_description);
            let value = summary.or_else(|| alert.and_then(|alert| alert.primary_value()));
            push(&mut line, value.filter(|text| !text.trim().is_empty()).unwrap_or(incident.id()));
        }

        let mut end = String::with_capacity(BETWEEN.len() + ending.len());
        end.push_str(BETWEEN);
        push(&mut end, ending);
        join(&mut line, &end);
        Ok(Text::new(line).on_update())
    }
}

/// Adds a text as part of a line: without outer spaces, and with a space for each run of spaces, line ends and
/// other control characters inside.
fn push(line: &mut String, text: &str) {
    let break_or_space = |c: char| c.is_whitespace() || c.is_control();
    let mut words = text.split(break_or_space).filter(|word| !word.is_empty());
    if let Some(first) = words.next() {
        line.push_str(first);
    }
    for word in words {
        line.push(' ');
        line.push_str(word);
    }
}

/// Adds the ending, after cutting the line so that both fit.
fn join(line: &mut String, end: &str) {
    let room = LIMIT.saturating_sub(length(end));
    if length(line) > room {
        let kept = cut(line, room.saturating_sub(1)).trim_end().len();
        line.truncate(kept);
        line.push('…');
    }
    line.push_str(end);
    // Only a priority of more than 160 characters gets here.
    let kept = cut(line, LIMIT).len();
    line.truncate(kept);
}

fn length(text: &str) -> usize {
    text.chars().count()
}

/// At most so many characters, ending on a grapheme border.
fn cut(text: &str, limit: usize) -> &str {
    if text.len() <= limit || length(text) <= limit {
        return text;
    }
    let (mut end, mut count) = (0, 0);
    for (at, grapheme) in text.grapheme_indices(true) {
        count += length(grapheme);
        if count > limit {
            break;
        }
        end = at + grapheme.len();
    }
    text.get(..end).unwrap_or_default()
}

tandem_guest::export!(Line: ShortDescription);

#[cfg(test)]
mod tests;
