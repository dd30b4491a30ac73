//! `[server]`: the two sockets and what they put up with.

use std::net::SocketAddr;
use std::time::Duration;

use super::read::Section;
use crate::domain::secret::Secret;

/// How shares and operators are listened to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    pub listen: SocketAddr,
    pub admin_listen: SocketAddr,
    /// `None`: whoever reaches the admin address, which is then a loopback address, may use it.
    pub admin_token: Option<Secret<String>>,
    /// Bytes.
    pub body_limit: usize,
    pub header_timeout: Duration,
    pub body_timeout: Duration,
    pub max_connections: usize,
    /// For each integration; 0 = no limit.
    pub shares_per_second: u32,
    pub drain_timeout: Duration,
}

impl Server {
    pub(super) fn read(section: Section<'_>) -> Self {
        let short = Duration::from_millis(100)..=Duration::from_mins(5);
        let server = Self {
            listen: section.address("listen"),
            admin_listen: section.address("admin_listen"),
            admin_token: section.secret("admin_token"),
            body_limit: section.size("body_limit", 1 << 10..=64 << 20) as usize,
            header_timeout: section.duration("header_timeout", short.clone()),
            body_timeout: section.duration("body_timeout", short),
            max_connections: section.count("max_connections", 1..=100_000) as usize,
            shares_per_second: section.count("shares_per_second", 0..=1_000_000),
            drain_timeout: section.duration("drain_timeout", Duration::ZERO..=Duration::from_mins(10)),
        };
        if server.admin_token.is_none() && !server.admin_listen.ip().is_loopback() {
            section.refuse(
                "admin_listen",
                "can be reached from other machines, and there is no `server.admin_token`",
                "set server.admin_token, or listen on 127.0.0.1",
            );
        }
        if server.listen == server.admin_listen && server.listen.port() != 0 {
            section.refuse("admin_listen", "is the address of `server.listen` too", "give each a port of its own");
        }
        section.finish();
        server
    }
}
