//! A small HTTP/1.1 load generator for loopback: connections that are kept, prepared requests, measured latencies.
//!
//! It costs little processor time of its own, so that what is measured is the host.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Shares of one shape, told apart by their incidents' ids.
pub(crate) struct Shares {
    bytes: Vec<u8>,
    id_at: usize,
}

/// Hexadecimal digits of an incident's id.
const ID: usize = 24;

impl Shares {
    /// Requests to a path, with this body. The body holds `placeholder`, where the id goes.
    pub(crate) fn new(path: &str, token: &str, placeholder: &str, body: &str) -> Self {
        assert_eq!(placeholder.len(), ID);
        let mut bytes = format!(
            "POST {path} HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\nauthorization: Bearer {token}\r\ncontent-length: {}\r\n\r\n",
            body.len()
        )
        .into_bytes();
        let head = bytes.len();
        bytes.extend_from_slice(body.as_bytes());
        assert_eq!(body.matches(placeholder).count(), 1, "one id in the body");
        Self { bytes, id_at: head + body.find(placeholder).expect("an id") }
    }

    /// Bytes of a body and its head.
    pub(crate) fn size(&self) -> usize {
        self.bytes.len()
    }

    fn of(&self, number: usize) -> Vec<u8> {
        let mut bytes = self.bytes.clone();
        bytes[self.id_at..self.id_at + ID].copy_from_slice(id(number).as_bytes());
        bytes
    }
}

/// The id of the incident with that number.
pub(crate) fn id(number: usize) -> String {
    format!("{number:024x}")
}

/// What came of a run.
#[derive(Debug, Default)]
pub(crate) struct Fired {
    /// Milliseconds from sending to the whole answer.
    pub(crate) latencies: Vec<f64>,
    /// Answers by status.
    pub(crate) statuses: BTreeMap<u16, usize>,
    /// When each request was sent, by its place.
    pub(crate) sent: BTreeMap<usize, Instant>,
    pub(crate) took: Duration,
}

/// Sends the shares with these numbers, over so many connections, at most at the rate (shares a second over all).
pub(crate) async fn fire(
    to: SocketAddr,
    shares: &Arc<Shares>,
    numbers: std::ops::Range<usize>,
    connections: usize,
    rate: Option<f64>,
) -> Fired {
    let next = Arc::new(AtomicUsize::new(numbers.start));
    let started = Instant::now();
    let mut tasks = Vec::new();
    for _ in 0..connections {
        let (shares, next, numbers) = (shares.clone(), next.clone(), numbers.clone());
        tasks.push(tokio::spawn(async move {
            let mut stream = TcpStream::connect(to).await.expect("the host accepts connections");
            stream.set_nodelay(true).expect("nodelay");
            let mut buffer = Vec::with_capacity(4096);
            let mut done = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= numbers.end {
                    return done;
                }
                if let Some(rate) = rate {
                    let due = started + Duration::from_secs_f64((number - numbers.start) as f64 / rate);
                    tokio::time::sleep_until(due.into()).await;
                }
                let request = shares.of(number);
                let sent = Instant::now();
                stream.write_all(&request).await.expect("the host reads");
                let status = answer(&mut stream, &mut buffer).await;
                done.push((number, sent, sent.elapsed(), status));
            }
        }));
    }
    let mut fired = Fired::default();
    for task in tasks {
        for (number, sent, latency, status) in task.await.expect("a connection ends well") {
            fired.latencies.push(latency.as_secs_f64() * 1000.0);
            fired.sent.insert(number, sent);
            *fired.statuses.entry(status).or_default() += 1;
        }
    }
    fired.took = started.elapsed();
    fired
}

impl Fired {
    /// Whether every share was answered 202.
    pub(crate) fn all_accepted(&self) -> bool {
        self.statuses.keys().all(|status| *status == 202)
    }

    pub(crate) fn rate(&self) -> f64 {
        self.latencies.len() as f64 / self.took.as_secs_f64()
    }
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
