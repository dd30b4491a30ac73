//! The same request from other answers: what becomes of a dead letter when a person has another plugin tried.
//!
//! Nothing is decided anew: what kind of change it is, whom it goes to and what the host itself adds stays as it was,
//! and so does the key. Called by `sync::redo`.

use super::incident::{CLOSED_ANYWAY, agree_at_create, close_anyway};
use crate::domain::id::EventId;
use crate::domain::link::Link;
use crate::domain::patch::Transformation;
use crate::domain::request::{Operation, Request};
use crate::domain::share::Share;
use crate::domain::ticket::Reference;
use crate::engine::compose::Known;
use crate::engine::decide::incident::is_over;
use crate::engine::policy::Policy;
use crate::engine::seal::{self, Material};

/// What the other answers are about.
#[derive(Clone, Copy)]
pub struct Anew<'a> {
    pub event: EventId,
    pub share: &'a Share,
    pub transformation: &'a Transformation,
    pub policy: &'a Policy,
}

/// Whether a request ends its ticket, so that plugins are asked how.
pub fn closes(request: &Request, share: &Share) -> bool {
    match &request.operation {
        Operation::CreateTicket { fields, .. } | Operation::UpdateTicket { fields, .. } => {
            is_over(&share.incident) && fields.iter().any(|entry| entry.field == "state")
        }
        Operation::Callback { .. }
        | Operation::TagIncident { .. }
        | Operation::CommentIncident { .. }
        | Operation::ResolveIncident { .. } => false,
    }
}

/// Seals the request again. The link is what is remembered once it is stored. `None`: nothing is left to write.
pub fn seal(
    link: &Link,
    before: &Request,
    anew: Anew<'_>,
    look_up: &dyn Fn(&Reference) -> Known,
) -> Option<(Link, Request)> {
    let Anew { event, share, transformation, policy } = anew;
    let mut extra = before.extra.clone();
    if closes(before, share) {
        // What stood in for a plugin without an answer makes room for one with an answer.
        extra.set.retain(|entry| !CLOSED_ANYWAY.contains(&(entry.field.as_str(), entry.value.as_str())));
        close_anyway(transformation, &mut extra);
    }
    let material = Material { share, event, transformation, extra: &extra, policy, look_up };
    let mut link = link.clone();
    let request = match &before.operation {
        Operation::CreateTicket { .. } => {
            let request = seal::create(&link, material);
            agree_at_create(&mut link, share, &request.operation, policy);
            Some(request)
        }
        Operation::UpdateTicket { ticket, .. } => seal::update(&link, ticket, material),
        Operation::Callback { .. }
        | Operation::TagIncident { .. }
        | Operation::CommentIncident { .. }
        | Operation::ResolveIncident { .. } => None,
    }?;
    Some((link, Request { key: before.key.clone(), cause: before.cause.clone(), ..request }))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used)]
    use super::*;
    use crate::domain::request::Extra;
    use crate::domain::ticket::Journal;
    use crate::engine::seal::samples;

    fn value<'a>(request: &'a Request, field: &str) -> Option<&'a str> {
        let (Operation::CreateTicket { fields, .. } | Operation::UpdateTicket { fields, .. }) = &request.operation
        else {
            return None;
        };
        fields.iter().find(|entry| entry.field == field).map(|entry| entry.value.as_str())
    }

    #[test]
    fn key_and_the_hosts_own_part_stay_and_what_plugins_say_is_new() {
        let (share, policy) = (samples::share(1), Policy::default());
        let wrong = samples::transformation(vec![samples::set("urgency", "9"), samples::set("impact", "1")]);
        let extra = Extra { notes: vec![(Journal::WorkNotes, "ann: on it".to_owned())], ..Extra::default() };
        let material = Material { extra: &extra, ..samples::material(&share, 1, &wrong, &policy) };
        let before = seal::create(&samples::link(), material);
        let right = samples::transformation(vec![samples::set("urgency", "1")]);
        let anew = Anew { event: EventId(1), share: &share, transformation: &right, policy: &policy };
        let (_, after) = seal(&samples::link(), &before, anew, &|_| Known::Unasked).expect("a request");
        assert_eq!((&after.key, &after.cause), (&before.key, &before.cause));
        assert_eq!((value(&after, "urgency"), value(&after, "impact")), (Some("1"), None));
        assert_eq!(value(&after, "work_notes"), value(&before, "work_notes"));
        let (_, same) = seal(&samples::link(), &before, Anew { transformation: &wrong, ..anew }, &|_| Known::Unasked)
            .expect("a request");
        assert_eq!(same, before);
    }

    #[test]
    fn a_plugin_that_says_how_to_close_takes_the_place_of_what_stood_in() {
        let mut share = samples::share(1);
        share.incident.active = false;
        let policy = Policy::default();
        let mute = samples::transformation(Vec::new());
        let mut extra = Extra::default();
        close_anyway(&mute, &mut extra);
        let before =
            seal::create(&samples::link(), Material { extra: &extra, ..samples::material(&share, 1, &mute, &policy) });
        assert!(closes(&before, &share));
        let says = samples::transformation(vec![samples::set("state", "7"), samples::set("close_code", "Solved")]);
        let anew = Anew { event: EventId(1), share: &share, transformation: &says, policy: &policy };
        let (_, after) = seal(&samples::link(), &before, anew, &|_| Known::Unasked).expect("a request");
        assert_eq!((value(&after, "state"), value(&after, "close_code")), (Some("7"), Some("Solved")));
        assert_eq!(after.extra, Extra::default());
    }

    #[test]
    fn an_update_without_anything_to_write_is_none() {
        let (share, policy, link) = (samples::share(1), Policy::default(), samples::open_link());
        let says = samples::transformation(vec![samples::set("urgency", "1")]);
        let before = seal::update(&link, &samples::ticket().sys_id, samples::material(&share, 1, &says, &policy));
        let before = before.expect("differs");
        let mute = samples::transformation(Vec::new());
        let anew = Anew { event: EventId(1), share: &share, transformation: &mute, policy: &policy };
        assert_eq!(seal(&link, &before, anew, &|_| Known::Unasked), None);
    }
}
