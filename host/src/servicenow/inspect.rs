//! Reading an instance for an operator: rows of any table as they are, with what else the answer told.
//!
//! Not for the sync, which asks narrow questions through [`Api`](super::Api). Nothing here writes.

use std::collections::BTreeMap;

use http::Method;

use super::client::{Client, at};
use super::wire::Many;
use crate::domain::id::SysId;
use crate::domain::outcome::Outcome;
use crate::domain::ticket::TicketRef;
use crate::domain::time::Timestamp;
use crate::transport::server_time;

/// A row: column → actual value. A column that the table lacks, or that is hidden from us, is not there.
pub type Cells = BTreeMap<String, String>;

/// The answer to a query.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    pub rows: Vec<Cells>,
    /// How many rows there are, whether or not we may see them.
    pub counted: Option<u64>,
    pub server_time: Option<Timestamp>,
}

impl Client {
    /// Rows that a query finds. A condition that the instance doesn't understand is dropped by it, so a caller checks
    /// what came.
    pub async fn rows(&self, table: &str, query: &str, columns: &str, limit: u32) -> Result<Page, Outcome> {
        let mut url = at(&self.base, &["api", "now", "table", table]);
        url.query_pairs_mut()
            .append_pair("sysparm_query", query)
            .append_pair("sysparm_fields", columns)
            .append_pair("sysparm_limit", &limit.to_string())
            .append_pair("sysparm_exclude_reference_link", "true")
            .append_pair("sysparm_suppress_pagination_header", "true");
        let reply = self.ask(Method::GET, url, None).await?;
        let Ok(Many { result: Some(rows), error: None }) = serde_json::from_slice::<Many>(&reply.body) else {
            return Err(self.unreadable(&reply, "ServiceNow answered a query in a way that cannot be read"));
        };
        let counted = reply.headers.get("x-total-count").and_then(|count| count.to_str().ok()?.trim().parse().ok());
        Ok(Page {
            rows: rows.into_iter().map(|row| row.into_cells().collect()).collect(),
            counted,
            server_time: server_time(&reply.headers),
        })
    }

    /// A ticket by what is known of it.
    pub fn ticket_ref(&self, table: &str, sys_id: SysId, number: String) -> TicketRef {
        TicketRef { url: self.form(table, &sys_id), sys_id, number }
    }
}
