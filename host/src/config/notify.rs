//! `[notify]`: how operators are told, for all integrations together; whom, each integration says itself.

use std::time::Duration;

use super::incidents::email;
use super::integration::Integration;
use super::problem::Problem;
use super::read::{Context, Section};
use crate::domain::secret::Secret;

/// How operators are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notices {
    /// Shortest time between two messages of one integration for one reason.
    pub interval: Duration,
    pub smtp: Option<Mailer>,
}

/// A mail server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mailer {
    pub host: String,
    /// `None`: the usual one of the security.
    pub port: Option<u16>,
    pub security: MailSecurity,
    pub username: Option<String>,
    pub password: Option<Secret<String>>,
    pub from: String,
}

/// How the connection to a mail server is secured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailSecurity {
    StartTls,
    Tls,
    None,
}

impl Notices {
    pub(super) fn read(section: Section<'_>) -> Self {
        let notices = Self {
            interval: section.duration("interval", Duration::from_secs(1)..=Duration::from_hours(24)),
            smtp: Mailer::read(section.section("smtp")),
        };
        section.finish();
        notices
    }
}

impl Mailer {
    fn read(section: Section<'_>) -> Option<Self> {
        let words = [("starttls", MailSecurity::StartTls), ("tls", MailSecurity::Tls), ("none", MailSecurity::None)];
        let said = section.optional("host").is_some();
        let remedy = "write the name of a mail server, such as \"smtp.acme.example\"";
        let host = section.parsed_optional("host", remedy, host).unwrap_or_default();
        let port = section.count("port", 0..=65_535);
        let mailer = Self {
            host,
            port: u16::try_from(port).ok().filter(|port| *port != 0),
            security: section.choice("security", &words).unwrap_or(MailSecurity::StartTls),
            username: section.optional("username"),
            password: section.secret("password"),
            from: section
                .parsed_optional("from", "write an address such as \"tandem@acme.example\"", email)
                .unwrap_or_default(),
        };
        if said {
            if mailer.from.is_empty() {
                section.require("from", "\"tandem@acme.example\"");
            }
            if mailer.username.is_some() && mailer.password.is_none() {
                section.require("password", "{ env = \"TANDEM_SMTP_PASSWORD\" }");
            }
            if mailer.username.is_none() && mailer.password.is_some() {
                section.require("username", "\"tandem\"");
            }
            if mailer.security == MailSecurity::None && mailer.password.is_some() {
                section.warn("security", "sends the password in the clear", "choose \"starttls\" or \"tls\"");
            }
        }
        section.finish();
        said.then_some(mailer)
    }
}

fn host(text: &str) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':');
    if text.contains("://") || !text.chars().all(plain) {
        return Err("is not the name of a host".to_owned());
    }
    Ok(text.to_owned())
}

/// Who wants mail needs a server that sends it.
pub(super) fn check_readers(context: &Context<'_>, notices: &Notices, integrations: &[Integration]) {
    if notices.smtp.is_some() {
        return;
    }
    if let Some(one) = integrations.iter().find(|one| !one.notify.email_to.is_empty()) {
        let message = format!("`notify.smtp.host` is not set, and the integration {} has `notify.email_to`", one.name);
        let hint = "under [notify.smtp] write host = \"smtp.acme.example\" and from = \"tandem@acme.example\"";
        context.problem(Problem::new("config.required", message).hint(hint));
    }
}
