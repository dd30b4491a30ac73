//! Three hours without ServiceNow while incidents go on changing: they wait, grow together, and are told when it is back.

use std::time::Duration;

use tandem::sync::Handle;

use super::{CALM, Run, Variant, id};
use crate::simulation::plugins::PAIR;

const INCIDENTS: usize = 60;
/// Each incident changes that often, every ten minutes.
const CHANGES: usize = 18;
const BETWEEN: Duration = Duration::from_mins(10);
/// As by default.
const SPACING: Duration = Duration::from_mins(15);

impl Run {
    /// Lets time pass in which shares come in.
    async fn pass(&mut self, time: Duration, handle: &Handle) {
        let end = self.time.passed() + time;
        while self.time.passed() < end {
            self.post();
            tokio::time::sleep(Duration::from_secs(5)).await;
            self.deliver(handle).await;
        }
    }
}

#[test]
fn what_waited_through_three_hours_is_told_in_one_go_per_incident() {
    let mut run = Run::new(1, Variant::Sound);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        run.time.begin();
        let handle = Handle::start(run.parts_spaced(SPACING));
        run.pass(Duration::from_mins(5), &handle).await;
        run.weather.set_servicenow_down(true);
        for number in 0..INCIDENTS {
            run.bigpanda.open(id(number).to_string().as_str());
        }
        for change in 0..CHANGES {
            run.pass(BETWEEN, &handle).await;
            for number in 0..INCIDENTS {
                run.bigpanda.tag(&id(number), PAIR.0, &format!("team-{change}"));
            }
        }
        assert_eq!(run.servicenow.look().writes, 0, "something got through");
        run.weather.set_servicenow_down(false);
        // The last of them tries again within its spacing.
        run.pass(SPACING, &handle).await;
        run.pass(CALM, &handle).await;
        let writes = run.servicenow.look().writes;
        // What was sealed before the outage ended, and one update for everything since.
        assert!(writes <= 2 * INCIDENTS as u64, "{writes} writes for {INCIDENTS} incidents");
        let before = run.writes();
        run.pass(Duration::from_mins(5), &handle).await;
        assert_eq!(run.writes(), before, "the sides do not come to rest");
        run.time.end();
    });
    {
        let servicenow = run.servicenow.look();
        assert_eq!(servicenow.tickets.len(), INCIDENTS);
        for ticket in &servicenow.tickets {
            assert_eq!(ticket.state.field(PAIR.1), format!("team-{}", CHANGES - 1));
        }
    }
    run.judge().unwrap();
}
