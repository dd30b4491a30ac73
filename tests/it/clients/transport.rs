//! The table of transport failures: what can have been applied, and the name that people know it by.

use std::time::Duration;

use tandem::domain::outcome::Outcome;
use tandem::servicenow::{Api, Client, Credentials, Settings};

use super::server::{Act, Server, answer};
use super::{clock, field, line, split};

fn settings(url: url::Url) -> Settings {
    let credentials = Credentials::Basic { user: "bot".to_owned(), password: "hunter2hunter2".into() };
    let mut settings = Settings::new(url, credentials);
    settings.transport.total_timeout = Duration::from_millis(400);
    settings.transport.idle_timeout = Duration::from_millis(300);
    settings.transport.connect_timeout = Duration::from_millis(200);
    settings.transport.breaker.failures = 0;
    settings
}

async fn create(settings: Settings) -> Outcome {
    Client::new(settings, clock()).unwrap().create("incident", &[field("short_description", "x")]).await
}

async fn after(act: Act) -> Outcome {
    let server = Server::acting(vec![act]).await;
    create(settings(server.url())).await
}

#[tokio::test]
async fn a_refused_connection_was_certainly_not_used() {
    let outcome = create(settings("http://127.0.0.1:1".parse().unwrap())).await;
    assert_eq!(
        line(outcome),
        "not applied: transport.connect: ServiceNow refused the connection (ECONNREFUSED) | ECONNREFUSED"
    );
}

#[tokio::test]
async fn an_address_without_a_route_was_certainly_not_used() {
    // No connection leads to a multicast address, whatever routes this machine has.
    let outcome = create(settings("http://224.0.0.1:9".parse().unwrap())).await;
    assert_eq!(
        line(outcome),
        "not applied: transport.connect: ServiceNow cannot be reached over the network (ENETUNREACH) | ENETUNREACH"
    );
}

#[tokio::test]
async fn an_unknown_name_is_not_found_or_the_resolver_is_silent() {
    let (kind, failure) = split(create(settings("http://no-such-host.invalid".parse().unwrap())).await);
    assert_eq!((kind, failure.code.as_str()), ("not applied", "transport.name"));
    // Which of the two depends on whether this machine has a resolver at all.
    assert!(["ENOTFOUND", "EAI_AGAIN"].contains(&failure.errno.as_deref().unwrap()), "{failure:?}");
    assert!(failure.hint.is_some());
}

#[tokio::test]
async fn a_name_in_the_hosts_file_is_found() {
    let server = Server::acting(vec![answer("201 Created", "", r#"{"result":{"sys_id":"1","number":"INC1"}}"#)]).await;
    let url = format!("http://localhost:{}", server.address.port()).parse().unwrap();
    assert!(matches!(create(settings(url)).await, Outcome::Applied(_)));
}

#[tokio::test]
async fn a_reset_after_the_request_leaves_it_open() {
    let outcome = after(Act::ResetAfterRequest).await;
    assert_eq!(
        line(outcome),
        "unknown: transport.reset: ServiceNow closed the connection without an answer (ECONNRESET) | ECONNRESET"
    );
}

#[tokio::test]
async fn a_reset_in_the_middle_of_the_request_leaves_it_open() {
    let server = Server::acting(vec![Act::ResetDuringRequest]).await;
    let client = Client::new(settings(server.url()), clock()).unwrap();
    let outcome = client.create("incident", &[field("description", &"x".repeat(8 * 1024 * 1024))]).await;
    let (kind, failure) = split(outcome);
    assert_eq!((kind, failure.code.as_str()), ("unknown", "transport.reset"));
    assert!(["ECONNRESET", "EPIPE"].contains(&failure.errno.as_deref().unwrap()), "{failure:?}");
}

#[tokio::test]
async fn a_connection_closed_without_an_answer_leaves_it_open() {
    let outcome = after(Act::Hang).await;
    assert_eq!(
        line(outcome),
        "unknown: transport.reset: ServiceNow closed the connection without an answer (ECONNRESET) | ECONNRESET"
    );
}

#[tokio::test]
async fn silence_is_a_timeout_and_leaves_it_open() {
    let outcome = after(Act::Silence(Duration::from_secs(5))).await;
    assert_eq!(line(outcome), "unknown: transport.timeout: ServiceNow did not answer in time (ETIMEDOUT) | ETIMEDOUT");
}

#[tokio::test]
async fn a_timeout_is_final_where_only_what_is_documented_is_tried_again() {
    let server = Server::acting(vec![Act::Silence(Duration::from_secs(5))]).await;
    let mut settings = settings(server.url());
    settings.transport.documented_only = true;
    assert_eq!(split(create(settings).await).0, "refused");
}

#[tokio::test]
async fn an_answer_that_breaks_off_leaves_it_open() {
    let head = "HTTP/1.1 201 Created\r\ncontent-length: 500\r\n\r\n{\"result\":{\"sys_id\":\"1\"";
    let outcome = after(Act::Say(head.to_owned())).await;
    assert_eq!(
        line(outcome),
        "unknown: transport.body 201: ServiceNow broke off in the middle of its answer (ECONNRESET) | ECONNRESET"
    );
    let outcome = after(Act::SayThenSilence(head.to_owned(), Duration::from_secs(5))).await;
    assert_eq!(
        line(outcome),
        "unknown: transport.timeout 201: ServiceNow did not answer in time (ETIMEDOUT) | ETIMEDOUT"
    );
}

#[tokio::test]
async fn a_status_is_known_even_where_its_body_breaks_off() {
    let head = "HTTP/1.1 403 Forbidden\r\ncontent-length: 500\r\n\r\n{\"error\"";
    let (kind, failure) = split(after(Act::Say(head.to_owned())).await);
    assert_eq!((kind, failure.status), ("refused", Some(403)));
}

#[tokio::test]
async fn a_success_that_cannot_be_read_leaves_it_open() {
    let mut lines = Vec::new();
    for body in [
        "",
        "null",
        "[]",
        "{\"result\":",
        "{\"result\":null}",
        "{\"result\":{\"number\":\"INC1\"}}",
        "{\"result\":{\"sys_id\":\"1\"},\"error\":{}}",
    ] {
        lines.push(line(after(answer("201 Created", "", body)).await));
    }
    lines.push(line(after(answer("202 Accepted", "", "")).await));
    insta::assert_snapshot!(lines.join("\n"), @r#"
    unknown: servicenow.unreadable 201: ServiceNow confirmed a write in a way that cannot be read
    unknown: servicenow.unreadable 201: ServiceNow confirmed a write in a way that cannot be read | null
    unknown: servicenow.unreadable 201: ServiceNow confirmed a write in a way that cannot be read | []
    unknown: servicenow.unreadable 201: ServiceNow confirmed a write in a way that cannot be read | {"result":
    unknown: servicenow.unreadable 201: ServiceNow confirmed a write in a way that cannot be read | {"result":null}
    unknown: servicenow.unreadable 201: ServiceNow confirmed a write without naming the record | {"result":{"number":"INC1"}}
    unknown: servicenow.unreadable 201: ServiceNow confirmed a write and reported an error in one answer | {"result":{"sys_id":"1"},"error":{}}
    unknown: servicenow.queued 202: ServiceNow queued the request, and may drop it
    "#);
}

#[tokio::test]
async fn a_page_for_people_is_recognised() {
    let page = |title: &str| {
        answer("200 OK", "content-type: text/html\r\n", &format!("<!doctype html><title>{title}</title>"))
    };
    insta::assert_snapshot!(line(after(page("Instance Hibernating page")).await), @r#"
    not applied: servicenow.hibernating 200: ServiceNow's instance is hibernating | a web page titled “Instance Hibernating page” | wake it by signing in to the developer site
    "#);
    insta::assert_snapshot!(line(after(page("Sign in to ACME")).await), @r#"
    refused: servicenow.not-data 200: ServiceNow answered with a web page instead of data | a web page titled “Sign in to ACME” | check the address: a sign-in page or a gateway in front of the instance answers so
    "#);
    insta::assert_snapshot!(line(after(answer("503 Service Unavailable", "content-type: text/html\r\n", "<title>Down for upgrade</title>")).await), @r#"
    not applied: servicenow.unavailable 503: ServiceNow answered 503 Service Unavailable | a web page titled “Down for upgrade”
    "#);
}

#[tokio::test]
async fn an_answer_larger_than_the_cap_is_not_read_to_its_end() {
    let body = format!("{{\"result\":{{\"sys_id\":\"1\",\"x\":\"{}\"}}}}", "x".repeat(5 * 1024 * 1024));
    let server = Server::acting(vec![answer("201 Created", "", &body)]).await;
    let mut settings = settings(server.url());
    settings.transport.total_timeout = Duration::from_secs(10);
    assert_eq!(
        line(create(settings).await),
        "unknown: servicenow.too-large 201: ServiceNow answered with more than 4 MiB"
    );
}

#[tokio::test]
async fn redirects_are_not_followed_and_no_secret_shows() {
    let elsewhere = Server::acting(vec![answer("200 OK", "", "{}")]).await;
    let redirect = answer("302 Found", &format!("location: {}\r\n", elsewhere.url()), "");
    assert_eq!(line(after(redirect).await), "refused: servicenow.refused 302: ServiceNow answered 302 Found");
    assert_eq!(elsewhere.requests(), Vec::<String>::new());

    let told = r#"{"error":{"message":"no","detail":"user bot with hunter2hunter2 (Basic Ym90Omh1bnRlcjJodW50ZXIy) is locked"}}"#;
    assert_eq!(
        line(after(answer("400 Bad Request", "", told)).await),
        "refused: servicenow.refused 400: ServiceNow answered 400 Bad Request | no: user bot with ******** (Basic ******** is locked"
    );
}

#[tokio::test]
async fn a_busy_side_asks_for_a_pause() {
    let wait = |outcome: Outcome| match outcome {
        Outcome::Paused { wait, failure } => (wait.as_secs(), failure.code),
        other => panic!("{other:?}"),
    };
    assert_eq!(
        wait(after(answer("429 Too Many Requests", "retry-after: 7\r\n", "")).await),
        (7, "servicenow.busy".to_owned())
    );
    assert_eq!(wait(after(answer("429 Too Many Requests", "", "")).await), (15, "servicenow.busy".to_owned()));
}

#[tokio::test]
async fn a_side_that_is_down_is_left_alone_for_a_while() {
    let mut settings = settings("http://127.0.0.1:1".parse().unwrap());
    settings.transport.breaker.failures = 2;
    let client = Client::new(settings, clock()).unwrap();
    let mut kinds = Vec::new();
    for _ in 0..3 {
        kinds.push(split(client.create("incident", &[]).await));
    }
    let kinds: Vec<_> = kinds.iter().map(|(kind, failure)| (*kind, failure.code.as_str())).collect();
    assert_eq!(
        kinds,
        [("not applied", "transport.connect"), ("not applied", "transport.connect"), ("paused", "transport.breaker")]
    );
}

#[tokio::test]
async fn a_side_that_does_not_speak_tls_is_no_network_problem() {
    let server = Server::acting(vec![Act::Interrupt("HTTP/1.1 400 Bad Request\r\n\r\n".to_owned())]).await;
    let url = format!("https://127.0.0.1:{}", server.address.port()).parse().unwrap();
    let (kind, failure) = split(create(settings(url)).await);
    assert_eq!((kind, failure.code.as_str()), ("not applied", "transport.tls"), "{failure:?}");
}
