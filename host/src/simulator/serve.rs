//! Sockets: accepts connections, reads requests, asks a [`Site`] for the reply and plays the scripted faults.
//!
//! Knows no vendor. Called by `Simulator::start`, once per vendor. Holds always: a site runs synchronously and
//! never sees a socket; only this file can break a connection.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, DATE, HOST};
use http::{HeaderMap, Response, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use super::calendar;
use super::capacity::Capacity;
use super::clock::Clock;
use super::fault::{Action, Faults};
use super::http::{Ending, Reply, Request};
use super::recorder::Recorder;
use super::socket::Socket;

/// Bodies above this are refused while reading; the vendors' own limits are lower or checked by the site.
const MAX_BODY: usize = 64 * 1024 * 1024;
/// How long a half-sent body stays on the wire before its connection is closed, so that the half arrives.
const HALF_BODY_PAUSE: Duration = Duration::from_millis(20);

/// What every simulated vendor has besides its own behaviour.
#[derive(Debug, Default)]
pub(crate) struct Controls {
    pub(crate) clock: Arc<Clock>,
    pub(crate) faults: Faults,
    pub(crate) recorder: Recorder,
    pub(crate) capacity: Capacity,
}

/// A simulated vendor as the sockets see it.
pub(crate) trait Site: Send + Sync + 'static {
    fn controls(&self) -> &Controls;

    /// Carries the request out.
    fn answer(&self, request: &Request<'_>) -> Reply;

    /// Routes under `/_control/`; `segments` come without that prefix.
    fn control(&self, request: &Request<'_>, segments: &[&str]) -> Reply;

    /// The vendor's wording of a scripted fault; calls [`Site::answer`] when the fault lets the request through.
    fn fault_reply(&self, action: &Action, request: &Request<'_>) -> Reply;

    /// The vendor's refusal of a body that is too long to read.
    fn too_large(&self, announced: u64) -> Reply;
}

/// A listening vendor. Dropping it stops it soon; [`Listening::stop`] waits for that.
#[derive(Debug)]
pub(crate) struct Listening {
    pub(crate) address: SocketAddr,
    up: watch::Sender<Phase>,
    task: JoinHandle<()>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Up,
    Down,
    Stopped,
}

impl Listening {
    pub(crate) async fn start(site: Arc<impl Site>, wanted: SocketAddr) -> std::io::Result<Self> {
        let listener = TcpListener::bind(wanted).await?;
        let address = listener.local_addr()?;
        let (up, phase) = watch::channel(Phase::Up);
        let task = tokio::spawn(run(site, listener, address, phase));
        Ok(Self { address, up, task })
    }

    /// Closes the port and every connection (callers get "connection refused"), or opens it again.
    pub(crate) fn set_up(&self, up: bool) {
        let _ = self.up.send(if up { Phase::Up } else { Phase::Down });
    }

    pub(crate) async fn stop(self) {
        let _ = self.up.send(Phase::Stopped);
        let _ = self.task.await;
    }
}

async fn run(site: Arc<impl Site>, listener: TcpListener, address: SocketAddr, mut phase: watch::Receiver<Phase>) {
    let mut listener = Some(listener);
    loop {
        let now = *phase.borrow_and_update();
        match (now, listener.take()) {
            (Phase::Stopped, _) => return,
            (Phase::Down, _) => {
                if phase.changed().await.is_err() {
                    return;
                }
            }
            (Phase::Up, Some(open)) => {
                if !accept(&site, &open, address, &mut phase).await {
                    return;
                }
            }
            (Phase::Up, None) => match TcpListener::bind(address).await {
                Ok(open) => listener = Some(open),
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            },
        }
    }
}

/// Serves until the phase changes; then all connections are dropped. False when nobody can change it any more.
async fn accept(
    site: &Arc<impl Site>,
    listener: &TcpListener,
    address: SocketAddr,
    phase: &mut watch::Receiver<Phase>,
) -> bool {
    let mut connections = JoinSet::new();
    let is_held = loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((stream, _)) = accepted {
                    connections.spawn(connection(Arc::clone(site), stream, address));
                }
            }
            Some(_) = connections.join_next() => {}
            changed = phase.changed() => break changed.is_ok(),
        }
    };
    connections.shutdown().await;
    is_held
}

async fn connection(site: Arc<impl Site>, stream: TcpStream, address: SocketAddr) {
    let _ = stream.set_nodelay(true);
    let reset = Arc::new(AtomicBool::new(false));
    let io = TokioIo::new(Socket::new(stream, Arc::clone(&reset)));
    let service = service_fn(|request| {
        let site = Arc::clone(&site);
        let reset = Arc::clone(&reset);
        async move {
            let reply = serve(&*site, request, address).await;
            let outcome = into_response(site.controls(), reply);
            reset.store(outcome.is_err(), Ordering::Release);
            outcome
        }
    });
    // An error here is a caller that went away, or the reset that we wanted.
    let _ = hyper::server::conn::http1::Builder::new().pipeline_flush(true).serve_connection(io, service).await;
}

async fn serve(site: &impl Site, incoming: http::Request<Incoming>, address: SocketAddr) -> Reply {
    let (parts, body) = incoming.into_parts();
    let announced = announced_length(&parts.headers);
    let body = if body.is_end_stream() {
        Ok(Bytes::new())
    } else {
        Limited::new(body, MAX_BODY).collect().await.map(http_body_util::Collected::to_bytes)
    };
    let base = match parts.headers.get(HOST).and_then(|host| host.to_str().ok()) {
        // Behind a TLS terminator links have to name the scheme that the caller sees.
        Some(host) if parts.headers.get("x-forwarded-proto").is_some_and(|proto| proto == "https") => {
            format!("https://{host}")
        }
        Some(host) => format!("http://{host}"),
        None => format!("http://{address}"),
    };
    let Ok(body) = body else {
        return site.too_large(announced.unwrap_or(MAX_BODY as u64));
    };
    let request = Request {
        method: parts.method,
        path: parts.uri.path(),
        query: parts.uri.query().unwrap_or_default(),
        headers: &parts.headers,
        body,
        base: &base,
    };
    if let Some(route) = request.path.strip_prefix("/_control") {
        let segments: Vec<&str> = route.split('/').filter(|part| !part.is_empty()).collect();
        return super::control::answer(site, &request, &segments);
    }
    let controls = site.controls();
    let plan = controls.faults.plan(&request);
    if !plan.delay.is_zero() {
        tokio::time::sleep(plan.delay).await;
    }
    let admitted = controls.capacity.enter().await;
    let reply = match &plan.action {
        _ if admitted.is_none() => site.fault_reply(&Action::SemaphoreFull, &request),
        None => site.answer(&request),
        Some(action) => play(site, action, &request).await,
    };
    drop(admitted);
    let status = match reply.ending {
        Ending::Reset => 0,
        Ending::Complete | Ending::Half | Ending::Stall => reply.status.as_u16(),
    };
    controls.recorder.record(controls.clock.now_ms(), &request, status);
    reply
}

async fn play(site: &impl Site, action: &Action, request: &Request<'_>) -> Reply {
    let broken = |ending| {
        let mut reply = site.answer(request);
        reply.ending = ending;
        reply
    };
    match action {
        Action::ResetBeforeHandling => {
            let mut reply = Reply::empty(StatusCode::OK);
            reply.ending = Ending::Reset;
            reply
        }
        Action::ResetAfterCommit => broken(Ending::Reset),
        Action::HalfBody => broken(Ending::Half),
        Action::Stall => broken(Ending::Stall),
        Action::DelayAnswer { millis } => {
            let reply = site.answer(request);
            tokio::time::sleep(Duration::from_millis(*millis)).await;
            reply
        }
        Action::Delay { millis } => {
            tokio::time::sleep(Duration::from_millis(*millis)).await;
            site.answer(request)
        }
        Action::Status { status, body: Some(body), headers, after_commit } => {
            if *after_commit {
                let _ = site.answer(request);
            }
            scripted(*status, body, headers)
        }
        Action::Status { body: None, .. }
        | Action::RateLimit { .. }
        | Action::SemaphoreFull
        | Action::Hibernating
        | Action::NullBody
        | Action::Dropped
        | Action::Unauthorized
        | Action::BusinessRule { .. }
        | Action::TransactionCancelled
        | Action::PartialResult
        | Action::UriTooLong
        | Action::HiddenRows => site.fault_reply(action, request),
    }
}

/// An answer written out in the fault itself.
fn scripted(status: u16, body: &serde_json::Value, headers: &std::collections::BTreeMap<String, String>) -> Reply {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut reply = match body.as_str() {
        Some(text) => Reply::bytes(status, "text/html;charset=UTF-8", text.to_owned()),
        None => Reply::json(status, body),
    };
    add_headers(&mut reply, headers);
    reply
}

/// Adds scripted headers, skipping names that HTTP forbids.
pub(crate) fn add_headers(reply: &mut Reply, headers: &std::collections::BTreeMap<String, String>) {
    for (name, value) in headers {
        if let Ok(name) = http::header::HeaderName::from_bytes(name.as_bytes()) {
            reply.text_header(name, value);
        }
    }
}

fn announced_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn into_response(controls: &Controls, reply: Reply) -> Result<Response<Outgoing>, Cut> {
    let body = match reply.ending {
        Ending::Reset => return Err(Cut),
        Ending::Complete => Outgoing::Whole(Some(reply.body)),
        Ending::Half | Ending::Stall => Outgoing::Broken {
            half: Some(reply.body.slice(..reply.body.len() / 2)),
            announced: reply.body.len() as u64,
            pause: (reply.ending == Ending::Half).then(|| Box::pin(tokio::time::sleep(HALF_BODY_PAUSE))),
        },
    };
    let mut response = Response::new(body);
    *response.status_mut() = reply.status;
    *response.headers_mut() = reply.headers;
    if controls.clock.is_virtual()
        && let Ok(date) = calendar::http_date(controls.clock.now()).parse()
    {
        response.headers_mut().insert(DATE, date);
    }
    Ok(response)
}

/// The wish to break the connection, as an error for the HTTP library.
#[derive(Debug, thiserror::Error)]
#[error("the connection is cut on purpose")]
struct Cut;

/// A reply's bytes on their way out.
enum Outgoing {
    Whole(Option<Bytes>),
    Broken {
        half: Option<Bytes>,
        announced: u64,
        /// Absent: never ends.
        pause: Option<Pin<Box<tokio::time::Sleep>>>,
    },
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        match &mut *self {
            Self::Whole(body) => {
                Poll::Ready(body.take().filter(|bytes| !bytes.is_empty()).map(|bytes| Ok(Frame::data(bytes))))
            }
            Self::Broken { half, pause, .. } => {
                if let Some(bytes) = half.take().filter(|bytes| !bytes.is_empty()) {
                    return Poll::Ready(Some(Ok(Frame::data(bytes))));
                }
                match pause {
                    Some(pause) => pause.as_mut().poll(cx).map(|()| Some(Err(Cut))),
                    None => Poll::Pending,
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(body) => body.as_ref().is_none_or(Bytes::is_empty),
            Self::Broken { .. } => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(match self {
            Self::Whole(body) => body.as_ref().map_or(0, |bytes| bytes.len() as u64),
            Self::Broken { announced, .. } => *announced,
        })
    }
}
