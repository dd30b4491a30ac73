//! Writing JSON text straight into a buffer, for the replies that are built often.
//!
//! Not a serializer: callers keep the braces balanced. Called by both vendors' renderers.

const ESCAPE: [u8; 256] = escape_table();

const fn escape_table() -> [u8; 256] {
    let mut table = [0_u8; 256];
    let mut index = 0;
    #[expect(clippy::indexing_slicing, reason = "evaluated when compiling")]
    while index < 32 {
        table[index] = b'u';
        index += 1;
    }
    #[expect(clippy::indexing_slicing, reason = "evaluated when compiling")]
    {
        table[b'"' as usize] = b'"';
        table[b'\\' as usize] = b'\\';
        table[b'\n' as usize] = b'n';
        table[b'\r' as usize] = b'r';
        table[b'\t' as usize] = b't';
    }
    table
}

/// Appends `text` as a JSON string with its quotes.
pub(crate) fn string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    escaped(out, text);
    out.push(b'"');
}

/// Appends `text` with JSON escapes and without quotes.
pub(crate) fn escaped(out: &mut Vec<u8>, text: &str) {
    let mut clean = 0;
    for (at, byte) in text.bytes().enumerate() {
        let escape = ESCAPE.get(usize::from(byte)).copied().unwrap_or(0);
        if escape == 0 {
            continue;
        }
        out.extend_from_slice(text.as_bytes().get(clean..at).unwrap_or_default());
        clean = at + 1;
        if escape == b'u' {
            out.extend_from_slice(format!("\\u{byte:04x}").as_bytes());
        } else {
            out.extend_from_slice(&[b'\\', escape]);
        }
    }
    out.extend_from_slice(text.as_bytes().get(clean..).unwrap_or_default());
}

/// Appends a whole number.
pub(crate) fn number(out: &mut Vec<u8>, number: i64) {
    use std::io::Write as _;
    // Writing to a vector cannot fail.
    let _ = write!(out, "{number}");
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    proptest::proptest! {
        #[test]
        fn any_text_reads_back(text in ".*") {
            let mut out = Vec::new();
            super::string(&mut out, &text);
            proptest::prop_assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), text);
        }
    }
}
