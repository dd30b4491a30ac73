//! The running simulators as a Rust value: what tests, the demo and benches hold.
//!
//! Everything here can be done over HTTP too. Common to both sides under `/_control/`: `GET POST DELETE faults`,
//! `GET POST DELETE requests`, `GET DELETE counts`, `GET POST clock`,
//! `POST DELETE capacity`. BigPanda: `GET POST incidents`,
//! `GET incidents/{id}`, `GET callbacks`, `GET shares`, `GET POST channels`, `POST share`, `POST do`, `POST options`,
//! `POST reset`. ServiceNow: `GET tickets`, `GET tickets/{key}`, `GET sizes`, `GET POST settings`, `POST edit`,
//! `POST bulk`, `POST touch`, `POST autoclose`, `POST users`, `POST columns`, `POST expire-tokens`, `POST reset`.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use serde_json::Value as Json;

use super::bigpanda::BigPanda;
use super::clock::Clock;
use super::fault::Faults;
use super::recorder::Recorder;
use super::serve::{Listening, Site as _};
use super::servicenow::Instance;
use super::{
    Access, BigPandaAccess, Callback, Channel, Comment, Config, Delivery, Limits, Role, ServiceNowAccess, Settings,
    Ticket,
};

/// Both simulators while they run. Dropping it ends them soon; [`Handle::shutdown`] waits for that.
#[derive(Debug)]
pub struct Handle {
    /// Where BigPanda listens.
    pub bigpanda: SocketAddr,
    /// Where ServiceNow listens.
    pub servicenow: SocketAddr,
    config: Config,
    panda: (Arc<BigPanda>, Listening),
    snow: (Arc<Instance>, Listening),
}

impl Handle {
    pub(crate) fn new(config: Config, panda: (Arc<BigPanda>, Listening), snow: (Arc<Instance>, Listening)) -> Self {
        Self { bigpanda: panda.1.address, servicenow: snow.1.address, config, panda, snow }
    }

    /// URLs and credentials of both sides.
    pub fn access(&self) -> Access {
        Access {
            bigpanda: BigPandaAccess {
                url: self.bigpanda_url(),
                control: format!("{}/_control", self.bigpanda_url()),
                api_key: self.config.api_key.clone(),
                app_key: self.config.app_key.clone(),
                environment_id: self.config.environment_id.clone(),
            },
            servicenow: ServiceNowAccess {
                url: self.servicenow_url(),
                control: format!("{}/_control", self.servicenow_url()),
                user: self.config.user.clone(),
                password: self.config.password.clone(),
                oauth_client_id: self.config.oauth_client_id.clone(),
                oauth_client_secret: self.config.oauth_client_secret.clone(),
                api_key: self.config.servicenow_api_key.clone(),
            },
        }
    }

    pub fn bigpanda_url(&self) -> String {
        format!("http://{}", self.bigpanda)
    }

    pub fn servicenow_url(&self) -> String {
        format!("http://{}", self.servicenow)
    }

    // ServiceNow.

    /// All incidents, oldest first.
    pub fn tickets(&self) -> Vec<Ticket> {
        self.snow.0.tickets("incident")
    }

    /// The incidents whose correlation id, number or sys_id is `key`, oldest first.
    pub fn tickets_of(&self, key: &str) -> Vec<Ticket> {
        self.snow.0.find("incident", key)
    }

    /// How many incidents there are.
    pub fn ticket_count(&self) -> usize {
        self.snow.0.count("incident")
    }

    /// All records of any table.
    pub fn records(&self, table: &str) -> Vec<Ticket> {
        self.snow.0.tickets(table)
    }

    /// Makes `count` records at once; `{n}` in a field becomes the running number. Says why if a rule refuses one.
    pub fn bulk(&self, table: &str, count: usize, fields: &BTreeMap<String, String>) -> Result<(), String> {
        self.snow.0.bulk(table, count, fields).map_err(|error| error.detail.unwrap_or(error.message))
    }

    /// Changes an incident as the user `user` would on the form. Gives whether anything changed.
    pub fn edit_ticket(&self, sys_id: &str, user: &str, fields: &[(&str, &str)]) -> Result<bool, String> {
        let fields = fields.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        self.snow.0.edit("incident", sys_id, user, &fields).map_err(|error| error.detail.unwrap_or(error.message))
    }

    /// Changes a record of any table likewise.
    pub fn edit_record(&self, table: &str, sys_id: &str, user: &str, fields: &[(&str, &str)]) -> Result<bool, String> {
        let fields = fields.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        self.snow.0.edit(table, sys_id, user, &fields).map_err(|error| error.detail.unwrap_or(error.message))
    }

    /// Opens another account.
    pub fn add_user(&self, name: &str, password: &str, role: Role) {
        self.snow.0.add_user(name, password, role);
    }

    /// Turns switches of the instance.
    pub fn configure(&self, change: impl FnOnce(&mut Settings)) {
        self.snow.0.configure(change);
    }

    pub fn servicenow_faults(&self) -> &Faults {
        &self.snow.0.controls().faults
    }

    pub fn servicenow_requests(&self) -> &Recorder {
        &self.snow.0.controls().recorder
    }

    pub fn servicenow_clock(&self) -> &Clock {
        &self.snow.0.controls().clock
    }

    /// Lets ServiceNow work on a few requests at a time, or on any number.
    pub fn set_servicenow_capacity(&self, limits: Option<Limits>) {
        self.snow.0.controls().capacity.set(limits);
    }

    /// Closes ServiceNow's port (connections are refused) or opens it again.
    pub fn set_servicenow_up(&self, up: bool) {
        self.snow.1.set_up(up);
    }

    // BigPanda.

    /// Takes an incident in, in any documented shape; gives its id.
    pub fn load_incident(&self, incident: Json) -> Result<String, String> {
        self.panda.0.load(incident)
    }

    /// The incident as the REST API shows it with its alerts.
    pub fn incident(&self, id: &str) -> Option<Json> {
        self.panda.0.incident_json(id)
    }

    /// Comments on an incident, oldest first.
    pub fn comments(&self, incident: &str) -> Vec<Comment> {
        self.panda.0.comments(incident)
    }

    /// Tags of an incident.
    pub fn tags(&self, incident: &str) -> BTreeMap<String, String> {
        self.panda.0.tags(incident)
    }

    /// One tag of an incident.
    pub fn tag(&self, incident: &str, tag: &str) -> Option<String> {
        self.panda.0.tag(incident, tag)
    }

    /// Calls of the callback service in order.
    pub fn callbacks(&self) -> Vec<Callback> {
        self.panda.0.callbacks()
    }

    /// Adds a sharing channel, or replaces the one of that name.
    pub fn set_channel(&self, channel: Channel) {
        self.panda.0.set_channel(channel);
    }

    /// Shares an incident with all channels (or the named one); gives how many. The sending goes on in the background.
    pub fn share(&self, incident: &str, event: &str, channel: Option<&str>) -> Result<usize, String> {
        self.panda.0.share(incident, event, channel).map_err(|refusal| refusal.text().to_owned())
    }

    /// Does what a person in BigPanda would; the JSON is that of the control route `do` without the incident.
    pub fn act(&self, incident: &str, what: Json) -> Result<(), String> {
        let what = serde_json::from_value(what).map_err(|error| error.to_string())?;
        self.panda.0.act(incident, what).map_err(|refusal| refusal.text().to_owned())
    }

    /// Every attempt to deliver a share, in order.
    pub fn shares(&self) -> Vec<Delivery> {
        self.panda.0.deliveries()
    }

    /// Shares not delivered yet: waiting for a callback, for a retry, or on their way.
    pub fn pending_shares(&self) -> usize {
        self.panda.0.pending_shares()
    }

    /// Requests a second that BigPanda admits for each endpoint; 0 admits all.
    pub fn set_bigpanda_rate_limit(&self, per_second: u32) {
        self.panda.0.set_rate_limit(per_second);
    }

    pub fn bigpanda_faults(&self) -> &Faults {
        &self.panda.0.controls().faults
    }

    pub fn bigpanda_requests(&self) -> &Recorder {
        &self.panda.0.controls().recorder
    }

    pub fn bigpanda_clock(&self) -> &Clock {
        &self.panda.0.controls().clock
    }

    /// Closes BigPanda's port (connections are refused) or opens it again.
    pub fn set_bigpanda_up(&self, up: bool) {
        self.panda.1.set_up(up);
    }

    /// Stops both sides; open connections are dropped.
    pub async fn shutdown(self) {
        self.panda.1.stop().await;
        self.snow.1.stop().await;
    }
}
