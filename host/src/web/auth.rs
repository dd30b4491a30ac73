//! Who may come in. Tokens are compared as digests and in constant time, each of them every time, so that neither
//! the time nor the length of an answer tells anything about them.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

use super::problem::Problem;
use super::site::Site;
use crate::config;
use crate::domain::secret::Secret;

/// The tokens that are valid at present, as digests.
pub(super) struct Tokens {
    digests: Vec<[u8; 32]>,
    /// Header that may carry a token by itself.
    header: Option<String>,
}

impl Tokens {
    pub(super) fn new(webhook: &config::Webhook) -> Self {
        let digests = webhook.tokens.iter().map(|token| digest(token.expose().as_bytes())).collect();
        Self { digests, header: Some(webhook.header.clone()) }
    }

    pub(super) fn single(token: &Secret<String>) -> Self {
        Self { digests: vec![digest(token.expose().as_bytes())], header: None }
    }

    /// Whether a request presents one of them: as Bearer token, as the password of Basic, or in the header of its own.
    pub(super) fn admit(&self, headers: &HeaderMap) -> bool {
        let own = self.header.as_deref().and_then(|name| headers.get(name)).map(|value| digest(value.as_bytes()));
        let standard = headers.get(header::AUTHORIZATION).and_then(|value| presented(value.as_bytes()));
        let mut admitted = Choice::from(0);
        for candidate in own.iter().chain(&standard) {
            for valid in &self.digests {
                admitted |= candidate.ct_eq(valid);
            }
        }
        admitted.into()
    }
}

fn digest(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// The digest of what an `Authorization` header presents.
fn presented(value: &[u8]) -> Option<[u8; 32]> {
    let space = value.iter().position(|byte| *byte == b' ')?;
    let (scheme, rest) = value.split_at_checked(space)?;
    let rest = rest.trim_ascii();
    if scheme.eq_ignore_ascii_case(b"bearer") {
        return Some(digest(rest));
    }
    if scheme.eq_ignore_ascii_case(b"basic") {
        let pair = STANDARD.decode(rest).ok()?;
        let colon = pair.iter().position(|byte| *byte == b':')?;
        return Some(digest(pair.get(colon + 1..)?));
    }
    None
}

/// Lets operators through. With a token configured they present it. Without one the socket is a loopback address, and
/// what a browser sends on behalf of a page is kept out by its `Origin` and by a foreign `Host`.
pub(super) async fn operator(State(site): State<Arc<Site>>, request: Request, next: Next) -> Response {
    let headers = request.headers();
    let allowed = match &site.admin {
        Some(tokens) => tokens.admit(headers),
        None => !headers.contains_key(header::ORIGIN) && is_local(headers),
    };
    if allowed {
        return next.run(request).await;
    }
    Problem::new(StatusCode::UNAUTHORIZED, "web.operator", "this request is not an operator's")
        .hint("send `Authorization: Bearer <server.admin_token>`; without a token, ask from the machine itself")
        .into_response()
}

fn is_local(headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = host
        .rsplit_once(':')
        .map_or(host, |(name, port)| if port.bytes().all(|byte| byte.is_ascii_digit()) { name } else { host });
    let name = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost") || name.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}
