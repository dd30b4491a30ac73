//! Switches of one simulated instance that tests and the demo may turn while it runs.
//!
//! Called by the control route and by the rules. Holds always: the defaults are those of an ordinary instance.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::select::TieOrder;

/// What becomes of a reference given by a name that nothing has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unresolved {
    #[default]
    Empty,
    Raw,
}

/// A business rule that sets a field after every write to a table, as the system user.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Rewrite {
    pub table: String,
    pub field: String,
    pub value: String,
    #[serde(default = "system")]
    pub user: String,
}

fn system() -> String {
    "system".to_owned()
}

/// Behaviour of the instance. Everything may be left out of the JSON form.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// `glide.invalid_query.returns_no_rows`: an invalid condition selects nothing instead of being dropped.
    pub invalid_query_returns_no_rows: bool,
    pub tie_order: TieOrder,
    pub unresolved_reference: Unresolved,
    /// Names given for references are looked up even without `sysparm_input_display_value`.
    pub resolve_names: bool,
    /// Reopening clears `resolved_at`, `resolved_by`.
    pub reopen_clears_resolution: bool,
    /// A `sys_id` sent with a create is used.
    pub accept_client_sys_id: bool,
    /// Resolved and closed incidents need a resolution code and notes.
    pub close_data_policy: bool,
    /// Columns that nobody may read or query.
    pub hidden_fields: BTreeSet<String>,
    /// Tables whose rows nobody may read: 200, an empty list, and the full count.
    pub unreadable_tables: BTreeSet<String>,
    /// Notes and states of a parent incident go to its children.
    pub propagate_to_children: bool,
    pub rewrites: Vec<Rewrite>,
    /// Distance of the users' time zone from UTC in display values, minutes.
    pub display_offset_minutes: i64,
    /// Date format of display values.
    pub display_date_format: String,
    /// Basic authentication is restricted: only OAuth and API keys log in.
    pub basic_auth_disabled: bool,
    /// Requests per hour before 429 with rate headers; absent: no rule.
    pub rate_limit_per_hour: Option<u32>,
    /// Resolved incidents become closed when this old and the autoclose job runs, in days.
    pub autoclose_days: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            invalid_query_returns_no_rows: false,
            tie_order: TieOrder::default(),
            unresolved_reference: Unresolved::default(),
            resolve_names: true,
            reopen_clears_resolution: true,
            accept_client_sys_id: true,
            close_data_policy: true,
            hidden_fields: BTreeSet::new(),
            unreadable_tables: BTreeSet::new(),
            propagate_to_children: false,
            rewrites: Vec::new(),
            display_offset_minutes: 0,
            display_date_format: "yyyy-MM-dd HH:mm:ss".to_owned(),
            basic_auth_disabled: false,
            rate_limit_per_hour: None,
            autoclose_days: 7,
        }
    }
}
