//! The sockets as a peer sees them: requests are bytes, answers are read until the server closes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod rig;

use std::sync::atomic::Ordering;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use rig::{PREVIOUS, Reply, Rig, TOKEN, body};

const SHARE: &str = "/integrations/acme/share";

#[tokio::test]
async fn a_share_is_accepted_once_and_its_repetition_is_a_duplicate() {
    let rig = Rig::new(&[]).await;
    let first = rig.share(1, "").await;
    assert_eq!((first.status, &first.body["duplicate"]), (202, &false.into()), "{first:?}");
    let again = rig.share(1, "").await;
    assert_eq!((again.status, &again.body["duplicate"]), (202, &true.into()));
    assert_eq!(first.body["event"], again.body["event"]);
    assert_ne!(rig.share(2, "").await.body["event"], first.body["event"]);
}

#[tokio::test]
async fn only_a_valid_token_lets_a_share_in() {
    let rig = Rig::new(&[]).await;
    let basic =
        |password: &str| format!("authorization: Basic {}\r\n", STANDARD.encode(format!("bigpanda:{password}")));
    let bearer = |token: &str| format!("authorization: Bearer {token}\r\n");
    let good = [bearer(TOKEN), bearer(PREVIOUS), basic(TOKEN), format!("X-Tandem-Token: {TOKEN}\r\n")];
    for lines in &good {
        assert_eq!(rig.share_as(1, lines).await.status, 202);
    }
    let bad = [
        String::new(),
        bearer(""),
        bearer(&TOKEN[..TOKEN.len() - 1]),
        bearer(&format!("{TOKEN}0")),
        bearer(&TOKEN.to_uppercase()),
        basic("wrong"),
        "authorization: Basic ???\r\n".to_owned(),
        "authorization: Basic\r\n".to_owned(),
        format!("authorization: {TOKEN}\r\n"),
        format!("authorization: Digest {TOKEN}\r\n"),
        "x-tandem-token: \r\n".to_owned(),
        "authorization: Bearer \u{e9}\r\n".to_owned(),
    ];
    for lines in &bad {
        let reply = rig.share_as(9, lines).await;
        assert_eq!((reply.status, reply.code()), (401, "web.token"), "{lines:?}");
        assert!(reply.head.contains("www-authenticate: bearer"));
    }
}

#[tokio::test]
async fn a_name_that_is_not_configured_is_unknown() {
    let rig = Rig::new(&[]).await;
    let token = format!("authorization: Bearer {TOKEN}\r\n");
    for name in ["globex", "Acme", "acme%00", "%2e%2e"] {
        let reply = rig.post(&format!("/integrations/{name}/share"), &token, &body(1)).await;
        assert_eq!((reply.status, reply.code()), (404, "web.integration"), "{name}");
    }
    assert_eq!(rig.post("/integrations/acme/../acme/share", &token, &body(1)).await.status, 404);
    assert_eq!(rig.post("/api/v1/queue", &token, &body(1)).await.status, 404, "operators have a socket of their own");
}

#[tokio::test]
async fn a_body_that_cannot_be_a_share_is_answered_with_the_reason_and_kept() {
    let rig = Rig::new(&[]).await;
    let token = format!("authorization: Bearer {TOKEN}\r\n");
    for bytes in [&b""[..], b"{", b"[1]", b"\xff\xfe", b"{\"incident\":{}}"] {
        let reply = rig.post(SHARE, &token, bytes).await;
        assert_eq!(reply.status, 400, "{reply:?}");
        assert!(reply.body["error"]["hint"].is_string(), "{reply:?}");
    }
    assert_eq!(rig.store.rejected.load(Ordering::SeqCst), 5);
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_whether_it_says_its_length_or_not() {
    let rig = Rig::new(&[]).await;
    let token = format!("authorization: Bearer {TOKEN}\r\n");
    let head = format!("POST {SHARE} HTTP/1.1\r\nhost: t\r\n{token}connection: close\r\n");
    // Only the length is sent: the answer must not wait for the body.
    let said = Reply::of(&rig.raw(format!("{head}content-length: 9999999\r\n\r\n").as_bytes()).await);
    assert_eq!((said.status, said.code()), (413, "web.size"));
    let mut chunked = format!("{head}transfer-encoding: chunked\r\n\r\n").into_bytes();
    for _ in 0..40 {
        chunked.extend_from_slice(b"1000\r\n");
        chunked.extend_from_slice(&[b' '; 0x1000]);
        chunked.extend_from_slice(b"\r\n");
    }
    let unsaid = Reply::of(&rig.raw(&chunked).await);
    assert_eq!((unsaid.status, unsaid.code()), (413, "web.size"));
    assert_eq!(rig.share(1, "").await.status, 202);
}

#[tokio::test]
async fn a_peer_that_sends_nothing_or_half_a_head_is_cut_off() {
    let rig = Rig::new(&["server.max_connections=4"]).await;
    let beginnings: [&[u8]; 4] = [b"", b"P", b"PRI * HT", b"POST /integrations/acme/share HTTP/1.1\r\nhost: t\r\n"];
    let mut idle = Vec::new();
    for bytes in beginnings {
        let mut stream = TcpStream::connect(rig.server.public).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        idle.push(stream);
    }
    // All connections are taken; the next peer gets its turn when the slow ones are cut off.
    let reply =
        tokio::time::timeout(Duration::from_secs(5), rig.share(1, "")).await.expect("the slow ones are cut off");
    assert_eq!(reply.status, 202);
    for (mut stream, bytes) in idle.into_iter().zip(beginnings) {
        let mut rest = Vec::new();
        let end = tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut rest)).await;
        assert!(end.is_ok(), "the connection that sent {bytes:?} is still open");
    }
}

#[tokio::test]
async fn a_head_that_comes_drop_by_drop_is_cut_off() {
    let rig = Rig::new(&[]).await;
    let mut stream = TcpStream::connect(rig.server.public).await.unwrap();
    stream.write_all(b"POST /integrations/acme/share HTTP/1.1\r\n").await.unwrap();
    let dripping = async {
        loop {
            if stream.write_all(b"x-a: b\r\n").await.is_err() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(5), dripping).await.is_ok(), "the head went on for ever");
}

#[tokio::test]
async fn a_body_that_never_ends_is_answered_408() {
    let rig = Rig::new(&[]).await;
    let head =
        format!("POST {SHARE} HTTP/1.1\r\nhost: t\r\nauthorization: Bearer {TOKEN}\r\ncontent-length: 500\r\n\r\n{{");
    let mut stream = TcpStream::connect(rig.server.public).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = vec![0; 12];
    tokio::time::timeout(Duration::from_secs(5), stream.read_exact(&mut answer)).await.unwrap().unwrap();
    assert_eq!(answer, b"HTTP/1.1 408");
}

#[tokio::test]
async fn what_cannot_be_made_durable_is_answered_503_with_a_time_to_come_again() {
    let rig = Rig::new(&[]).await;
    rig.store.failing.store(true, Ordering::SeqCst);
    let reply = rig.share(1, "").await;
    assert_eq!((reply.status, reply.code()), (503, "store.unavailable"));
    assert!(reply.head.contains("retry-after: "), "{}", reply.head);
    let ready = rig.admin("GET", "/readyz", "").await;
    assert_eq!((ready.status, &ready.body["ready"]), (503, &false.into()));
    rig.store.failing.store(false, Ordering::SeqCst);
    assert_eq!((rig.share(1, "").await.status, rig.admin("GET", "/readyz", "").await.status), (202, 200));
}

#[tokio::test]
async fn shares_beyond_the_rate_wait_and_those_of_an_inactive_integration_too() {
    let rig = Rig::new(&["server.shares_per_second=2"]).await;
    let mut statuses = Vec::new();
    for number in 0..4 {
        statuses.push(rig.share(number, "").await);
    }
    let refused = statuses.iter().find(|reply| reply.status == 429).expect("one too many");
    assert!(refused.head.contains("retry-after: 1") && refused.code() == "web.rate");
    let rig = Rig::new(&["integration.acme.incidents.active=false"]).await;
    let reply = rig.share(1, "").await;
    assert_eq!((reply.status, reply.code()), (503, "web.inactive"));
}

#[tokio::test]
async fn a_share_may_name_its_own_servicenow_and_no_other() {
    let rig = Rig::new(&[]).await;
    for own in ["https://acme.service-now.com", "https://ITSM.acme.example/", "https://acme.service-now.com:443/x"] {
        let lines = format!("x-bp-config-servicenowUrl: {own}\r\nx-bp-config-servicenowPassword: swordfish\r\n");
        assert_eq!(rig.share(1, &lines).await.status, 202, "{own}");
    }
    for foreign in [
        "https://evil.example",
        "https://acme.service-now.com.evil.example",
        "https://acme.service-now.com@evil.example",
        "https://evil.example/#acme.service-now.com",
        "//acme.service-now.com",
        "acme.service-now.com",
        "http://127.0.0.1",
        "http://0x7f.1",
        "http://[::ffff:127.0.0.1]",
        "file:///etc/passwd",
        "",
    ] {
        let reply = rig.share(2, &format!("x-bp-config-servicenowUrl: {foreign}\r\n")).await;
        assert_eq!((reply.status, reply.code()), (403, "web.destination"), "{foreign}");
    }
}

#[tokio::test]
async fn hostile_heads_are_refused_and_the_next_share_is_served() {
    let rig = Rig::new(&[]).await;
    let token = format!("authorization: Bearer {TOKEN}\r\n");
    let long = "a".repeat(200_000);
    let many = "x-a: b\r\n".repeat(2_000);
    let text = String::from_utf8(body(7)).unwrap();
    let length = text.len();
    let lines: Vec<Vec<u8>> = vec![
        b"x-bp-field-a: one\rx-injected: two\r\n".to_vec(),
        b"x-bp-field-a: one\nx\r\n".to_vec(),
        b"x-bp-field-a: on\0e\r\n".to_vec(),
        b"x-bp-field-\xff: a\r\n".to_vec(),
        b"x-bp-field-a : b\r\n".to_vec(),
        b": b\r\n".to_vec(),
        format!("x-bp-field-a: {long}\r\n").into_bytes(),
        many.into_bytes(),
        format!("content-length: {}\r\n", length + 1).into_bytes(),
        b"content-length: -1\r\n".to_vec(),
        b"content-length: +5\r\n".to_vec(),
        b"transfer-encoding: chunked, identity\r\n".to_vec(),
        b"x-bp-field-a: \xff\xfe\r\n".to_vec(),
    ];
    for line in lines {
        let mut bytes = format!("POST {SHARE} HTTP/1.1\r\nhost: t\r\nconnection: close\r\n{token}").into_bytes();
        bytes.extend_from_slice(&line);
        bytes.extend_from_slice(format!("content-length: {length}\r\n\r\n{text}").as_bytes());
        let reply = Reply::of(&rig.raw(&bytes).await);
        let shown = String::from_utf8_lossy(&line[..line.len().min(40)]).into_owned();
        assert!((400..500).contains(&reply.status) || reply.status == 0, "{shown:?}: {reply:?}");
        assert!(!reply.head.contains("x-injected"), "{shown:?}");
        assert_eq!(rig.share(8, "").await.status, 202, "after {shown:?}");
    }
    // Two requests in the bytes of one, for whoever believes the length: each has to present a token of its own.
    let hidden =
        format!("POST {SHARE} HTTP/1.1\r\nhost: t\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{text}");
    let both = format!("content-length: {}\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n{hidden}", hidden.len() + 5);
    let answer = rig.raw(format!("POST {SHARE} HTTP/1.1\r\nhost: t\r\n{token}{both}").as_bytes()).await;
    assert!(answer.contains("HTTP/1.1 4") && !answer.contains("HTTP/1.1 202"), "{answer}");
}

#[tokio::test]
async fn operators_present_the_token_or_ask_from_the_machine_itself() {
    let rig = Rig::new(&[]).await;
    assert_eq!(rig.admin("GET", "/api/v1/queue", "").await.status, 200);
    assert_eq!(rig.admin("GET", "/api/v1/queue", "host: 127.0.0.1:7701\r\n").await.status, 200);
    assert_eq!(rig.admin("GET", "/api/v1/queue", "host: [::1]:7701\r\n").await.status, 200);
    for lines in ["host: evil.example\r\n", "origin: https://evil.example\r\n", "host: localhost.evil.example\r\n"] {
        let reply = rig.admin("GET", "/api/v1/queue", lines).await;
        assert_eq!((reply.status, reply.code()), (401, "web.operator"), "{lines}");
    }
    let rig = Rig::new(&["server.admin_token=swordfish-of-operators"]).await;
    assert_eq!(rig.admin("GET", "/api/v1/queue", "").await.status, 401);
    assert_eq!(rig.admin("GET", "/api/v1/queue", "authorization: Bearer swordfish\r\n").await.status, 401);
    assert_eq!(rig.admin("GET", "/api/v1/queue", &format!("authorization: Bearer {TOKEN}\r\n")).await.status, 401);
    let right = "authorization: Bearer swordfish-of-operators\r\n";
    assert_eq!(rig.admin("GET", "/api/v1/queue", right).await.status, 200);
    assert_eq!(rig.admin("POST", "/api/v1/queue/1/retry", "").await.status, 401);
    assert_eq!(rig.admin("GET", "/healthz", "").await.status, 200);
}

#[tokio::test]
async fn what_operators_ask_wrongly_is_answered_with_a_remedy() {
    let rig = Rig::new(&[]).await;
    let asked = [
        ("GET", "/api/v1/queue/7", 404, "api.request"),
        ("POST", "/api/v1/queue/7/retry", 404, "api.request"),
        ("POST", "/api/v1/queue/7/discard", 404, "api.request"),
        ("GET", "/api/v1/queue?state=lost", 400, "api.state"),
        ("GET", "/api/v1/queue?integration=A%20B", 400, "api.integration"),
        ("GET", "/api/v1/links/acme/nobody", 404, "api.link"),
    ];
    for (method, path, status, code) in asked {
        let reply = rig.admin(method, path, "").await;
        assert_eq!((reply.status, reply.code()), (status, code), "{path}");
    }
    rig.share(1, "").await;
    let link = rig.admin("GET", "/api/v1/links/acme/65f1c2a9e0b7d40010000001", "").await;
    assert_eq!((link.status, &link.body["link"]["state"]), (200, &"new".into()), "{link:?}");
}

#[tokio::test]
async fn a_stopping_host_finishes_what_is_under_way_and_takes_nothing_new() {
    let rig = Rig::new(&["server.body_timeout=5s"]).await;
    let text = body(1);
    let head = format!(
        "POST {SHARE} HTTP/1.1\r\nhost: t\r\nconnection: close\r\nauthorization: Bearer {TOKEN}\r\ncontent-length: {}\r\n\r\n",
        text.len()
    );
    let address = rig.server.public;
    let mut under_way = TcpStream::connect(address).await.unwrap();
    under_way.write_all(head.as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let stopping = tokio::spawn(rig.stop());
    tokio::time::sleep(Duration::from_millis(100)).await;
    under_way.write_all(&text).await.unwrap();
    let mut answer = String::new();
    under_way.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
    assert!(stopping.await.unwrap(), "not everything ended in time");
    assert!(TcpStream::connect(address).await.is_err(), "the socket is still open");
}
