//! How many calls each vendor gets for what happens.
//!
//! A row is an act and the calls that came of it within a while; acts of the other direction are further rows of
//! [`run`]. Counted by the simulators.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tandem::simulator::Handle;

use crate::load::{Shares, fire};
use crate::report::Report;
use crate::rig::{PATH, Plan, Rig, TOKEN};
use crate::shape::{placeholder, share};

/// Long enough for everything to be delivered.
const SETTLED: Duration = Duration::from_secs(2);
/// Longer than any poll's interval.
const IDLE: Duration = Duration::from_secs(20);

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
    let rig = Rig::start(Plan::default()).await;
    let send = async |body: &Value, number: usize| {
        let shares = Arc::new(Shares::new(PATH, TOKEN, &placeholder(), &body.to_string()));
        let fired = fire(rig.public, &shares, number..number + 1, 1, None).await;
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

    act(&mut report, &rig, "very first share (group, caller, CI unknown)", [4, 4], send(&new, 0)).await;
    act(&mut report, &rig, "first share", [1, 3], send(&new, 1)).await;
    act(&mut report, &rig, "update share", [1, 0], send(&changed, 1)).await;
    act(&mut report, &rig, "update share that changes nothing", [0, 0], send(&touched, 1)).await;
    act(&mut report, &rig, "repeated share", [0, 0], send(&changed, 1)).await;
    act(&mut report, &rig, "twenty idle seconds", [0, 0], tokio::time::sleep(IDLE)).await;
    report.end();
}
