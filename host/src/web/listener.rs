//! The accept loops. Not `axum::serve`: that one installs no timer, so a head that never ends would hold its
//! connection for ever.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::router;
use super::site::Site;
use crate::config;
use crate::domain::fault::{Class, Fault};

/// Why a socket could not be opened.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}")]
pub struct Error {
    pub address: SocketAddr,
    #[source]
    source: std::io::Error,
}

impl Fault for Error {
    fn class(&self) -> Class {
        // Whoever has the port may let it go; what is configured holds.
        if self.source.kind() == ErrorKind::AddrInUse { Class::Transient } else { Class::Config }
    }

    fn code(&self) -> &'static str {
        "web.listen"
    }

    fn hint(&self) -> Option<String> {
        let port = self.address.port();
        let kind = self.source.kind();
        Some(if kind == ErrorKind::AddrInUse {
            "another program has the port, perhaps another host; end it, or change `server.listen` or \
             `server.admin_listen`"
                .to_owned()
        } else if kind == ErrorKind::AddrNotAvailable {
            format!(
                "this machine has no such address; in `server.listen` or `server.admin_listen` write one that it has, \
                 127.0.0.1:{port} for itself alone or 0.0.0.0:{port} for all"
            )
        } else if kind == ErrorKind::PermissionDenied {
            format!(
                "port {port} is for privileged programs; use one above 1023 in `server.listen` or `server.admin_listen`"
            )
        } else {
            "change `server.listen` or `server.admin_listen`".to_owned()
        })
    }
}

/// Both sockets while they are served.
pub struct Server {
    pub public: SocketAddr,
    pub admin: SocketAddr,
    site: Arc<Site>,
    stop: CancellationToken,
    loops: TaskTracker,
}

impl Server {
    /// Refuses new shares, lets the requests under way end, and closes. Returns whether all ended in time.
    pub async fn stop(&self, limit: Duration) -> bool {
        self.site.drain();
        self.stop.cancel();
        self.loops.close();
        tokio::time::timeout(limit, self.loops.wait()).await.is_ok()
    }
}

/// Opens both sockets and serves them.
pub async fn start(settings: &config::Server, site: Site) -> Result<Server, Error> {
    let site = Arc::new(site);
    let open = async |address: SocketAddr| TcpListener::bind(address).await.map_err(|source| Error { address, source });
    let (public, admin) = (open(settings.listen).await?, open(settings.admin_listen).await?);
    let bound = |listener: &TcpListener, asked: SocketAddr| listener.local_addr().unwrap_or(asked);
    let (stop, loops) = (CancellationToken::new(), TaskTracker::new());
    let server = Server {
        public: bound(&public, settings.listen),
        admin: bound(&admin, settings.admin_listen),
        site: site.clone(),
        stop: stop.clone(),
        loops: loops.clone(),
    };
    let limits = Limits { header_timeout: settings.header_timeout, connections: settings.max_connections };
    loops.spawn(serve(public, router::public(site.clone()), limits, stop.clone()));
    // Operators have connections of their own, so that a flood of shares doesn't keep them out.
    loops.spawn(serve(admin, router::admin(site), Limits { connections: 64, ..limits }, stop));
    Ok(server)
}

#[derive(Clone, Copy)]
struct Limits {
    header_timeout: Duration,
    connections: usize,
}

/// Largest head of a request, in bytes; a larger one is answered 431.
const MAX_HEAD: usize = 64 << 10;

/// Time that an accept loop waits after an error, such as running out of file descriptors.
const BREATH: Duration = Duration::from_millis(100);

/// Requests that may still be under way when the socket closes get this long.
const GRACE: Duration = Duration::from_secs(10);

async fn serve(listener: TcpListener, router: Router, limits: Limits, stop: CancellationToken) {
    // While it finds out which version a peer speaks, the builder has no timeout, so a peer that says nothing would hold
    // its connection for ever. Everybody who calls us speaks HTTP/1.1.
    let mut builder = Builder::new(TokioExecutor::new()).http1_only();
    let timer = TokioTimer::new();
    builder.http1().timer(timer).header_read_timeout(limits.header_timeout).max_buf_size(MAX_HEAD).keep_alive(true);
    let connections = Arc::new(Semaphore::new(limits.connections));
    let graceful = GracefulShutdown::new();
    loop {
        let permit = tokio::select! {
            permit = connections.clone().acquire_owned() => permit,
            () = stop.cancelled() => break,
        };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => break,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(error.code = "web.accept", "a connection could not be accepted: {error}");
                tokio::time::sleep(BREATH).await;
                continue;
            }
        };
        // Answers are small and wanted at once.
        let _ = stream.set_nodelay(true);
        let service = TowerToHyperService::new(router.clone());
        let connection = builder.serve_connection(TokioIo::new(stream), service);
        let connection = graceful.watch(connection.into_owned());
        tokio::spawn(async move {
            // A peer that goes away in the middle is its own business.
            if let Err(error) = connection.await {
                tracing::debug!("a connection ended early: {error}");
            }
            drop(permit);
        });
    }
    drop(listener);
    let _ = tokio::time::timeout(GRACE, graceful.shutdown()).await;
}
