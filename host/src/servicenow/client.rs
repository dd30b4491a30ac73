//! The real ServiceNow: the Table API over HTTP.
//!
//! Requests are built here and answers read here; what the transport can judge by itself it has judged already.
//! Keeps no cookie, so every request is a session of its own and none waits behind another. A filter is never
//! trusted blindly: ServiceNow drops a condition it doesn't understand and then answers with the whole table, so
//! the rows are checked against what was asked.
#![allow(
    clippy::wildcard_enum_match_arm,
    clippy::match_wildcard_for_single_variants,
    reason = "matches enums of other crates"
)]

use std::collections::HashSet;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Method, StatusCode};
use url::Url;

use super::auth::{Auth, Credentials};
use super::references::{CacheSettings, References};
use super::wire::{Fields, Many, One, Row, explain};
use super::{Api, Cached, Changes, From, Scope, delta};
use crate::clock::Clock;
use crate::domain::id::SysId;
use crate::domain::outcome::{Failure, Outcome, Receipt};
use crate::domain::ticket::{FieldValue, Journal, Note, Reference, TicketRef, TicketState};
use crate::transport::{self, Call, JSON, Limiter, Peer, Reply, SetupError, Vendor, page_title};

const VENDOR: Vendor = Vendor { name: "ServiceNow", prefix: "servicenow", explain };

/// Which instance, as whom, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The part before `/navpage.do`, such as `https://acme.service-now.com`.
    pub base_url: Url,
    pub credentials: Credentials,
    /// Requests per second; `None` for no limit of ours.
    pub rate: Option<NonZeroU32>,
    pub references: CacheSettings,
    /// Whether to compare what a write returned with what was sent, and to warn about columns that were dropped.
    pub verify_writes: bool,
    pub transport: transport::Settings,
}

impl Settings {
    /// Defaults for everything but the instance and the credentials.
    pub fn new(base_url: Url, credentials: Credentials) -> Self {
        Self {
            base_url,
            credentials,
            rate: None,
            references: CacheSettings::default(),
            verify_writes: true,
            transport: transport::Settings::default(),
        }
    }
}

/// One ServiceNow instance.
pub struct Client {
    pub(super) base: Url,
    /// The base without a slash at its end.
    site: String,
    pub(super) peer: Peer,
    auth: Auth,
    limiter: Limiter,
    references: References,
    verify_writes: bool,
    /// Columns whose writes are dropped and that were reported already.
    dropped: Mutex<HashSet<(String, String)>>,
}

impl Client {
    pub fn new(settings: Settings, clock: Arc<dyn Clock>) -> Result<Self, SetupError> {
        let Settings { base_url, credentials, rate, references, verify_writes, transport } = settings;
        Ok(Self {
            auth: Auth::new(&credentials, &at(&base_url, &["oauth_token.do"])),
            site: base_url.as_str().trim_end_matches('/').to_owned(),
            base: base_url,
            peer: Peer::new(VENDOR, transport, clock, credentials.secrets())?,
            limiter: Limiter::per_second(rate),
            references: References::new(references),
            verify_writes,
            dropped: Mutex::default(),
        })
    }

    /// The address of a record's form.
    pub(super) fn form(&self, table: &str, sys_id: &SysId) -> String {
        format!("{}/nav_to.do?uri={table}.do?sys_id={sys_id}", self.site)
    }

    pub(super) async fn ask(&self, method: Method, url: Url, body: Option<Bytes>) -> Result<Reply, Outcome> {
        self.limiter.place().await;
        let header = match &self.auth {
            Auth::Basic(header) => header.clone(),
            Auth::OAuth(tokens) => tokens.header(&self.peer).await?,
        };
        let body = body.map(|body| (JSON, body));
        let call = Call { method, url, authorization: Some(header.clone()), body };
        let reply = match &self.auth {
            Auth::Basic(_) => self.peer.ask(call).await?,
            // A refused token was not used, so sending once more repeats nothing.
            Auth::OAuth(tokens) => match self.peer.ask(call.clone()).await {
                Err(Outcome::Auth(_)) => {
                    let authorization = Some(tokens.other_than(&header, &self.peer).await?);
                    self.peer.ask(Call { authorization, ..call }).await?
                }
                asked => asked?,
            },
        };
        if reply.html {
            return Err(self.page(&reply));
        }
        if reply.status == StatusCode::ACCEPTED {
            let summary = "ServiceNow queued the request, and may drop it".to_owned();
            let status = Some(reply.status.as_u16());
            return Err(Outcome::Unknown(Failure { status, ..self.peer.coded("queued", summary) }));
        }
        Ok(reply)
    }

    /// A page for people where data was asked for: nothing was applied.
    fn page(&self, reply: &Reply) -> Outcome {
        let page = String::from_utf8_lossy(&reply.body).to_ascii_lowercase();
        let status = Some(reply.status.as_u16());
        let detail = page_title(&reply.body).map(|title| self.peer.clean(&title, None));
        if page.contains("hibernat") {
            let summary = "ServiceNow's instance is hibernating".to_owned();
            let hint = Some("wake it by signing in to the developer site".to_owned());
            Outcome::NotApplied(Failure { status, detail, hint, ..self.peer.coded("hibernating", summary) })
        } else {
            let summary = "ServiceNow answered with a web page instead of data".to_owned();
            let hint =
                Some("check the address: a sign-in page or a gateway in front of the instance answers so".to_owned());
            Outcome::Refused(Failure { status, detail, hint, ..self.peer.coded("not-data", summary) })
        }
    }

    /// An answer that can't be what it should be: whether it was applied is open.
    pub(super) fn unreadable(&self, reply: &Reply, summary: &str) -> Outcome {
        let text = String::from_utf8_lossy(reply.body.get(..reply.body.len().min(1000)).unwrap_or_default());
        let detail = (!text.is_empty()).then(|| self.peer.clean(&text, None));
        Outcome::Unknown(Failure {
            status: Some(reply.status.as_u16()),
            detail,
            ..self.peer.coded("unreadable", summary.to_owned())
        })
    }

    async fn write(&self, method: Method, path: &[&str], table: &str, fields: &[FieldValue]) -> Outcome {
        let mut url = at(&self.base, path);
        let checked: Vec<&FieldValue> =
            if self.verify_writes { fields.iter().filter(|sent| comparable(sent)).collect() } else { Vec::new() };
        let mut columns = String::from("sys_id,number,sys_mod_count");
        for sent in &checked {
            columns.push(',');
            columns.push_str(&sent.field);
        }
        url.query_pairs_mut()
            .append_pair("sysparm_fields", &columns)
            .append_pair("sysparm_exclude_reference_link", "true");
        let Ok(body) = serde_json::to_vec(&Fields(fields)) else {
            return Outcome::Refused(self.peer.coded("unwritable", "the fields have no JSON form".to_owned()));
        };
        let reply = match self.ask(method, url, Some(body.into())).await {
            Ok(reply) => reply,
            Err(outcome) => return outcome,
        };
        let row = match serde_json::from_slice(&reply.body) {
            Ok(One { result: Some(row), error: None }) => row,
            Ok(One { error: Some(_), .. }) => {
                return self.unreadable(&reply, "ServiceNow confirmed a write and reported an error in one answer");
            }
            Ok(One { result: None, error: None }) | Err(_) => {
                return self.unreadable(&reply, "ServiceNow confirmed a write in a way that cannot be read");
            }
        };
        match self.ticket(table, &row) {
            Some(ticket) => {
                self.compare(table, &checked, &row);
                let version = row.get("sys_mod_count").and_then(|count| count.trim().parse().ok());
                Outcome::Applied(Receipt { ticket: Some(ticket), version, ..Receipt::default() })
            }
            None => self.unreadable(&reply, "ServiceNow confirmed a write without naming the record"),
        }
    }

    fn ticket(&self, table: &str, row: &Row) -> Option<TicketRef> {
        self.named(table, row.get("sys_id")?, row.get("number"))
    }

    pub(super) fn named(&self, table: &str, sys_id: &str, number: Option<&str>) -> Option<TicketRef> {
        let sys_id = SysId::new(sys_id).ok()?;
        Some(TicketRef { url: self.form(table, &sys_id), sys_id, number: number.unwrap_or_default().to_owned() })
    }

    /// A success does not prove that every column was written: unknown and protected ones are dropped in silence.
    fn compare(&self, table: &str, sent: &[&FieldValue], row: &Row) {
        for FieldValue { field, value } in sent {
            let kept = row.get(field);
            if kept.map(str::trim) == Some(value.trim()) {
                continue;
            }
            metrics::counter!("tandem_dropped_writes_total", "table" => table.to_owned(), "field" => field.clone())
                .increment(1);
            let mut dropped = self.dropped.lock().unwrap_or_else(PoisonError::into_inner);
            if dropped.len() < 1000 && dropped.insert((table.to_owned(), field.clone())) {
                let why = if kept.is_none() {
                    "the table has no such column, or it may not be read"
                } else {
                    "it holds another value"
                };
                tracing::warn!(
                    error.code = "servicenow.dropped",
                    ticket.field = field,
                    "ServiceNow did not keep what was written to {table}.{field}: {why}"
                );
            }
        }
    }

    /// The rows that a query finds. Empty rows behind a non-empty count are a denial.
    pub(super) async fn query(
        &self,
        table: &str,
        query: &str,
        columns: &str,
        limit: &str,
    ) -> Result<Vec<Row>, Outcome> {
        let mut url = at(&self.base, &["api", "now", "table", table]);
        url.query_pairs_mut()
            .append_pair("sysparm_query", query)
            .append_pair("sysparm_fields", columns)
            .append_pair("sysparm_limit", limit)
            .append_pair("sysparm_exclude_reference_link", "true")
            .append_pair("sysparm_suppress_pagination_header", "true");
        let reply = self.ask(Method::GET, url, None).await?;
        let counted =
            reply.headers.get("x-total-count").and_then(|count| count.to_str().ok()?.trim().parse::<u64>().ok());
        match serde_json::from_slice::<Many>(&reply.body) {
            Ok(Many { result: Some(rows), error: None }) => {
                if rows.is_empty() && counted.is_some_and(|count| count > 0) {
                    let summary = format!("ServiceNow counts records in {table} but does not show them to us");
                    let hint = Some("give the integration user the right to read this table".to_owned());
                    return Err(Outcome::Refused(Failure { hint, ..self.peer.coded("unreadable-table", summary) }));
                }
                Ok(rows)
            }
            Ok(Many { .. }) | Err(_) => {
                Err(self.unreadable(&reply, "ServiceNow answered a query in a way that cannot be read"))
            }
        }
    }

    async fn look_up(&self, reference: &Reference) -> Result<Option<SysId>, Outcome> {
        let Reference { field: _, table, by, value } = reference;
        let Some(term) = condition(by, "=", value) else { return Ok(None) };
        let rows = self
            .query(table, &format!("{term}^ORDERBYsys_created_on^ORDERBYsys_id"), &format!("sys_id,{by}"), "2")
            .await?;
        let mut named = rows.iter().filter(|row| row.get(by).is_some_and(|found| same_text(found, value)));
        let found = named.next().and_then(|row| SysId::new(row.get("sys_id")?).ok());
        if named.next().is_some() {
            tracing::warn!(
                error.code = "servicenow.ambiguous",
                "several records of {table} have the same {by}; the oldest is used"
            );
        }
        Ok(found)
    }
}

#[async_trait]
impl Api for Client {
    async fn create(&self, table: &str, fields: &[FieldValue]) -> Outcome {
        match self.write(Method::POST, &["api", "now", "table", table], table, fields).await {
            // Nothing was to be changed, so nothing is gone: the address or the table is wrong.
            Outcome::Missing(failure) => {
                let hint = Some("check the address and the table's name in the configuration".to_owned());
                Outcome::Refused(Failure { code: "servicenow.refused".to_owned(), hint, ..failure })
            }
            outcome => outcome,
        }
    }

    async fn update(&self, table: &str, ticket: &SysId, fields: &[FieldValue]) -> Outcome {
        self.write(Method::PATCH, &["api", "now", "table", table, ticket.as_str()], table, fields).await
    }

    async fn find(&self, table: &str, correlation_id: &str) -> Result<Vec<TicketRef>, Outcome> {
        // An empty value would mean "is empty" and find every ticket that carries no correlation.
        let Some(term) = condition("correlation_id", "=", correlation_id) else {
            let summary = "a ticket cannot be looked for without a usable correlation id".to_owned();
            return Err(Outcome::Refused(self.peer.coded("correlation", summary)));
        };
        let query = format!("{term}^ORDERBYsys_created_on^ORDERBYsys_id");
        let rows = self.query(table, &query, "sys_id,number,correlation_id", "10").await?;
        if rows.iter().any(|row| !row.get("correlation_id").is_some_and(|found| same_text(found, correlation_id))) {
            let summary = format!("ServiceNow did not filter {table} by correlation_id");
            let hint = Some("check that the table has the column correlation_id and that we may read it".to_owned());
            return Err(Outcome::Refused(Failure { hint, ..self.peer.coded("correlation", summary) }));
        }
        Ok(rows.iter().filter_map(|row| self.ticket(table, row)).collect())
    }

    fn cached(&self, reference: &Reference) -> Cached {
        self.references.cached(reference, self.peer.clock().elapsed())
    }

    async fn resolve(&self, reference: &Reference) -> Result<Option<SysId>, Outcome> {
        self.references.resolve(reference, || self.peer.clock().elapsed(), self.look_up(reference)).await
    }

    async fn ticket(&self, scope: &Scope, ticket: &SysId) -> Result<Option<TicketState>, Outcome> {
        delta::ticket(self, scope, ticket).await
    }

    async fn changes(&self, scope: &Scope, from: &From) -> Result<Changes, Outcome> {
        delta::changes(self, scope, from).await
    }

    async fn notes(&self, table: &str, tickets: &[SysId], since: &str) -> Result<Vec<(SysId, Note)>, Outcome> {
        delta::notes(self, table, tickets, since).await
    }

    async fn has_note(&self, table: &str, ticket: &SysId, marker: &str) -> Result<bool, Outcome> {
        let terms = [
            condition("element_id", "=", ticket.as_str()),
            condition("name", "=", table),
            condition("value", "LIKE", marker),
        ];
        let Some(terms) = terms.into_iter().collect::<Option<Vec<_>>>() else { return Ok(false) };
        let journals = [Journal::WorkNotes, Journal::Comments].map(Journal::field).join(",");
        let query = format!("{}^elementIN{journals}^ORDERBYDESCsys_created_on^ORDERBYsys_id", terms.join("^"));
        let rows = self.query("sys_journal_field", &query, "sys_id,element_id,value", "100").await?;
        let ours = |row: &Row| {
            row.get("element_id") == Some(ticket.as_str()) && row.get("value").is_some_and(|text| text.contains(marker))
        };
        Ok(rows.iter().any(ours))
    }
}

/// The base with segments added to its path.
pub(super) fn at(base: &Url, segments: &[&str]) -> Url {
    let mut url = base.clone();
    url.set_query(None);
    url.set_fragment(None);
    // Only an address such as `mailto:` has no path to add to, and the configuration admits none.
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(segments);
    }
    url
}

/// One condition of an encoded query. `None` for a value that a query can't hold safely: an empty one would mean
/// "is empty", and one that begins with `javascript:` would be run by the instance.
pub(super) fn condition(column: &str, operator: &str, value: &str) -> Option<String> {
    let value = value.trim();
    let script = value.get(..11).is_some_and(|head| head.eq_ignore_ascii_case("javascript:"));
    if value.is_empty() || script || value.chars().any(char::is_control) {
        return None;
    }
    Some(format!("{column}{operator}{}", value.replace('^', "^^")))
}

/// Instances on MySQL compare without regard to case, others with.
fn same_text(one: &str, other: &str) -> bool {
    one.trim().to_lowercase() == other.trim().to_lowercase()
}

/// Whether what comes back can be compared with what was sent: journals read as empty, and long texts aren't worth
/// sending back.
fn comparable(sent: &FieldValue) -> bool {
    let journals = [Journal::WorkNotes.field(), Journal::Comments.field()];
    sent.value.len() <= 255 && !journals.contains(&sent.field.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_holds_only_values_that_a_query_can_hold() {
        assert_eq!(condition("name", "=", "a^ORb").as_deref(), Some("name=a^^ORb"));
        for bad in ["", "  ", "javascript:gs.log(1)", "JavaScript:gs.log(1)", "a\nb"] {
            assert_eq!(condition("name", "=", bad), None, "{bad:?}");
        }
    }

    #[test]
    fn addresses_keep_the_bases_path_and_encode_what_is_added() {
        let base = Url::parse("https://acme.example/now/?x=1#y").unwrap();
        assert_eq!(
            at(&base, &["api", "now", "table", "a/b c"]).as_str(),
            "https://acme.example/now/api/now/table/a%2Fb%20c"
        );
        let base = Url::parse("https://acme.example").unwrap();
        assert_eq!(at(&base, &["oauth_token.do"]).as_str(), "https://acme.example/oauth_token.do");
    }
}
