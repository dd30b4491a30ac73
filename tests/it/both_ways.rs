//! What happens on one side reaches the other, whichever way it is noticed, once, and then both are quiet.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use tandem::simulator::Ticket;

use crate::support::{World, incident, share_channel, wire};

/// Looks every second, so that nobody waits long.
const QUICK: &str =
    "[integration.acme.sync]\nbigpanda = true\nservicenow = true\ninterval = \"1 s\"\noverlap = \"5 s\"";

/// A running pair with a shared incident that has its ticket. Shares are sent only when asked for.
struct Pair {
    world: World,
    id: String,
}

impl Pair {
    async fn new(settings: &str) -> Self {
        Self::with(settings, |_| {}).await
    }

    /// With a share that differs from the usual one.
    async fn with(settings: &str, change: impl FnOnce(&mut Value)) -> Self {
        let mut world = World::new().await.configured(QUICK).configured(settings);
        assert!(world.start(&[]).await, "the host ended at once:\n{}", world.log());
        let (id, mut share) = incident(1);
        change(&mut share);
        let pair = Self { world, id };
        pair.load(&share);
        // The first look only finds out where to begin; it must have happened before there is something to see.
        pair.world.until("both sides were looked at", |world| world.looks() >= 2).await;
        assert_eq!(pair.world.share(&share).await.unwrap().status, 202);
        pair.world.until_told(&pair.id).await;
        pair.quiet().await;
        pair
    }

    /// Lets BigPanda send a share for every change from now on.
    fn with_webhook(&self) {
        self.world.sim.set_channel(share_channel(&self.world));
    }

    fn load(&self, share: &Value) {
        let mut incident = share.clone();
        incident["incident"]["shared"] = json!(true);
        self.world.sim.load_incident(incident).unwrap();
    }

    fn act(&self, what: Value) {
        self.world.sim.act(&self.id, what).unwrap();
    }

    /// The ticket of that number in the incident's life, from 0.
    fn ticket(&self, number: usize) -> Ticket {
        let suffix = if number == 0 { String::new() } else { format!(":{}", number + 1) };
        let mut found = self.world.sim.tickets_of(&format!("bigpanda:{}{suffix}", self.id));
        assert_eq!(found.len(), 1, "{}", self.world.log());
        found.remove(0)
    }

    fn edit(&self, fields: &[(&str, &str)]) {
        self.world.sim.edit_ticket(&self.ticket(0).sys_id, "beth.anglin", fields).unwrap();
    }

    fn active(&self) -> bool {
        self.world.sim.incident(&self.id).unwrap()["active"] == json!(true)
    }

    fn comments(&self) -> Vec<String> {
        self.world.sim.comments(&self.id).into_iter().map(|comment| unmarked(&comment.text)).collect()
    }

    async fn until(&self, what: &str, mut so: impl FnMut(&Self) -> bool) {
        self.world.until(what, |_| so(self)).await;
    }

    /// Waits until nothing is written to either side for three looks.
    async fn quiet(&self) {
        let mut before = self.writes();
        let mut calm = 0;
        for _ in 0..40 {
            tokio::time::sleep(Duration::from_millis(1100)).await;
            let now = self.writes();
            calm = if now == before { calm + 1 } else { 0 };
            before = now;
            if calm == 3 {
                return;
            }
        }
        panic!("the two sides do not come to rest:\n{}", self.world.log());
    }

    /// Everything that was written to either side, by method and path.
    fn writes(&self) -> BTreeMap<String, u64> {
        let sim = &self.world.sim;
        let both = sim.bigpanda_requests().counts().into_iter().chain(sim.servicenow_requests().counts());
        let counts = both.map(|(call, count)| (call, count.total));
        counts.filter(|(call, _)| !call.starts_with("GET")).collect()
    }
}

/// A text without the mark that tells whose it is.
fn unmarked(text: &str) -> String {
    text.split(" [tandem:").next().unwrap_or_default().trim().to_owned()
}

fn notes(ticket: &Ticket, journal: &str) -> Vec<String> {
    ticket.notes.iter().filter(|note| note.element == journal).map(|note| note.text.clone()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_end_in_bigpanda_resolves_the_ticket_with_and_without_a_share() {
    for webhook in [true, false] {
        let pair = Pair::new("").await;
        if webhook {
            pair.with_webhook();
        }
        pair.act(json!({ "do": "resolve" }));
        pair.until("the ticket is resolved", |pair| pair.ticket(0).get("state") == "6").await;
        let ticket = pair.ticket(0);
        assert_ne!(ticket.get("close_code"), "");
        assert_ne!(ticket.get("close_notes"), "");
        pair.quiet().await;
        assert!(!pair.active());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_end_in_servicenow_resolves_the_incident() {
    let pair = Pair::new("").await;
    pair.with_webhook();
    pair.edit(&[("state", "6"), ("close_code", "Solution provided"), ("close_notes", "restarted")]);
    pair.until("the incident is resolved", |pair| !pair.active()).await;
    pair.quiet().await;
    assert_eq!(pair.ticket(0).get("state"), "6", "the echo changed nothing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_incident_that_comes_back_reopens_its_ticket_or_gets_a_new_one() {
    let pair = Pair::new("").await;
    pair.act(json!({ "do": "resolve" }));
    pair.until("the ticket is resolved", |pair| pair.ticket(0).get("state") == "6").await;
    pair.act(json!({ "do": "reopen" }));
    pair.until("the ticket is open again", |pair| pair.ticket(0).get("state") == "2").await;
    pair.quiet().await;
    // A closed ticket is history.
    pair.act(json!({ "do": "resolve" }));
    pair.until("the ticket is resolved again", |pair| pair.ticket(0).get("state") == "6").await;
    pair.edit(&[("state", "7")]);
    pair.quiet().await;
    pair.act(json!({ "do": "reopen" }));
    let second = format!("bigpanda:{}:2", pair.id);
    pair.until("there is a second ticket", |pair| !pair.world.sim.tickets_of(&second).is_empty()).await;
    pair.quiet().await;
    let (first, second) = (pair.ticket(0), pair.ticket(1));
    assert_eq!((first.get("state"), second.get("state")), ("7", "1"));
    let told = notes(&first, "work_notes");
    assert!(told.iter().any(|note| note.contains(&second.number)), "{told:?}");
    let link = pair.world.sim.tag(&pair.id, "servicenow_link").unwrap();
    assert!(link.contains(&second.sys_id), "the tag moved to the new ticket: {link}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_people_write_reaches_the_other_side_once() {
    let pair = Pair::new("[integration.acme.incidents]\nnotes_to_bigpanda = \"both\"").await;
    pair.with_webhook();
    pair.act(json!({ "do": "comment", "text": "Rolling back the deploy" }));
    pair.edit(&[("work_notes", "Disk replaced"), ("comments", "We are on it")]);
    let told = |pair: &Pair| notes(&pair.ticket(0), "work_notes");
    pair.until("the ticket knows the comment", |pair| told(pair).iter().any(|note| note.contains("Rolling back")))
        .await;
    pair.until("the incident knows both notes", |pair| {
        let comments = pair.comments();
        comments.iter().any(|text| text.contains("Disk replaced"))
            && comments.iter().any(|text| text.contains("We are on it"))
    })
    .await;
    pair.quiet().await;
    let count = |texts: &[String], part: &str| texts.iter().filter(|text| text.contains(part)).count();
    assert_eq!(count(&told(&pair), "Rolling back"), 1);
    assert_eq!(count(&told(&pair), "Disk replaced"), 1, "a note does not come back as a note");
    for part in ["Disk replaced", "We are on it", "Rolling back"] {
        assert_eq!(count(&pair.comments(), part), 1, "{part}");
    }
}

/// A tag and a field that are kept equal, with an open ticket on which both say `web`.
async fn mapped(direction: &str) -> Pair {
    let settings = format!(
        "[[integration.acme.incidents.tag_mapping]]\ntag = \"team\"\nfield = \"category\"\ndirection = \"{direction}\""
    );
    let pair = Pair::new(&settings).await;
    pair.act(json!({ "do": "tag", "id": "team", "value": "network" }));
    pair
}

impl Pair {
    fn team(&self) -> String {
        self.world.sim.tag(&self.id, "team").unwrap_or_default()
    }

    fn category(&self) -> String {
        self.ticket(0).get("category").to_owned()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mapped_value_follows_its_direction() {
    let pair = mapped("both").await;
    pair.until("the ticket follows", |pair| pair.category() == "network").await;
    pair.quiet().await;
    pair.edit(&[("category", "database")]);
    // A tag gets what people read.
    pair.until("the incident follows", |pair| pair.team() == "Database").await;
    pair.quiet().await;
    assert_eq!(pair.category(), "database", "what came back changed nothing");

    let pair = mapped("to-servicenow").await;
    pair.until("the ticket follows", |pair| pair.category() == "network").await;
    pair.edit(&[("category", "database")]);
    pair.quiet().await;
    assert_eq!((pair.team(), pair.category()), ("network".to_owned(), "database".to_owned()));

    let pair = mapped("to-bigpanda").await;
    pair.edit(&[("category", "software")]);
    pair.until("the incident follows", |pair| pair.team() == "Software").await;
    pair.act(json!({ "do": "tag", "id": "team", "value": "network" }));
    pair.quiet().await;
    assert_eq!((pair.team(), pair.category()), ("network".to_owned(), "software".to_owned()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_both_sides_change_a_value_the_newer_wins_and_the_other_is_kept_in_a_note() {
    let pair = mapped("both").await;
    pair.until("the ticket follows", |pair| pair.category() == "network").await;
    pair.quiet().await;
    pair.world.sim.set_bigpanda_up(false);
    pair.edit(&[("category", "database")]);
    tokio::time::sleep(Duration::from_millis(1500)).await;
    pair.act(json!({ "do": "tag", "id": "team", "value": "software" }));
    pair.world.sim.set_bigpanda_up(true);
    pair.until("both agree again", |pair| pair.category() == pair.team() && pair.team() != "network").await;
    pair.quiet().await;
    assert_eq!((pair.team(), pair.category()), ("software".to_owned(), "software".to_owned()));
    let lost =
        |texts: &[String]| texts.iter().filter(|text| text.contains("Database") && text.contains("software")).count();
    assert_eq!(lost(&notes(&pair.ticket(0), "work_notes")), 1);
    assert_eq!(lost(&pair.comments()), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_ticket_of_an_incident_that_was_merged_away_is_told_or_closed_as_a_duplicate() {
    for code in ["", "Duplicate"] {
        let pair = Pair::new(&format!("[integration.acme.incidents]\nmerged_close_code = \"{code}\"")).await;
        let (other, share) = incident(2);
        pair.load(&share);
        pair.merge_into(&other).await;
        pair.until("the ticket is resolved", |pair| pair.ticket(0).get("state") == "6").await;
        pair.quiet().await;
        let ticket = pair.ticket(0);
        let told = notes(&ticket, "work_notes").iter().filter(|note| note.contains(&other)).count();
        assert_eq!(told, 1, "{:?}", ticket.notes);
        let expected = if code.is_empty() { "Solution provided" } else { code };
        assert_eq!(ticket.get("close_code"), expected);
        assert_eq!(ticket.get("close_notes").contains(&other), !code.is_empty(), "{}", ticket.get("close_notes"));
    }
}

impl Pair {
    /// As BigPanda's own API does it.
    async fn merge_into(&self, other: &str) {
        let access = self.world.sim.access().bigpanda;
        let path = format!("/resources/v2.0/environments/{}/incidents/{other}/merge", access.environment_id);
        let body = json!({ "source_incidents": [self.id] }).to_string();
        let token = format!("Bearer {}", access.api_key);
        let headers = [("authorization", token.as_str()), ("content-type", "application/json")];
        let answer = wire::request(self.world.sim.bigpanda, "POST", &path, &headers, body.as_bytes()).await.unwrap();
        assert_eq!(answer.status, 202, "{}", answer.body);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ticket_has_links_to_its_incident_whether_it_was_shared_with_links_or_without_or_found_by_a_poll() {
    let mut world = World::new().await.configured(QUICK);
    let console = ("TANDEM__INTEGRATION__ACME__BIGPANDA__CONSOLE_URL", "https://console.acme.example/");
    assert!(world.start(&[console]).await, "{}", world.log());
    world.until("both sides were looked at", |world| world.looks() >= 2).await;
    let (bare, share) = incident(1);
    assert_eq!(world.share(&share).await.unwrap().status, 202);
    let (own, mut share) = incident(2);
    share["links"] = json!({ "incident": "https://elsewhere.example/2" });
    assert_eq!(world.share(&share).await.unwrap().status, 202);
    let (found, mut share) = incident(3);
    share["incident"]["shared"] = json!(true);
    world.sim.load_incident(share).unwrap();
    let environments = [
        (&bare, "63bd568809cb331300ff0001".to_owned()),
        (&own, "63bd568809cb331300ff0001".to_owned()),
        (&found, world.sim.access().bigpanda.environment_id),
    ];
    for (id, environment) in environments {
        world.until_told(id).await;
        let description = world.sim.tickets_of(&format!("bigpanda:{id}"))[0].get("description").to_owned();
        let built = format!("https://console.acme.example/#/app/overview/{environment}/active/incidents/{id}/timeline");
        let first = if *id == own { "https://elsewhere.example/2".to_owned() } else { built.clone() };
        for line in [format!("Incident Link: {first}\n"), format!("Incident Timeline Link: {built}")] {
            assert!(description.contains(&line), "{line} is not in\n{description}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_only_a_share_tells_of_is_still_on_the_ticket_after_a_poll() {
    let pair = Pair::with("[integration.acme.incidents]\nai_summary_in_description = true", |share| {
        share["relatedChanges"] = json!([{
            "match_certainty": "MATCH",
            "change": { "identifier": "CHG0041207", "summary": "Deploy pricing", "status": "Done",
                        "ticket_url": "https://acme.service-now.com/chg" }
        }]);
    })
    .await;
    assert!(pair.ticket(0).get("description").contains("CHG0041207"), "{}", pair.ticket(0).get("description"));
    let alert = json!({ "id": "a2", "status": "warning", "active": true, "startedOn": 1_767_225_700,
                        "tags": [{ "name": "host", "value": "web-2" }] });
    pair.act(json!({ "do": "add_alert", "alert": alert }));
    pair.until("the ticket tells of the new alert", |pair| pair.ticket(0).get("description").contains("1 Warning"))
        .await;
    assert!(pair.ticket(0).get("description").contains("CHG0041207"), "{}", pair.ticket(0).get("description"));
}
