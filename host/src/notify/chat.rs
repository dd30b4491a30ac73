//! A chat that takes Slack's JSON at an address which is itself the credential.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, StatusCode};
use url::Url;

use super::target::{SetupError, Undelivered};
use super::words;
use crate::clock::Clock;
use crate::domain::notice::Notice;
use crate::domain::outcome::Outcome;
use crate::domain::secret::Secret;
use crate::transport::{Call, Explained, JSON, Peer, Settings, Vendor};

/// An incoming webhook.
pub struct Chat {
    peer: Peer,
    url: Url,
}

impl std::fmt::Debug for Chat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name())
    }
}

impl Chat {
    pub fn new(url: &Secret, clock: Arc<dyn Clock>) -> Result<Self, SetupError> {
        let vendor = Vendor { name: "the chat", prefix: "notify", explain };
        let settings = Settings { total_timeout: Duration::from_secs(10), ..Settings::default() };
        let parsed = Url::parse(url.expose())?;
        // The path is the part that must not be seen; servers quote it without the host.
        let secrets = vec![url.clone(), Secret::from(parsed.path())];
        Ok(Self { peer: Peer::new(vendor, settings, clock, secrets)?, url: parsed })
    }

    pub(super) fn name(&self) -> String {
        format!("chat at {}", self.url.host_str().unwrap_or("an unknown host"))
    }

    pub(super) async fn send(&self, notice: &Notice) -> Result<(), Undelivered> {
        let body = serde_json::json!({ "text": words::chat(notice) }).to_string();
        let call = Call {
            method: Method::POST,
            url: self.url.clone(),
            authorization: None,
            body: Some((JSON, Bytes::from(body))),
        };
        match self.peer.ask(call).await {
            Ok(_) | Err(Outcome::Applied(_)) => Ok(()),
            // Better told twice than not at all.
            Err(Outcome::NotApplied(failure) | Outcome::Unknown(failure) | Outcome::Paused { failure, .. }) => {
                Err(Undelivered { failure, again: true })
            }
            Err(Outcome::Refused(failure) | Outcome::Missing(failure) | Outcome::Auth(failure)) => {
                Err(Undelivered { failure, again: false })
            }
        }
    }
}

/// Slack answers with a word such as `invalid_token`.
fn explain(_: StatusCode, body: &[u8]) -> Explained {
    let text = String::from_utf8_lossy(body.get(..body.len().min(200)).unwrap_or_default()).trim().to_owned();
    Explained {
        detail: Some(text).filter(|text| !text.is_empty()),
        hint: Some("check `notify.webhook_url` of the integration".to_owned()),
    }
}
