//! `[integration.<name>.servicenow]`: the instance, its credentials, and how it may be called.

use std::ops::RangeInclusive;
use std::time::Duration;

use url::Url;

use super::bigpanda::warn_of_plain_http;
use super::incidents::field_name;
use super::read::Section;
use crate::domain::secret::Secret;

pub(super) const TIMEOUTS: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_mins(10);

/// How the integration shows who it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Auth {
    Basic { username: String, password: Secret<String> },
    Password { username: String, password: Secret<String>, client: OAuthClient },
    ClientCredentials { client: OAuthClient },
}

/// An OAuth client of the instance's application registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OAuthClient {
    pub id: String,
    pub secret: Secret<String>,
    pub token_url: Url,
}

/// Who calls whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The host calls the instance.
    Cloud,
    /// The instance pulls, and nobody can call it.
    OnPremises,
}

/// How the instance is reached.
#[expect(clippy::large_enum_variant, reason = "there is one for each integration, made once")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    Called {
        /// The instance, without a path.
        url: Url,
        auth: Auth,
    },
    /// It pulls.
    Pulls,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceNow {
    pub reach: Reach,
    pub table: String,
    /// Host names that a share's `x-bp-config-servicenowUrl` may name, the instance's own first. Lower case.
    pub hosts: Vec<String>,
    pub concurrency: usize,
    /// 0 = no limit.
    pub requests_per_second: u32,
    pub connect_timeout: Duration,
    pub timeout: Duration,
    pub reference_ttl: Duration,
}

#[derive(Clone, Copy)]
enum Scheme {
    Basic,
    OAuth,
}

#[derive(Clone, Copy)]
enum Grant {
    Password,
    ClientCredentials,
}

impl ServiceNow {
    /// The instance's address, where the host calls it.
    pub fn url(&self) -> Option<&Url> {
        match &self.reach {
            Reach::Called { url, .. } => Some(url),
            Reach::Pulls => None,
        }
    }

    /// `None` when something that it cannot be without is missing or wrong, which has been reported; or, for the
    /// section of defaults (`required` is off), when it is just not set.
    pub(super) fn read(section: Section<'_>, required: bool, mode: Mode) -> Option<Self> {
        let required = required && mode == Mode::Cloud;
        let url = section.url("url");
        let table = section.parsed("table", "write the name of a table, such as \"incident\"", field_name);
        let auth = read_auth(&section, url.as_ref(), required);
        let pinned = section.list("pinned_hosts");
        let concurrency = section.count("concurrency", 1..=256) as usize;
        let requests_per_second = section.count("requests_per_second", 0..=100_000);
        let connect_timeout = section.duration("connect_timeout", TIMEOUTS);
        let timeout = section.duration("timeout", TIMEOUTS);
        let reference_ttl = section.duration("reference_ttl", Duration::ZERO..=Duration::from_hours(7 * 24));
        for host in &pinned {
            if host.contains(['/', ':', '@', ' ']) {
                section.refuse(
                    "pinned_hosts",
                    &format!("holds `{host}`, which is not a host name"),
                    "write bare names, such as \"itsm.acme.example\"",
                );
            }
        }
        if let Some(url) = &url {
            warn_of_plain_http(&section, "url", url);
            if url.path() != "/" {
                section.refuse(
                    "url",
                    &format!("has the path {}", url.path()),
                    "write only scheme and host, such as \"https://acme.service-now.com\"",
                );
            }
        } else if required {
            section.require("url", "\"https://<instance>.service-now.com\"");
        }
        section.finish();
        let own = url.as_ref().and_then(|url| url.host_str()).map(str::to_ascii_lowercase);
        let hosts = own.into_iter().chain(pinned.into_iter().map(|host| host.to_ascii_lowercase())).collect();
        let reach = match mode {
            Mode::Cloud => Reach::Called { url: url?, auth: auth? },
            Mode::OnPremises => Reach::Pulls,
        };
        Some(Self {
            reach,
            table: table?,
            hosts,
            concurrency,
            requests_per_second,
            connect_timeout,
            timeout,
            reference_ttl,
        })
    }
}

fn read_auth(section: &Section<'_>, url: Option<&Url>, required: bool) -> Option<Auth> {
    let scheme = section.choice("auth", &[("basic", Scheme::Basic), ("oauth", Scheme::OAuth)]);
    let username = section.optional("username");
    let password = section.secret("password");
    let oauth = section.section("oauth");
    let grant =
        oauth.choice("grant", &[("password", Grant::Password), ("client-credentials", Grant::ClientCredentials)]);
    let id = oauth.optional("client_id");
    let secret = oauth.secret("client_secret");
    let token_url = oauth.url("token_url").or_else(|| url?.join("/oauth_token.do").ok());

    let uses_oauth = matches!(scheme, Some(Scheme::OAuth));
    let needs_user = !uses_oauth || matches!(grant, Some(Grant::Password));
    if required && needs_user && username.is_none() {
        section.require("username", "\"bigpanda\"");
    }
    if required && needs_user && password.is_none() {
        section.require("password", "{ env = \"SERVICENOW_PASSWORD\" }");
    }
    if required && uses_oauth && id.is_none() {
        oauth.require("client_id", "\"0123456789abcdef0123456789abcdef\"");
    }
    if required && uses_oauth && secret.is_none() {
        oauth.require("client_secret", "{ env = \"SERVICENOW_CLIENT_SECRET\" }");
    }
    oauth.finish();
    match (scheme?, grant?) {
        (Scheme::Basic, _) => Some(Auth::Basic { username: username?, password: password? }),
        (Scheme::OAuth, grant) => {
            let client = OAuthClient { id: id?, secret: secret?, token_url: token_url? };
            Some(match grant {
                Grant::Password => Auth::Password { username: username?, password: password?, client },
                Grant::ClientCredentials => Auth::ClientCredentials { client },
            })
        }
    }
}
