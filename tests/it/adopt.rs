//! Taking over the tickets of the original: none is made, none is changed, and the next share goes to the old one.

use std::collections::BTreeMap;

use serde_json::Value;
use tandem::simulator::Config;

use crate::support::{World, incident, tandem};

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
    assert!(told.starts_with("1000 open tickets to take over\n"), "{told}");
    assert!(told.ends_with("nothing was changed; `tandem adopt --apply` writes the links while no host runs\n"));

    let (code, told, talk) = adopt(&world, &["--apply"]).await;
    assert_eq!((code, told.as_str()), (0, "1000 links made, 0 were there already; no ticket was changed\n"), "{talk}");
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
    let (_, told, _) = adopt(&world, &["--json"]).await;
    let plan: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(plan["found"].as_array().unwrap().len(), 1);
    let (code, told, _) = adopt(&world, &["--apply"]).await;
    assert_eq!(code, 1);
    insta::assert_snapshot!(told, @r#"
    1 links made, 0 were there already; no ticket was changed
    left to you:
      65f1c2a9e0b7d40012000002 has the open tickets INC0010002, INC0010003: close all but one, or let its tag lead to the right one
    "#);
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
    let sync = "[integration.acme.sync]\ninterval = \"1 s\"\noverlap = \"5 s\"\n\
        servicenow_query = \"correlation_idSTARTSWITHbigpanda:^ORx_bip_panda_bigpanda_idISNOTEMPTY\"";
    let world = World::with(Config { original: true, accept_unknown_incidents: true, ..Config::default() }).await;
    let mut world = world.configured(sync);
    let (id, share) = incident(7);
    let mut loaded = share.clone();
    loaded["incident"]["shared"] = Value::Bool(true);
    world.sim.load_incident(loaded).unwrap();
    theirs(&world, &id);
    let (code, told, talk) = adopt(&world, &["--apply"]).await;
    assert_eq!(code, 0, "{told}{talk}");
    assert!(world.start(&[]).await, "{}", world.log());
    world.until("both sides were looked at", |world| world.looks() >= 2).await;
    let ticket = world.sim.tickets().remove(0);
    let end = [("state", "6"), ("close_code", "Solution provided"), ("close_notes", "restarted")];
    world.sim.edit_ticket(&ticket.sys_id, "beth.anglin", &end).unwrap();
    world
        .until("the incident is resolved", |world| world.sim.incident(&id).unwrap()["active"] == Value::Bool(false))
        .await;
}
