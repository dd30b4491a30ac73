//! ServiceNow takes no ticket for hours: every attempt to the millisecond, who is told what on the way, and how each way
//! out ends in one ticket.

use std::time::Duration;

use tandem::domain::id::RequestId;
use tandem::domain::outcome::Outcome;
use tandem::domain::share::ShareKind;
use tandem::store::{Desk as _, RequestState, Retried};

use super::calm::{Calm, MINUTE, answered, id, words};
use super::plugins::{ONE_WAY, PAIR};

/// An incident was just shared; ServiceNow answers so to every create, and may make the ticket all the same.
async fn begin(outcome: Outcome, makes_it: bool, within_attempt: &[Duration]) -> Calm {
    let mut calm = Calm::new(|policy| policy.retry.within_attempt = within_attempt.to_vec());
    calm.servicenow.look().refuses = Some((outcome, makes_it));
    calm.start();
    calm.bigpanda.open("incident-0");
    calm.until(Duration::ZERO).await;
    calm
}

fn minutes(all: &[i64]) -> Vec<i64> {
    all.iter().map(|minute| minute * 60_000).collect()
}

const FAILED: &str = "Tandem could not write to ServiceNow: ServiceNow answered 503. It is tried again in 15 minutes.";

#[tokio::test(start_paused = true)]
async fn six_attempts_fifteen_minutes_apart_and_then_a_person() {
    let ladder = begin(Outcome::NotApplied(answered(503)), false, &[]).await;
    let second = Duration::from_secs(1);
    // While the ladder is climbed, the queue shows where it is; the dead letter after the fifth attempt is still due.
    for (minute, state, attempts) in [
        (0, RequestState::Retry, 1),
        (15, RequestState::Retry, 2),
        (30, RequestState::Retry, 3),
        (45, RequestState::Retry, 4),
        (60, RequestState::DeadPending, 5),
        (75, RequestState::Dead, 6),
    ] {
        assert_eq!(ladder.told(), [], "nobody is told before minute 75");
        ladder.until(minute * MINUTE + second).await;
        assert_eq!(ladder.queue().await, [(1, state, attempts)], "minute {minute}");
        // From the first failure on BigPanda knows, and hears nothing more of it.
        ladder.until(minute * MINUTE + 14 * MINUTE).await;
        assert_eq!(ladder.shown(), ("error".to_owned(), vec![FAILED.to_owned()]), "minute {minute}");
    }
    assert_eq!(ladder.asked(), minutes(&[0, 15, 30, 45, 60, 75]));
    let told = ladder.told();
    assert_eq!(told.len(), 1);
    let (at, notice) = &told[0];
    assert_eq!(*at, 75 * MINUTE);
    insta::assert_snapshot!(words(notice), @r#"
    servicenow.unavailable: a request failed for the last time
    Creating the ticket failed: ServiceNow answered 503.
    It waits in the dead-letter queue: `tandem queue list` shows it, `tandem queue retry` tries again.
    "#);

    // Our own tag and comment came back as shares and by polls; they begin nothing anew.
    ladder.until(300 * MINUTE).await;
    assert_eq!(ladder.asked().len(), 6);
    assert_eq!(ladder.queue().await, [(1, RequestState::Dead, 6)]);

    ladder.recover();
    assert_eq!(ladder.store.retry(RequestId(1), ladder.handle().now()).await.unwrap(), Retried::Due);
    ladder.handle().wake();
    ladder.until(301 * MINUTE).await;
    assert_eq!(ladder.asked().last(), minutes(&[300]).last());
    assert_eq!((ladder.tickets(), ladder.queue().await), (1, Vec::new()));
    let (tag, comments) = ladder.shown();
    assert_eq!(tag, ladder.link());
    assert_eq!(comments.len(), 2);
    assert!(comments[1].starts_with("ServiceNow ticket INC"), "{comments:?}");
    ladder.until(400 * MINUTE).await;
    assert_eq!((ladder.tickets(), ladder.told().len()), (1, 1));
    assert!(ladder.handle().drain(MINUTE).await);
}

#[tokio::test(start_paused = true)]
async fn short_retries_belong_to_their_attempt_and_the_next_is_counted_from_its_end() {
    let waits = [Duration::from_secs(1), Duration::from_secs(5)];
    let ladder = begin(Outcome::NotApplied(answered(503)), false, &waits).await;
    ladder.until(120 * MINUTE).await;
    let attempts = (0..6).map(|attempt| attempt * 906_000);
    let expected: Vec<i64> = attempts.flat_map(|at| [at, at + 1_000, at + 6_000]).collect();
    assert_eq!(ladder.asked(), expected);
    let told = ladder.told();
    assert_eq!((told.len(), told[0].0), (1, Duration::from_millis(5 * 906_000 + 6_000)));
    assert_eq!(ladder.shown().1.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_newer_share_makes_the_ticket_and_the_dead_letter_makes_no_second_one() {
    let ladder = begin(Outcome::NotApplied(answered(503)), false, &[]).await;
    ladder.until(80 * MINUTE).await;
    assert_eq!(ladder.queue().await, [(1, RequestState::Dead, 6)]);
    // While ServiceNow is still down the incident changes: that is a series of its own, and no second tag or comment.
    ladder.bigpanda.tag(&id(), PAIR.0, "databases");
    ladder.until(81 * MINUTE).await;
    let [(newer, RequestState::Retry, 1), (1, RequestState::Dead, 6)] = ladder.queue().await[..] else {
        panic!("{:?}", ladder.queue().await)
    };
    assert_eq!(ladder.shown().1.len(), 1);
    let retried = ladder.store.retry(RequestId(1), ladder.handle().now()).await.unwrap();
    assert_eq!(retried, Retried::Overtaken { by: RequestId(newer) });
    ladder.recover();
    ladder.until(100 * MINUTE).await;
    assert_eq!(ladder.tickets(), 1);
    assert_eq!(ladder.servicenow.look().tickets[0].state.field(PAIR.1), "databases");
    assert_eq!(ladder.shown().0, ladder.link());

    assert_eq!(ladder.store.retry(RequestId(1), ladder.handle().now()).await.unwrap(), Retried::Due);
    ladder.handle().wake();
    ladder.until(101 * MINUTE).await;
    assert_eq!((ladder.tickets(), ladder.queue().await), (1, Vec::new()));
    assert_eq!(ladder.servicenow.look().tickets[0].state.field(PAIR.1), "databases");
    assert_eq!((ladder.shown().0, ladder.told().len()), (ladder.link(), 1));
}

#[tokio::test(start_paused = true)]
async fn a_ticket_that_nobody_confirmed_is_found_by_the_create_that_follows() {
    // The first attempt made it, and every answer was lost. The look-ups see nothing for as long as the ladder takes.
    let ladder = begin(Outcome::Unknown(answered(504)), true, &[]).await;
    ladder.until(Duration::from_secs(1)).await;
    assert_eq!(ladder.tickets(), 1);
    ladder.until(16 * MINUTE).await;
    assert_eq!((ladder.asked().len(), ladder.tickets(), ladder.queue().await), (1, 1, Vec::new()), "it was looked for");
    assert_eq!(ladder.shown().0, ladder.link());
    assert_eq!(ladder.told(), []);

    // The same when the dead letter is behind and a newer share creates.
    let ladder = begin(Outcome::Unknown(answered(504)), false, &[]).await;
    ladder.until(74 * MINUTE).await;
    if let Some((_, makes_it)) = &mut ladder.servicenow.look().refuses {
        *makes_it = true;
    }
    ladder.until(80 * MINUTE).await;
    assert_eq!((ladder.tickets(), ladder.queue().await), (1, vec![(1, RequestState::Dead, 6)]));
    assert_eq!(ladder.told().len(), 1);
    ladder.recover();
    ladder.bigpanda.tag(&id(), ONE_WAY.0, "1");
    ladder.until(81 * MINUTE).await;
    assert_eq!((ladder.asked().len(), ladder.tickets()), (6, 1), "it was found, not made again");
    assert_eq!(ladder.shown().0, ladder.link());
}

#[tokio::test(start_paused = true)]
async fn a_person_who_shares_again_begins_anew() {
    let ladder = begin(Outcome::NotApplied(answered(503)), false, &[]).await;
    ladder.until(80 * MINUTE).await;
    ladder.recover();
    let incident = ladder.bigpanda.look().incidents[&id()].incident.clone();
    let again = super::bigpanda::share(&incident, ShareKind::Manual, true);
    ladder.bigpanda.look().shares.push(again);
    ladder.until(80 * MINUTE + Duration::from_secs(5)).await;
    assert_eq!(ladder.asked(), minutes(&[0, 15, 30, 45, 60, 75, 80]));
    assert_eq!((ladder.tickets(), ladder.shown().0), (1, ladder.link()));
}
