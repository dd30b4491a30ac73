//! Names of settings: how a name in the environment or in a header leads to a key, and which key was probably meant.
//!
//! Called by `layers`, `read` and `overrides`. Comparison ignores case, hyphens and underscores, so `updateFields`,
//! `UPDATE_FIELDS` and `update_fields` are one name.

/// Names that the ServiceNow application uses for what has another name here.
const ELSEWHERE: [(&str, &str); 19] = [
    ("caller_id_email", "caller_email"),
    ("caller_id", "caller_email"),
    ("opened_by", "opened_by_email"),
    ("resolved_by", "resolved_by_email"),
    ("aia_in_short_description", "ai_summary_in_short_description"),
    ("aia_in_description", "ai_summary_in_description"),
    ("max_alerts", "max_alerts_in_description"),
    ("add_bigpanda_links_to_description", "add_links_to_description"),
    ("show_ui_action_button_to_incident", "show_incident_button"),
    ("show_ui_action_button_to_incident_timeline", "show_timeline_button"),
    ("resolve_servicenow", "resolve_servicenow_incident"),
    ("resolve_bigpanda", "resolve_bigpanda_incident"),
    ("comments_to", "comments_to_servicenow"),
    ("reopen_servicenow", "reopen_resolved"),
    ("incident_tag_mapping", "tag_mapping"),
    ("incidents_app_key", "app_key"),
    ("incidents_active", "active"),
    ("servicenow_url", "url"),
    ("user", "username"),
];

fn plain(name: &str) -> String {
    name.chars().filter(|c| *c != '_' && *c != '-').map(|c| c.to_ascii_lowercase()).collect()
}

/// Whether two names have the same words.
pub(super) fn are_same(a: &str, b: &str) -> bool {
    plain(a) == plain(b)
}

/// Our key for a name in another spelling or in the vocabulary of the ServiceNow application.
pub(super) fn canonical<'a>(name: &str, keys: &(impl Iterator<Item = &'a str> + Clone)) -> Option<&'a str> {
    let wanted = plain(name);
    let same = |wanted: &str| keys.clone().find(|key| plain(key) == wanted);
    same(&wanted).or_else(|| {
        let (_, ours) = ELSEWHERE.iter().find(|(theirs, _)| plain(theirs) == wanted)?;
        same(&plain(ours))
    })
}

/// The key that was probably meant.
pub(super) fn nearest<'a>(name: &str, keys: impl Iterator<Item = &'a str> + Clone) -> Option<&'a str> {
    canonical(name, &keys).or_else(|| {
        let name = plain(name);
        keys.map(|key| (likeness(&name, &plain(key)), key))
            .filter(|(likeness, _)| *likeness >= 0.6)
            .max_by(|(a, _), (b, _)| a.total_cmp(b))
            .map(|(_, key)| key)
    })
}

/// From 0 to 1. A word that begins with the other is rather like it, however much longer it is.
fn likeness(a: &str, b: &str) -> f64 {
    let distance = strsim::normalized_damerau_levenshtein(a, b);
    let begins = a.len().min(b.len()) >= 3 && (a.starts_with(b) || b.starts_with(a));
    if begins { distance.max(0.6) } else { distance }
}

/// The environment variable of a dotted key.
pub(super) fn variable(path: &str) -> String {
    let upper = path.to_ascii_uppercase().replace('-', "_").replace('.', "__");
    format!("TANDEM__{upper}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: [&str; 4] = ["update_fields", "caller_email", "max_alerts_in_description", "reopen_window"];

    #[test]
    fn other_spellings_and_the_original_names_lead_to_our_keys() {
        let canonical = |name| canonical(name, &KEYS.into_iter());
        assert_eq!(canonical("updateFields"), Some("update_fields"));
        assert_eq!(canonical("caller_id_email"), Some("caller_email"));
        assert_eq!(canonical("re_open_window"), Some("reopen_window"));
        assert_eq!(canonical("colour"), None);
    }

    #[test]
    fn a_slip_of_the_pen_finds_its_key_and_nonsense_none() {
        assert_eq!(nearest("udpate_fields", KEYS.into_iter()), Some("update_fields"));
        assert_eq!(nearest("reopenwindw", KEYS.into_iter()), Some("reopen_window"));
        assert_eq!(nearest("zzz", KEYS.into_iter()), None);
    }
}
