//! What is gathered, what it reads like, and that nobody waits.

#![allow(clippy::unwrap_used)]

use super::*;
use crate::clock::ManualClock;
use crate::domain::id::{IncidentId, SysId};
use crate::domain::ticket::TicketRef;
use crate::domain::time::Timestamp;

const MINUTE: Duration = Duration::from_mins(1);

fn notice(code: &str, number: u32) -> Notice {
    Notice {
        integration: IntegrationName::new("acme").unwrap(),
        code: code.to_owned(),
        title: "a request failed for the last time".to_owned(),
        lines: vec![format!("Creating the ticket failed: ServiceNow said <!channel> & \"no\", number {number}.")],
        incident: Some(IncidentId::new("66b0c0ffee").unwrap()),
        ticket: Some(TicketRef {
            sys_id: SysId::new("0123456789abcdef0123456789abcdef").unwrap(),
            number: "INC0010001".to_owned(),
            url: "https://acme.service-now.com/nav_to.do?uri=incident.do&x=1".to_owned(),
        }),
    }
}

#[test]
fn an_outage_makes_one_message_at_once_and_one_for_each_interval() {
    let mut digest = Digest::new(15 * MINUTE);
    let mut told = Vec::new();
    for number in 0..5000 {
        told.extend(digest.add(notice("servicenow.unavailable", number), Duration::ZERO));
    }
    told.extend(digest.add(notice("servicenow.auth", 1), MINUTE));
    assert_eq!(told.len(), 2, "one for each reason");
    assert_eq!(digest.next(MINUTE), Some(14 * MINUTE));
    assert_eq!(digest.due(14 * MINUTE), []);
    let gathered = digest.due(15 * MINUTE);
    assert_eq!(gathered.len(), 1);
    assert_eq!(gathered[0].title, "a request failed for the last time (4999 times within 15 minutes)");
    assert!(gathered[0].lines[1].contains("number 4999"), "{:?}", gathered[0].lines);
    // The other reason was quiet and is forgotten; the first one began a new interval.
    assert_eq!(digest.due(16 * MINUTE), []);
    assert!(digest.add(notice("servicenow.auth", 2), 17 * MINUTE).is_some());
    assert!(digest.add(notice("servicenow.unavailable", 2), 17 * MINUTE).is_none());
    let rest = digest.rest();
    assert_eq!(rest.len(), 1);
    assert_eq!(rest[0].title, "a request failed for the last time", "one alone is told as it is");
}

#[test]
fn nobody_elses_text_calls_a_channel_or_begins_a_line() {
    let mut odd = notice("servicenow.refused", 1);
    odd.title = "a title\r\nBcc: everybody@acme.example".to_owned();
    insta::assert_snapshot!(words::chat(&odd), @r#"
    *Tandem acme: a title  Bcc: everybody@acme.example*
    Creating the ticket failed: ServiceNow said &lt;!channel&gt; &amp; "no", number 1.
    Incident 66b0c0ffee
    Ticket <https://acme.service-now.com/nav_to.do?uri=incident.do&amp;x=1|INC0010001>
    `servicenow.refused`
    "#);
    let (subject, text) = words::mail(&odd);
    insta::assert_snapshot!(format!("{subject}\n\n{text}"), @r#"
    [Tandem] acme: a title  Bcc: everybody@acme.example

    Creating the ticket failed: ServiceNow said <!channel> & "no", number 1.

    Incident:    66b0c0ffee
    Ticket:      INC0010001 https://acme.service-now.com/nav_to.do?uri=incident.do&x=1
    Integration: acme
    Reason:      servicenow.refused
    "#);
}

#[tokio::test]
async fn a_target_that_hangs_holds_nobody_up_and_the_stop_ends_it() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/services/secret", listener.local_addr().unwrap());
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::new(Timestamp(0)));
    let chat = Target::Chat(Chat::new(&url.into(), clock.clone()).unwrap());
    let targets = HashMap::from([(IntegrationName::new("acme").unwrap(), vec![chat])]);
    let notifier = Notifier::start(Settings { interval: MINUTE, retries: vec![MINUTE], targets }, clock);
    let flood = async {
        for number in 0..10_000 {
            notifier.tell(notice(&format!("code.{number}"), number));
        }
    };
    tokio::time::timeout(Duration::from_secs(5), flood).await.expect("telling takes no time");
    assert!(!notifier.stop(Duration::from_millis(50)).await, "the chat never answers");
}
