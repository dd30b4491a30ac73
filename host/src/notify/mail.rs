//! Mail over SMTP.

use std::time::Duration;

use lettre::message::Mailbox;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::transport::smtp::authentication::Credentials;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};

use super::target::{SetupError, Undelivered};
use super::words;
use crate::config::{MailSecurity, Mailer};
use crate::domain::notice::Notice;
use crate::domain::outcome::Failure;
use crate::domain::secret::Secret;
use crate::transport::{cut, redact};

/// Longest time for one step of the dialogue with the server.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Some readers behind one mail server.
#[derive(Debug)]
pub struct Mail {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    host: String,
    secret: Option<Secret>,
    from: Mailbox,
    to: Vec<Mailbox>,
}

impl Mail {
    pub fn new(server: &Mailer, to: &[String]) -> Result<Self, SetupError> {
        let Mailer { host, port, security, username, password, from } = server;
        let builder = match security {
            MailSecurity::StartTls => AsyncSmtpTransport::<Tokio1Executor>::starttls_relay(host)?,
            MailSecurity::Tls => AsyncSmtpTransport::<Tokio1Executor>::relay(host)?,
            MailSecurity::None => AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host),
        };
        let builder = match port {
            Some(port) => builder.port(*port),
            None => builder,
        };
        let builder = match username.as_ref().zip(password.as_ref()) {
            Some((user, password)) => builder.credentials(Credentials::new(user.clone(), password.expose().clone())),
            None => builder,
        };
        Ok(Self {
            transport: builder.timeout(Some(TIMEOUT)).build(),
            host: host.clone(),
            secret: password.clone(),
            from: mailbox(from)?,
            to: to.iter().map(|address| mailbox(address)).collect::<Result<_, _>>()?,
        })
    }

    pub(super) fn name(&self) -> String {
        let readers: Vec<String> = self.to.iter().map(|to| to.email.to_string()).collect();
        format!("mail to {} over {}", readers.join(", "), self.host)
    }

    pub(super) async fn send(&self, notice: &Notice) -> Result<(), Undelivered> {
        let (subject, text) = words::mail(notice);
        let mut message = Message::builder().from(self.from.clone()).subject(subject).header(ContentType::TEXT_PLAIN);
        for to in &self.to {
            message = message.to(to.clone());
        }
        // Keeps vacation notices from answering.
        let automatic = HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned());
        let message = message.raw_header(automatic).body(text).map_err(|error| Undelivered {
            failure: self.failure("notify.message", "a mail could not be written", &error),
            again: false,
        })?;
        match self.transport.send(message).await {
            Ok(_) => Ok(()),
            Err(error) => {
                let summary = if error.is_permanent() || error.is_transient() {
                    format!("the mail server {} did not take the message", self.host)
                } else {
                    format!("the mail server {} could not be spoken to", self.host)
                };
                Err(Undelivered {
                    failure: self.failure("notify.mail", &summary, &error),
                    again: !error.is_permanent(),
                })
            }
        }
    }

    /// The library's errors tell their causes themselves.
    fn failure(&self, code: &str, summary: &str, error: &dyn std::error::Error) -> Failure {
        let secrets: Vec<&str> = self.secret.iter().map(|secret| secret.expose().as_str()).collect();
        Failure {
            code: code.to_owned(),
            errno: None,
            status: None,
            summary: summary.to_owned(),
            detail: Some(cut(&redact(&error.to_string(), &secrets))),
            hint: Some("check `notify.smtp` and `email_to`".to_owned()),
        }
    }
}

fn mailbox(address: &str) -> Result<Mailbox, SetupError> {
    address.parse().map_err(|_| SetupError::Mailbox(address.to_owned()))
}
