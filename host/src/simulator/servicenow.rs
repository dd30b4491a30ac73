//! A ServiceNow instance behind HTTP: which route a request takes, and who may take it.
//!
//! The behaviour is in the files below; sockets and scripted faults are in `serve`. Holds always: one lock guards all
//! that the instance stores, so no update is ever lost.

mod actors;
mod attachment;
mod auth;
mod batch;
mod control;
mod dictionary;
mod draft;
mod error;
mod faults;
mod filter;
mod heap;
mod import;
mod input;
mod limit;
mod link;
mod query;
mod render;
mod row;
mod rules;
mod schema;
mod script;
mod seed;
mod select;
mod settings;
mod stats;
mod table;
mod ticket;
mod world;
mod write;

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use http::header::{HeaderName, HeaderValue};
use http::{Method, StatusCode};

pub use select::TieOrder;
pub use settings::{Rewrite, Settings, Unresolved};
pub use ticket::{Note, Ticket};
pub use world::Role;

use self::auth::Accounts;
use self::error::ApiError;
use self::row::SysId;
use self::table::{Call, Version};
use self::world::{Caller, World};
use super::fault::Action;
use super::http::{Reply, Request};
use super::locked;
use super::random::Random;
use super::serve::{Controls, Site};

/// Longest request target that the platform's front door lets in, bytes.
const MAX_TARGET: usize = 8_190;

/// Names and secrets that the instance starts with.
#[derive(Clone, Debug)]
pub(crate) struct Profile {
    pub(crate) user: String,
    pub(crate) password: String,
    pub(crate) client: (String, String),
    pub(crate) api_key: String,
    pub(crate) seed: u64,
    pub(crate) bigpanda_columns: bool,
    pub(crate) original: bool,
    pub(crate) settings: Settings,
}

/// One simulated instance.
#[derive(Debug)]
pub(crate) struct Instance {
    controls: Controls,
    profile: Profile,
    accounts: Accounts,
    random: Random,
    served: AtomicU64,
    short_urls: batch::ShortUrls,
    limit: limit::HourlyLimit,
    state: Mutex<State>,
}

/// What the lock guards.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) world: World,
    pub(crate) settings: Settings,
    pub(crate) files: HashMap<SysId, bytes::Bytes>,
}

impl Instance {
    pub(crate) fn new(profile: Profile) -> Self {
        let instance = Self {
            controls: Controls::default(),
            accounts: Accounts::default(),
            random: Random::seeded(profile.seed),
            served: AtomicU64::new(profile.seed),
            short_urls: batch::ShortUrls::default(),
            limit: limit::HourlyLimit::default(),
            state: Mutex::new(fresh(&profile)),
            profile,
        };
        instance.open_accounts();
        instance
    }

    fn open_accounts(&self) {
        let id = |text| SysId::parse(text).unwrap_or(SysId(0));
        let me = Caller {
            id: id(if self.profile.user == "admin" { seed::ADMIN } else { seed::INTEGRATION }),
            name: self.profile.user.as_str().into(),
            role: Role::Admin,
        };
        self.accounts.add_user(&self.profile.password, me.clone());
        self.accounts.add_client(&self.profile.client.0, &self.profile.client.1);
        self.accounts.add_api_key(&self.profile.api_key, me.clone());
        self.accounts.set_integration(me);
    }

    /// Forgets all records and accounts and starts anew; faults and the clock stay.
    pub(crate) fn reset(&self) {
        *locked(&self.state) = fresh(&self.profile);
        self.accounts.expire_tokens(true);
        self.limit.clear();
        self.open_accounts();
    }

    pub(crate) fn now(&self) -> i64 {
        self.controls.clock.now()
    }

    /// A number that differs for each request and repeats for each run.
    pub(crate) fn shuffle(&self) -> u64 {
        super::random::mix(self.served.fetch_add(1, Ordering::Relaxed))
    }

    fn route(&self, request: &Request<'_>) -> Result<Reply, ApiError> {
        if request.path.len() + request.query.len() > MAX_TARGET {
            return Ok(faults::uri_too_long());
        }
        let mut parts = [""; 8];
        let mut count = 0;
        for part in request.path.split('/').filter(|part| !part.is_empty()) {
            let Some(slot) = parts.get_mut(count) else { return Err(ApiError::no_resource()) };
            *slot = part;
            count += 1;
        }
        let parts = parts.get(..count).unwrap_or_default();
        if let ["oauth_token.do"] = parts {
            return if request.method == Method::POST {
                Ok(self.accounts.token(request, self.now(), &self.random))
            } else {
                Err(ApiError::method_not_supported())
            };
        }
        let long = self.expanded(request);
        let expanded;
        let request = match &long {
            Some(query) => {
                expanded = Request { method: request.method.clone(), query, body: request.body.clone(), ..*request };
                &expanded
            }
            None => request,
        };
        let params = request.params();
        let mut state = locked(&self.state);
        let caller = self
            .accounts
            .caller(request, &params, self.now(), !state.settings.basic_auth_disabled)
            .ok_or_else(ApiError::unauthenticated)?;
        let ["api", "now", rest @ ..] = parts else {
            return Err(ApiError::no_resource());
        };
        let (version, rest) = match rest {
            ["v1", rest @ ..] => (Version::One, rest),
            ["v2", rest @ ..] | rest => (Version::Latest, rest),
        };
        accepts(request)?;
        let hourly = state.settings.rate_limit_per_hour;
        if let Some(refusal) = self.limit.refuse(hourly, self.now()) {
            return Ok(refusal);
        }
        let call = Call { instance: self, request, params: &params, caller: &caller, version };
        let reply = match rest {
            ["table", table] => table::collection(&call, &mut state, table),
            ["table", table, id] => table::item(&call, &mut state, table, id),
            ["stats", table] => stats::answer(&call, &state, table),
            ["attachment", rest @ ..] => attachment::answer(&call, &mut state, rest),
            ["import", rest @ ..] => import::answer(&call, &mut state, rest),
            ["batch"] if request.method == Method::POST => {
                drop(state);
                batch::answer(self, request)
            }
            ["tinyurl"] if request.method == Method::POST => self.short_urls.shorten(self.random.hex(), request),
            ["batch" | "tinyurl"] => Err(ApiError::method_not_supported()),
            _ => Err(ApiError::no_resource()),
        }?;
        Ok(self.limit.announce(hourly, reply))
    }

    /// The full query of a request that names a short one.
    fn expanded(&self, request: &Request<'_>) -> Option<String> {
        if !request.query.contains("sysparm_tiny=") {
            return None;
        }
        let stored = self.short_urls.query(request.params().get("sysparm_tiny")?)?;
        Some(format!("{stored}&{}", request.query))
    }
}

/// JSON, or anything; nothing else is spoken here.
fn accepts(request: &Request<'_>) -> Result<(), ApiError> {
    match request.header("accept") {
        Some(accept) if !(accept.contains("json") || accept.contains('*') || accept.is_empty()) => {
            Err(ApiError::new(StatusCode::NOT_ACCEPTABLE, "Not acceptable", Some(accept)))
        }
        _ => Ok(()),
    }
}

fn fresh(profile: &Profile) -> State {
    let mut schema = schema::Schema::build();
    if profile.bigpanda_columns {
        for column in dictionary::BIGPANDA_COLUMNS {
            schema.add_column("incident", *column);
        }
    }
    if profile.original {
        for column in dictionary::ORIGINAL_COLUMNS {
            schema.add_column("incident", *column);
        }
    }
    let mut world = World::new(schema);
    seed::fill(&mut world, &profile.user);
    if profile.original {
        seed::original(&mut world);
    }
    let mut state = State { world, settings: Settings::default(), files: HashMap::new() };
    state.set(profile.settings.clone());
    state
}

impl State {
    pub(crate) fn set(&mut self, settings: Settings) {
        self.world.dates = world::DateDisplay {
            offset_seconds: settings.display_offset_minutes * 60,
            format: settings.display_date_format.clone(),
        };
        self.settings = settings;
    }
}

impl Site for Instance {
    fn controls(&self) -> &Controls {
        &self.controls
    }

    fn answer(&self, request: &Request<'_>) -> Reply {
        let overridden;
        let request = match request.header("x-http-method-override") {
            Some(method) if request.method == Method::POST => {
                overridden =
                    Request { method: method.parse().unwrap_or(Method::POST), body: request.body.clone(), ..*request };
                &overridden
            }
            _ => request,
        };
        let mut reply = self.route(request).unwrap_or_else(|error| error.reply());
        if request.method == Method::HEAD {
            reply.body = bytes::Bytes::new();
        }
        let logged_in = reply.status != StatusCode::UNAUTHORIZED;
        reply.headers.insert(
            HeaderName::from_static("x-is-logged-in"),
            HeaderValue::from_static(if logged_in { "true" } else { "false" }),
        );
        reply.headers.insert(http::header::SERVER, HeaderValue::from_static("ServiceNow"));
        reply
    }

    fn control(&self, request: &Request<'_>, segments: &[&str]) -> Reply {
        control::answer(self, request, segments)
    }

    fn fault_reply(&self, action: &Action, request: &Request<'_>) -> Reply {
        faults::reply(self, action, request)
    }

    fn too_large(&self, announced: u64) -> Reply {
        ApiError::too_large(announced).reply()
    }
}
