//! The script include of the update set, run as an instance would run it: against a real host, with the simulator's
//! records behind a few lines that stand for the instance's own objects (`pull_script/instance.js`).

use std::time::Duration;

use base64::Engine as _;
use rquickjs::{Context, Function, Runtime};
use serde_json::{Value, json};

use crate::support::{TOKEN, World, incident, wire};

const SCRIPT: &str = include_str!("../../host/src/servicenow/update_set/TandemPull.js");
const INSTANCE: &str = include_str!("pull_script/instance.js");

const PULLS: &str = "lease = \"1s\"\nattempts = 1\n[integration.acme]\nmode = \"on-premises\"\n\
    [integration.acme.incidents]\nassignment_group = \"Network\"\ncaller_email = \"nobody@example.com\"";

/// One run of the scheduled job: how many requests it answered, and what it logged.
async fn run(world: &World, changed: &[(&str, &str)]) -> (i32, Vec<String>) {
    let base = format!("http://{}/integrations/acme", world.listen);
    let access = world.sim.access().servicenow;
    let mut properties = json!({
        "tandem.pull.retrieve_url": format!("{base}/retrieve"),
        "tandem.pull.callback_url": format!("{base}/callback"),
        "tandem.pull.token": TOKEN,
        "glide.servlet.uri": "https://acme.service-now.com/",
    });
    for (name, value) in changed {
        properties[*name] = json!(value);
    }
    let user = base64::engine::general_purpose::STANDARD.encode(format!("{}:{}", access.user, access.password));
    let preamble = format!(
        "var properties = {properties}; var INSTANCE = {}; var INSTANCE_USER = {};",
        json!(access.url),
        json!(format!("Basic {user}"))
    );
    let net = tokio::runtime::Handle::current();
    let engine = move || {
        let runtime = Runtime::new().unwrap();
        Context::full(&runtime).unwrap().with(|context| {
            let http = Function::new(
                context.clone(),
                move |method: String, url: String, authorization: String, body: Option<String>| {
                    net.block_on(exchange(&method, &url, &authorization, body.as_deref().unwrap_or_default()))
                },
            );
            context.globals().set("http", http.unwrap()).unwrap();
            let whole = format!("{preamble}\n{INSTANCE}\n{SCRIPT}\nvar answered = new TandemPull().run();");
            let ran = context.eval::<(), _>(whole);
            assert!(ran.is_ok(), "the script threw: {:?}", context.catch());
            (context.globals().get("answered").unwrap(), context.globals().get("said").unwrap())
        })
    };
    tokio::task::spawn_blocking(engine).await.unwrap()
}

/// An HTTP exchange as the scripts see it.
async fn exchange(method: &str, url: &str, authorization: &str, body: &str) -> String {
    let rest = url.strip_prefix("http://").unwrap();
    let (address, path) = rest.split_once('/').unwrap();
    let headers =
        [("authorization", authorization), ("content-type", "application/json"), ("accept", "application/json")];
    match wire::request(address.parse().unwrap(), method, &format!("/{path}"), &headers, body.as_bytes()).await {
        Ok(answer) => json!({ "status": answer.status, "body": answer.body }).to_string(),
        Err(_) => json!({ "status": 0, "body": "" }).to_string(),
    }
}

/// Runs the job until it finds something to do.
async fn worked(world: &World, changed: &[(&str, &str)]) -> (i32, Vec<String>) {
    for _ in 0..200 {
        let done = run(world, changed).await;
        if done.0 > 0 {
            return done;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("nothing to pull:\n{}", world.log());
}

async fn started() -> World {
    let mut world = World::new().await.configured(PULLS);
    assert!(world.start(&[]).await, "{}", world.log());
    world
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_job_makes_updates_and_resolves_a_ticket_and_bigpanda_hears_of_it() {
    let world = started().await;
    let (id, mut share) = incident(1);
    assert_eq!(world.share(&share).await.unwrap().status, 202);
    assert_eq!(worked(&world, &[]).await, (1, Vec::new()));
    world.until_told(&id).await;
    let ticket = |world: &World| world.sim.tickets_of(&format!("bigpanda:{id}")).remove(0);
    let made = ticket(&world);
    assert_eq!(made.get("short_description"), "BigPanda Incident: web-1 - Critical");
    assert_eq!(made.get("u_bp_incident_id"), id);
    assert_ne!(made.get("assignment_group"), "", "the group was looked up");
    assert_eq!(made.get("caller_id"), "", "nobody has that address");
    let tag = world.sim.tag(&id, "servicenow_link").unwrap();
    assert_eq!(tag, format!("https://acme.service-now.com/incident.do?sys_id={}", made.sys_id));

    let mut later = |change: &dyn Fn(&mut Value)| {
        share["incident"]["updatedOn"] = json!(share["incident"]["updatedOn"].as_i64().unwrap() + 60);
        change(&mut share);
        share.clone()
    };
    let update = later(&|share| {
        share["incident"]["status"] = json!("warning");
        share["incident"]["alerts"][0]["status"] = json!("warning");
    });
    assert_eq!(world.share(&update).await.unwrap().status, 202);
    assert_eq!(worked(&world, &[]).await, (1, Vec::new()));
    assert_eq!(ticket(&world).get("short_description"), "BigPanda Incident: web-1 - Warning");

    let end = later(&|share| {
        let incident = &mut share["incident"];
        incident["status"] = json!("ok");
        incident["active"] = json!(false);
        incident["endedOn"] = incident["updatedOn"].clone();
        share["metadata"]["event_type"] = json!("incident#closed");
    });
    assert_eq!(world.share(&end).await.unwrap().status, 202);
    assert_eq!(worked(&world, &[]).await, (1, Vec::new()));
    let ended = ticket(&world);
    assert_eq!((ended.get("state"), ended.get("close_code")), ("6", "Solution provided"));
    assert_eq!(world.sim.ticket_count(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_was_lost_makes_no_second_ticket() {
    let world = started().await;
    let (id, share) = incident(2);
    assert_eq!(world.share(&share).await.unwrap().status, 202);
    let nobody = format!("http://{}/integrations/nobody/callback", world.listen);
    let (answered, said) = worked(&world, &[("tandem.pull.callback_url", &nobody)]).await;
    assert_eq!((answered, world.sim.ticket_count()), (1, 1));
    assert!(said.len() == 1 && said[0].starts_with(&format!("error: Tandem Pull: the answer about {id} was refused")));
    // Its lease is over, and it comes again.
    assert_eq!(worked(&world, &[]).await, (1, Vec::new()));
    world.until_told(&id).await;
    assert_eq!(world.sim.ticket_count(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_instance_refuses_is_told_and_a_token_that_is_wrong_pulls_nothing() {
    let world = started().await;
    let (id, share) = incident(3);
    assert_eq!(world.share(&share).await.unwrap().status, 202);
    let (answered, said) = run(&world, &[("tandem.pull.token", "wrong")]).await;
    assert!(answered == 0 && said[0].starts_with("error: Tandem Pull: retrieving answered 401."), "{said:?}");
    let (answered, said) = run(&world, &[("tandem.pull.retrieve_url", "")]).await;
    assert!(answered == 0 && said[0].starts_with("warn: Tandem Pull: set tandem.pull.retrieve_url"), "{said:?}");

    let refusal = tandem::simulator::Fault::times(1, "POST", "/table/incident", tandem::simulator::Action::status(403));
    world.sim.servicenow_faults().add(refusal);
    assert_eq!(worked(&world, &[]).await.0, 1);
    world
        .until("the incident says so", |world| {
            let told = world.sim.comments(&id);
            told.iter().any(|comment| comment.text.contains("ServiceNow refused the ticket"))
        })
        .await;
    assert_eq!(world.sim.ticket_count(), 0);
}
