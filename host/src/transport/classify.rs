//! What a transport error means: whether the request can have been applied, and the name that people know it by.
//!
//! The rules follow what was measured with this HTTP library: a failed connection was certainly not used; anything
//! after it may have been received. The names are those of Node.js, which users of such integrations know.

use std::error::Error;
use std::io;

use super::name::NameError;
use crate::domain::outcome::Failure;

/// Whether the other side can have got the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// Certainly not.
    No,
    /// It may have, and may have acted on it.
    Maybe,
}

/// An exchange that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    pub sent: Sent,
    /// Stable word-code.
    pub code: &'static str,
    /// Node-style name, where there is one.
    pub errno: Option<&'static str>,
    /// What happened, to be read after the name of the other side, such as "refused the connection".
    pub what: &'static str,
    /// The innermost cause in the library's words.
    pub detail: Option<String>,
    pub hint: Option<&'static str>,
}

impl Trouble {
    pub(super) fn from_error(error: &reqwest::Error, in_body: bool) -> Self {
        let facts = Facts::of(error);
        let connecting = error.is_connect() && !in_body;
        let sent = if connecting || error.is_builder() { Sent::No } else { Sent::Maybe };
        let (code, errno, what, hint) = if error.is_builder() {
            ("transport.request", None, "cannot be asked like this", Some("check the address in the configuration"))
        } else if error.is_timeout() {
            let what = if connecting { "did not accept a connection in time" } else { "did not answer in time" };
            ("transport.timeout", Some("ETIMEDOUT"), what, None)
        } else if let Some(code) = facts.name {
            let hint = match code {
                "ENOTFOUND" => "check the host name in the configuration",
                _ => "check the name servers of the machine that Tandem runs on",
            };
            ("transport.name", Some(code), "has a host name that could not be resolved", Some(hint))
        } else if facts.tls {
            let hint =
                "check its certificate, and the machine's certificate authorities when it comes from a private one";
            ("transport.tls", None, "could not agree with us on a secure connection", Some(hint))
        } else {
            let (code, what) = if in_body {
                ("transport.body", "broke off in the middle of its answer")
            } else if connecting {
                ("transport.connect", connecting_words(facts.errno))
            } else {
                ("transport.reset", "closed the connection without an answer")
            };
            (code, facts.errno.or((facts.hung_up || in_body).then_some("ECONNRESET")), what, None)
        };
        Self { sent, code, errno, what, detail: facts.innermost, hint }
    }

    /// The failure in words, with the name of the other side in front.
    pub fn failure(&self, peer: &str) -> Failure {
        let name = self.errno.map(|name| format!(" ({name})")).unwrap_or_default();
        Failure {
            code: self.code.to_owned(),
            errno: self.errno.map(str::to_owned),
            status: None,
            summary: format!("{peer} {}{name}", self.what),
            detail: self.detail.clone(),
            hint: self.hint.map(str::to_owned),
        }
    }
}

fn connecting_words(errno: Option<&str>) -> &'static str {
    match errno {
        Some("ECONNREFUSED") => "refused the connection",
        Some("ENETUNREACH" | "EHOSTUNREACH") => "cannot be reached over the network",
        Some("EADDRINUSE") => "cannot be reached: this machine has no free port left",
        _ => "could not be connected to",
    }
}

/// What the chain of causes holds.
#[derive(Default)]
struct Facts {
    errno: Option<&'static str>,
    name: Option<&'static str>,
    tls: bool,
    hung_up: bool,
    innermost: Option<String>,
}

/// Whether an I/O error wraps one of TLS, at any depth; its `source` skips what it wraps.
fn holds_tls(error: &io::Error) -> bool {
    error
        .get_ref()
        .is_some_and(|inner| inner.is::<rustls::Error>() || inner.downcast_ref::<io::Error>().is_some_and(holds_tls))
}

impl Facts {
    fn of(error: &reqwest::Error) -> Self {
        let mut facts = Self::default();
        let mut next: Option<&(dyn Error + 'static)> = error.source();
        while let Some(cause) = next {
            if let Some(name) = cause.downcast_ref::<NameError>() {
                facts.name = Some(name.code);
            }
            if let Some(error) = cause.downcast_ref::<io::Error>() {
                facts.errno = facts.errno.or_else(|| error.raw_os_error().and_then(node_name));
                facts.hung_up |= error.kind() == io::ErrorKind::UnexpectedEof;
                facts.tls |= holds_tls(error);
            }
            facts.tls |= cause.is::<rustls::Error>();
            if let Some(error) = cause.downcast_ref::<hyper::Error>() {
                facts.hung_up |= error.is_incomplete_message() || error.is_closed() || error.is_canceled();
            }
            facts.innermost = Some(cause.to_string());
            next = cause.source();
        }
        facts
    }
}

/// The name of a socket error as Node.js prints it.
fn node_name(errno: i32) -> Option<&'static str> {
    Some(match errno {
        libc::ECONNREFUSED => "ECONNREFUSED",
        libc::ECONNRESET | libc::ECONNABORTED => "ECONNRESET",
        libc::EPIPE => "EPIPE",
        libc::ENETUNREACH => "ENETUNREACH",
        libc::EHOSTUNREACH => "EHOSTUNREACH",
        libc::ETIMEDOUT => "ETIMEDOUT",
        // Connecting without a free local port gives EADDRNOTAVAIL on Linux; people look for the other name.
        libc::EADDRINUSE | libc::EADDRNOTAVAIL => "EADDRINUSE",
        _ => return None,
    })
}
