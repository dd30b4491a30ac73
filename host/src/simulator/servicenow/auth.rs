//! Who may log in, and with what: Basic, Bearer, API key; and the token endpoint `/oauth_token.do`.
//!
//! What a caller may do is [`super::world::Role`]. Called first by every route. Holds always: an unexpired token is
//! given again when asked for once more, as on the platform.

use std::collections::HashMap;
use std::sync::Mutex;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use http::header::AUTHORIZATION;
use serde_json::json;

use super::world::{Caller, Role};
use crate::simulator::http::{Params, Reply, Request};
use crate::simulator::locked;
use crate::simulator::random::Random;

/// Lifetime of an access token, seconds.
const ACCESS_SECONDS: i64 = 1_800;
/// Lifetime of a refresh token, seconds.
const REFRESH_SECONDS: i64 = 8_640_000;

#[derive(Clone, Debug)]
struct Token {
    text: String,
    caller: Caller,
    expires: i64,
}

#[derive(Debug, Default)]
struct Inner {
    /// User name to password and identity.
    users: HashMap<String, (String, Caller)>,
    clients: HashMap<String, String>,
    api_keys: HashMap<String, Caller>,
    access: HashMap<String, Token>,
    refresh: HashMap<String, Token>,
    /// The newest tokens of a user, for handing them out again.
    current: HashMap<String, (String, String)>,
    /// Basic headers already checked; spares decoding.
    checked: HashMap<Box<str>, Caller>,
    /// The user whom client credentials act for.
    integration: Option<Caller>,
}

#[derive(Debug, Default)]
pub(crate) struct Accounts(Mutex<Inner>);

impl Accounts {
    pub(crate) fn add_user(&self, password: &str, caller: Caller) {
        let mut inner = locked(&self.0);
        inner.checked.clear();
        inner.users.insert(caller.name.to_string(), (password.to_owned(), caller));
    }

    pub(crate) fn add_client(&self, id: &str, secret: &str) {
        locked(&self.0).clients.insert(id.to_owned(), secret.to_owned());
    }

    pub(crate) fn add_api_key(&self, key: &str, caller: Caller) {
        locked(&self.0).api_keys.insert(key.to_owned(), caller);
    }

    pub(crate) fn set_integration(&self, caller: Caller) {
        locked(&self.0).integration = Some(caller);
    }

    /// Gives a user other rights; tokens and cached logins follow.
    pub(crate) fn set_role(&self, name: &str, role: Role) -> bool {
        let mut inner = locked(&self.0);
        inner.checked.clear();
        let Some((_, caller)) = inner.users.get_mut(name) else {
            return false;
        };
        caller.role = role;
        let caller = caller.clone();
        for token in inner.access.values_mut().filter(|token| token.caller.id == caller.id) {
            token.caller.role = role;
        }
        for key in inner.api_keys.values_mut().filter(|key| key.id == caller.id) {
            key.role = role;
        }
        true
    }

    /// Makes every access token (and, if wished, refresh token) invalid at once.
    pub(crate) fn expire_tokens(&self, refresh_too: bool) {
        let mut inner = locked(&self.0);
        inner.access.clear();
        inner.current.clear();
        if refresh_too {
            inner.refresh.clear();
        }
    }

    pub(crate) fn caller(
        &self,
        request: &Request<'_>,
        params: &Params<'_>,
        now: i64,
        basic_allowed: bool,
    ) -> Option<Caller> {
        let mut inner = locked(&self.0);
        let Some(header) = request.headers.get(AUTHORIZATION) else {
            let key = request.header("x-sn-apikey").or_else(|| params.get("x-sn-apikey"))?;
            return inner.api_keys.get(key).cloned();
        };
        let header = header.to_str().ok()?;
        if let Some(token) = strip_scheme(header, "Bearer ") {
            let token = inner.access.get(token)?;
            return (token.expires > now).then(|| token.caller.clone());
        }
        if !basic_allowed {
            return None;
        }
        if let Some(caller) = inner.checked.get(header) {
            return Some(caller.clone());
        }
        let (name, password) = basic(header)?;
        let (expected, caller) = inner.users.get(&name)?;
        if *expected != password {
            return None;
        }
        let caller = caller.clone();
        inner.checked.insert(header.into(), caller.clone());
        Some(caller)
    }

    /// `POST /oauth_token.do`.
    pub(crate) fn token(&self, request: &Request<'_>, now: i64, random: &Random) -> Reply {
        let form = match request.header("content-type") {
            Some(kind) if kind.starts_with("application/x-www-form-urlencoded") => {
                String::from_utf8_lossy(&request.body).into_owned()
            }
            _ if request.body.is_empty() => request.query.to_owned(),
            _ => return oauth_error(StatusCode::BAD_REQUEST, "invalid_request"),
        };
        let form = Params::parse(&form);
        let from_header = request.header("authorization").and_then(basic);
        let (client, secret) = match (form.filled("client_id"), form.filled("client_secret")) {
            (Some(id), Some(secret)) => (id.to_owned(), secret.to_owned()),
            _ => match from_header {
                Some(pair) => pair,
                None => return oauth_error(StatusCode::UNAUTHORIZED, "invalid_client"),
            },
        };
        let mut inner = locked(&self.0);
        if inner.clients.get(&client) != Some(&secret) {
            return oauth_error(StatusCode::UNAUTHORIZED, "invalid_client");
        }
        let caller = match form.get("grant_type") {
            Some("password") => form
                .get("username")
                .and_then(|name| inner.users.get(name))
                .filter(|(password, _)| Some(password.as_str()) == form.get("password"))
                .map(|(_, caller)| caller.clone()),
            Some("client_credentials") => inner.integration.clone(),
            Some("refresh_token") => form
                .get("refresh_token")
                .and_then(|text| inner.refresh.get(text))
                .filter(|token| token.expires > now)
                .map(|token| token.caller.clone()),
            Some(_) => return oauth_error(StatusCode::BAD_REQUEST, "unsupported_grant_type"),
            None => return oauth_error(StatusCode::BAD_REQUEST, "invalid_request"),
        };
        let Some(caller) = caller else {
            return oauth_error(StatusCode::UNAUTHORIZED, "invalid_grant");
        };
        let with_refresh = form.get("grant_type") != Some("client_credentials");
        inner.issue(&caller, now, random, with_refresh)
    }
}

impl Inner {
    fn issue(&mut self, caller: &Caller, now: i64, random: &Random, with_refresh: bool) -> Reply {
        let kept = self.current.get(&*caller.name).and_then(|(access, refresh)| {
            let access = self.access.get(access).filter(|token| token.expires > now)?;
            let refresh = self.refresh.get(refresh).filter(|token| token.expires > now)?;
            Some((access.clone(), refresh.clone()))
        });
        let (access, refresh) = kept.unwrap_or_else(|| {
            let token = |text, lifetime| Token { text, caller: caller.clone(), expires: now + lifetime };
            let access = token(random.hex() + &random.hex(), ACCESS_SECONDS);
            let refresh = token(random.hex() + &random.hex(), REFRESH_SECONDS);
            self.access.insert(access.text.clone(), access.clone());
            self.refresh.insert(refresh.text.clone(), refresh.clone());
            self.current.insert(caller.name.to_string(), (access.text.clone(), refresh.text.clone()));
            (access, refresh)
        });
        let mut body = json!({
            "access_token": access.text,
            "scope": "useraccount",
            "token_type": "Bearer",
            "expires_in": access.expires - now - 1,
        });
        if with_refresh && let Some(object) = body.as_object_mut() {
            object.insert("refresh_token".to_owned(), json!(refresh.text));
        }
        Reply::json(StatusCode::OK, &body)
    }
}

fn oauth_error(status: StatusCode, error: &str) -> Reply {
    Reply::json(status, &json!({ "error_description": "access_denied", "error": error }))
}

fn strip_scheme<'a>(header: &'a str, scheme: &str) -> Option<&'a str> {
    let head = header.get(..scheme.len())?;
    head.eq_ignore_ascii_case(scheme).then(|| header.get(scheme.len()..)).flatten().map(str::trim)
}

fn basic(header: &str) -> Option<(String, String)> {
    let decoded = STANDARD.decode(strip_scheme(header, "Basic ")?).ok()?;
    let text = String::from_utf8(decoded).ok()?;
    let (name, password) = text.split_once(':')?;
    Some((name.to_owned(), password.to_owned()))
}
