//! Looking up host names with the machine's own resolver, on the pool for blocking work.
//!
//! Exists because the standard library gives a failed look-up no code, and people tell "no such host" (ENOTFOUND)
//! from "the resolver does not answer" (EAI_AGAIN).

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// A look-up that failed.
#[derive(Debug, thiserror::Error)]
#[error("the name {host} could not be resolved")]
pub(super) struct NameError {
    host: String,
    /// `ENOTFOUND` or `EAI_AGAIN`.
    pub(super) code: &'static str,
    source: Option<io::Error>,
}

pub(super) struct Resolver;

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let host = name.as_str().to_owned();
            let asked = host.clone();
            let found = tokio::task::spawn_blocking(move || (asked.as_str(), 0).to_socket_addrs()).await;
            match found {
                Ok(Ok(addresses)) => {
                    let addresses: Vec<SocketAddr> = addresses.collect();
                    if addresses.is_empty() {
                        return Err(NameError { host, code: "ENOTFOUND", source: None }.into());
                    }
                    Ok(Box::new(addresses.into_iter()) as Addrs)
                }
                Ok(Err(error)) => Err(NameError { host, code: code(&error), source: Some(error) }.into()),
                // The runtime is shutting down.
                Err(_) => Err(NameError { host, code: "EAI_AGAIN", source: None }.into()),
            }
        })
    }
}

/// The texts are those of `gai_strerror` in glibc, musl and macOS; a process without a locale gets them in English.
fn code(error: &io::Error) -> &'static str {
    let text = error.to_string().to_ascii_lowercase();
    if text.contains("temporary failure") || text.contains("try again") || error.raw_os_error().is_some() {
        "EAI_AGAIN"
    } else {
        "ENOTFOUND"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_name_and_a_silent_resolver_are_told_apart() {
        let failed = |text: &str| io::Error::other(format!("failed to lookup address information: {text}"));
        assert_eq!(code(&failed("Name or service not known")), "ENOTFOUND");
        assert_eq!(code(&failed("No address associated with hostname")), "ENOTFOUND");
        assert_eq!(code(&failed("Temporary failure in name resolution")), "EAI_AGAIN");
        assert_eq!(code(&failed("Try again")), "EAI_AGAIN");
    }
}
