//! The settlement table: outcome by outcome, for requests to either side.

use super::*;
use crate::engine::seal::samples;

fn failure(code: &str) -> Failure {
    Failure {
        code: code.to_owned(),
        errno: Some("ECONNREFUSED".to_owned()),
        status: None,
        summary: "no connection to acme.example".to_owned(),
        detail: None,
        hint: None,
    }
}

fn create() -> Request {
    let plugins = samples::transformation(vec![samples::set("urgency", "1")]);
    seal::create(&samples::link(), samples::material(&samples::share(1), 1, &plugins, &Policy::default()))
}

fn names(requests: &[Request]) -> Vec<&'static str> {
    requests.iter().map(|request| request.operation.name()).collect()
}

fn receipt() -> Outcome {
    Outcome::Applied(Receipt { ticket: Some(samples::ticket()), ..Receipt::default() })
}

#[test]
fn a_created_ticket_opens_the_link_and_goes_back_to_bigpanda() {
    let settled = settle(&samples::link(), &create(), 0, receipt(), &Policy::default());
    let link = settled.link.expect("changed");
    assert_eq!(link.state, LinkState::Open);
    assert_eq!(link.ticket, Some(samples::ticket()));
    assert!(link.written.contains_key("urgency") && link.written.contains_key("correlation_id"));
    assert_eq!(names(&settled.follow_ups), ["callback", "tag-incident", "comment-incident"]);
    assert_eq!(settled.step, Step::Done);
}

#[test]
fn follow_ups_have_keys_of_their_own_that_a_repeat_finds_again() {
    let once = settle(&samples::link(), &create(), 0, receipt(), &Policy::default()).follow_ups;
    let twice = settle(&samples::link(), &create(), 0, receipt(), &Policy::default()).follow_ups;
    assert_eq!(once, twice);
    let mut keys: Vec<_> = once.iter().map(|request| request.key.clone()).collect();
    keys.dedup();
    assert_eq!(keys.len(), 3);
}

#[test]
fn the_ladder_is_six_attempts_with_the_dead_letter_after_the_fifth() {
    let policy = Policy::default();
    let mut ladder = Vec::new();
    for failures in 0..6 {
        let settled =
            settle(&samples::link(), &create(), failures, Outcome::NotApplied(failure("transport.connect")), &policy);
        ladder.push(match settled.step {
            Step::Again { wait, counted: true, uncertain: false, dead_letter, .. } => {
                format!("{}m{}", wait.as_secs() / 60, if dead_letter { " dead-letter" } else { "" })
            }
            Step::Dead { .. } => format!("dead, {:?}", settled.alarm),
            other => panic!("{other:?}"),
        });
    }
    assert_eq!(ladder, ["15m", "15m", "15m", "15m", "15m dead-letter", "dead, Exhausted"]);
}

#[test]
fn an_unknown_outcome_is_looked_into_before_the_next_try() {
    let settled = settle(&samples::link(), &create(), 0, Outcome::Unknown(failure("x")), &Policy::default());
    assert!(matches!(settled.step, Step::Again { uncertain: true, counted: true, .. }));
}

#[test]
fn a_pause_burns_no_attempt() {
    let outcome = Outcome::Paused { failure: failure("servicenow.rate"), wait: Duration::from_secs(20) };
    let settled = settle(&samples::link(), &create(), 4, outcome, &Policy::default());
    assert!(matches!(settled.step, Step::Again { counted: false, .. }));
    assert_eq!(settled.pause, Some(Duration::from_secs(20)));
    assert!(settled.follow_ups.is_empty());
}

#[test]
fn refused_credentials_pause_the_instance_with_one_alarm() {
    let settled = settle(&samples::link(), &create(), 0, Outcome::Auth(failure("servicenow.auth")), &Policy::default());
    assert_eq!(settled.alarm, Alarm::Credentials);
    assert_eq!(settled.pause, Some(CREDENTIALS_PAUSE));
    assert!(matches!(settled.step, Step::Again { counted: false, .. }));
}

#[test]
fn the_incident_hears_of_a_failure_once_per_series() {
    let policy = Policy::default();
    let first = settle(&samples::link(), &create(), 0, Outcome::NotApplied(failure("x")), &policy);
    assert_eq!(names(&first.follow_ups), ["callback", "tag-incident", "comment-incident"]);
    let link = first.link.expect("marked");
    assert!(link.error_shown);
    let second = settle(&link, &create(), 1, Outcome::NotApplied(failure("x")), &policy);
    assert!(second.follow_ups.is_empty());
    let cured = settle(&link, &create(), 2, receipt(), &policy);
    assert!(!cured.link.expect("changed").error_shown);
    assert_eq!(names(&cured.follow_ups), ["callback", "tag-incident", "comment-incident"]);
}

#[test]
fn the_comment_on_a_failure_says_what_failed_and_what_happens_next() {
    let settled = settle(&samples::link(), &create(), 0, Outcome::NotApplied(failure("x")), &Policy::default());
    let text = settled.follow_ups.iter().find_map(|request| match &request.operation {
        Operation::CommentIncident { text, marker, .. } => Some(text.replace(marker.as_str(), "MARK")),
        Operation::CreateTicket { .. }
        | Operation::UpdateTicket { .. }
        | Operation::Callback { .. }
        | Operation::TagIncident { .. }
        | Operation::ResolveIncident { .. } => None,
    });
    insta::assert_snapshot!(text.expect("a comment"), @"Tandem could not write to ServiceNow: no connection to acme.example (ECONNREFUSED). It is tried again in 15 minutes. MARK");
}

#[test]
fn a_failure_without_an_answer_is_told_without_words_of_this_machine() {
    let summary = "ServiceNow refused the connection (ECONNREFUSED)".to_owned();
    let detail = Some("Connection refused (os error 111)".to_owned());
    let unreached = Failure { summary, detail: detail.clone(), ..failure("transport.connect") };
    assert_eq!(
        error_text(&unreached, "Next."),
        "Tandem could not write to ServiceNow: ServiceNow refused the connection (ECONNREFUSED). Next."
    );
    let reported = Failure { errno: None, detail: Some("no such table.".to_owned()), ..failure("servicenow.reported") };
    assert_eq!(
        error_text(&reported, "Next."),
        "Tandem could not write to ServiceNow: no connection to acme.example. ServiceNow says: no such table. Next."
    );
}

#[test]
fn a_failed_comment_never_leads_to_a_comment() {
    let follow_ups = settle(&samples::link(), &create(), 0, receipt(), &Policy::default()).follow_ups;
    for request in follow_ups {
        let settled = settle(&samples::open_link(), &request, 0, Outcome::Refused(failure("x")), &Policy::default());
        assert!(settled.follow_ups.is_empty(), "{}", request.operation.name());
        assert!(matches!(settled.step, Step::Dead { .. }));
    }
}

#[test]
fn a_deleted_ticket_parks_its_link() {
    let link = samples::open_link();
    let plugins = samples::transformation(vec![samples::set("urgency", "1")]);
    let (share, policy) = (samples::share(1), Policy::default());
    let material = samples::material(&share, 2, &plugins, &policy);
    let request = seal::update(&link, &samples::ticket().sys_id, material).expect("differs");
    let settled = settle(&link, &request, 0, Outcome::Missing(failure("servicenow.missing")), &Policy::default());
    assert!(matches!(settled.step, Step::Parked { .. }));
    assert_eq!(settled.alarm, Alarm::Parked);
    let link = settled.link.expect("changed");
    assert_eq!(link.state, LinkState::Parked);
    // It was only hidden: a person made it visible and had the request tried again.
    let settled = settle(&link, &request, 0, Outcome::Applied(Receipt::default()), &policy);
    let link = settled.link.expect("changed");
    assert_eq!((link.state, link.parked), (LinkState::Open, None));
}

#[test]
fn a_final_refusal_alarms_once_whichever_side_refuses() {
    let policy = Policy::default();
    let comment = settle(&samples::link(), &create(), 0, receipt(), &policy).follow_ups.pop().expect("a comment");
    for request in [create(), comment] {
        let settled = settle(&samples::open_link(), &request, 0, Outcome::Refused(failure("x")), &policy);
        assert_eq!(settled.alarm, Alarm::Refused, "{}", request.operation.name());
    }
}
