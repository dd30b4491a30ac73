//! Small work on texts: lines, numbers, titles, and cutting on a grapheme border.

use unicode_segmentation::UnicodeSegmentation;

/// Adds `name: value` and a line end. Control characters but line ends and tabs have no place in a ticket.
pub(crate) fn line(body: &mut String, name: &str, value: &str) {
    push(body, name);
    body.push_str(": ");
    push(body, value.trim());
    body.push('\n');
}

fn push(body: &mut String, text: &str) {
    let unwanted = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    for part in text.split(unwanted) {
        body.push_str(part);
    }
}

/// Adds a number in digits.
pub(crate) fn number(body: &mut String, number: usize) {
    if number > 9 {
        self::number(body, number / 10);
    }
    body.push(char::from(b'0' + (number % 10) as u8));
}

/// `cmdb_ci` → `Cmdb Ci`.
pub(crate) fn title(name: &str) -> String {
    let mut title = String::with_capacity(name.len());
    for word in name.split(['_', '-', ' ']).filter(|word| !word.is_empty()) {
        if !title.is_empty() {
            title.push(' ');
        }
        let mut letters = word.chars();
        title.extend(letters.next().into_iter().flat_map(char::to_uppercase));
        title.push_str(letters.as_str());
    }
    title
}

/// The text as a journal shows it: there, what stands between `[code]` and `[/code]` would be taken for HTML.
pub(crate) fn without_markup(text: &str) -> String {
    text.replace("[code]", "[ code ]")
}

pub(crate) fn length(text: &str) -> usize {
    text.chars().count()
}

/// Whether it has more characters than that.
pub(crate) fn is_longer(text: &str, limit: usize) -> bool {
    text.len() > limit && length(text) > limit
}

/// Cuts a text that is too long, and says so with an ellipsis at its end.
pub(crate) fn shorten(body: &mut String, limit: usize) {
    if is_longer(body, limit) {
        let kept = cut(body, limit.saturating_sub(3)).trim_end().len();
        body.truncate(kept);
        body.push_str("…\n\n");
    }
}

/// At most so many characters, ending on a grapheme border.
pub(crate) fn cut(text: &str, limit: usize) -> &str {
    if !is_longer(text, limit) {
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
