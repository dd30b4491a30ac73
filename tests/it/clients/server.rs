//! A server that misbehaves below HTTP: each connection gets the next scripted act.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What happens to one request.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// These bytes, then the end of the connection.
    Say(String),
    /// The request is read, then the connection is reset.
    ResetAfterRequest,
    /// The connection is reset without reading the request to its end.
    ResetDuringRequest,
    /// The connection is closed properly without an answer.
    Hang,
    /// These bytes as soon as anything came in, then the end of the connection.
    Interrupt(String),
    /// Nothing, for this long.
    Silence(Duration),
    /// These bytes, then nothing for this long.
    SayThenSilence(String, Duration),
}

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub(crate) async fn acting(acts: Vec<Act>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = requests.clone();
        tokio::spawn(async move {
            for act in acts {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(perform(stream, act, seen.clone()));
            }
        });
        Self { address, requests }
    }

    pub(crate) fn url(&self) -> url::Url {
        format!("http://{}", self.address).parse().unwrap()
    }

    /// Heads and bodies of the requests so far.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

/// A whole answer with this status line and body.
pub(crate) fn answer(status: &str, headers: &str, body: &str) -> Act {
    Act::Say(format!("HTTP/1.1 {status}\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n{body}", body.len()))
}

async fn perform(mut stream: TcpStream, act: Act, seen: Arc<Mutex<Vec<String>>>) {
    if matches!(act, Act::ResetDuringRequest | Act::Interrupt(_)) {
        let mut some = [0; 512];
        let _ = stream.read(&mut some).await;
    }
    match act {
        Act::ResetDuringRequest => return reset(stream),
        Act::Interrupt(text) => {
            let _ = stream.write_all(text.as_bytes()).await;
            let _ = stream.shutdown().await;
            return;
        }
        _ => {}
    }
    let request = read_request(&mut stream).await;
    seen.lock().unwrap().push(request);
    match act {
        Act::Say(text) => {
            let _ = stream.write_all(text.as_bytes()).await;
            let _ = stream.shutdown().await;
        }
        Act::SayThenSilence(text, wait) => {
            let _ = stream.write_all(text.as_bytes()).await;
            tokio::time::sleep(wait).await;
        }
        Act::Silence(wait) => tokio::time::sleep(wait).await,
        Act::Hang => drop(stream),
        Act::ResetAfterRequest => reset(stream),
        Act::ResetDuringRequest | Act::Interrupt(_) => unreachable!("done above"),
    }
}

/// Closing with a lingering time of zero sends RST.
fn reset(stream: TcpStream) {
    stream.set_zero_linger().unwrap();
    drop(stream);
}

async fn read_request(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .to_ascii_lowercase()
                .lines()
                .find_map(|line| {
                    line.strip_prefix("content-length:").map(|length| length.trim().parse::<usize>().unwrap())
                })
                .unwrap_or(0);
            if body.len() >= length {
                return text;
            }
        }
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return text,
            Ok(count) => bytes.extend_from_slice(&buffer[..count]),
        }
    }
}
