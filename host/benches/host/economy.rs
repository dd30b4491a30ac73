//! How many calls each vendor gets for what happens.
//!
//! A row is an act and the calls that came of it within a while; acts of the other direction are further rows of
//! [`run`]. Counted by the simulators.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tandem::simulator::Handle;

use crate::load::{Shares, fire, id};
use crate::report::Report;
use crate::rig::{PATH, Plan, Rig, TOKEN};
use crate::shape::{placeholder, share};

/// Where the incidents of the shares are.
const ENVIRONMENT: &str = "63bd568809cb331300ff0001";
/// Long enough for everything to be delivered.
const SETTLED: Duration = Duration::from_secs(2);
/// The default interval of the polls.
const INTERVAL: Duration = Duration::from_secs(15);

fn calls(sim: &Handle) -> [u64; 2] {
    [sim.servicenow_requests(), sim.bigpanda_requests()]
        .map(|recorder| recorder.counts().values().map(|count| count.total).sum())
}

async fn act(report: &mut Report, rig: &Rig, what: &str, wanted: [u64; 2], act: impl Future<Output = ()>) {
    let before = calls(&rig.sim);
    act.await;
    let after = calls(&rig.sim);
    let [servicenow, bigpanda] = [after[0] - before[0], after[1] - before[1]];
    let verdict = if [servicenow, bigpanda] == wanted { "" } else { "   not as wanted" };
    report.row(
        &format!("{what:<44} ServiceNow {servicenow:>2}   BigPanda {bigpanda:>2}{verdict}"),
        json!({ "what": what, "servicenow": servicenow, "bigpanda": bigpanda, "wanted": wanted }),
    );
}

pub(crate) async fn run() {
    let mut report = Report::new("economy", "calls to each vendor");
    shared(&mut report).await;
    polled(&mut report).await;
    report.end();
}

fn one(body: &Value) -> Arc<Shares> {
    Arc::new(Shares::new(PATH, TOKEN, &placeholder(), &body.to_string()))
}

/// What shares cost; nothing else asks anybody.
async fn shared(report: &mut Report) {
    let settings = "[integration.acme.sync]\nbigpanda = false\nservicenow = false\n".to_owned();
    let rig = Rig::start(Plan { settings, ..Plan::default() }).await;
    let send = async |body: &Value, number: usize| {
        let fired = fire(rig.public, &one(body), number..number + 1, 1, None).await;
        assert!(fired.all_accepted(), "{:?}", fired.statuses);
        tokio::time::sleep(SETTLED).await;
    };
    let new = share(20, &[]);
    let mut changed = share(20, &[("service", "checkout")]);
    changed["incident"]["status"] = "warning".into();
    changed["incident"]["alerts"][1]["status"] = "ok".into();
    changed["incident"]["updatedOn"] = 1_767_229_200.into();
    changed["metadata"]["event_type"] = "incident#updated".into();
    let mut touched = changed.clone();
    touched["incident"]["updatedOn"] = 1_767_229_260.into();

    act(report, &rig, "very first share (group, caller, CI unknown)", [4, 4], send(&new, 0)).await;
    act(report, &rig, "first share", [1, 3], send(&new, 1)).await;
    act(report, &rig, "update share", [1, 0], send(&changed, 1)).await;
    act(report, &rig, "echo: a share that shows what we wrote", [0, 0], send(&touched, 1)).await;
    act(report, &rig, "repeated share", [0, 0], send(&changed, 1)).await;
}

/// What polls cost: the list of each side once an interval, and nothing for what we did ourselves.
async fn polled(report: &mut Report) {
    let rig = Rig::start(Plan { environment: Some(ENVIRONMENT), ..Plan::default() }).await;
    let mut incident = share(20, &[]);
    incident["incident"]["id"] = id(1).into();
    incident["incident"]["shared"] = true.into();
    rig.sim.load_incident(incident.clone()).unwrap();
    tokio::time::sleep(INTERVAL).await;
    let started = Instant::now();
    fire(rig.public, &one(&share(20, &[])), 1..2, 1, None).await;
    rig.until("the incident knows its ticket", |sim| sim.tag(&id(1), "servicenow_link").is_some()).await;
    tokio::time::sleep((SETTLED).saturating_sub(started.elapsed())).await;
    // Two polls of each side see the ticket, the tag and the comment that we made.
    act(report, &rig, "two intervals of polls: the echo of a first share", [2, 2], tokio::time::sleep(INTERVAL * 2))
        .await;
    act(report, &rig, "one interval of polls, nothing changed", [1, 1], tokio::time::sleep(INTERVAL)).await;
}
