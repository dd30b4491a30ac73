//! A small HTTP/1.1 load generator for loopback: keep-alive connections, prepared requests, measured latencies.
//!
//! It costs little processor time of its own, so that what is measured is the host. Bounded by the requests given.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// One prepared request: head and body as they go over the wire.
pub type Prepared = Arc<[u8]>;

/// What came of a run.
#[derive(Debug, Default)]
pub struct Report {
    /// Time from sending to the whole answer, in order of arrival.
    pub latencies: Vec<Duration>,
    /// Answers by status.
    pub statuses: std::collections::BTreeMap<u16, usize>,
    /// When each request was sent, by its place in the input.
    pub sent: Vec<Option<Instant>>,
    pub took: Duration,
}

/// A POST as it goes over the wire.
pub fn post(path: &str, headers: &[(&str, &str)], body: &[u8]) -> Prepared {
    let mut text = format!("POST {path} HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\n");
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str(&format!("content-length: {}\r\n\r\n", body.len()));
    let mut bytes = text.into_bytes();
    bytes.extend_from_slice(body);
    bytes.into()
}

/// Sends every request once, over so many connections, at most at the rate (requests a second over all).
pub async fn fire(to: SocketAddr, requests: Arc<Vec<Prepared>>, connections: usize, rate: Option<f64>) -> Report {
    let next = Arc::new(AtomicUsize::new(0));
    let started = Instant::now();
    let mut tasks = Vec::new();
    for _ in 0..connections {
        let (requests, next) = (requests.clone(), next.clone());
        tasks.push(tokio::spawn(async move {
            let mut stream = TcpStream::connect(to).await.expect("the host accepts connections");
            stream.set_nodelay(true).expect("nodelay");
            let mut buffer = Vec::with_capacity(4096);
            let mut done = Vec::new();
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                let Some(request) = requests.get(at) else { break };
                if let Some(rate) = rate {
                    let due = started + Duration::from_secs_f64(at as f64 / rate);
                    tokio::time::sleep_until(due.into()).await;
                }
                let sent = Instant::now();
                stream.write_all(request).await.expect("the host reads");
                let status = answer(&mut stream, &mut buffer).await;
                done.push((at, sent, sent.elapsed(), status));
            }
            done
        }));
    }
    let mut report = Report { sent: vec![None; requests.len()], ..Report::default() };
    for task in tasks {
        for (at, sent, latency, status) in task.await.expect("a connection ends well") {
            report.latencies.push(latency);
            report.sent[at] = Some(sent);
            *report.statuses.entry(status).or_default() += 1;
        }
    }
    report.took = started.elapsed();
    report
}

/// Reads one answer with a content length, and returns its status.
async fn answer(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> u16 {
    buffer.clear();
    loop {
        let read = stream.read_buf(buffer).await.expect("the host answers");
        assert!(read > 0, "the host closed the connection");
        let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let head = std::str::from_utf8(&buffer[..end]).expect("a head of text");
        let status = head.get(9..12).and_then(|text| text.parse().ok()).expect("a status line");
        let length = head
            .lines()
            .filter_map(|line| line.split_once(':'))
            .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
            .map_or(0, |(_, value)| value.trim().parse::<usize>().expect("a length"));
        while buffer.len() < end + 4 + length {
            let read = stream.read_buf(buffer).await.expect("the host answers");
            assert!(read > 0, "the host closed the connection");
        }
        return status;
    }
}

/// The value below which that share of the sorted values lies.
pub fn percentile(sorted: &[Duration], share: f64) -> Duration {
    let at = ((sorted.len() as f64 - 1.0) * share).round() as usize;
    sorted.get(at).copied().unwrap_or_default()
}
