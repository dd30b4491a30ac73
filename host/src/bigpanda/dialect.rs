//! The names under which BigPanda's dialects keep things: notifications webhook and REST v1 (`startedOn`), REST v2
//! (`start`), and bodies that a customer composed for the webhook v2.
//!
//! Shape only, borrowed from the body: what the values mean is `convert`. Every place is optional.

use std::borrow::Cow;
use std::marker::PhantomData;

use serde::de::{IgnoredAny, MapAccess, SeqAccess};

use super::tolerant::{Found, Key, Moment, TagText, Take, Text, object};

/// A whole body: the incident itself, or an envelope around it.
#[derive(Debug, Default)]
pub(super) struct Body<'de> {
    pub(super) envelope: Envelope<'de>,
    /// What stands beside the envelope's own names. It is the incident unless the envelope holds one.
    pub(super) bare: Incident<'de>,
}

impl<'de> Take<'de> for Body<'de> {
    fn map<A: MapAccess<'de>>(mut map: A) -> Result<Found<Self>, A::Error> {
        let mut body = Self::default();
        while let Some(Key(key)) = map.next_key()? {
            if !body.envelope.place(&key, &mut map)? && !body.bare.place(&key, &mut map)? {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(Found::Value(body))
    }
}

object! {
    /// What a body says about the share, beside the incident.
    Envelope;
    incident: Box<Incident<'de>> = "incident";
    metadata: Metadata<'de> = "metadata";
    links: Links<'de> = "links";
    event: Text<'de> = "event_type" | "eventType" | "event" | "u_bp_event_type";
    sender: Person<'de> = "sender" | "sender_email" | "shared_by";
    assigner: Person<'de> = "assigner";
    environment_id: Text<'de> = "environment_id" | "environmentId";
    environment_name: Text<'de> = "environment_name" | "environmentName";
    incident_url: Text<'de> = "incident_url" | "incidentUrl";
    timeline_url: Text<'de> = "timeline_url" | "timelineUrl";
    preview_url: Text<'de> = "preview_url" | "previewUrl";
}

object! {
    /// What the envelope says about the share itself.
    Metadata;
    event: Text<'de> = "event_type" | "eventType" | "event";
    environment_id: Text<'de> = "environment_id" | "environmentId";
    environment_name: Text<'de> = "environment_name" | "environmentName";
    sender: Person<'de> = "sender" | "sender_email" | "shared_by";
}

object! {
    Links;
    incident: Text<'de> = "incident" | "incident_url" | "incidentUrl";
    timeline: Text<'de> = "timeline" | "timeline_url" | "timelineUrl";
    preview: Text<'de> = "preview" | "preview_url" | "previewUrl";
}

object! {
    /// An incident in any dialect. A bare text stands for its id.
    Incident, text into id;
    id: Text<'de> = "id" | "incident_id" | "incidentId";
    status: Text<'de> = "status" | "incident_status";
    severity: Text<'de> = "severity";
    active: bool = "active";
    resolved: bool = "resolved";
    flapping: bool = "flapping";
    snooze: Snooze<'de> = "snooze";
    maintenance: Text<'de> = "maintenance";
    start: Moment = "start" | "startedOn" | "started_on" | "started_at";
    end: Moment = "end" | "endedOn" | "ended_on" | "ended_at";
    changed: Moment = "changed_at" | "changedOn" | "changedAt";
    updated: Moment = "updated_at" | "updatedOn" | "updatedAt";
    environments: Vec<Found<Text<'de>>> = "environments";
    folders: Vec<Found<Text<'de>>> = "folders";
    tags: Tags<'de> = "incident_tags" | "incidentTags" | "tags";
    alerts: Vec<Found<Alert<'de>>> = "alerts";
    changes: Vec<Found<Relation<'de>>> = "changes" | "relatedChanges" | "related_changes" | "root_cause_changes";
    assignee: Person<'de> = "assignee";
    summary: Text<'de> = "summary" | "ai_summary" | "aiSummary" | "ai_analysis";
}

object! {
    /// An alert. A bare text stands for its id.
    Alert, text into id;
    id: Text<'de> = "id" | "alert_id" | "alertId";
    status: Text<'de> = "status";
    active: bool = "active";
    start: Moment = "start" | "startedOn" | "started_on" | "started_at";
    end: Moment = "end" | "endedOn" | "ended_on" | "ended_at";
    changed: Moment = "changed_at" | "changedOn" | "changedAt";
    updated: Moment = "updated_at" | "updatedOn" | "updatedAt";
    primary_property: Text<'de> = "primary_property" | "primaryProperty";
    secondary_property: Text<'de> = "secondary_property" | "secondaryProperty";
    source_system: Text<'de> = "source_system" | "sourceSystem";
    description: Text<'de> = "description";
    tags: Tags<'de> = "tags";
}

object! {
    Snooze;
    snoozed: bool = "snoozed";
    until: Moment = "end_time" | "endTime" | "wake" | "until";
    cancel_on_update: bool = "cancel_on_incident_updates" | "autoCancel" | "auto_cancel";
}

object! {
    /// Someone. A bare text stands for the e-mail address.
    Person, text into email;
    id: Text<'de> = "user_id" | "id";
    name: Text<'de> = "name" | "username";
    email: Text<'de> = "email";
}

object! {
    /// A relation to a change, with the change inside or its fields beside.
    Relation;
    certainty: Text<'de> = "match_certainty" | "matchCertainty" | "certainty";
    change: Change<'de> = "change";
    identifier: Text<'de> = "identifier";
    summary: Text<'de> = "summary";
    url: Text<'de> = "ticket_url" | "url";
    status: Text<'de> = "status";
    start: Moment = "start";
    end: Moment = "end";
}

object! {
    Change;
    identifier: Text<'de> = "identifier";
    summary: Text<'de> = "summary";
    url: Text<'de> = "ticket_url" | "url";
    status: Text<'de> = "status";
    start: Moment = "start";
    end: Moment = "end";
}

/// Tags as a list of named values or as an object from name to value, in the order of the body.
#[derive(Debug, Default)]
pub(super) struct Tags<'de>(pub(super) Vec<(Found<Text<'de>>, Found<TagText<'de>>)>);

impl<'de> Take<'de> for Tags<'de> {
    fn map<A: MapAccess<'de>>(mut map: A) -> Result<Found<Self>, A::Error> {
        let mut tags = Vec::new();
        while let Some((Key(name), value)) = map.next_entry()? {
            tags.push((Found::Value(name), value));
        }
        Ok(Found::Value(Self(tags)))
    }

    fn list<A: SeqAccess<'de>>(mut list: A) -> Result<Found<Self>, A::Error> {
        let mut tags = Vec::with_capacity(16);
        while let Some(tag) = list.next_element::<Found<NamedValue<'de>>>()? {
            match tag {
                Found::Value(NamedValue { name, value }) => tags.push((name, value)),
                Found::Missing => {}
                Found::Odd(kind) => tags.push((Found::Odd(kind), Found::Missing)),
            }
        }
        Ok(Found::Value(Self(tags)))
    }
}

/// A tag in a list. The name that people gave wins over the id that BigPanda derived from it.
struct NamedValue<'de> {
    name: Found<Text<'de>>,
    value: Found<TagText<'de>>,
}

impl<'de> Take<'de> for NamedValue<'de> {
    fn map<A: MapAccess<'de>>(mut map: A) -> Result<Found<Self>, A::Error> {
        let mut name = Found::Missing;
        let mut id = Found::Missing;
        let mut value = Found::Missing;
        while let Some(Key(key)) = map.next_key()? {
            match &*key {
                "name" | "tag_name" | "tagName" if name.is_missing() => name = map.next_value()?,
                "tag_id" | "tagId" if id.is_missing() => id = map.next_value()?,
                "value" | "tag_value" | "tagValue" if value.is_missing() => value = map.next_value()?,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(Found::Value(Self { name: if name.is_missing() { id } else { name }, value }))
    }
}
