//! Which id an incident tag has. BigPanda's examples derive ids from names in several ways, so the list of
//! definitions is asked and kept for a while; a tag that doesn't exist is created as a text tag.
//!
//! Only text tags are written: a value of another type would need a form that we don't know.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use tokio::sync::Mutex;

use super::client::{Endpoint, Line};
use super::wire::{Definition, NewDefinition};
use crate::domain::outcome::{Failure, Outcome};

/// How long the list of definitions holds.
const LIFE: Duration = Duration::from_mins(10);

/// Longest name that BigPanda allows, in characters.
const MAX_NAME: usize = 20;

struct Known {
    by_name: HashMap<String, Definition>,
    until: Duration,
}

/// The definitions as they were read last.
#[derive(Default)]
pub(super) struct Definitions {
    known: ArcSwapOption<Known>,
    reading: Mutex<()>,
}

impl Definitions {
    /// The id of the tag with this name, in exact case.
    pub(super) async fn id_of(&self, name: &str, line: &Line) -> Result<String, Outcome> {
        if let Some(found) = self.lookup(name, line) {
            return found;
        }
        let _reading = self.reading.lock().await;
        if let Some(found) = self.lookup(name, line) {
            return found;
        }
        match self.read(line).await {
            Ok(()) => {}
            // The key may not read definitions. Most ids equal their names, and a wrong one is refused anyway.
            Err(Outcome::Refused(failure) | Outcome::Missing(failure)) => {
                tracing::warn!(
                    error.code = failure.code,
                    "BigPanda's tag definitions cannot be read: {}",
                    failure.summary
                );
                return Ok(name.to_owned());
            }
            // Reading changes nothing, so its failure is never uncertain.
            Err(Outcome::Unknown(failure)) => return Err(Outcome::NotApplied(failure)),
            Err(outcome) => return Err(outcome),
        }
        match self.lookup(name, line) {
            Some(found) => found,
            None => self.create(name, line).await,
        }
    }

    /// Makes the next call read the definitions again.
    pub(super) fn forget(&self) {
        self.known.store(None);
    }

    fn lookup(&self, name: &str, line: &Line) -> Option<Result<String, Outcome>> {
        let known = self.known.load();
        let known = known.as_ref().filter(|known| line.peer.clock().elapsed() < known.until)?;
        let Definition { id, kind, active, .. } = known.by_name.get(name)?;
        let refused = |summary: String, hint: &str| {
            let failure = line.peer.coded("tag", summary);
            Some(Err(Outcome::Refused(Failure { hint: Some(hint.to_owned()), ..failure })))
        };
        if !active {
            return refused(
                format!("the incident tag {name} is inactive in BigPanda"),
                "activate it there, or name another tag",
            );
        }
        if !kind.is_empty() && !kind.eq_ignore_ascii_case("text") {
            let summary = format!("the incident tag {name} is of the type {kind}, and only Text tags are written");
            return refused(summary, "name a tag of the type Text");
        }
        Some(Ok(id.clone()))
    }

    async fn read(&self, line: &Line) -> Result<(), Outcome> {
        let url = line.at(&["resources", "v2.0", "incidents", "tags", "definitions"]);
        let definitions: Vec<Definition> = line.list(Endpoint::Definitions, url).await?;
        let by_name = definitions.into_iter().map(|definition| (definition.name.clone(), definition)).collect();
        self.known.store(Some(Arc::new(Known { by_name, until: line.peer.clock().elapsed() + LIFE })));
        Ok(())
    }

    async fn create(&self, name: &str, line: &Line) -> Result<String, Outcome> {
        if name.is_empty() || name.chars().count() > MAX_NAME {
            let summary = format!("BigPanda has no incident tag {name}, and it cannot be created");
            let hint = Some(format!("a tag's name has 1 to {MAX_NAME} characters"));
            return Err(Outcome::Refused(Failure { hint, ..line.peer.coded("tag", summary) }));
        }
        let url = line.at(&["resources", "v2.0", "incidents", "tags", "definitions"]);
        let body = NewDefinition { name, description: "Written by Tandem", kind: "Text" };
        let reply = match line.post(Endpoint::Definitions, url, &body).await {
            Ok(reply) => reply,
            // Whether it exists now shows when the definitions are read again.
            Err(Outcome::Unknown(failure)) => return Err(Outcome::NotApplied(failure)),
            Err(outcome) => return Err(outcome),
        };
        tracing::info!("the incident tag {name} was created in BigPanda");
        self.forget();
        if let Ok(Definition { id, .. }) = serde_json::from_slice(&reply.body) {
            return Ok(id);
        }
        // The answer may have no body; the id shows in the list.
        self.read(line).await?;
        self.lookup(name, line).unwrap_or_else(|| Ok(name.to_owned()))
    }
}
