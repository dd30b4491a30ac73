//! What happened to an incident, newest first; the only place where comments can be read.
//!
//! Called by the routes. Holds always: an entry names who did it, which is how callers know their own comments.

use serde_json::{Value as Json, json};

/// One entry of an incident's history.
#[derive(Clone, Debug)]
pub(crate) struct Activity {
    pub(crate) id: u128,
    pub(crate) kind: &'static str,
    pub(crate) at: i64,
    pub(crate) by: &'static str,
    pub(crate) params: Params,
}

/// What an entry tells, kept small because busy incidents have many.
#[derive(Clone, Debug)]
pub(crate) enum Params {
    Comment(Box<str>),
    Tag(Box<str>, Box<str>),
    Other(Json),
}

impl Activity {
    pub(crate) fn json(&self) -> Json {
        let params = match &self.params {
            Params::Comment(text) => json!({ "comment": text }),
            Params::Tag(id, value) => json!({ "tag_id": id, "tag_value": value }),
            Params::Other(other) => other.clone(),
        };
        json!({
            "id": format!("{:032x}", self.id),
            "type": self.kind,
            "timestamp": self.at,
            "created_by": self.by,
            "params": params,
        })
    }
}
