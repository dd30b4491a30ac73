//! An incident whose environment nobody has named yet: nothing can be read of it or written to it, and nothing is lost.

use std::time::Duration;

use tandem::domain::share::ShareKind;

use super::bigpanda::share;
use super::calm::{Calm, MINUTE, id};

#[tokio::test(start_paused = true)]
async fn a_tickets_end_waits_for_a_share_that_says_where_the_incident_is() {
    let mut calm = Calm::new(|_| {});
    calm.environment = None;
    calm.start();
    calm.bigpanda.open("incident-0");
    calm.bigpanda.look().shares[0].environment_id = None;
    calm.until(MINUTE).await;
    assert_eq!(calm.tickets(), 1);
    let ticket = calm.servicenow.look().tickets[0].state.ticket.sys_id.clone();
    calm.servicenow.edit(&ticket, &[("state", "6"), ("close_code", "Solved")], 0);
    calm.until(200 * MINUTE).await;
    calm.restart().await;
    calm.until(201 * MINUTE).await;
    let is_active = |calm: &Calm| calm.bigpanda.look().incidents[&id()].incident.active;
    assert!(is_active(&calm));
    assert_eq!(calm.told().len(), 0, "it is not set aside: {:?}", calm.told());

    let incident = calm.bigpanda.look().incidents[&id()].incident.clone();
    calm.bigpanda.look().shares.push(share(&incident, ShareKind::Updated, true));
    calm.until(202 * MINUTE + Duration::from_secs(30)).await;
    assert!(!is_active(&calm), "the share ended the wait");
    assert_eq!(calm.servicenow.look().tickets[0].state.field("state"), "6");
    assert_eq!((calm.tickets(), calm.told().len()), (1, 0));
}
