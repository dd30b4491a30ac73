//! Scripted misbehaviour: which requests are hit, how often, and what happens to them.
//!
//! Not the wording of errors: each vendor words its own ([`super::serve::Site::fault_reply`]). Faults come from
//! [`Faults::add`] or the control route and are tried in the order added. Holds always: without a fault the check
//! costs one atomic read.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::http::Request;

/// A fault and the requests that it waits for. Everything but the action may be left out.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// HTTP method, any when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Found anywhere in the path with its query, as sent (percent-encoded); empty matches all.
    #[serde(default)]
    pub path: String,
    /// Found anywhere in the request body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// This many matching requests pass unharmed first.
    #[serde(default)]
    pub skip: u32,
    /// Hits this many requests, then disappears; absent is for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
    pub action: Action,
}

impl Fault {
    /// Hits every request until cleared.
    pub fn new(action: Action) -> Self {
        Self { method: None, path: String::new(), body: None, skip: 0, count: None, action }
    }

    /// Hits the next request whose method and path match.
    pub fn once(method: &str, path: &str, action: Action) -> Self {
        Self::times(1, method, path, action)
    }

    /// Hits the next `count` requests whose method and path match.
    pub fn times(count: u32, method: &str, path: &str, action: Action) -> Self {
        Self { method: Some(method.to_owned()), path: path.to_owned(), count: Some(count), ..Self::new(action) }
    }

    fn matches(&self, request: &Request<'_>) -> bool {
        let method = self.method.as_ref().is_none_or(|method| method.eq_ignore_ascii_case(request.method.as_str()));
        let path = self.path.is_empty()
            || request.path.contains(&self.path)
            || (!request.query.is_empty() && format!("{}?{}", request.path, request.query).contains(&self.path));
        let body =
            self.body.as_ref().is_none_or(|wanted| String::from_utf8_lossy(&request.body).contains(wanted.as_str()));
        method && path && body
    }
}

/// What happens to a request that is hit.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Action {
    /// This answer instead of ours. A body that is a JSON string is sent as text, anything else as JSON.
    Status {
        status: u16,
        #[serde(default)]
        body: Option<Value>,
        #[serde(default)]
        headers: BTreeMap<String, String>,
        /// The request is carried out all the same: its effect stays.
        #[serde(default)]
        after_commit: bool,
    },
    /// Handled normally, that much later. Combines with a fault behind it.
    Delay { millis: u64 },
    /// Handled at once, answered that much later: a time-out after the write.
    DelayAnswer { millis: u64 },
    /// The connection is reset before anything is done.
    ResetBeforeHandling,
    /// The request is carried out, then the connection is reset.
    ResetAfterCommit,
    /// The request is carried out; headers and half of the answer are sent, then the connection closes.
    HalfBody,
    /// The request is carried out; headers and half of the answer are sent, then nothing more.
    Stall,
    /// 429: with the rate headers and `Retry-After` on ServiceNow, bare on BigPanda.
    RateLimit {
        #[serde(default = "default_limit")]
        limit: u32,
        #[serde(default = "default_retry_after")]
        retry_after: u32,
    },
    /// 429 without any header, as from an exhausted semaphore.
    SemaphoreFull,
    /// 200 with the HTML page of a sleeping developer instance.
    Hibernating,
    /// 200 whose body is `null`.
    NullBody,
    /// 202 with an empty body; the request is not carried out.
    Dropped,
    /// 401, as after a password change or with an expired token.
    Unauthorized,
    /// 403: a business rule of this name aborted the write.
    BusinessRule { name: String },
    /// 500: the transaction ran longer than its quota.
    TransactionCancelled,
    /// 200 with a result and an `error` member behind it.
    PartialResult,
    /// 414.
    UriTooLong,
    /// Rows are hidden from the caller: an empty result whose `X-Total-Count` still counts them.
    HiddenRows,
}

const fn default_limit() -> u32 {
    100
}

const fn default_retry_after() -> u32 {
    30
}

impl Action {
    /// 4xx or 5xx with the vendor's usual envelope.
    pub fn status(status: u16) -> Self {
        Self::Status { status, body: None, headers: BTreeMap::new(), after_commit: false }
    }

    /// The same, but the effect of the request stays.
    pub fn status_after_commit(status: u16) -> Self {
        Self::Status { status, body: None, headers: BTreeMap::new(), after_commit: true }
    }
}

/// What the script says about one request.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) delay: Duration,
    pub(crate) action: Option<Action>,
}

/// The faults waiting on one simulated vendor.
#[derive(Debug, Default)]
pub struct Faults {
    waiting: AtomicUsize,
    list: Mutex<Vec<Fault>>,
}

impl Faults {
    /// Adds a fault behind those already there.
    pub fn add(&self, fault: Fault) {
        let mut list = super::locked(&self.list);
        list.push(fault);
        self.waiting.store(list.len(), Ordering::Release);
    }

    /// Removes all faults.
    pub fn clear(&self) {
        super::locked(&self.list).clear();
        self.waiting.store(0, Ordering::Release);
    }

    /// Faults that have not used up their count yet.
    pub fn list(&self) -> Vec<Fault> {
        super::locked(&self.list).clone()
    }

    pub(crate) fn plan(&self, request: &Request<'_>) -> Plan {
        let mut plan = Plan::default();
        if self.waiting.load(Ordering::Acquire) == 0 {
            return plan;
        }
        let mut list = super::locked(&self.list);
        for fault in list.iter_mut() {
            if fault.count == Some(0) || !fault.matches(request) {
                continue;
            }
            if fault.skip > 0 {
                fault.skip -= 1;
                continue;
            }
            if let Some(count) = &mut fault.count {
                *count -= 1;
            }
            if let Action::Delay { millis } = fault.action {
                plan.delay += Duration::from_millis(millis);
                continue;
            }
            plan.action = Some(fault.action.clone());
            break;
        }
        list.retain(|fault| fault.count != Some(0));
        self.waiting.store(list.len(), Ordering::Release);
        plan
    }
}
