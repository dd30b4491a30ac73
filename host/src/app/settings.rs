//! An integration's configuration as the sync wants it.

use std::sync::Arc;

use crate::config::{CommentsTo, Integration, NotesFrom, Polling, TagDirection, TagMapping};
use crate::domain::share::Overrides;
use crate::domain::ticket::Journal;
use crate::engine::Policy;
use crate::engine::policy::{Direction, FollowUps, Pair, Reopen, Retry};
use crate::sync::{Effective, Polls, Settings};

/// The settings of one integration. Those of a share without overrides are made once.
pub(super) struct Resolved {
    integration: Integration,
    plain: Arc<Effective>,
}

impl Resolved {
    pub(super) fn new(integration: Integration) -> Self {
        let plain = Arc::new(effective(&integration, &Overrides::default()));
        Self { integration, plain }
    }
}

impl Settings for Resolved {
    fn effective(&self, overrides: &Overrides) -> Arc<Effective> {
        if overrides.settings.is_empty() && overrides.fields.is_empty() && overrides.mapping.is_empty() {
            return self.plain.clone();
        }
        Arc::new(effective(&self.integration, overrides))
    }

    fn plain(&self) -> &Effective {
        &self.plain
    }
}

/// How the integration looks for changes.
pub(super) fn polls(polling: &Polling) -> Polls {
    let Polling { interval, overlap, bigpanda, servicenow, creates, servicenow_query } = polling.clone();
    Polls { bigpanda, servicenow, interval, overlap, creates, query: servicenow_query }
}

fn pair(row: &TagMapping) -> Pair {
    let direction = match row.direction {
        TagDirection::ToServiceNow => Direction::ToServiceNow,
        TagDirection::ToBigPanda => Direction::ToBigPanda,
        TagDirection::Both => Direction::Both,
    };
    Pair { tag: row.tag.clone(), field: row.field.clone(), direction }
}

fn effective(integration: &Integration, overrides: &Overrides) -> Effective {
    let (settings, ignored) = integration.with_overrides(overrides);
    let crate::config::Retry { attempts, spacing, within_attempt, lease, crash_limit, .. } = integration.retry.clone();
    let crate::config::FollowUps { callback, tag, comment } = integration.follow_ups;
    let policy = Policy {
        table: integration.servicenow.table.clone(),
        update_fields: settings.update_fields.clone(),
        response_tag: settings.response_incident_tag.clone(),
        follow_ups: FollowUps { callback, tag, comment },
        retry: Retry { attempts, spacing, within_attempt, lease, crash_limit },
        resolve_ticket: settings.resolve_servicenow_incident,
        merged_close_code: settings.merged_close_code.clone(),
        resolve_incident: settings.resolve_bigpanda_incident,
        reopen: Reopen { enabled: settings.reopen_resolved, window: settings.reopen_window },
        pairs: settings.tag_mapping.iter().map(pair).collect(),
        comments_to: match settings.comments_to_servicenow {
            CommentsTo::WorkNotes => Some(Journal::WorkNotes),
            CommentsTo::Comments => Some(Journal::Comments),
            CommentsTo::Off => None,
        },
        notes_from: match settings.notes_to_bigpanda {
            NotesFrom::Off => Vec::new(),
            NotesFrom::WorkNotes => vec![Journal::WorkNotes],
            NotesFrom::Comments => vec![Journal::Comments],
            NotesFrom::Both => vec![Journal::WorkNotes, Journal::Comments],
        },
    };
    Effective { policy, plugin_settings: integration.plugin_json(&settings, overrides), ignored }
}
