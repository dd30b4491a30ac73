//! Answers the hooks of both directions as its setting `mood` says: well, or so that the answer can't be used.
#![allow(clippy::panic)]

use serde::Deserialize;
use tandem_guest::{
    Answer, Closure, Conflict, Decision, Dispute, Error, Event, EventKind, Fields, Journal, Patch, Plugin, Reopen,
    Settlement, Tags,
};

#[derive(Default, Deserialize)]
#[serde(default)]
struct Config {
    mood: Mood,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Mood {
    #[default]
    Well,
    Skip,
    Panic,
    Wrong,
    /// Gives a comment that is none.
    Silent,
}

struct TwoWay;

impl Plugin for TwoWay {
    type Config = Config;
}

impl Config {
    fn mood(&self) -> Answer<Mood> {
        match self.mood {
            Mood::Skip => Err(Error::skip("not in the mood")),
            Mood::Panic => panic!("in a bad mood"),
            mood @ (Mood::Well | Mood::Wrong | Mood::Silent) => Ok(mood),
        }
    }
}

fn kind(event: &Event) -> &'static str {
    match event.kind() {
        EventKind::Shared => "shared",
        EventKind::IncidentChanged => "incident-changed",
        EventKind::TicketChanged => "ticket-changed",
        _ => "unknown",
    }
}

impl Fields for TwoWay {
    fn fields(event: &Event, _: &Config) -> Answer<Patch> {
        let mut patch = Patch::new();
        patch.set("u_owner", format!("fields on {}", kind(event)));
        patch.set("u_seen", seen(event));
        Ok(patch)
    }
}

/// What was proposed before, as this hook sees it.
fn seen(event: &Event) -> String {
    let proposed = event.proposed();
    let fields: Vec<_> = proposed.iter().map(|proposal| proposal.field().to_owned()).collect();
    if fields.is_empty() { "nothing".into() } else { fields.join(" ") }
}

impl Tags for TwoWay {
    fn tags(event: &Event, config: &Config) -> Answer<Patch> {
        let mut patch = Patch::new();
        if let Mood::Wrong = config.mood()? {
            patch.set("", "x");
            patch.set("empty", " ");
            patch.set("long", "x".repeat(513));
            patch.set("bell", "a\u{7}");
            patch.reference("group", "sys_user_group", "name", "Database");
            patch.note(Journal::Comments, "");
            patch.set("right", "x".repeat(512));
            return Ok(patch);
        }
        patch.set("u_owner", format!("tags on {}, {}", kind(event), event.ticket_text("state").unwrap_or("no state")));
        patch.append("u_owner", format!("seen: {}", seen(event)));
        patch.unset("gone");
        patch.note(Journal::Comments, "the ticket changed");
        Ok(patch)
    }
}

impl Closure for TwoWay {
    fn close_ticket(event: &Event, config: &Config) -> Answer<Patch> {
        let mut patch = Patch::new();
        if let Mood::Wrong = config.mood()? {
            patch.set("forbidden", "x");
        }
        patch.set("state", "6").because(kind(event));
        Ok(patch)
    }

    fn comment(event: &Event, config: &Config) -> Answer<Option<String>> {
        Ok(match config.mood()? {
            Mood::Wrong => Some("x".repeat(5_000)),
            Mood::Silent => None,
            Mood::Well | Mood::Skip | Mood::Panic => Some(format!("closed, {}", kind(event))),
        })
    }
}

impl Reopen for TwoWay {
    fn reopen(event: &Event, config: &Config) -> Answer<Decision> {
        Ok(match config.mood()? {
            Mood::Wrong => Decision::Create("x".repeat(5_000)),
            Mood::Silent => Decision::Leave("nothing\u{1b}[31m to say".into()),
            Mood::Well | Mood::Skip | Mood::Panic => Decision::Reopen(format!("back, {}", kind(event))),
        })
    }
}

impl Conflict for TwoWay {
    fn settle(dispute: &Dispute, _: &Event, config: &Config) -> Answer<Settlement> {
        Ok(match config.mood()? {
            Mood::Wrong if dispute.tag == "owner" => Settlement { value: "x".repeat(513), reason: None },
            Mood::Well | Mood::Skip | Mood::Panic | Mood::Wrong | Mood::Silent => Settlement {
                value: format!("{}|{}", dispute.incident_value, dispute.ticket_value),
                reason: Some(format!("{:?} {:?}", dispute.agreed, dispute.ticket_changed)),
            },
        })
    }
}

tandem_guest::export!(TwoWay: Fields, Tags, Closure, Reopen, Conflict);
