//! Where operators read: a chat that takes JSON, and a mail server that keeps what it is given.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// Messages in the order in which they came.
type Kept = Arc<Mutex<Vec<String>>>;

/// A receiver that runs as long as the test.
pub struct Receiver {
    pub address: SocketAddr,
    kept: Kept,
}

impl Receiver {
    pub fn messages(&self) -> Vec<String> {
        self.kept.lock().unwrap().clone()
    }

    /// A chat; answers every message with this status.
    pub async fn chat(status: u16) -> Self {
        Self::start(move |stream, kept| async move {
            let mut stream = BufReader::new(stream);
            let (mut head, mut length) = (String::new(), 0);
            loop {
                let mut line = String::new();
                if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
                    return;
                }
                if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
                if line == "\r\n" {
                    break;
                }
                head.push_str(&line);
            }
            let mut body = vec![0; length];
            stream.read_exact(&mut body).await.unwrap();
            kept.lock().unwrap().push(format!("{head}\n{}", String::from_utf8(body).unwrap()));
            let answer = format!("HTTP/1.1 {status} Word\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok");
            let _ = stream.write_all(answer.as_bytes()).await;
        })
        .await
    }

    /// A mail server without TLS; its answer to a log-in.
    pub async fn mail(login: &'static str) -> Self {
        Self::start(move |stream, kept| async move {
            let mut stream = BufReader::new(stream);
            let mut told = String::new();
            let _ = stream.write_all(b"220 mail.acme.example ready\r\n").await;
            loop {
                let mut line = String::new();
                if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
                    return;
                }
                told.push_str(&line);
                let verb = line.get(..4).unwrap_or_default().to_ascii_uppercase();
                let answer = match verb.as_str() {
                    "EHLO" => "250-mail.acme.example\r\n250-AUTH PLAIN\r\n250 8BITMIME",
                    "AUTH" => login,
                    "DATA" => {
                        let _ = stream.write_all(b"354 go on\r\n").await;
                        loop {
                            let mut line = String::new();
                            if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
                                return;
                            }
                            if line == ".\r\n" {
                                break;
                            }
                            told.push_str(&line);
                        }
                        kept.lock().unwrap().push(std::mem::take(&mut told));
                        "250 kept"
                    }
                    "QUIT" => {
                        let _ = stream.write_all(b"221 bye\r\n").await;
                        return;
                    }
                    _ => "250 fine",
                };
                let _ = stream.write_all(format!("{answer}\r\n").as_bytes()).await;
            }
        })
        .await
    }

    async fn start<F, D>(dialogue: F) -> Self
    where
        F: Fn(TcpStream, Kept) -> D + Send + 'static,
        D: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let kept = Kept::default();
        let keeping = kept.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(dialogue(stream, keeping.clone()));
            }
        });
        Self { address, kept }
    }
}
