//! What plugins would say, in a few lines: the bundled ones' answers without WebAssembly.

use async_trait::async_trait;
use tandem::domain::event::Occasion;
use tandem::domain::id::PluginId;
use tandem::domain::notice::Notice;
use tandem::domain::patch::{Hook, Op, Origin, Proposal, Transformation};
use tandem::sync::{Notify, Transform, TransformJob};

/// The mapped pair: an incident tag and the ticket field that is kept equal to it.
pub const PAIR: (&str, &str) = ("team", "category");
/// A tag that only goes to the ticket.
pub const ONE_WAY: (&str, &str) = ("urgent", "urgency");

pub struct Plugins;

#[async_trait]
impl Transform for Plugins {
    async fn transform(&self, job: TransformJob) -> Transformation {
        let mut proposals = Vec::new();
        let mut set = |hook: Hook, field: &str, value: &str| {
            let op = Op::Set { field: field.to_owned(), value: value.to_owned() };
            let origin = Origin { plugin: PluginId::new("sample").unwrap(), digest: String::new(), hook };
            proposals.push(Proposal { op, origin, reason: None, on_update: true });
        };
        let asked = |hook: Hook| job.hooks.contains(&hook);
        if asked(Hook::Fields) {
            for (tag, field) in [PAIR, ONE_WAY] {
                if let Some(value) = job.share.incident.tag(tag) {
                    set(Hook::Fields, field, value);
                }
            }
        }
        if asked(Hook::Tags)
            && let Some(ticket) = &job.ticket
            && let Some(value) = ticket.get(PAIR.1)
        {
            set(Hook::Tags, PAIR.0, value);
        }
        if asked(Hook::Closure) && job.occasion != Occasion::TicketChanged {
            set(Hook::Closure, "state", "6");
            set(Hook::Closure, "close_code", "Solution provided");
        }
        Transformation { proposals, generation: 1, ..Transformation::default() }
    }
}

impl Notify for Plugins {
    fn notify(&self, _: Notice) {}
}
