//! What must hold for any sequence of shares and outcomes: one ticket per incident, no lost newest state, quiet at
//! the end. A toy store and a toy ServiceNow stand in for the real ones and follow the same rules.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::compose::Known;
use super::seal::samples;
use super::settle::{Step, settle};
use super::{Decision, Policy, decide, plan};
use crate::domain::event::{Event, Occasion};
use crate::domain::id::{EventId, SysId};
use crate::domain::link::Link;
use crate::domain::outcome::{Failure, Outcome, Receipt};
use crate::domain::request::{Operation, Request, Target};
use crate::domain::ticket::TicketRef;
use crate::domain::time::Timestamp;

/// What happens next in a run.
#[derive(Debug, Clone)]
enum Move {
    /// BigPanda shares a state of that revision, whose urgency is this.
    Share { revision: i64, urgency: u8 },
    /// The pending events are decided.
    Decide,
    /// The waiting request is attempted, and this comes of it.
    Attempt(Luck),
    /// The process dies and comes back: leases are gone, an attempt under way is uncertain.
    Crash { applied: bool },
}

#[derive(Debug, Clone, Copy)]
enum Luck {
    Good,
    NotApplied,
    UnknownApplied,
    UnknownNotApplied,
    Paused,
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let luck = prop_oneof![
        Just(Luck::Good),
        Just(Luck::NotApplied),
        Just(Luck::UnknownApplied),
        Just(Luck::UnknownNotApplied),
        Just(Luck::Paused)
    ];
    let one = prop_oneof![
        3 => (1..50i64, 1..4u8).prop_map(|(revision, urgency)| Move::Share { revision, urgency }),
        3 => Just(Move::Decide),
        4 => luck.prop_map(Move::Attempt),
        1 => any::<bool>().prop_map(|applied| Move::Crash { applied }),
    ];
    prop::collection::vec(one, 1..40)
}

/// A toy world: one link, its pending shares, its waiting request, and the tickets of a ServiceNow.
struct World {
    link: Link,
    pending: Vec<(i64, u8, EventId)>,
    waiting: Option<(Request, u32, bool)>,
    follow_ups: BTreeSet<String>,
    tickets: Vec<BTreeMap<String, String>>,
    events: i64,
    newest: (i64, u8),
    policy: Policy,
}

impl World {
    fn new() -> Self {
        let mut policy = Policy::default();
        // The ladder isn't the subject here; nothing is given up.
        policy.retry.attempts = u32::MAX;
        Self {
            link: samples::link(),
            pending: Vec::new(),
            waiting: None,
            follow_ups: BTreeSet::new(),
            tickets: Vec::new(),
            events: 0,
            newest: (0, 0),
            policy,
        }
    }

    fn share(&mut self, revision: i64, urgency: u8) {
        self.events += 1;
        self.pending.push((revision, urgency, EventId(self.events)));
        if revision >= self.newest.0 {
            self.newest = (revision, urgency);
        }
    }

    fn decide(&mut self) {
        if self.waiting.is_some() {
            return;
        }
        let Some((revision, urgency, event)) = self.pending.iter().max_by_key(|(r, _, e)| (*r, *e)).copied() else {
            return;
        };
        self.pending.clear();
        let share = samples::share(revision);
        let plugins = samples::transformation(vec![samples::set("urgency", &urgency.to_string())]);
        let unasked = |_: &_| Known::Unasked;
        let now = Timestamp::from_seconds(revision);
        let decision = decide::decide(&self.link, &Event::Shared(share.clone().into()), &self.policy, now);
        if matches!(decision, Decision::Nothing { .. }) {
            return;
        }
        let answers = plan::incident::Answers {
            event,
            occasion: Occasion::Shared,
            share: &share,
            decision: &decision,
            transformation: &plugins,
            settlements: &[],
            ticket: None,
            activities: &[],
            policy: &self.policy,
            now,
        };
        let plan::Plan { link, requests, .. } = plan::incident::plan(self.link.clone(), answers, &unasked);
        self.link = link;
        self.waiting = requests.into_iter().next().map(|request| (request, 0, false));
    }

    /// What ServiceNow does with a request; the receipt names the ticket.
    fn apply(&mut self, request: &Request) -> Receipt {
        let at = match &request.operation {
            Operation::CreateTicket { fields, .. } => {
                self.tickets.push(fields.iter().map(|f| (f.field.clone(), f.value.clone())).collect());
                self.tickets.len() - 1
            }
            Operation::UpdateTicket { ticket, fields, .. } => {
                let at: usize = ticket.as_str().trim_start_matches('t').parse().unwrap();
                for field in fields {
                    self.tickets[at].insert(field.field.clone(), field.value.clone());
                }
                at
            }
            other => panic!("not for ServiceNow: {other:?}"),
        };
        Receipt { ticket: Some(ticket_ref(at)), ..Receipt::default() }
    }

    fn attempt(&mut self, luck: Luck, look: bool) {
        let Some((request, failures, uncertain)) = self.waiting.take() else { return };
        let found = look
            && uncertain
            && matches!(request.operation, Operation::CreateTicket { .. })
            && !self.tickets.is_empty();
        let outcome = if found {
            Outcome::Applied(Receipt { ticket: Some(ticket_ref(0)), adopted: true, ..Receipt::default() })
        } else {
            match luck {
                Luck::Good => Outcome::Applied(self.apply(&request)),
                Luck::NotApplied => Outcome::NotApplied(failure()),
                Luck::UnknownApplied => {
                    self.apply(&request);
                    Outcome::Unknown(failure())
                }
                Luck::UnknownNotApplied => Outcome::Unknown(failure()),
                Luck::Paused => Outcome::Paused { failure: failure(), wait: std::time::Duration::from_secs(1) },
            }
        };
        let settled = settle(&self.link, &request, failures, outcome, &self.policy);
        if let Some(link) = settled.link {
            self.link = link;
        }
        for follow_up in settled.follow_ups {
            assert_eq!(follow_up.operation.target(), Target::BigPanda);
            assert!(self.follow_ups.insert(follow_up.key.to_string()) || self.link.error_shown || failures > 0);
        }
        match settled.step {
            Step::Done => {}
            Step::Again { counted, uncertain: unsure, .. } => {
                let failures = if counted { failures + 1 } else { failures };
                self.waiting = Some((request, failures, unsure || (uncertain && !counted)));
            }
            Step::Dead { .. } | Step::Parked { .. } => panic!("nothing is given up here"),
        }
    }

    fn crash(&mut self, applied: bool) {
        let Some((request, failures, uncertain)) = self.waiting.take() else { return };
        if applied && !(uncertain && !self.tickets.is_empty()) {
            self.apply(&request);
        }
        self.waiting = Some((request, failures, true));
    }

    fn run(moves: Vec<Move>, look: bool) -> Self {
        let mut world = Self::new();
        for one in moves {
            match one {
                Move::Share { revision, urgency } => world.share(revision, urgency),
                Move::Decide => world.decide(),
                Move::Attempt(luck) => world.attempt(luck, look),
                Move::Crash { applied } => world.crash(applied),
            }
        }
        // The faults stop.
        for _ in 0..6 {
            world.decide();
            world.attempt(Luck::Good, look);
        }
        world
    }
}

fn ticket_ref(at: usize) -> TicketRef {
    TicketRef { sys_id: SysId::new(&format!("t{at}")).unwrap(), number: format!("INC{at}"), url: "u".into() }
}

fn failure() -> Failure {
    Failure { code: "x".into(), errno: None, status: None, summary: "x".into(), detail: None, hint: None }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_incident_never_has_two_tickets_and_ends_in_its_newest_state(moves in moves()) {
        let world = World::run(moves, true);
        prop_assert!(world.tickets.len() <= 1, "{} tickets", world.tickets.len());
        prop_assert!(world.waiting.is_none() && world.pending.is_empty());
        if world.newest.0 > 0 {
            prop_assert_eq!(&world.tickets[0]["urgency"], &world.newest.1.to_string());
        }
    }
}

/// The property bites: without the look-up the same moves make a second ticket.
#[test]
fn without_the_look_up_a_second_ticket_appears() {
    let moves = vec![
        Move::Share { revision: 1, urgency: 1 },
        Move::Decide,
        Move::Attempt(Luck::UnknownApplied),
        Move::Attempt(Luck::Good),
    ];
    assert_eq!(World::run(moves.clone(), false).tickets.len(), 2);
    assert_eq!(World::run(moves, true).tickets.len(), 1);
}
