//! Hides secrets in the text of a configuration file before a line of it is quoted.
//!
//! Works on text, not on values, because a file that cannot be parsed is quoted too. It hides rather too much than
//! too little, and keeps every byte's place, so that spans still fit.

/// A key whose value is hidden when its name contains one of these.
const WORDS: [&str; 7] = ["passw", "pwd", "secret", "token", "key", "credential", "webhook_url"];

/// Keys of secrets, without underscores: a slip of the pen on one of them still hides the value.
const KEYS: [&str; 7] = ["password", "secret", "token", "apikey", "appkey", "bearertoken", "clientsecret"];

/// The same text with the values of secret-looking keys as asterisks, byte for byte.
pub(super) fn mask(text: &str) -> String {
    let mut masked = text.as_bytes().to_vec();
    let mut at = 0;
    while let Some(found) = text.get(at..).and_then(|rest| rest.find('=')) {
        let equals = at + found;
        at = equals + 1;
        if !is_secret(key_before(text.get(..equals).unwrap_or(""))) {
            continue;
        }
        let Some(rest) = text.get(at..) else { break };
        let start = at + (rest.len() - rest.trim_start_matches([' ', '\t']).len());
        let end = start + value_length(text.get(start..).unwrap_or(""));
        for byte in masked.iter_mut().take(end).skip(start).filter(|byte| **byte != b'\n' && **byte != b'\r') {
            *byte = b'*';
        }
        at = end.max(at);
    }
    hide_user_info(text, &mut masked);
    String::from_utf8(masked).unwrap_or_else(|_| "*".repeat(text.len()))
}

/// Hides `user:password@` in addresses.
fn hide_user_info(text: &str, masked: &mut [u8]) {
    for (found, _) in text.match_indices("://") {
        let start = found + 3;
        let rest = text.get(start..).unwrap_or("");
        let end = rest.find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '/')).unwrap_or(rest.len());
        if let Some(sign) = rest.get(..end).and_then(|host| host.rfind('@')) {
            masked.iter_mut().skip(start).take(sign).for_each(|byte| *byte = b'*');
        }
    }
}

fn key_before(text: &str) -> &str {
    let line = text.rsplit('\n').next().unwrap_or("").trim_end_matches([' ', '\t', '"', '\'']);
    let start = line.rfind(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '-')).map_or(0, |i| i + 1);
    line.get(start..).unwrap_or("")
}

pub(super) fn is_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase().replace('-', "_");
    let plain = key.replace('_', "");
    WORDS.iter().any(|word| key.contains(word) || plain.contains(&word.replace('_', ""))) || is_misspelt(&plain)
}

/// Whether a key is nearly one of a secret, or ends in nearly one, as in `proxy_pasword`.
fn is_misspelt(key: &str) -> bool {
    let near = |word: &str, secret: &str| strsim::damerau_levenshtein(word, secret) <= secret.len() / 4;
    KEYS.iter().any(|secret| {
        let longest = secret.len() + 1;
        near(key, secret)
            || (longest.saturating_sub(3)..=longest).any(|length| {
                key.len().checked_sub(length).and_then(|start| key.get(start..)).is_some_and(|end| near(end, secret))
            })
    })
}

/// How much of the text from the start of a value on is hidden.
fn value_length(text: &str) -> usize {
    let line = text.find('\n').unwrap_or(text.len());
    let until = |close: &str, from: usize| {
        text.get(from..).and_then(|rest| rest.find(close)).map_or(text.len(), |found| from + found + close.len())
    };
    if text.starts_with("\"\"\"") {
        until("\"\"\"", 3)
    } else if text.starts_with("'''") {
        until("'''", 3)
    } else if text.starts_with('{') {
        let whole = until("}", 1);
        let inside = text.get(1..whole).unwrap_or("").trim_start();
        // A reference to the environment or to a file is not itself secret.
        if inside.starts_with("env") || inside.starts_with("file") { 0 } else { whole }
    } else if text.starts_with('[') {
        until("]", 1)
    } else {
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_secret_keys_are_hidden_in_any_notation() {
        for hidden in [
            "password = \"swordfish\"",
            "password=\"swordfish",
            "\"api_key\" = 'swordfish'",
            "apiKey = swordfish",
            "servicenow.oauth = { client_secret = \"swordfish\", grant = \"x\" }",
            "token = \"\"\"\nswordfish\n\"\"\"",
            "token = [\n \"swordfish\",\n]",
            "token = { value = \"swordfish\" }",
            "url = \"https://admin:swordfish@acme.example\"",
            "pasword = \"swordfish\"",
            "api_kye = \"swordfish\"",
            "clientSceret = \"swordfish\"",
            "proxy_pasword = \"swordfish",
            "tokne = \"swordfish\"",
            "webhook_url = \"https://hooks.example.com/swordfish\"",
        ] {
            let masked = mask(hidden);
            assert!(!masked.contains("swordfish"), "{masked}");
            assert_eq!(masked.len(), hidden.len());
        }
    }

    #[test]
    fn other_values_and_references_stay_readable() {
        let text = "url = \"https://acme.example\"\npassword = { env = \"PW\" }\ntable = \"incident\"";
        assert_eq!(mask(text), text);
        let keys = include_str!("../../config.default.toml");
        let hidden = mask(keys).lines().zip(keys.lines()).filter(|(masked, line)| masked != line).count();
        assert!(hidden < 20, "{hidden} lines of the reference are hidden");
    }
}
