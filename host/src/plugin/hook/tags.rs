//! What an operation on incident tags may say. BigPanda has no dictionary of tags; these are the rules of text tags.

use crate::domain::patch::Op;

/// Longest name, in characters.
const LONGEST_NAME: usize = 100;
/// Longest value, in characters.
const LONGEST_VALUE: usize = 512;

/// The operation as it is, or one sentence that says why it may not be.
pub(super) fn check(op: &Op) -> Result<Op, String> {
    match op {
        Op::Set { field: tag, value } | Op::Append { field: tag, value } => {
            check_name(tag)?;
            if value.trim().is_empty() {
                return Err(format!("the tag `{tag}` would have no value; unset removes a tag"));
            }
            check_value(tag, value)?;
        }
        Op::Unset { field: tag } => check_name(tag)?,
        Op::SetReference(reference) => {
            return Err(format!("the tag `{}` takes a text, and set-reference is for ticket fields", reference.field));
        }
        Op::AddNote { text, .. } => {
            if text.trim().is_empty() {
                return Err("the comment is empty".to_owned());
            }
            plain("the comment", text)?;
        }
    }
    Ok(op.clone())
}

/// An empty value passes: it stands for a tag that isn't there.
pub(super) fn check_value(tag: &str, value: &str) -> Result<(), String> {
    let length = value.chars().count();
    if length > LONGEST_VALUE {
        return Err(format!("the tag `{tag}` would have {length} characters; at most {LONGEST_VALUE} may be"));
    }
    plain(&format!("the tag `{tag}`"), value)
}

fn check_name(tag: &str) -> Result<(), String> {
    if tag.trim().is_empty() || tag.chars().count() > LONGEST_NAME || tag.contains(char::is_control) {
        let start: String = tag.chars().take(40).filter(|c| !c.is_control()).collect();
        return Err(format!("`{start}` is no name of a tag: those have 1 to {LONGEST_NAME} plain characters"));
    }
    Ok(())
}

fn plain(what: &str, text: &str) -> Result<(), String> {
    match text.chars().find(|c| c.is_control() && !matches!(c, '\t' | '\n' | '\r')) {
        Some(c) => Err(format!("{what} contains the control character U+{:04X}", u32::from(c))),
        None => Ok(()),
    }
}
