//! The alerts of a body: whole blocks, as many as there is room for.

use tandem_guest::Event;
use tandem_guest::event::Alert;

use crate::text::{is_longer, line, number, shorten, title};
use crate::{Config, FENCE};

/// Room for the line that says how many alerts were left out, with its fence.
const MORE_ROOM: usize = 100;

/// The alerts, the primary one first, as many as the setting and `limit` allow, and how many more there are.
pub(crate) fn write(body: &mut String, event: &Event, config: &Config, limit: usize) {
    let total = event.alerts().len();
    if config.max_alerts_in_description == 0 || total == 0 {
        return;
    }
    let tags: Vec<(&str, String)> =
        config.description_alert_tags.iter().map(|name| (name.as_str(), title(name))).collect();
    let first = event.primary_alert();
    let others = event.alerts().filter(|alert| first.is_none_or(|first| first.index() != alert.index()));
    let mut shown = 0;
    for alert in first.into_iter().chain(others).take(config.max_alerts_in_description) {
        let before = body.len();
        write_one(body, &alert, shown + 1, total, &tags);
        let room = if shown + 1 == total { limit } else { limit.saturating_sub(MORE_ROOM) };
        if is_longer(body, room) {
            if shown > 0 {
                body.truncate(before);
                break;
            }
            // Better a part of the first alert than none.
            shorten(body, room);
        }
        shown += 1;
    }
    if shown < total {
        body.push_str(FENCE);
        body.push_str("\n… and ");
        number(body, total - shown);
        body.push_str(if total - shown == 1 { " more alert\n\n" } else { " more alerts\n\n" });
    }
}

fn write_one(body: &mut String, alert: &Alert<'_>, place: usize, total: usize, tags: &[(&str, String)]) {
    body.push_str(FENCE);
    body.push_str("\nAlert: ");
    number(body, place);
    body.push_str(" / ");
    number(body, total);
    body.push_str("\nStatus: ");
    body.push_str(alert.status().title());
    body.push('\n');
    if !alert.source_system().is_empty() {
        line(body, "Source", alert.source_system());
    }
    for (name, title) in tags {
        if let Some(value) = alert.tag(name) {
            line(body, title, value);
        }
    }
    body.push('\n');
}
