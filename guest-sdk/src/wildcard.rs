//! Patterns as settings write them: `*` stands for any text, and case does not matter.

use std::str::Chars;

/// Whether a text is what the pattern says.
///
/// ```
/// use tandem_guest::wildcard;
///
/// assert!(wildcard::fits("db-*.example.com", "DB-1.example.com"));
/// assert!(!wildcard::fits("db", "db-1"));
/// ```
pub fn fits(pattern: &str, text: &str) -> bool {
    // From left to right; where it fails, the last `*` takes one character more.
    let (mut wanted, mut given) = (pattern.chars(), text.chars());
    let mut star: Option<(Chars<'_>, Chars<'_>)> = None;
    loop {
        let at = given.clone();
        match (wanted.next(), given.next()) {
            (Some('*'), _) => {
                given = at;
                star = Some((wanted.clone(), given.clone()));
            }
            (Some(one), Some(two)) if one == two || one.to_lowercase().eq(two.to_lowercase()) => {}
            (None, None) => return true,
            _ => {
                let Some((after, from)) = &mut star else { return false };
                if from.next().is_none() {
                    return false;
                }
                (wanted, given) = (after.clone(), from.clone());
            }
        }
    }
}
