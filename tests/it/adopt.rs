//! Taking over the tickets of the original: none is made, none is changed, and the next share goes to the old one.

use std::collections::BTreeMap;

use serde_json::Value;
use tandem::simulator::Config;

use crate::support::{World, incident, tandem};

const RESOLVED: [(&str, &str); 3] = [("state", "6"), ("close_code", "Solution provided"), ("close_notes", "restarted")];

/// Polls that see the original's tickets.
const SYNC: &str = "[integration.acme.sync]\ninterval = \"1 s\"\noverlap = \"5 s\"\n\
    servicenow_query = \"correlation_idSTARTSWITHbigpanda:^ORx_bip_panda_bigpanda_idISNOTEMPTY\"";

async fn adopt(world: &World, arguments: &[&str]) -> (i32, String, String) {
    let file = world.written();
    let directory = world.directory().to_owned();
    let arguments = [&["adopt", "--config", file.to_str().unwrap()], arguments].concat();
    let arguments: Vec<String> = arguments.into_iter().map(str::to_owned).collect();
    let run = move || tandem(&directory, &[], &arguments.iter().map(String::as_str).collect::<Vec<_>>());
    let output = tokio::task::spawn_blocking(run).await.unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// A ticket that the original made for an incident.
fn theirs(world: &World, incident: &str) {
    let fields = BTreeMap::from([
        ("x_bip_panda_bigpanda_id".to_owned(), incident.to_owned()),
        ("short_description".to_owned(), format!("made by the original for {incident}")),
    ]);
    world.sim.bulk("incident", 1, &fields).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_open_tickets_are_taken_over_in_one_run_and_none_is_touched() {
    let mut world = World::with(Config { original: true, accept_unknown_incidents: true, ..Config::default() }).await;
    for number in 0..1000 {
        theirs(&world, &incident(number).0);
    }
    let before = world.sim.tickets();

    let (code, told, _) = adopt(&world, &[]).await;
    assert_eq!(code, 0, "{told}");
    assert!(told.starts_with("1000 tickets to take over, 0 are linked already\n"), "{told}");
    assert!(told.contains("nothing was changed; `tandem adopt --config "), "{told}");
    assert!(told.ends_with("tandem.toml --apply` writes the links while no host runs\n"), "{told}");

    let (code, told, talk) = adopt(&world, &["--apply"]).await;
    assert_eq!((code, told.as_str()), (0, "1000 links made, 0 were there already; no ticket was changed\n"), "{talk}");
    let (code, told, _) = adopt(&world, &[]).await;
    assert!(code == 0 && told.starts_with("0 tickets to take over, 1000 are linked already\nnothing"), "{told}");
    let (_, told, _) = adopt(&world, &["--apply"]).await;
    assert_eq!(told, "0 links made, 1000 were there already; no ticket was changed\n");
    let writes = world.sim.servicenow_requests().requests().into_iter().filter(|request| request.method != "GET");
    assert_eq!((writes.count(), world.sim.ticket_count()), (0, 1000));

    // The next share of such an incident goes to the ticket that is there.
    assert!(world.start(&[]).await, "{}", world.log());
    let (one, body) = incident(7);
    assert_eq!(world.share(&body).await.unwrap().status, 202);
    world
        .until("the old ticket is updated", |world| {
            let ticket = world.sim.tickets().into_iter().find(|ticket| ticket.fields["x_bip_panda_bigpanda_id"] == one);
            !ticket.unwrap().fields["short_description"].starts_with("made by the original")
        })
        .await;
    let changed = world.sim.tickets().iter().zip(&before).filter(|(now, then)| now.fields != then.fields).count();
    assert_eq!((changed, world.sim.ticket_count()), (1, 1000));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_decided_is_left_to_a_person() {
    let world = World::with(Config { original: true, ..Config::default() }).await;
    for id in ["65f1c2a9e0b7d40012000001", "65f1c2a9e0b7d40012000002", "65f1c2a9e0b7d40012000002"] {
        theirs(&world, id);
    }
    let (code, told, _) = adopt(&world, &["--json"]).await;
    let plan: Value = serde_json::from_str(&told).unwrap();
    assert_eq!((code, plan["found"].as_array().unwrap().len(), plan["doubts"].as_array().unwrap().len()), (1, 1, 1));
    let (code, told, _) = adopt(&world, &["--apply"]).await;
    assert_eq!(code, 1);
    insta::assert_snapshot!(told, @r#"
    1 links made, 0 were there already; no ticket was changed
    left to you: 1
      65f1c2a9e0b7d40012000002 has INC0010002, INC0010003: resolve or close all but one in ServiceNow, or let its tag servicenow_link lead to the right one; then run this again. Until then its next share makes one more ticket
    "#);
    // As it says: with one of them out of the way, the other is the one.
    let one = world.sim.tickets().into_iter().find(|ticket| ticket.fields["number"] == "INC0010003").unwrap();
    world.sim.edit_ticket(&one.sys_id, "beth.anglin", &RESOLVED).unwrap();
    let (code, told, _) = adopt(&world, &["--apply"]).await;
    assert_eq!((code, told.as_str()), (0, "1 links made, 1 were there already; no ticket was changed\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_without_the_original_has_nothing_to_take_over() {
    let world = World::new().await;
    theirs(&world, "65f1c2a9e0b7d40012000001");
    let (code, _, talk) = adopt(&world, &[]).await;
    assert_eq!(code, 1);
    insta::assert_snapshot!(talk, @r#"
    error: the table incident has no column x_bip_panda_bigpanda_id, or it may not be read

    hint: `tandem doctor` says whether the original is installed in this instance, and what may be read
    [adopt.column]
    "#);
}

#[tokio::test(flavor = "multi_thread")]
async fn links_are_not_written_under_a_running_host() {
    let mut world = World::with(Config { original: true, ..Config::default() }).await;
    assert!(world.start(&[]).await);
    let (code, _, talk) = adopt(&world, &["--apply"]).await;
    assert_eq!(code, 69);
    assert!(talk.starts_with("error: links are taken over while no host runs"), "{talk}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_to_a_ticket_that_was_taken_over_reaches_its_incident() {
    happens(false).await;
    happens(true).await;
}

/// Whether a host runs already or is only started later.
async fn happens(before_the_start: bool) {
    let world = World::with(Config { original: true, accept_unknown_incidents: true, ..Config::default() }).await;
    let mut world = world.configured(SYNC);
    let (id, share) = incident(7);
    let mut loaded = share.clone();
    loaded["incident"]["shared"] = Value::Bool(true);
    world.sim.load_incident(loaded).unwrap();
    theirs(&world, &id);
    let (code, told, talk) = adopt(&world, &["--apply"]).await;
    assert_eq!(code, 0, "{told}{talk}");
    let ticket = world.sim.tickets().remove(0);
    let resolve = |world: &World| world.sim.edit_ticket(&ticket.sys_id, "beth.anglin", &RESOLVED).unwrap();
    if before_the_start {
        resolve(&world);
    }
    assert!(world.start(&[]).await, "{}", world.log());
    world.until("both sides were looked at", |world| world.looks() >= 2).await;
    if !before_the_start {
        resolve(&world);
    }
    world.until("the incident is resolved", |world| !is_active(world, &id)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_that_was_resolved_when_it_was_taken_over_ends_nothing_until_it_changes() {
    let world = World::with(Config { original: true, accept_unknown_incidents: true, ..Config::default() }).await;
    let mut world = world.configured(SYNC);
    let (id, share) = incident(7);
    let mut loaded = share.clone();
    loaded["incident"]["shared"] = Value::Bool(true);
    world.sim.load_incident(loaded).unwrap();
    theirs(&world, &id);
    let ticket = world.sim.tickets().remove(0);
    world.sim.edit_ticket(&ticket.sys_id, "beth.anglin", &RESOLVED).unwrap();
    let (code, told, talk) = adopt(&world, &[]).await;
    assert!(code == 0 && told.contains(", resolved\n"), "{told}{talk}");
    let (code, told, talk) = adopt(&world, &["--apply"]).await;
    assert_eq!(code, 0, "{told}{talk}");

    assert!(world.start(&[]).await, "{}", world.log());
    world.until("both sides were looked at", |world| world.looks() >= 2).await;
    // A poll finds it, and nothing about it is news but the note.
    world.sim.edit_ticket(&ticket.sys_id, "beth.anglin", &[("short_description", "looked at again")]).unwrap();
    world.until("it was handled", |world| version_known(world, &id) >= 2).await;
    assert!(is_active(&world, &id), "{}", world.log());

    world.sim.edit_ticket(&ticket.sys_id, "beth.anglin", &[("state", "2")]).unwrap();
    world.until("the return was handled", |world| version_known(world, &id) >= 3).await;
    assert!(is_active(&world, &id), "{}", world.log());
    world.sim.edit_ticket(&ticket.sys_id, "beth.anglin", &RESOLVED).unwrap();
    world.until("the incident is resolved", |world| !is_active(world, &id)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_for_ours_names_the_command_that_does_it_and_the_history_says_whose_ticket_it_was() {
    let world = World::with(Config { accept_unknown_incidents: true, ..Config::default() }).await;
    let fields = BTreeMap::from([
        ("correlation_id".to_owned(), "bigpanda:65f1c2a9e0b7d40012000001".to_owned()),
        ("short_description".to_owned(), "made before the store was lost".to_owned()),
    ]);
    world.sim.bulk("incident", 1, &fields).unwrap();
    let (_, told, _) = adopt(&world, &["--ours", "--integration", "acme"]).await;
    assert!(told.ends_with(" --integration acme --ours --apply` writes the links while no host runs\n"), "{told}");
    assert_eq!(adopt(&world, &["--ours", "--apply"]).await.0, 0);
    let said: String = store(&world).query_row("SELECT lines FROM journal", [], |row| row.get(0)).unwrap();
    assert!(said.contains("The ticket INC0010001 was made by Tandem, was not known to this store"), "{said}");

    // A ticket that took the place of a resolved one is the incident's too, and the one that is taken.
    let first = world.sim.tickets().remove(0);
    world.sim.edit_ticket(&first.sys_id, "beth.anglin", &RESOLVED).unwrap();
    let fields = BTreeMap::from([
        ("correlation_id".to_owned(), "bigpanda:65f1c2a9e0b7d40012000001:2".to_owned()),
        ("short_description".to_owned(), "made when the incident came back".to_owned()),
    ]);
    world.sim.bulk("incident", 1, &fields).unwrap();
    std::fs::remove_file(world.directory().join("tandem.db")).unwrap();
    let (code, told, _) = adopt(&world, &["--ours"]).await;
    assert!(code == 0 && told.contains("  65f1c2a9e0b7d40012000001 ⇄ INC"), "{told}");
}

fn is_active(world: &World, incident: &str) -> bool {
    world.sim.incident(incident).unwrap()["active"] == Value::Bool(true)
}

fn store(world: &World) -> rusqlite::Connection {
    rusqlite::Connection::open(world.directory().join("tandem.db")).unwrap()
}

/// The version of the incident's ticket that was handled last.
fn version_known(world: &World, incident: &str) -> i64 {
    let sql = "SELECT coalesce(json_extract(memory, '$.version'), 0) FROM links WHERE incident = ?1";
    store(world).query_row(sql, [incident], |row| row.get(0)).unwrap()
}
