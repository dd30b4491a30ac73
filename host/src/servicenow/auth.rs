//! Proving who we are to ServiceNow: Basic, or OAuth 2 with tokens that are renewed before they expire.
//!
//! One renewal at a time, however many requests wait for it. A token lives in memory only. Not here: what to do
//! with a 401; the client asks for one renewal and sends once more.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use http::header::HeaderValue;
use tokio::sync::Mutex;
use url::{Url, form_urlencoded};

use super::wire::TokenAnswer;
use crate::domain::outcome::{Failure, Outcome};
use crate::domain::secret::Secret;
use crate::transport::{Call, Peer};

/// How to prove who we are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credentials {
    Basic {
        user: String,
        password: Secret,
    },
    OAuth {
        client_id: String,
        client_secret: Secret,
        grant: Grant,
        /// Where to get tokens; `None` is the instance's own `/oauth_token.do`.
        token_url: Option<Url>,
    },
}

/// How to get a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Grant {
    Password { user: String, password: Secret },
    ClientCredentials,
}

impl Credentials {
    /// What must never appear in a text.
    pub(super) fn secrets(&self) -> Vec<Secret> {
        match self {
            Self::Basic { user, password } => {
                vec![password.clone(), STANDARD.encode(format!("{user}:{}", password.expose())).into()]
            }
            Self::OAuth { client_secret, grant, .. } => match grant {
                Grant::Password { password, .. } => vec![client_secret.clone(), password.clone()],
                Grant::ClientCredentials => vec![client_secret.clone()],
            },
        }
    }
}

const FORM: HeaderValue = HeaderValue::from_static("application/x-www-form-urlencoded");

/// Gives each request its `Authorization`.
pub(super) enum Auth {
    Basic(HeaderValue),
    OAuth(Tokens),
}

/// The tokens of one OAuth client.
pub(super) struct Tokens {
    endpoint: Url,
    client_id: String,
    client_secret: Secret,
    grant: Grant,
    current: ArcSwapOption<Token>,
    renewal: Mutex<()>,
}

/// A token. Times are the clock's monotonic ones.
pub(super) struct Token {
    header: HeaderValue,
    refresh: Option<Secret>,
    renew: Duration,
    expires: Duration,
}

impl Auth {
    /// `own` is the instance's own token endpoint.
    pub(super) fn new(credentials: &Credentials, own: &Url) -> Self {
        match credentials {
            Credentials::Basic { user, password } => {
                let encoded = STANDARD.encode(format!("{user}:{}", password.expose()));
                Self::Basic(sensitive(&format!("Basic {encoded}")).unwrap_or_else(|| HeaderValue::from_static("Basic")))
            }
            Credentials::OAuth { client_id, client_secret, grant, token_url } => Self::OAuth(Tokens {
                endpoint: token_url.as_ref().unwrap_or(own).clone(),
                client_id: client_id.clone(),
                client_secret: client_secret.clone(),
                grant: grant.clone(),
                current: ArcSwapOption::empty(),
                renewal: Mutex::new(()),
            }),
        }
    }
}

fn sensitive(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

impl Tokens {
    /// A token that is good for now. At 80 % of its life one caller renews it while the others go on using it.
    pub(super) async fn header(&self, peer: &Peer) -> Result<HeaderValue, Outcome> {
        let now = peer.clock().elapsed();
        let current = self.current.load_full();
        let renewal = match &current {
            Some(token) if now < token.renew => return Ok(token.header.clone()),
            Some(token) if now < token.expires => match self.renewal.try_lock() {
                Ok(renewal) => renewal,
                Err(_) => return Ok(token.header.clone()),
            },
            Some(_) | None => self.renewal.lock().await,
        };
        let fresh = self.current.load_full();
        if let Some(token) = &fresh
            && peer.clock().elapsed() < token.renew
        {
            return Ok(token.header.clone());
        }
        let renewed = self.renew(peer, fresh.as_deref()).await;
        drop(renewal);
        match (renewed, current) {
            // The old one still serves; the next request tries again.
            (Err(Outcome::NotApplied(_) | Outcome::Paused { .. }), Some(token)) if now < token.expires => {
                Ok(token.header.clone())
            }
            (renewed, _) => renewed,
        }
    }

    /// A token other than the one that was just refused.
    pub(super) async fn other_than(&self, refused: &HeaderValue, peer: &Peer) -> Result<HeaderValue, Outcome> {
        let _renewal = self.renewal.lock().await;
        let current = self.current.load_full();
        match &current {
            Some(token) if token.header != *refused => Ok(token.header.clone()),
            Some(_) | None => self.renew(peer, current.as_deref()).await,
        }
    }

    async fn renew(&self, peer: &Peer, current: Option<&Token>) -> Result<HeaderValue, Outcome> {
        if let Some(refresh) = current.and_then(|token| token.refresh.as_ref()) {
            match self.obtain(peer, &[("grant_type", "refresh_token"), ("refresh_token", refresh.expose())]).await {
                // The refresh token ran out or was withdrawn: begin anew.
                Err(Outcome::Auth(_)) => {}
                obtained => return obtained,
            }
        }
        match &self.grant {
            Grant::Password { user, password } => {
                self.obtain(peer, &[("grant_type", "password"), ("username", user), ("password", password.expose())])
                    .await
            }
            Grant::ClientCredentials => self.obtain(peer, &[("grant_type", "client_credentials")]).await,
        }
    }

    async fn obtain(&self, peer: &Peer, grant: &[(&str, &str)]) -> Result<HeaderValue, Outcome> {
        let form = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(grant)
            .append_pair("client_id", &self.client_id)
            .append_pair("client_secret", self.client_secret.expose())
            .finish();
        let call = Call {
            method: Method::POST,
            url: self.endpoint.clone(),
            authorization: None,
            body: Some((FORM, form.into())),
        };
        let asked = peer.clock().elapsed();
        let reply = peer.ask(call).await.map_err(refused)?;
        let answer: TokenAnswer = serde_json::from_slice(&reply.body).map_err(|_| {
            let mut failure = peer.coded("oauth", "ServiceNow's token endpoint answered without a token".to_owned());
            failure.status = Some(reply.status.as_u16());
            Outcome::Auth(with_hint(failure))
        })?;
        let lifetime = Duration::from_secs(answer.lifetime());
        let Some(header) = sensitive(&format!("Bearer {}", answer.access_token)) else {
            let failure = peer.coded("oauth", "ServiceNow's token endpoint answered with an unusable token".to_owned());
            return Err(Outcome::Auth(with_hint(failure)));
        };
        self.current.store(Some(Arc::new(Token {
            header: header.clone(),
            refresh: answer.refresh_token.map(Secret::new),
            renew: asked + lifetime.mul_f64(0.8),
            expires: asked + lifetime,
        })));
        Ok(header)
    }
}

/// Whatever the token endpoint refuses is a matter of credentials; and nothing that it does changes a ticket.
fn refused(outcome: Outcome) -> Outcome {
    match outcome {
        Outcome::Refused(failure) | Outcome::Missing(failure) | Outcome::Auth(failure) => {
            let failure = Failure {
                code: "servicenow.oauth".to_owned(),
                summary: "ServiceNow's token endpoint refused our credentials".to_owned(),
                ..failure
            };
            Outcome::Auth(with_hint(failure))
        }
        Outcome::Unknown(failure) | Outcome::NotApplied(failure) => Outcome::NotApplied(failure),
        other @ (Outcome::Paused { .. } | Outcome::Applied(_)) => other,
    }
}

fn with_hint(failure: Failure) -> Failure {
    let hint = "check the client's id and secret, the user, and that the OAuth client is active in the instance";
    Failure { hint: Some(hint.to_owned()), ..failure }
}
