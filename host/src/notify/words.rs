//! A notice as a chat and a mail show it.

use std::time::Duration;

use crate::domain::notice::Notice;

/// One notice for many.
pub(super) fn gathered(mut notice: Notice, count: u64, interval: Duration) -> Notice {
    if count > 1 {
        let within = match interval.as_secs() {
            60 => "1 minute".to_owned(),
            seconds if seconds.is_multiple_of(60) => format!("{} minutes", seconds / 60),
            seconds => format!("{seconds} s"),
        };
        notice.title = format!("{} ({count} times within {within})", notice.title);
        notice.lines.insert(0, "The latest of them:".to_owned());
    }
    notice
}

/// For a chat that reads Slack's markup.
pub(super) fn chat(notice: &Notice) -> String {
    let mut lines = vec![format!("*Tandem {}: {}*", escaped(notice.integration.as_str()), escaped(&notice.title))];
    lines.extend(notice.lines.iter().map(|line| escaped(line)));
    lines.extend(notice.incident.iter().map(|incident| format!("Incident {}", escaped(incident.as_str()))));
    let ticket = notice.ticket.iter();
    lines.extend(ticket.map(|ticket| format!("Ticket <{}|{}>", escaped(&ticket.url), escaped(&ticket.number))));
    lines.push(format!("`{}`", escaped(&notice.code)));
    lines.join("\n")
}

/// Slack gives these three characters a meaning, and nobody else's text may call a whole channel.
fn escaped(text: &str) -> String {
    one_line(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Subject and text of a mail.
pub(super) fn mail(notice: &Notice) -> (String, String) {
    let subject = format!("[Tandem] {}: {}", notice.integration, one_line(&notice.title));
    let mut lines: Vec<String> = notice.lines.iter().map(|line| one_line(line)).collect();
    lines.push(String::new());
    lines.extend(notice.incident.iter().map(|incident| format!("Incident:    {incident}")));
    let ticket = notice.ticket.iter();
    lines.extend(ticket.map(|ticket| format!("Ticket:      {} {}", one_line(&ticket.number), one_line(&ticket.url))));
    lines.push(format!("Integration: {}", notice.integration));
    lines.push(format!("Reason:      {}", one_line(&notice.code)));
    (subject, lines.join("\n") + "\n")
}

/// Line ends would let a text pretend to be another part of the message.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
