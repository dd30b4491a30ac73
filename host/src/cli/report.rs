//! The one renderer of errors: what went wrong, `caused by:` for each cause, the remedy, and the code in brackets.
//!
//! ```text
//! error: another host is using the store at tandem.db
//! caused by: …
//!
//! hint: stop the other host, or give this one a store of its own
//! [store.locked]
//! ```

use std::fmt::Write as _;
use std::io::IsTerminal as _;

use super::{Exit, output, simulate};
use crate::domain::fault::{Class, Fault, chain};
use crate::{config, plugin, store, web};

/// Prints an error to standard error, and says with which code to end.
pub(super) fn print(error: &anyhow::Error) -> Exit {
    if let Some(invalid) = error.downcast_ref::<config::Error>() {
        output::talk(&configuration(error, invalid, colour()));
        return Exit::Configuration;
    }
    output::talk(&render(error));
    match known(error).map(|known| known.class) {
        Some(Class::Config) => Exit::Configuration,
        Some(Class::Store | Class::Transient) => Exit::Unavailable,
        Some(
            Class::Input
            | Class::Auth
            | Class::Missing
            | Class::Unknown
            | Class::Refused
            | Class::Limit
            | Class::Plugin
            | Class::Bug,
        )
        | None => Exit::Failure,
    }
}

/// Whether standard error takes colour.
pub(super) fn colour() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none()
}

fn render(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for (depth, line) in chain(error.as_ref()).iter().enumerate() {
        let label = if depth == 0 { "error" } else { "caused by" };
        let _ = writeln!(text, "{label}: {line}");
    }
    if let Some(known) = known(error) {
        if let Some(hint) = known.hint {
            let _ = writeln!(text, "\nhint: {hint}");
        }
        let _ = write!(text, "[{}]", known.code);
    }
    text.trim_end().to_owned()
}

/// Every problem of a configuration, and how many there are; before that, what was not done because of them.
fn configuration(error: &anyhow::Error, invalid: &config::Error, colour: bool) -> String {
    let mut text = String::new();
    for problem in &invalid.problems {
        let _ = writeln!(text, "{}\n", problem.render(colour).trim_end());
    }
    let _ = write!(text, "error: {}", chain(error.as_ref()).join(": "));
    text
}

/// What one of our own errors says of itself.
struct Known {
    class: Class,
    code: String,
    hint: Option<String>,
}

/// The outermost of our own errors in the chain.
fn known(error: &anyhow::Error) -> Option<Known> {
    error.chain().find_map(|cause| {
        if let Some(Told { class, code, hint, .. }) = cause.downcast_ref() {
            return Some(Known { class: *class, code: code.clone(), hint: hint.clone() });
        }
        if let Some(error) = cause.downcast_ref::<simulate::Error>() {
            let hint = error.hint().map(str::to_owned);
            let class = if error.is_taken() { Class::Transient } else { Class::Input };
            return Some(Known { class, code: error.code().to_owned(), hint });
        }
        of::<config::Error>(cause)
            .or_else(|| of::<store::Error>(cause))
            .or_else(|| of::<web::Error>(cause))
            .or_else(|| of::<plugin::Error>(cause))
            .or_else(|| of::<plugin::LoadError>(cause))
    })
}

fn of<E: Fault + 'static>(cause: &(dyn std::error::Error + 'static)) -> Option<Known> {
    let fault = cause.downcast_ref::<E>()?;
    Some(Known { class: fault.class(), code: fault.code().to_owned(), hint: fault.hint() })
}

/// An error of a command itself.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(super) struct Told {
    pub(super) class: Class,
    pub(super) code: String,
    pub(super) message: String,
    pub(super) hint: Option<String>,
}

impl Told {
    pub(super) fn new(class: Class, code: &str, message: impl Into<String>) -> Self {
        Self { class, code: code.to_owned(), message: message.into(), hint: None }
    }

    #[must_use]
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_told_with_causes_remedy_and_code() {
        let cause = std::io::Error::other("no space left on device");
        let store = store::Error::Unavailable { what: "the disk is full".to_owned(), source: Some(Box::new(cause)) };
        let error = anyhow::Error::new(store).context("the request was not retried");
        insta::assert_snapshot!(render(&error), @r#"
        error: the request was not retried
        caused by: the store cannot write at the moment: the disk is full
        caused by: no space left on device

        hint: free disk space if it is full; the next try may succeed
        [store.unavailable]
        "#);
    }

    #[test]
    fn an_error_without_remedy_is_told_in_one_line() {
        assert_eq!(render(&anyhow::anyhow!("it rains")), "error: it rains");
    }
}
