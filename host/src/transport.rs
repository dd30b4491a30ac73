//! Outbound HTTP for the clients of both vendors: one connection pool, limits on time and size, and an account of
//! what went wrong that tells "certainly not applied" from "may have been applied".
//!
//! Knows no vendor, makes no retry, follows no redirect, keeps no cookie. A reply's body is read, capped, before
//! anybody parses it. Called by `bigpanda`, `servicenow`, `notify` and the export of traces.

mod breaker;
mod classify;
mod limiter;
mod name;
mod peer;
mod redact;
mod status;

use std::sync::{Arc, Once};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use http::{Method, StatusCode};
use reqwest::redirect;
use url::Url;

pub use self::breaker::{Breaker, BreakerSettings, Verdict};
pub use self::classify::{Sent, Trouble};
pub use self::limiter::Limiter;
pub use self::peer::{Explained, Peer, Reply, Vendor, page_title};
pub use self::redact::{cut, redact};
pub use self::status::{Standing, server_time, standing, wait_asked};

/// How a client talks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    pub connect_timeout: Duration,
    /// Longest silence while an answer comes in.
    pub idle_timeout: Duration,
    /// Longest time for a whole exchange.
    pub total_timeout: Duration,
    /// Largest answer, in bytes, after decompression.
    pub max_answer: usize,
    /// How long an unused connection is kept.
    pub keep_idle: Duration,
    /// How many unused connections are kept per host.
    pub max_idle: usize,
    /// Proxy to go through. The environment's `*_PROXY` variables are not read.
    pub proxy: Option<Url>,
    /// Only what BigPanda's original documents is tried again: no timeout, 408, 425 or 500.
    pub documented_only: bool,
    /// How long an instance is left alone after a 429 that names no time.
    pub cooldown: Duration,
    pub breaker: BreakerSettings,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(5),
            idle_timeout: Duration::from_secs(15),
            total_timeout: Duration::from_secs(30),
            max_answer: 4 * 1024 * 1024,
            keep_idle: Duration::from_secs(55),
            max_idle: 32,
            proxy: None,
            documented_only: false,
            cooldown: Duration::from_secs(15),
            breaker: BreakerSettings::default(),
        }
    }
}

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client could not be set up")]
pub struct SetupError(#[from] reqwest::Error);

/// A pool of connections. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Http {
    client: reqwest::Client,
    max_answer: usize,
}

/// One request, complete.
#[derive(Debug, Clone)]
pub struct Call {
    pub method: Method,
    pub url: Url,
    pub authorization: Option<HeaderValue>,
    /// Content type and content.
    pub body: Option<(HeaderValue, Bytes)>,
}

/// What came back. The status is known even where the body is not.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Content,
}

/// The body of an answer.
#[derive(Debug)]
pub enum Content {
    Whole(Bytes),
    /// It broke off.
    Broken(Trouble),
    /// It is larger than the cap; the rest was not read.
    TooLarge,
}

impl Answer {
    /// Whether this is a page for people, whatever was asked for.
    pub fn is_html(&self) -> bool {
        let typed =
            |value: &HeaderValue| value.as_bytes().get(..9).is_some_and(|head| head.eq_ignore_ascii_case(b"text/html"));
        self.headers.get(CONTENT_TYPE).is_some_and(typed)
            || matches!(&self.body, Content::Whole(bytes) if bytes.trim_ascii_start().starts_with(b"<"))
    }
}

/// `application/json`.
pub const JSON: HeaderValue = HeaderValue::from_static("application/json");

impl Http {
    pub fn new(settings: &Settings) -> Result<Self, SetupError> {
        // Several clients are built in one process; the provider of cryptography is one for all.
        static PROVIDER: Once = Once::new();
        PROVIDER.call_once(|| {
            // Somebody else may have installed one already, which serves as well.
            drop(rustls::crypto::ring::default_provider().install_default());
        });
        let mut headers = HeaderMap::new();
        headers.insert(http::header::ACCEPT, JSON);
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("tandem/", env!("CARGO_PKG_VERSION")))
            .default_headers(headers)
            .dns_resolver(Arc::new(name::Resolver))
            .redirect(redirect::Policy::none())
            .retry(reqwest::retry::never())
            .connect_timeout(settings.connect_timeout)
            .read_timeout(settings.idle_timeout)
            .timeout(settings.total_timeout)
            .pool_idle_timeout(settings.keep_idle)
            .pool_max_idle_per_host(settings.max_idle)
            .tcp_keepalive(Duration::from_secs(30))
            .tcp_nodelay(true)
            .no_proxy();
        if let Some(proxy) = &settings.proxy {
            builder = builder.proxy(reqwest::Proxy::all(proxy.clone())?);
        }
        Ok(Self { client: builder.build()?, max_answer: settings.max_answer })
    }

    /// Sends a call once and reads the answer.
    pub fn send(&self, call: Call) -> impl Future<Output = Result<Answer, Trouble>> + Send {
        let mut request = reqwest::Request::new(call.method, call.url);
        if let Some(authorization) = call.authorization {
            request.headers_mut().insert(http::header::AUTHORIZATION, authorization);
        }
        if let Some((content_type, body)) = call.body {
            request.headers_mut().insert(CONTENT_TYPE, content_type);
            *request.body_mut() = Some(body.into());
        }
        self.exchange(request)
    }

    /// Likewise, for a library of another protocol that makes its requests itself.
    pub async fn pass(&self, request: http::Request<Bytes>) -> Result<Answer, Trouble> {
        let request = reqwest::Request::try_from(request).map_err(|error| Trouble::from_error(&error, false))?;
        self.exchange(request).await
    }

    async fn exchange(&self, request: reqwest::Request) -> Result<Answer, Trouble> {
        let mut response = self.client.execute(request).await.map_err(|error| Trouble::from_error(&error, false))?;
        let status = response.status();
        let headers = std::mem::take(response.headers_mut());
        let body = self.content(response).await;
        Ok(Answer { status, headers, body })
    }

    async fn content(&self, mut response: reqwest::Response) -> Content {
        let mut whole = BytesMut::new();
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if whole.len() + chunk.len() > self.max_answer => return Content::TooLarge,
                Ok(Some(chunk)) => whole.extend_from_slice(&chunk),
                Ok(None) => return Content::Whole(whole.freeze()),
                Err(error) => return Content::Broken(Trouble::from_error(&error, true)),
            }
        }
    }
}
