//! The BigPanda client against the simulator.

use tandem::bigpanda::share::parse;
use tandem::bigpanda::{Api, Client, Settings};
use tandem::domain::id::{EnvironmentId, IncidentId};
use tandem::domain::outcome::Outcome;
use tandem::domain::share::ShareKind;
use tandem::simulator::{Action, Config, Fault, Handle, Simulator};

use super::{clock, fast, line, split};

async fn started() -> (Handle, Client) {
    let simulator = Simulator::start(Config::default()).await.unwrap();
    let access = simulator.access().bigpanda;
    let mut settings = Settings::new(access.url.parse().unwrap(), access.api_key.into(), access.app_key.into());
    settings.rate = fast();
    settings.transport.breaker.failures = 0;
    let client = Client::new(settings, clock()).unwrap();
    (simulator, client)
}

fn environment(simulator: &Handle) -> EnvironmentId {
    EnvironmentId::new(&simulator.access().bigpanda.environment_id).unwrap()
}

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/../tests/fixtures/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn load(simulator: &Handle, name: &str) -> IncidentId {
    let id = simulator.load_incident(serde_json::from_slice(&fixture(name)).unwrap()).unwrap();
    IncidentId::new(&id).unwrap()
}

fn applied(outcome: Outcome) {
    assert!(matches!(outcome, Outcome::Applied(_)), "{outcome:?}");
}

#[tokio::test]
async fn the_way_back_reaches_the_incident() {
    let (simulator, client) = started().await;
    let environment = environment(&simulator);
    let id = load(&simulator, "checkout-errors/1-new.rest.json");
    applied(client.callback(&id, ShareKind::New).await);
    applied(client.set_tag(&environment, &id, "servicenow_link", "https://acme.example/x").await);
    applied(client.comment(&environment, &id, "Ticket INC1 was created [t:1]").await);
    assert_eq!(simulator.callbacks().len(), 1);
    assert_eq!(simulator.tag(id.as_str(), "servicenow_link").as_deref(), Some("https://acme.example/x"));
    assert_eq!(simulator.comments(id.as_str()).len(), 1);
    assert_eq!(client.has_comment(&id, "[t:1]").await, Ok(true));
    assert_eq!(client.has_comment(&id, "[t:2]").await, Ok(false));
    simulator.shutdown().await;
}

#[tokio::test]
async fn a_tag_that_does_not_exist_is_created_and_definitions_are_read_once() {
    let (simulator, client) = started().await;
    let environment = environment(&simulator);
    let id = load(&simulator, "checkout-errors/1-new.rest.json");
    for value in ["one", "two", "three"] {
        applied(client.set_tag(&environment, &id, "snow_brand_new", value).await);
    }
    assert_eq!(simulator.tag(id.as_str(), "snow_brand_new").as_deref(), Some("three"));
    let reads = simulator.bigpanda_requests().requests().iter().filter(|request| request.method == "GET").count();
    assert!(reads <= 2, "{reads} reads of the definitions");
    let (kind, failure) = split(client.set_tag(&environment, &id, "a name that is far too long", "x").await);
    assert_eq!((kind, failure.code.as_str()), ("refused", "bigpanda.tag"));
    simulator.shutdown().await;
}

#[tokio::test]
async fn a_fetched_incident_equals_the_shared_one() {
    let (simulator, client) = started().await;
    let environment = environment(&simulator);
    for story in ["database-pool/2-updated", "switch-outage/1-new", "awkward-text/1-new"] {
        let id = load(&simulator, &format!("{story}.rest.json"));
        let mut fetched = client.incident(&environment, &id).await.unwrap();
        let mut shared = parse(&fixture(&format!("{story}.webhook.json"))).unwrap().incident;
        // BigPanda's REST API has neither the changes nor the analysis, and keeps its own folders and environments.
        for incident in [&mut fetched, &mut shared] {
            incident.environments.clear();
            incident.folders.clear();
            incident.changes.clear();
            incident.summary = None;
        }
        assert_eq!(fetched, shared, "{story}");
    }
    simulator.shutdown().await;
}

#[tokio::test]
async fn failures_are_told_apart() {
    let (simulator, client) = started().await;
    let environment = environment(&simulator);
    let id = load(&simulator, "checkout-errors/1-new.rest.json");
    let mut lines = Vec::new();
    let actions = [
        Action::ResetAfterCommit,
        Action::SemaphoreFull,
        Action::Unauthorized,
        Action::status(400),
        Action::status(403),
        Action::status(409),
        Action::status(500),
        Action::status(501),
        Action::status(502),
        Action::status(503),
    ];
    for action in actions {
        let name = format!("{action:?}").split([' ', '{']).next().unwrap().to_owned();
        simulator.bigpanda_faults().add(Fault::once("POST", "/comments", action));
        lines.push(format!("{name}: {}", line(client.comment(&environment, &id, "text").await)));
    }
    let nobody = IncidentId::new("65f1c2a9e0b7d40012a4ffff").unwrap();
    lines.push(format!("no such incident: {}", line(client.comment(&environment, &nobody, "text").await)));
    lines.push(format!("fetched: {}", line(client.incident(&environment, &nobody).await.unwrap_err())));
    insta::assert_snapshot!(lines.join("\n"), @r#"
    ResetAfterCommit: unknown: transport.reset: BigPanda closed the connection without an answer (ECONNRESET) | ECONNRESET
    SemaphoreFull: paused: bigpanda.busy 429: BigPanda answered 429 Too Many Requests | Too Many Requests
    Unauthorized: auth: bigpanda.auth 401: BigPanda answered 401 Unauthorized | Unauthorized | check the user API key (it begins with BPU)
    Status: refused: bigpanda.refused 400: BigPanda answered 400 Bad Request | Bad Request
    Status: refused: bigpanda.refused 403: BigPanda answered 403 Forbidden | Forbidden | give the API key's role full access to incidents
    Status: refused: bigpanda.refused 409: BigPanda answered 409 Conflict | Conflict
    Status: unknown: bigpanda.unavailable 500: BigPanda answered 500 Internal Server Error | Internal Server Error
    Status: not applied: bigpanda.unavailable 501: BigPanda answered 501 Not Implemented | Not Implemented
    Status: unknown: bigpanda.unavailable 502: BigPanda answered 502 Bad Gateway | Bad Gateway
    Status: not applied: bigpanda.unavailable 503: BigPanda answered 503 Service Unavailable | Service Unavailable
    no such incident: missing: bigpanda.missing 404: BigPanda answered 404 Not Found | Incident 65f1c2a9e0b7d40012a4ffff was not found | check the environment id and the region: a wrong region answers as if the incident did not exist
    fetched: missing: bigpanda.missing 404: BigPanda answered 404 Not Found | Incident 65f1c2a9e0b7d40012a4ffff was not found | check the environment id and the region: a wrong region answers as if the incident did not exist
    "#);
    simulator.shutdown().await;
}

#[tokio::test]
async fn each_endpoint_is_kept_below_its_limit() {
    let (simulator, _) = started().await;
    let access = simulator.access().bigpanda;
    let settings = Settings::new(access.url.parse().unwrap(), access.api_key.into(), access.app_key.into());
    let client = Client::new(settings, clock()).unwrap();
    simulator.set_bigpanda_rate_limit(5);
    let environment = environment(&simulator);
    let id = load(&simulator, "checkout-errors/1-new.rest.json");
    let started = tokio::time::Instant::now();
    for number in 0..8 {
        applied(client.comment(&environment, &id, &format!("comment {number}")).await);
    }
    // A burst of five, then one every 200 ms.
    assert!(started.elapsed().as_millis() >= 500, "{:?}", started.elapsed());
    applied(client.callback(&id, ShareKind::New).await);
    assert_eq!(simulator.comments(id.as_str()).len(), 8);
    simulator.shutdown().await;
}
