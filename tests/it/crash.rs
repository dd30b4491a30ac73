//! `kill -9` at every step of the way: nothing that was accepted is lost, and no incident gets two tickets.
//!
//! The steps are the host's own list, and a step without a test fails one here. The way of a share is swept in this
//! file, everything else in the modules below. Two safeguards are switched off on purpose, to show that the sweep would
//! notice.

mod at_random;
mod files;
mod polls;
mod stopping;
mod store;
mod swap;

use std::collections::BTreeSet;
use std::time::Duration;

use crate::support::{World, incident};
use tandem::simulator::{Action, Fault};
use tandem::steps::Step;

/// What a sweep found at the end.
struct Found {
    /// Incidents whose share was answered 202 and that have no ticket.
    lost: Vec<String>,
    /// Incidents with more than one ticket.
    doubled: Vec<String>,
    /// Incidents with more than one comment.
    commented_twice: Vec<String>,
}

/// The variable that makes a host die at a step, the given time that it is reached.
fn crash_at(step: Step, passage: u32) -> String {
    format!("{}:{passage}", step.as_str())
}

/// Shares a few incidents with a host that dies at the step, starts it again as its supervisor would, and lets
/// BigPanda repeat what was not confirmed.
async fn sweep(step: Step, broken: Option<&str>, repeat: bool) -> Found {
    sweep_from(step, 1, 3, broken, repeat).await
}

/// The same with so many incidents, dying at that passage at the earliest.
async fn sweep_from(step: Step, first: u32, incidents: u32, broken: Option<&str>, repeat: bool) -> Found {
    let mut world = World::new().await;
    if step == Step::Sent {
        // The ticket is made, and the answer comes too late for this life of the host.
        world.sim.servicenow_faults().add(Fault::times(
            1,
            "POST",
            "/table/incident",
            Action::DelayAnswer { millis: 1500 },
        ));
    }
    // Becoming ready passes some steps too. The first passage with shares to lose is the one to die at.
    let mut passage = first;
    loop {
        let at = crash_at(step, passage);
        let mut environment = vec![("TANDEM_CRASH_AT", at.as_str())];
        environment.extend(broken.map(|safeguard| ("TANDEM_BREAK", safeguard)));
        if world.start(&environment).await {
            // A host that dies right after it became ready died at a write of its own.
            tokio::time::sleep(Duration::from_millis(300)).await;
            if world.ended().is_none() {
                break;
            }
        }
        world.wait_for_end().await;
        passage += 1;
        assert!(passage < 20, "the host never becomes ready:\n{}", world.log());
    }

    let shares: Vec<_> = (0..incidents).map(incident).collect();
    let mut confirmed = BTreeSet::new();
    for (id, share) in &shares {
        if world.share(share).await.is_ok_and(|answer| answer.status == 202) {
            confirmed.insert(id.clone());
        }
    }
    let status = world.wait_for_end().await;
    assert_eq!(status.code(), None, "the host was to be killed at {}, not to end by itself", step.as_str());

    let environment: Vec<_> = broken.map(|safeguard| ("TANDEM_BREAK", safeguard)).into_iter().collect();
    assert!(world.start(&environment).await, "the host does not start again:\n{}", world.log());
    if repeat {
        for (id, share) in &shares {
            if confirmed.contains(id) {
                continue;
            }
            let answer = world.share(share).await.unwrap();
            assert_eq!(answer.status, 202, "{}", answer.body);
            confirmed.insert(id.clone());
        }
    }
    let correlation = |id: &str| format!("bigpanda:{id}");
    if broken.is_none() {
        for id in &confirmed {
            world.until_told(id).await;
        }
    }
    // Long enough for a second ticket or comment to appear, if one were to.
    tokio::time::sleep(Duration::from_millis(if broken.is_some() { 3000 } else { 700 })).await;

    sound(&world);
    let ids: Vec<String> = shares.into_iter().map(|(id, _)| id).collect();
    let tickets = |id: &String| world.sim.tickets_of(&correlation(id)).len();
    Found {
        lost: ids.iter().filter(|id| confirmed.contains(*id) && tickets(id) == 0).cloned().collect(),
        doubled: ids.iter().filter(|id| tickets(id) > 1).cloned().collect(),
        commented_twice: ids.iter().filter(|id| world.sim.comments(id).len() > 1).cloned().collect(),
    }
}

/// What a store's file promises of itself holds.
fn sound(world: &World) {
    let db = rusqlite::Connection::open(world.directory().join("tandem.db")).unwrap();
    let said: String = db.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(said, "ok");
    let strays = db.prepare("PRAGMA foreign_key_check").unwrap().query([]).unwrap().next().unwrap().is_some();
    assert!(!strays, "a row names one that is not there");
}

async fn nothing_is_lost_at(step: Step) {
    nothing_is_lost(sweep(step, None, true).await);
}

fn nothing_is_lost(found: Found) {
    assert!(found.lost.is_empty(), "accepted and lost: {:?}", found.lost);
    assert!(found.doubled.is_empty(), "two tickets: {:?}", found.doubled);
    assert!(found.commented_twice.is_empty(), "two comments: {:?}", found.commented_twice);
}

macro_rules! a_crash_loses_nothing {
    ($($name:ident: $step:ident;)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                nothing_is_lost_at(Step::$step).await;
            }
        )*

        /// The steps on the way of a share.
        const ON_THE_WAY: &[(Step, fn())] = &[$((Step::$step, $name)),*];
    };
}

a_crash_loses_nothing! {
    dying_with_the_body_read_confirms_nothing: Received;
    dying_before_the_answer_leaves_makes_one_ticket: Accepted;
    dying_inside_a_batch_keeps_what_was_confirmed: InsideBatch;
    dying_with_an_event_leased_decides_it_again: EventLeased;
    dying_inside_a_plugin_call_decides_it_again: PluginCalled;
    dying_with_an_answer_of_plugins_decides_it_again: Transformed;
    dying_before_the_connection_sends_once: Decided;
    dying_with_the_request_sent_looks_before_it_repeats: Sent;
    dying_with_the_answer_read_looks_before_it_repeats: Answered;
    dying_before_the_follow_ups_sends_each_once: Settled;
}

/// The follow-ups of one incident: callback, tag and comment, one after the other.
const FOLLOW_UPS: u32 = 3;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dying_with_an_answer_of_bigpanda_read_tells_it_everything_once() {
    for passage in 1..=FOLLOW_UPS {
        nothing_is_lost(sweep_from(Step::Told, passage, 1, None, true).await);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dying_between_two_follow_ups_sends_the_rest_and_none_twice() {
    for passage in 1..=FOLLOW_UPS {
        nothing_is_lost(sweep_from(Step::ToldSettled, passage, 1, None, true).await);
    }
}

/// The steps beside it.
const ELSEWHERE: &[(Step, fn())] = &[
    (Step::Told, dying_with_an_answer_of_bigpanda_read_tells_it_everything_once),
    (Step::ToldSettled, dying_between_two_follow_ups_sends_the_rest_and_none_twice),
    (Step::Looked, polls::dying_with_a_page_read_reads_it_again_and_tells_it_once),
    (Step::Checkpoint, store::dying_while_the_log_is_moved_keeps_what_was_confirmed),
    (Step::Migrated, store::dying_inside_a_migration_leaves_a_whole_number_of_them),
    (Step::Copied, files::dying_inside_a_backup_leaves_no_half_of_one),
    (Step::Compiled, swap::dying_before_new_plugins_answer_loses_nothing),
    (Step::Written, files::dying_while_a_file_is_replaced_leaves_the_old_one),
    (Step::Draining, stopping::dying_while_it_stops_repeats_nothing),
];

#[test]
fn every_step_has_its_crash() {
    for step in Step::ALL {
        let tested = ON_THE_WAY.iter().chain(ELSEWHERE).any(|(of, _)| *of == step);
        assert!(tested, "{} is never crashed at", step.as_str());
    }
}

/// The sweep bites: without the look-up, the create whose answer was lost is made a second time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_look_up_the_sweep_finds_a_second_ticket() {
    let found = sweep(Step::Answered, Some("correlation-lookup"), true).await;
    assert!(!found.doubled.is_empty(), "the sweep did not notice that nobody looked");
}

/// The sweep bites: a share that is confirmed before it is durable can be lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_durability_the_sweep_finds_a_lost_share() {
    let found = sweep(Step::InsideBatch, Some("durability"), false).await;
    assert!(!found.lost.is_empty(), "the sweep did not notice that a confirmation came too early");
}
