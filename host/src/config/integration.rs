//! `[integration.<name>]`: one configured pair of a BigPanda organisation and a ServiceNow instance.
//!
//! Its settings lie on top of `[defaults]`, which lies on top of the built-in defaults.

use std::sync::Arc;

use super::bigpanda::{BigPanda, Needed};
use super::delivery::{FollowUps, Notify, Polling, Retry, Webhook};
use super::incidents::Settings;
use super::overrides;
use super::problem::{Problem, UNWISE};
use super::read::Section;
use super::servicenow::{Mode, Reach, ServiceNow};
use super::tree::{Node, Value};
use crate::domain::id::IntegrationName;
use crate::domain::share::Overrides;

#[derive(Debug, Clone)]
pub struct Integration {
    pub name: IntegrationName,
    pub bigpanda: BigPanda,
    pub servicenow: ServiceNow,
    pub webhook: Webhook,
    pub retry: Retry,
    pub follow_ups: FollowUps,
    pub notify: Notify,
    pub polling: Polling,
    /// The settings that a share's headers may override, without any.
    pub settings: Arc<Settings>,
    plugin_settings: Arc<str>,
    /// What was said under `incidents`, for the headers to be laid on top.
    said: Arc<Node>,
}

impl Integration {
    /// Whether the instance pulls its requests.
    pub fn is_on_premises(&self) -> bool {
        self.servicenow.reach == Reach::Pulls
    }

    /// The settings as they hold for one share, and a plain sentence for each header that was ignored: one that
    /// names no setting, or whose value fails the check that the configuration has to pass.
    pub fn with_overrides(&self, share: &Overrides) -> (Arc<Settings>, Vec<String>) {
        if share.settings.is_empty() {
            return (self.settings.clone(), Vec::new());
        }
        overrides::apply(&self.said, &self.settings, share)
    }

    /// What plugins see of the settings: a JSON object without secrets. `settings` is what [`Self::with_overrides`]
    /// returned for the same share.
    ///
    /// Beside the keys of `[integration.<name>.incidents]` it has `table`, `header_fields` (ticket field → literal
    /// value, from `x-bp-field-*`) and `header_mapping` (pairs of BigPanda field and ticket field, from
    /// `x-bp-mapping-fields`).
    pub fn plugin_json(&self, settings: &Arc<Settings>, share: &Overrides) -> Arc<str> {
        if share.fields.is_empty() && share.mapping.is_empty() && Arc::ptr_eq(settings, &self.settings) {
            return self.plugin_settings.clone();
        }
        plugin_json(settings, &self.servicenow.table, share)
    }
}

#[derive(serde::Serialize)]
struct PluginView<'a> {
    table: &'a str,
    header_fields: &'a std::collections::BTreeMap<String, String>,
    header_mapping: &'a [(String, String)],
    #[serde(flatten)]
    settings: &'a Settings,
}

fn plugin_json(settings: &Settings, table: &str, share: &Overrides) -> Arc<str> {
    let view = PluginView { table, header_fields: &share.fields, header_mapping: &share.mapping, settings };
    // Plain texts, numbers and lists always have a JSON form.
    serde_json::to_string(&view).unwrap_or_else(|_| "{}".to_owned()).into()
}

/// Puts `[defaults]` under every integration.
pub(super) fn complete(tree: &mut Node, template: &Node) {
    let Some(mut all) = tree.take("integration") else { return };
    if let Value::Table(integrations) = &mut all.value {
        for said in integrations.values_mut() {
            let mut whole = template.clone();
            point_at(&mut whole, said);
            whole.merge(std::mem::replace(said, Node::table()));
            *said = whole;
        }
    }
    tree.put(&["integration".to_owned()], all);
}

/// For what is missing, the integration's own section is the place to point at, not the defaults.
fn point_at(table: &mut Node, section: &Node) {
    if let Value::Table(entries) = &mut table.value {
        table.origin = section.origin.clone();
        table.key.clone_from(&section.key);
        for entry in entries.values_mut() {
            point_at(entry, section);
        }
    }
}

/// Checks `[defaults]` by itself, where nothing has to be set.
pub(super) fn check_defaults(section: Section<'_>) {
    read_parts(section, false);
}

struct Parts {
    bigpanda: Option<BigPanda>,
    servicenow: Option<ServiceNow>,
    webhook: Webhook,
    retry: Retry,
    follow_ups: FollowUps,
    notify: Notify,
    polling: Polling,
    settings: Settings,
}

fn read_parts(section: Section<'_>, required: bool) -> Parts {
    let modes = [("cloud", Mode::Cloud), ("on-premises", Mode::OnPremises)];
    // A word that is no mode is reported; what only one of them needs would be a guess.
    let mode = section.choice("mode", &modes).unwrap_or(Mode::OnPremises);
    let follow_ups = FollowUps::read(section.section("follow_ups"));
    let needed = Needed {
        api_key: required && (follow_ups.callback || follow_ups.tag || follow_ups.comment),
        app_key: required && follow_ups.callback,
    };
    let parts = Parts {
        follow_ups,
        bigpanda: BigPanda::read(section.section("bigpanda"), needed),
        servicenow: ServiceNow::read(section.section("servicenow"), required, mode),
        webhook: Webhook::read(section.section("webhook"), required),
        retry: Retry::read(section.section("retry")),
        notify: Notify::read(section.section("notify")),
        polling: Polling::read(section.section("sync")),
        settings: Settings::read(section.section("incidents")),
    };
    section.finish();
    parts
}

/// Every integration; `None` when one of them could not be read, which has been reported.
pub(super) fn read_all(root: &Section<'_>) -> Option<Vec<Integration>> {
    let read: Vec<_> = root.tables("integration").into_iter().map(|(name, node)| read_one(root, name, node)).collect();
    let all = read.into_iter().collect::<Option<Vec<_>>>()?;
    warn_of_twins(root, &all);
    for one in &all {
        warn_of_short_lease(root, one);
        warn_without_environment(root, one);
    }
    Some(all)
}

fn read_one(root: &Section<'_>, name: &str, node: &Node) -> Option<Integration> {
    let parts = read_parts(Section::new(root.context, format!("integration.{name}"), node), true);
    let name = IntegrationName::new(name).map_err(|error| {
        let problem =
            Problem::new("config.value", error.to_string()).hint("the name is a part of the webhook's address");
        root.context.problem(problem.at(&node.origin, "here"));
    });
    let said = node.get("incidents").cloned()?;
    let servicenow = parts.servicenow?;
    let settings = Arc::new(parts.settings);
    Some(Integration {
        name: name.ok()?,
        plugin_settings: plugin_json(&settings, &servicenow.table, &Overrides::default()),
        bigpanda: parts.bigpanda?,
        servicenow,
        webhook: parts.webhook,
        retry: parts.retry,
        follow_ups: parts.follow_ups,
        notify: parts.notify,
        polling: parts.polling,
        settings,
        said: Arc::new(said),
    })
}

/// Two integrations between the same two sides would make two tickets of one incident.
fn warn_of_twins(root: &Section<'_>, all: &[Integration]) {
    for (place, one) in all.iter().enumerate() {
        let same = |other: &&Integration| {
            other.servicenow.url().is_some()
                && other.servicenow.url() == one.servicenow.url()
                && other.servicenow.table == one.servicenow.table
                && other.bigpanda.app_key.is_some()
                && other.bigpanda.app_key == one.bigpanda.app_key
        };
        if let Some(twin) = all.iter().skip(place + 1).find(same) {
            let message = format!(
                "the integrations {} and {} have one app key and one table in common, so one incident could get two tickets",
                one.name, twin.name
            );
            root.context.warning(Problem::new(UNWISE, message).hint("remove one of them"));
        }
    }
}

/// BigPanda's API wants an environment for nearly everything, and not every share names one.
fn warn_without_environment(root: &Section<'_>, one: &Integration) {
    let FollowUps { callback: _, tag, comment } = one.follow_ups;
    let wanted = one.bigpanda.api_key.is_some() && (one.polling.bigpanda || tag || comment);
    if wanted && one.bigpanda.environment_id.is_none() {
        let key = format!("integration.{}.bigpanda.environment_id", one.name);
        let message = format!(
            "`{key}` is not set, so BigPanda is not polled, and an incident whose share names no environment gets no tag \
             and no comment"
        );
        let remedy = "set it to the id of an environment that shows all incidents; `tandem doctor` lists them";
        root.context.warning(Problem::new(UNWISE, message).hint(remedy));
    }
}

/// Nothing is sent in the last quarter of a lease, and what is sent before has to come to its end within it.
fn warn_of_short_lease(root: &Section<'_>, one: &Integration) {
    let called = one.servicenow.url().map(|_| one.servicenow.timeout);
    let longest = one.bigpanda.timeout.max(called.unwrap_or_default());
    if one.retry.lease < longest.saturating_mul(4) {
        let message = format!(
            "the integration {} has a `retry.lease` of less than four times its longest `timeout`: what takes long may be \
             sent twice, or not at all",
            one.name
        );
        root.context.warning(Problem::new(UNWISE, message).hint("raise `retry.lease`, or lower the `timeout`"));
    }
}
