//! Pure decisions: what an event means for a link, which request follows, and what an attempt's outcome changes.
//!
//! Functions of their arguments only: no clock, no store, no network, no plugin call. `sync` calls them and carries
//! out what they return. Every state is matched; nothing falls through silently.

pub mod compose;
pub mod decide;
pub mod echo;
pub mod marks;
pub mod merge;
pub mod plan;
pub mod policy;
pub mod reopen;
pub mod seal;
pub mod settle;

#[cfg(test)]
mod props;

pub use decide::Decision;
pub use policy::Policy;
