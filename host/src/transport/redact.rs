//! Keeps secrets and bulk out of texts that people will read.

use std::borrow::Cow;

use crate::domain::secret::MASK;

/// Longest text of another side that is shown, in characters.
const MAX_CHARS: usize = 500;

/// Masks every occurrence of the secrets, and whatever follows `Bearer` or `Basic`.
pub fn redact(text: &str, secrets: &[&str]) -> String {
    let mut text = Cow::Borrowed(text);
    // A very short secret would mask ordinary words; it protects nothing anyway.
    for secret in secrets.iter().filter(|secret| secret.len() >= 4) {
        if text.contains(secret) {
            text = Cow::Owned(text.replace(secret, MASK));
        }
    }
    let mut shown = String::with_capacity(text.len());
    let mut after_scheme = false;
    for word in text.split_inclusive(char::is_whitespace) {
        let bare = word.trim_end();
        if after_scheme && bare.len() >= 8 {
            shown.push_str(MASK);
            shown.push_str(word.get(bare.len()..).unwrap_or_default());
        } else {
            shown.push_str(word);
        }
        let scheme = bare.trim_start_matches(['"', '\'', '(']);
        after_scheme = scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("basic");
    }
    shown
}

/// The text on one line without control characters, cut to 500 characters.
pub fn cut(text: &str) -> String {
    let mut line = String::new();
    let mut length = 0;
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()) {
        if length > 0 {
            line.push(' ');
            length += 1;
        }
        for letter in word.chars() {
            if length >= MAX_CHARS - 1 {
                line.push('…');
                return line;
            }
            line.push(letter);
            length += 1;
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_and_tokens_are_masked() {
        let text = "user bot with hunter2hunter2 sent Authorization: Basic Ym90Omh1bnRlcjI= and \"Bearer abcdefghij\"";
        assert_eq!(
            redact(text, &["hunter2hunter2", "bot"]),
            "user bot with ******** sent Authorization: Basic ******** and \"Bearer ********"
        );
        assert_eq!(redact("Basic authentication is off", &[]), "Basic ******** is off");
    }

    #[test]
    fn a_long_text_is_cut_at_five_hundred_characters() {
        let shown = cut(&"äö \u{1}\n".repeat(400));
        assert_eq!(shown.chars().count(), 500);
        assert!(shown.ends_with('…') && shown.starts_with("äö äö"));
        assert_eq!(cut(" a\tb\u{7}c "), "a b c");
    }
}
