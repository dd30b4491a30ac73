//! What every error can say of itself, whatever layer it comes from.
//!
//! The engine and the edges look at the class, never at the vendor. An error's `Display` states its own layer
//! only; its cause is in `source()`, and one renderer (`cli::report`) prints the chain.

use std::error::Error;

/// What a caller has to do about a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// What came in cannot be used; whoever sent it must change it.
    Input,
    /// The configuration is wrong; the operator must change it.
    Config,
    /// Credentials were refused.
    Auth,
    /// The thing named does not exist.
    Missing,
    /// Try again later; nothing was applied.
    Transient,
    /// It may or may not have been applied; look before trying again.
    Unknown,
    /// The other side refused for good.
    Refused,
    /// A limit was reached: size, rate or budget.
    Limit,
    /// A plugin failed.
    Plugin,
    /// The store cannot promise durability at the moment.
    Store,
    /// A state that we hold impossible.
    Bug,
}

/// An error with a stable word-code such as `servicenow.auth`, and the remedy when there is one.
pub trait Fault: Error {
    fn class(&self) -> Class;
    fn code(&self) -> &'static str;
    fn hint(&self) -> Option<String> {
        None
    }
}

/// The texts of an error and of all its causes, outermost first.
pub fn chain(error: &(dyn Error + 'static)) -> Vec<String> {
    let mut texts = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        texts.push(error.to_string());
        next = error.source();
    }
    texts
}
