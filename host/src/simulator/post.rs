//! One HTTP POST over a fresh connection, for shares.
//!
//! Plain HTTP only. Called by AutoShare. Holds always: an answer counts only when it came in full.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http::header::{CONTENT_TYPE, HOST};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

const TIMEOUT: Duration = Duration::from_secs(30);
const ANSWER_KEPT: usize = 4_096;

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) text: String,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("{0} is not an http:// address")]
    Address(String),
    #[error("no connection: {0}")]
    Connect(std::io::Error),
    #[error("the request cannot be built: {0}")]
    Build(http::Error),
    #[error("no answer: {0}")]
    Exchange(hyper::Error),
    #[error("no answer within 30 seconds")]
    Timeout,
}

pub(crate) async fn json(url: &str, headers: &BTreeMap<String, String>, body: Bytes) -> Result<Answer, Error> {
    tokio::time::timeout(TIMEOUT, exchange(url, headers, body)).await.map_err(|_| Error::Timeout)?
}

async fn exchange(url: &str, headers: &BTreeMap<String, String>, body: Bytes) -> Result<Answer, Error> {
    let bad = || Error::Address(url.to_owned());
    let rest = url.strip_prefix("http://").ok_or_else(bad)?;
    let (authority, path) = match rest.split_once('/') {
        Some((authority, path)) => (authority, format!("/{path}")),
        None => (rest, "/".to_owned()),
    };
    let target = if authority.contains(':') { authority.to_owned() } else { format!("{authority}:80") };
    let stream = TcpStream::connect(target).await.map_err(Error::Connect)?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(Error::Exchange)?;
    let driver = tokio::spawn(connection);
    let mut request = Request::post(path).header(HOST, authority).header(CONTENT_TYPE, "application/json");
    for (name, value) in headers {
        request = request.header(name, value);
    }
    let request = request.body(Full::new(body)).map_err(Error::Build)?;
    let response = sender.send_request(request).await.map_err(Error::Exchange)?;
    let status = response.status().as_u16();
    let bytes = response.into_body().collect().await.map_err(Error::Exchange)?.to_bytes();
    driver.abort();
    let kept = bytes.get(..ANSWER_KEPT).unwrap_or(&bytes);
    Ok(Answer { status, text: String::from_utf8_lossy(kept).into_owned() })
}
