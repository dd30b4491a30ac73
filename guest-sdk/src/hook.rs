//! The hooks. A plugin implements [`Plugin`] and as many of the others as it likes.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::answer::{Answer, Body, Choice, Decision, Error, Patch, Settlement, Text, Verdict};
use crate::event::Event;

/// Every plugin is one of these; it says what its settings are.
///
/// ```
/// use serde::Deserialize;
/// use tandem_guest::Plugin;
///
/// #[derive(Deserialize)]
/// #[serde(default)]
/// struct Config {
///     max_alerts: usize,
/// }
///
/// impl Default for Config {
///     fn default() -> Self {
///         Self { max_alerts: 10 }
///     }
/// }
///
/// struct Mine;
/// impl Plugin for Mine {
///     type Config = Config;
/// }
/// ```
pub trait Plugin {
    /// The settings. [`NoConfig`] when there are none.
    type Config: DeserializeOwned + Default + 'static;
}

/// No settings; whatever the operator wrote is ignored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub struct NoConfig {}

/// Does this event lead to anything? Asked first. One plugin that says no is enough.
pub trait Gate: Plugin {
    /// Proceed, skip or hold.
    ///
    /// # Errors
    /// Any failure counts as *proceed*: a broken gate stops nothing.
    fn gate(event: &Event, config: &Self::Config) -> Answer<Verdict>;
}

/// Which alert stands for the incident? Asked before the hooks that write.
pub trait PrimaryAlert: Plugin {
    /// The alert's place among the event's alerts, or none.
    ///
    /// # Errors
    /// `skip` leaves an earlier plugin's choice; on a failure the bundled plugin chooses.
    fn primary_alert(event: &Event, config: &Self::Config) -> Answer<Choice>;
}

/// The one line by which people know the ticket.
///
/// ```
/// use tandem_guest::{Answer, Error, Event, NoConfig, Plugin, ShortDescription, Text};
///
/// struct Mine;
/// impl Plugin for Mine {
///     type Config = NoConfig;
/// }
/// impl ShortDescription for Mine {
///     fn short_description(event: &Event, _: &NoConfig) -> Answer<Text> {
///         let alert = event.primary_alert().ok_or_else(|| Error::skip("there is no alert"))?;
///         let what = alert.primary_value().unwrap_or("something");
///         Ok(Text::new(format!("{what} is {}", alert.status().as_str())))
///     }
/// }
/// tandem_guest::export!(Mine: ShortDescription);
/// ```
pub trait ShortDescription: Plugin {
    /// The line. The host cuts nothing: a text longer than the field is refused.
    ///
    /// # Errors
    /// `skip` leaves an earlier plugin's line; on a failure the host falls back.
    fn short_description(event: &Event, config: &Self::Config) -> Answer<Text>;
}

/// The body of the ticket.
pub trait Description: Plugin {
    /// The body, and a work note if one is wanted.
    ///
    /// # Errors
    /// `skip` leaves an earlier plugin's body; on a failure the host falls back.
    fn description(event: &Event, config: &Self::Config) -> Answer<Body>;
}

/// Further ticket fields.
pub trait Fields: Plugin {
    /// Operations on ticket fields.
    ///
    /// # Errors
    /// `skip` proposes nothing; on a failure the host falls back.
    fn fields(event: &Event, config: &Self::Config) -> Answer<Patch>;
}

/// Incident tags that follow from a change of the ticket.
pub trait Tags: Plugin {
    /// Operations on incident tags: a field of the patch is the name of a tag.
    ///
    /// # Errors
    /// `skip` proposes nothing.
    fn tags(event: &Event, config: &Self::Config) -> Answer<Patch>;
}

/// The end of one side, told to the other.
pub trait Closure: Plugin {
    /// The incident was resolved: code, notes and state of the ticket.
    ///
    /// # Errors
    /// `skip` proposes nothing.
    fn close_ticket(event: &Event, config: &Self::Config) -> Answer<Patch>;

    /// The ticket was closed: a comment for the incident. Without an implementation there is none.
    ///
    /// # Errors
    /// `skip` leaves an earlier plugin's comment.
    fn comment(event: &Event, config: &Self::Config) -> Answer<Option<String>> {
        let _ = (event, config);
        Err(Error::skip("this plugin writes no closing comment"))
    }
}

/// The incident came back after its ticket was resolved.
pub trait Reopen: Plugin {
    /// Reopen the ticket, create a new one, or leave things as they are.
    ///
    /// # Errors
    /// `skip` leaves an earlier plugin's decision.
    fn reopen(event: &Event, config: &Self::Config) -> Answer<Decision>;
}

/// Both sides changed one mapped value since they last agreed.
pub trait Conflict: Plugin {
    /// The value that both sides shall have.
    ///
    /// # Errors
    /// `skip` leaves an earlier plugin's settlement.
    fn settle(dispute: &Dispute, event: &Event, config: &Self::Config) -> Answer<Settlement>;
}

/// A value that both sides changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dispute {
    /// The incident tag.
    pub tag: String,
    /// The ticket field.
    pub field: String,
    /// What both sides last agreed on.
    pub agreed: Option<String>,
    /// The incident's value now.
    pub incident_value: String,
    /// The ticket's value now.
    pub ticket_value: String,
    /// When the incident changed, epoch seconds.
    pub incident_changed: Option<i64>,
    /// When the ticket changed, epoch seconds.
    pub ticket_changed: Option<i64>,
}
