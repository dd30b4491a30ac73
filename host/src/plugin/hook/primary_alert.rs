//! `primary-alert`: which alert stands for the incident. The hooks that write see the choice.

use super::{last_heard, output};
use crate::domain::incident::{Alert, Status};
use crate::domain::patch::{Hook, StoodIn};
use crate::plugin::chain::Run;
use crate::plugin::wire::Choice;

pub(in crate::plugin) fn ask(run: &mut Run<'_>) {
    let alerts = run.context.input.share.incident.alerts.len();
    let heard = last_heard(run, Hook::PrimaryAlert, (), |run, _, choice: Choice| {
        if let Some(index) = choice.alert
            && index as usize >= alerts
        {
            return Err(output(format!("alert number {index} of {alerts}")));
        }
        // Later plugins of the hook see it too.
        run.context.primary_alert.set(choice.alert);
        Ok(())
    });
    let mut stood_in = heard.stood_in;
    if heard.answer.is_none() {
        stood_in = StoodIn::Minimal;
        run.context.primary_alert.set(worst(&run.context.input.share.incident.alerts));
    }
    run.record(Hook::PrimaryAlert, heard.failed, stood_in);
}

/// The host's own choice when no plugin has one: the worst, and among those the first.
fn worst(alerts: &[Alert]) -> Option<u32> {
    let rank = |status: Status| match status {
        Status::Critical => 0,
        Status::Warning => 1,
        Status::Unknown => 2,
        Status::Ok => 3,
    };
    let (index, _) = alerts
        .iter()
        .enumerate()
        .min_by_key(|(index, alert)| (rank(alert.status), alert.start.unwrap_or(i64::MAX), *index))?;
    u32::try_from(index).ok()
}
