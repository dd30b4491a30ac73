//! What grows with size: many links that are quiet, a storm, an outage with a long queue, and the way of a change back.
//!
//! The bundled plugins and both pollers are on, at their defaults; what the vendors do is the simulators'.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tandem::simulator::{Action, Fault, Handle};

use crate::load::{Shares, fire, id};
use crate::report::{Report, at};
use crate::rig::{PATH, Plan, Rig, TOKEN};
use crate::shape::{placeholder, share};

/// BigPanda is told nothing, so that only the way there is measured.
const QUIET: &str = "[integration.acme.follow_ups]\ncallback = false\ntag = false\ncomment = false\n";
const ENVIRONMENT: &str = "63bd568809cb331300ff0001";
/// The default interval of the polls.
const INTERVAL: Duration = Duration::from_secs(15);

pub(crate) async fn run() {
    let mut report = Report::new("scale", "defaults but where the line says otherwise");
    for links in [0, 100_000] {
        idle(&mut report, links).await;
    }
    storm(&mut report).await;
    outage(&mut report).await;
    back(&mut report).await;
    report.end();
}

fn polled(more: &str) -> String {
    format!("[integration.acme.sync]\nbigpanda = true\nservicenow = true\n{more}")
}

fn calls(sim: &Handle) -> u64 {
    let both = [sim.servicenow_requests(), sim.bigpanda_requests()];
    both.iter().flat_map(|recorder| recorder.counts().into_values().map(|count| count.total)).sum()
}

fn shares(share: &Value) -> Arc<Shares> {
    Arc::new(Shares::new(PATH, TOKEN, &placeholder(), &share.to_string()))
}

/// A minute in which nothing happens.
async fn idle(report: &mut Report, links: usize) {
    const MINUTE: Duration = Duration::from_mins(1);
    let plan = Plan { pinned: true, settings: polled(""), links, environment: Some(ENVIRONMENT), ..Plan::default() };
    let mut rig = Rig::start(plan).await;
    // With compiled plugins in the cache.
    rig.restart().await;
    let ready = rig.ready_in.as_secs_f64() * 1000.0;
    // The first look only finds out where to begin.
    tokio::time::sleep(Duration::from_secs(5)).await;
    let (before, cpu) = (calls(&rig.sim), rig.cpu());
    tokio::time::sleep(MINUTE).await;
    let (made, cpu) = (calls(&rig.sim) - before, rig.cpu() - cpu);
    let (now, _) = rig.memory();
    report.row(
        &format!(
            "{links:>7} links    ready in {ready:.0} ms, {now:.1} MiB; an idle minute: {made} calls (polls every {} s), {cpu:.2} CPU s",
            INTERVAL.as_secs()
        ),
        json!({ "what": "idle", "links": links, "ready_ms": ready, "mib": now, "calls": made, "cpu_s": cpu }),
    );
}

/// Ten thousand shares in a minute, while every create takes ServiceNow 300 ms.
async fn storm(report: &mut Report) {
    const COUNT: usize = 10_000;
    let rig = Rig::start(Plan { settings: format!("{QUIET}{}", polled("")), ..Plan::default() }).await;
    let slow = Fault { method: Some("POST".to_owned()), ..Fault::new(Action::Delay { millis: 300 }) };
    rig.sim.servicenow_faults().add(slow);
    let started = Instant::now();
    let fired = fire(rig.public, &shares(&share(20, &[])), 0..COUNT, 16, Some(COUNT as f64 / 60.0)).await;
    assert!(fired.all_accepted(), "{:?}", fired.statuses);
    let storm = started.elapsed().as_secs_f64();
    rig.until("a ticket for each share", |sim| sim.ticket_count() >= COUNT).await;
    let took = started.elapsed().as_secs_f64();
    assert_eq!(rig.sim.ticket_count(), COUNT, "one ticket for each incident");
    let (_, peak) = rig.memory();
    let (p50, p99) = (at(&fired.latencies, 0.5), at(&fired.latencies, 0.99));
    let (after, floor) = (took - storm, COUNT as f64 * 0.3 / 32.0);
    report.row(
        &format!(
            "storm           {COUNT} shares in {storm:.0} s, 202 after p50 {p50:.2} ms, p99 {p99:.2} ms; the last ticket {after:.0} s later ({took:.0} s in all; 32 creates at a time of 300 ms take {floor:.0} s), peak {peak:.1} MiB"
        ),
        json!({ "what": "storm", "shares": COUNT, "accept_p50_ms": p50, "accept_p99_ms": p99, "behind_s": after,
            "took_s": took, "floor_s": floor, "peak_mib": peak }),
    );
}

/// ServiceNow is away while five thousand incidents are shared three times each; then it comes back.
async fn outage(report: &mut Report) {
    const LINKS: usize = 5_000;
    let rig = Rig::start(Plan { settings: format!("{QUIET}{}", polled("")), ..Plan::default() }).await;
    let mut first = share(20, &[]);
    fire(rig.public, &shares(&first), 0..1, 1, None).await;
    rig.until("the first ticket", |sim| sim.ticket_count() == 1).await;
    rig.sim.set_servicenow_up(false);
    let mut sent = 0;
    for round in 0..3 {
        first["incident"]["updatedOn"] = (1_767_229_200 + round * 60).into();
        first["incident"]["incident_tags"][0]["tag_value"] = format!("P{}", round + 1).into();
        let fired = fire(rig.public, &shares(&first), 1..LINKS + 1, 16, None).await;
        assert!(fired.all_accepted(), "{:?}", fired.statuses);
        sent += fired.latencies.len();
    }
    // Time for the breaker to rest, as it would for hours.
    tokio::time::sleep(Duration::from_secs(5)).await;
    let counted = |sim: &Handle| {
        let writes = |method: &str| sim.servicenow_requests().total(method, "/api/now/table/incident");
        (writes("POST"), writes("PATCH") + writes("PUT"))
    };
    let before = counted(&rig.sim);
    let (up, cpu) = (Instant::now(), rig.cpu());
    rig.sim.set_servicenow_up(true);
    rig.until("the first of them", |sim| sim.ticket_count() > 1).await;
    let noticed = up.elapsed().as_secs_f64();
    rig.until("a ticket for each", |sim| sim.ticket_count() > LINKS).await;
    let created = up.elapsed().as_secs_f64();
    // The newest state has reached each ticket when no more writes come.
    let mut writes = counted(&rig.sim);
    let mut last = up.elapsed();
    while up.elapsed().saturating_sub(last) < Duration::from_secs(5) {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let now = counted(&rig.sim);
        if now != writes {
            (writes, last) = (now, up.elapsed());
        }
    }
    let (creates, updates) = (writes.0 - before.0, writes.1 - before.1);
    let newest = rig.sim.tickets().iter().filter(|ticket| ticket.get("u_bp_priority") == "P3").count();
    let (_, peak) = rig.memory();
    let (cpu, last) = (rig.cpu() - cpu, last.as_secs_f64());
    report.row(
        &format!(
            "outage          {sent} shares of {LINKS} incidents waited; noticed {noticed:.1} s after it ended, all tickets {created:.1} s, quiet {last:.1} s after it; {creates} creates and {updates} updates, {cpu:.1} CPU s, peak {peak:.1} MiB"
        ),
        json!({ "what": "outage", "shares": sent, "links": LINKS, "noticed_s": noticed, "created_s": created,
            "quiet_s": last, "creates": creates, "updates": updates, "newest": newest, "cpu_s": cpu, "peak_mib": peak }),
    );
}

/// From a ticket's change to the tag on its incident, at the default interval of the polls.
async fn back(report: &mut Report) {
    const COUNT: usize = 60;
    let mapping =
        "[[integration.acme.incidents.tag_mapping]]\ntag = \"team\"\nfield = \"category\"\ndirection = \"to-bigpanda\"";
    let settings = format!("{}{mapping}", polled(""));
    let rig = Rig::start(Plan { settings, environment: Some(ENVIRONMENT), ..Plan::default() }).await;
    for number in 0..COUNT {
        let mut incident = share(2, &[]);
        incident["incident"]["id"] = id(number).into();
        incident["incident"]["shared"] = true.into();
        rig.sim.load_incident(incident).unwrap();
    }
    fire(rig.public, &shares(&share(2, &[])), 0..COUNT, 4, None).await;
    let told = |sim: &Handle| (0..COUNT).all(|number| sim.tag(&id(number), "servicenow_link").is_some());
    rig.until("all are told", told).await;
    // The polls have seen what was created.
    tokio::time::sleep(INTERVAL * 2).await;
    let mut changed = BTreeMap::new();
    let mut took = Vec::new();
    let started = Instant::now();
    while took.len() < COUNT {
        assert!(started.elapsed() < Duration::from_mins(3), "{} of {COUNT}\n{}", took.len(), rig.log());
        let due = started.elapsed().as_millis() as usize / 750;
        for number in changed.len()..COUNT.min(due + 1) {
            let ticket = rig.sim.tickets_of(&format!("bigpanda:{}", id(number))).remove(0);
            rig.sim.edit_ticket(&ticket.sys_id, "beth.anglin", &[("category", "database")]).unwrap();
            changed.insert(number, Some(Instant::now()));
        }
        for (number, at) in &mut changed {
            if at.is_some() && rig.sim.tag(&id(*number), "team").as_deref() == Some("Database") {
                took.extend(at.take().map(|at| at.elapsed().as_secs_f64()));
            }
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let (p50, p99) = (at(&took, 0.5), at(&took, 0.99));
    report.row(
        &format!("ticket to tag   {COUNT} changes spread over 45 s: p50 {p50:.1} s, p99 {p99:.1} s"),
        json!({ "what": "back", "changes": COUNT, "p50_s": p50, "p99_s": p99 }),
    );
}
