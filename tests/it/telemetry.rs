//! Traces leave the host: to a collector that decodes them, and to one that does not answer.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value::Value as Any};
use opentelemetry_proto::tonic::trace::v1::{Span, Status, span::SpanKind, status::StatusCode};
use prost::Message as _;
use tandem::simulator::{Action, Fault};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::support::plugins::component;
use crate::support::{TOKEN, World, incident, wire};

/// A collector that keeps what it gets: the head and the body of each call.
struct Collector {
    address: SocketAddr,
    calls: Arc<Mutex<Vec<(String, Vec<u8>)>>>,
}

impl Collector {
    /// Answers with this status; `None`: it reads, and never answers.
    async fn start(status: Option<u16>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let calls = Arc::<Mutex<Vec<_>>>::default();
        let keeping = calls.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(collect(stream, status, keeping.clone()));
            }
        });
        Self { address, calls }
    }

    fn settings(&self) -> String {
        format!("[telemetry]\nenabled = true\nendpoint = \"http://{}\"", self.address)
    }

    fn calls(&self) -> Vec<(String, Vec<u8>)> {
        self.calls.lock().unwrap().clone()
    }

    /// What was sent, decoded: the resource's attributes and the spans of each call.
    fn received(&self) -> Vec<(BTreeMap<String, String>, Vec<Span>)> {
        let mut received = Vec::new();
        for (_, body) in self.calls() {
            for of_resource in ExportTraceServiceRequest::decode(body.as_slice()).unwrap().resource_spans {
                let resource = attributes(&of_resource.resource.unwrap().attributes);
                received.push((resource, of_resource.scope_spans.into_iter().flat_map(|scope| scope.spans).collect()));
            }
        }
        received
    }

    fn spans(&self) -> Vec<Span> {
        self.received().into_iter().flat_map(|(_, spans)| spans).collect()
    }
}

async fn collect(mut stream: TcpStream, status: Option<u16>, calls: Arc<Mutex<Vec<(String, Vec<u8>)>>>) {
    let mut bytes = Vec::new();
    loop {
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4) else {
            if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
                return;
            }
            continue;
        };
        let head = String::from_utf8(bytes.drain(..end).collect()).unwrap().to_ascii_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        let length: usize = length.parse().unwrap();
        while bytes.len() < length {
            if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
                return;
            }
        }
        calls.lock().unwrap().push((head, bytes.drain(..length).collect()));
        let Some(status) = status else { return std::future::pending().await };
        let answer = format!("HTTP/1.1 {status} Word\r\ncontent-length: 0\r\n\r\n");
        let _ = stream.write_all(answer.as_bytes()).await;
    }
}

fn attributes(all: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |value: &Any| match value {
        Any::StringValue(text) => text.clone(),
        Any::IntValue(number) => number.to_string(),
        Any::BoolValue(yes) => yes.to_string(),
        other => panic!("{other:?}"),
    };
    let value = |one: &KeyValue| text(one.value.as_ref().unwrap().value.as_ref().unwrap());
    all.iter().map(|one| (one.key.clone(), value(one))).collect()
}

fn attribute(span: &Span, key: &str) -> String {
    attributes(&span.attributes).remove(key).unwrap_or_else(|| panic!("{} has no {key}: {span:?}", span.name))
}

fn named<'s>(spans: &'s [Span], name: &str) -> Vec<&'s Span> {
    spans.iter().filter(|span| span.name == name).collect()
}

fn status(span: &Span) -> StatusCode {
    span.status.as_ref().map_or(StatusCode::Unset, Status::code)
}

/// Nothing that is secret, and nothing that somebody wrote.
fn no_contents(world: &World, collector: &Collector) {
    let access = world.sim.access();
    let secrets = [TOKEN, &access.bigpanda.api_key, &access.bigpanda.app_key, &access.servicenow.password];
    // Long enough not to be in a binary id by chance.
    let contents = ["CPU above", "web-1", "prometheus.prod", "planted", "@acme.example", "authorization", "Bearer"];
    for (head, body) in collector.calls() {
        let all = [head.as_bytes(), body.as_slice()].concat();
        for text in secrets.into_iter().chain(contents) {
            assert!(text.len() >= 5);
            let found = all.windows(text.len()).any(|part| part.eq_ignore_ascii_case(text.as_bytes()));
            assert!(!found, "{text} was exported:\n{}", String::from_utf8_lossy(&all));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_share_to_its_ticket_is_one_trace() {
    let collector = Collector::start(Some(200)).await;
    let mut world = World::new().await.configured(&collector.settings());
    assert!(world.start(&[]).await, "{}", world.log());
    let (id, mut share) = incident(1);
    share["incident"]["incident_tags"][0]["tag_value"] = "planted by someone@acme.example".into();
    assert_eq!(world.share(&share).await.unwrap().status, 202);
    world.until_told(&id).await;
    // What happened so far goes out by itself, and nobody waits for the end.
    world.until("the ticket's attempt was exported", |_| !named(&collector.spans(), "attempt").is_empty()).await;
    assert!(world.stop().await.success());

    for (head, _) in collector.calls() {
        assert!(head.starts_with("post /v1/traces http/1.1\r\n"), "{head}");
        assert!(head.contains("content-type: application/x-protobuf\r\n"), "{head}");
    }
    for (resource, _) in collector.received() {
        let expected = [("service.name", "tandem"), ("service.version", env!("CARGO_PKG_VERSION"))];
        assert_eq!(resource, expected.map(|(key, value)| (key.to_owned(), value.to_owned())).into());
    }
    let spans = collector.spans();
    let names: std::collections::BTreeSet<&str> = spans.iter().map(|span| span.name.as_str()).collect();
    assert_eq!(names, ["attempt", "event", "share"].into(), "nothing else is exported");
    for span in &spans {
        assert_eq!(attribute(span, "integration"), "acme");
        assert_eq!(attribute(span, "incident.id"), id);
        assert_eq!(status(span), StatusCode::Unset, "{span:?}");
        assert!(span.end_time_unix_nano > span.start_time_unix_nano, "{span:?}");
    }

    let [share] = named(&spans, "share").try_into().unwrap();
    assert_eq!((attribute(share, "http.status"), attribute(share, "duplicate")), ("202".into(), "false".into()));
    assert_eq!(share.kind(), SpanKind::Server);
    assert!(share.parent_span_id.is_empty(), "{share:?}");
    let event = named(&spans, "event").into_iter().find(|event| event.parent_span_id == share.span_id).unwrap();
    assert_eq!((attribute(event, "events"), attribute(event, "requests")), ("1".into(), "1".into()));
    assert_eq!(attribute(event, "outcome"), "done");

    let ticket = &world.sim.tickets_of(&format!("bigpanda:{id}"))[0];
    let number = ticket.number.clone();
    let attempts: BTreeMap<String, &Span> =
        named(&spans, "attempt").into_iter().map(|span| (attribute(span, "request.operation"), span)).collect();
    let create = attempts["create-ticket"];
    assert_eq!(create.parent_span_id, event.span_id);
    assert_eq!(create.kind(), SpanKind::Client);
    assert_eq!(attribute(create, "request.attempt"), "1");
    assert_eq!(attribute(create, "target"), "servicenow");
    assert_eq!(attribute(create, "outcome"), "applied");
    assert_eq!(attribute(create, "ticket.number"), number);
    assert!(!attribute(create, "request.key").is_empty());
    for operation in ["callback", "tag-incident", "comment-incident"] {
        let span = attempts.get(operation).unwrap_or_else(|| panic!("no {operation} in {:?}", attempts.keys()));
        assert_eq!(span.parent_span_id, create.span_id, "{operation} follows from the ticket");
        assert_eq!(span.trace_id, share.trace_id, "{operation}");
    }
    no_contents(&world, &collector);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_fails_is_marked_and_says_no_more_than_a_code() {
    let collector = Collector::start(Some(200)).await;
    let settings = format!("spacing = \"100ms\"\n{}", collector.settings());
    let mut world = World::new().await.configured(&settings);
    std::fs::copy(component("panics"), world.plugins().join("panics.wasm")).unwrap();
    world.sim.servicenow_faults().add(Fault {
        method: Some("POST".to_owned()),
        count: Some(1),
        ..Fault::new(Action::status(503))
    });
    assert!(world.start(&[]).await, "{}", world.log());
    let (id, mut share) = incident(1);
    share["incident"]["incident_tags"][0]["tag_value"] = "planted by someone@acme.example".into();
    assert_eq!(world.share(&share).await.unwrap().status, 202);
    world.until_told(&id).await;
    let post = async |headers: &[(&str, &str)], body: &[u8]| {
        wire::request(world.listen, "POST", "/integrations/acme/share", headers, body).await.unwrap().status
    };
    let authorization = format!("Bearer {TOKEN}");
    assert_eq!(post(&[("authorization", &authorization)], b"CPU above everything").await, 400);
    assert_eq!(post(&[], b"{}").await, 401);
    assert!(world.stop().await.success());

    let spans = collector.spans();
    let creates: Vec<&Span> = named(&spans, "attempt")
        .into_iter()
        .filter(|span| attribute(span, "request.operation") == "create-ticket")
        .collect();
    let [failed, applied] = creates.try_into().unwrap();
    assert_eq!((attribute(failed, "request.attempt"), attribute(applied, "request.attempt")), ("1".into(), "2".into()));
    assert_eq!((status(failed), status(applied)), (StatusCode::Error, StatusCode::Unset));
    assert_eq!(attribute(failed, "http.status"), "503");
    assert_eq!(failed.status.as_ref().unwrap().message, attribute(failed, "error.code"));
    assert_eq!(failed.trace_id, applied.trace_id, "a later attempt belongs to the same trace");
    assert_eq!(failed.parent_span_id, applied.parent_span_id);

    let event = named(&spans, "event").into_iter().find(|event| event.span_id == failed.parent_span_id).unwrap();
    let [plugin] = event.events.as_slice() else { panic!("one plugin failed: {:?}", event.events) };
    let plugin = attributes(&plugin.attributes);
    assert_eq!(plugin["plugin.id"], "panics");
    assert_eq!(plugin["error.code"], "plugin.panic");
    assert_eq!(status(event), StatusCode::Unset, "another plugin answered");

    let refused: Vec<&Span> =
        named(&spans, "share").into_iter().filter(|span| status(span) == StatusCode::Error).collect();
    let [refused] = refused.as_slice() else { panic!("who has no token is not traced: {refused:?}") };
    assert_eq!(attribute(refused, "http.status"), "400");
    no_contents(&world, &collector);
}

/// Shares become tickets as ever; the host stops in time and has warned once.
async fn goes_on_without(collector: &str) {
    let settings = format!("[telemetry]\nenabled = true\nendpoint = \"{collector}\"");
    let mut world = World::new().await.configured(&settings);
    assert!(world.start(&[]).await, "{}", world.log());
    for number in 0..5 {
        let (id, share) = incident(number);
        let asked = Instant::now();
        assert_eq!(world.share(&share).await.unwrap().status, 202);
        world.until_told(&id).await;
        assert!(asked.elapsed() < Duration::from_secs(10), "the sync waited for the collector");
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
    let stopping = Instant::now();
    assert!(world.stop().await.success());
    // Three seconds for the collector; the rest is the host's own end.
    assert!(stopping.elapsed() < Duration::from_secs(8), "{:?}", stopping.elapsed());
    let log = world.log();
    assert_eq!(log.matches("traces cannot be exported").count(), 1, "{log}");
    assert_eq!(log.matches("telemetry").count(), 2, "nothing else is said of it:\n{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_that_is_down_keeps_nobody_waiting() {
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    goes_on_without(&format!("http://{nobody}")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_that_never_answers_keeps_nobody_waiting() {
    let collector = Collector::start(None).await;
    goes_on_without(&format!("http://{}", collector.address)).await;
    assert!(!collector.calls().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_that_refuses_is_told_of_once() {
    let collector = Collector::start(Some(401)).await;
    goes_on_without(&format!("http://{}", collector.address)).await;
    assert!(collector.calls().len() > 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_leaves_unless_it_is_switched_on() {
    let collector = Collector::start(Some(200)).await;
    let settings = collector.settings().replace("enabled = true", "enabled = false");
    let mut world = World::new().await.configured(&settings);
    assert!(world.start(&[]).await, "{}", world.log());
    let (id, share) = incident(1);
    assert_eq!(world.share(&share).await.unwrap().status, 202);
    world.until_told(&id).await;
    assert!(world.stop().await.success());
    assert!(collector.calls().is_empty());
}
