//! One place where operators read: sends messages one after the other, tries again a few times, gives up.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::chat::Chat;
use super::mail::Mail;
use crate::domain::notice::Notice;
use crate::domain::outcome::Failure;
use crate::transport;

/// Where operators read.
#[derive(Debug)]
pub enum Target {
    Chat(Chat),
    Mail(Mail),
}

/// Why there is no target.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    #[error(transparent)]
    Http(#[from] transport::SetupError),
    #[error("the address of the chat is none")]
    Address(#[from] url::ParseError),
    #[error("`{0}` is not an address that mail can be sent to or from")]
    Mailbox(String),
    #[error("the connection to the mail server could not be set up")]
    Smtp(#[from] lettre::transport::smtp::Error),
}

/// A message that did not arrive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undelivered {
    pub failure: Failure,
    /// Whether another try may help.
    pub again: bool,
}

impl Target {
    /// What people call it: no address that is a credential.
    pub fn name(&self) -> String {
        match self {
            Self::Chat(chat) => chat.name(),
            Self::Mail(mail) => mail.name(),
        }
    }

    /// One try.
    pub async fn send(&self, notice: &Notice) -> Result<(), Undelivered> {
        match self {
            Self::Chat(chat) => chat.send(notice).await,
            Self::Mail(mail) => mail.send(notice).await,
        }
    }
}

/// Runs until the queue is closed. After the stop, each message gets one try.
pub(super) async fn run(
    target: Target,
    mut queue: mpsc::Receiver<Notice>,
    retries: Vec<Duration>,
    stop: CancellationToken,
) {
    while let Some(notice) = queue.recv().await {
        let outcome = match deliver(&target, &notice, &retries, &stop).await {
            Ok(()) => "sent",
            Err(Undelivered { failure, .. }) => {
                tracing::error!(
                    error.code = failure.code,
                    integration = %notice.integration,
                    "operators could not be told by {}: {}{}",
                    target.name(),
                    failure.summary,
                    failure.detail.map(|detail| format!(": {detail}")).unwrap_or_default()
                );
                "failed"
            }
        };
        metrics::counter!("tandem_notices_total", "outcome" => outcome).increment(1);
    }
}

async fn deliver(
    target: &Target,
    notice: &Notice,
    retries: &[Duration],
    stop: &CancellationToken,
) -> Result<(), Undelivered> {
    let mut waits = retries.iter();
    loop {
        let sent = target.send(notice).await;
        let (Err(Undelivered { again: true, .. }), Some(wait)) = (&sent, waits.next()) else { return sent };
        tokio::select! {
            () = tokio::time::sleep(*wait) => {}
            () = stop.cancelled() => return sent,
        }
    }
}
