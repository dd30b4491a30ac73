//! Where operators read: a chat that takes JSON, and a mail server that keeps what it is given.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

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
            mailed(stream, &kept, login, Greeting::Plain).await;
        })
        .await
    }

    /// A mail server that speaks TLS from the beginning.
    pub async fn mail_tls(acceptor: TlsAcceptor) -> Self {
        Self::start(move |stream, kept| {
            let acceptor = acceptor.clone();
            async move {
                let Ok(stream) = acceptor.accept(stream).await else { return };
                mailed(stream, &kept, "235 welcome", Greeting::Plain).await;
            }
        })
        .await
    }

    /// A mail server that begins in the clear and takes nothing but STARTTLS there.
    pub async fn mail_starttls(acceptor: TlsAcceptor) -> Self {
        Self::start(move |stream, kept| {
            let acceptor = acceptor.clone();
            async move {
                let Some(stream) = mailed(stream, &kept, "530 not in the clear", Greeting::OffersTls).await else {
                    return;
                };
                let Ok(stream) = acceptor.accept(stream).await else { return };
                mailed(stream, &kept, "235 welcome", Greeting::None).await;
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

/// How a dialogue about mail begins.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Greeting {
    Plain,
    OffersTls,
    /// It goes on after STARTTLS.
    None,
}

/// A dialogue to its end, or until TLS is asked for.
async fn mailed<S>(stream: S, kept: &Kept, login: &str, greeting: Greeting) -> Option<S>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut stream = BufReader::new(stream);
    let mut told = String::new();
    if greeting != Greeting::None {
        let _ = stream.write_all(b"220 mail.acme.example ready\r\n").await;
    }
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
            return None;
        }
        told.push_str(&line);
        let verb = line.get(..4).unwrap_or_default().to_ascii_uppercase();
        let answer = match verb.as_str() {
            "EHLO" if greeting == Greeting::OffersTls => "250-mail.acme.example\r\n250 STARTTLS",
            "EHLO" => "250-mail.acme.example\r\n250-AUTH PLAIN\r\n250 8BITMIME",
            "STAR" if greeting == Greeting::OffersTls => {
                let _ = stream.write_all(b"220 go ahead\r\n").await;
                return Some(stream.into_inner());
            }
            "AUTH" => login,
            "DATA" => {
                let _ = stream.write_all(b"354 go on\r\n").await;
                loop {
                    let mut line = String::new();
                    if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
                        return None;
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
                return None;
            }
            _ => "250 fine",
        };
        let _ = stream.write_all(format!("{answer}\r\n").as_bytes()).await;
    }
}
