//! `[integration.<name>.bigpanda]`: the organisation, its credentials, and how it may be called.

use std::time::Duration;

use url::Url;

use super::read::Section;
use super::servicenow::TIMEOUTS;
use crate::domain::id::EnvironmentId;
use crate::domain::secret::Secret;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BigPanda {
    /// Base of the REST API, without a slash at the end.
    pub api_url: Url,
    /// User API key.
    pub api_key: Option<Secret<String>>,
    pub app_key: Option<Secret<String>>,
    /// Organisation token. Nothing asks for it; it is kept so that a configuration that is moved is complete.
    pub bearer_token: Option<Secret<String>>,
    /// Where changes are sent. Kept for the same reason.
    pub change_api_url: Option<Url>,
    /// The console, for links that a share does not carry.
    pub console_url: Option<Url>,
    /// Environment to use for an incident whose share names none.
    pub environment_id: Option<EnvironmentId>,
    /// To one endpoint.
    pub requests_per_second: u32,
    pub connect_timeout: Duration,
    pub timeout: Duration,
}

impl BigPanda {
    pub(super) fn read(section: Section<'_>, needed: Needed) -> Option<Self> {
        let api_url = section.url("api_url");
        let bigpanda = api_url.map(|api_url| Self {
            api_url,
            api_key: section.secret("api_key"),
            app_key: section.secret("app_key"),
            bearer_token: section.secret("bearer_token"),
            change_api_url: section.url("change_api_url"),
            console_url: section.url("console_url"),
            environment_id: section.parsed_optional("environment_id", "write the id from BigPanda's console", |text| {
                EnvironmentId::new(text).map_err(|error| error.to_string())
            }),
            requests_per_second: section.count("requests_per_second", 1..=10_000),
            connect_timeout: section.duration("connect_timeout", TIMEOUTS),
            timeout: section.duration("timeout", TIMEOUTS),
        });
        let Some(bigpanda) = bigpanda else {
            section.require("api_url", "\"https://api.bigpanda.io\"");
            return None;
        };
        if needed.api_key && bigpanda.api_key.is_none() {
            section.require("api_key", "{ env = \"BIGPANDA_API_KEY\" }");
        }
        if needed.app_key && bigpanda.app_key.is_none() {
            section.require("app_key", "{ env = \"BIGPANDA_APP_KEY\" }");
        }
        warn_of_plain_http(&section, "api_url", &bigpanda.api_url);
        section.finish();
        Some(bigpanda)
    }
}

/// What the other sections of an integration make necessary.
#[derive(Debug, Clone, Copy)]
pub(super) struct Needed {
    pub(super) api_key: bool,
    pub(super) app_key: bool,
}

/// Credentials over plain HTTP are for one's own machine only.
pub(super) fn warn_of_plain_http(section: &Section<'_>, key: &'static str, url: &Url) {
    if url.scheme() == "http" && !is_loopback(url) {
        section.warn(key, "speaks plain http, so credentials can be read on the way", "use https");
    }
}

pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}
