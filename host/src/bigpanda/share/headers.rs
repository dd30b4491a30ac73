//! The headers of a share, sorted into classes: behaviour, fields and mappings, and destination or credentials.
//!
//! Names match in any case. A header that can't be used is ignored with a sentence and never spoils the share; one
//! that is not text does. Values of the destination class go into [`Destination`], which is never stored or
//! printed: whoever holds only the webhook's token must not point our stored password at a host of his own, so
//! `web` compares it with the hosts that the integration is pinned to.

use std::collections::BTreeMap;

use super::Unusable;
use crate::domain::secret::Secret;
use crate::domain::share::Overrides;

/// Longest value that is read, in bytes.
const MAX_VALUE: usize = 8 * 1024;

/// Names that the ServiceNow application documents or implies, in snake case. HTTP lower-cases header names, so the
/// words of a camelCase name are found again by this list; a name that isn't here is passed on as it came, and
/// `config`, which validates names and values, says whether it knows it.
const WORDS: &[&str] = &[
    "add_bigpanda_links_to_description",
    "add_description_to_work_notes",
    "aia_in_short_description",
    "assignment_group",
    "caller_id_email",
    "cmdb_ci_field",
    "comments_to_servicenow",
    "description_alert_tags",
    "description_incident_tags",
    "incident_tag_mapping",
    "max_alerts_in_description",
    "notes_to_bigpanda",
    "opened_by_email",
    "primary_alert",
    "priority_in_short_description",
    "priority_tag",
    "reopen_resolved",
    "reopen_window",
    "resolve_bigpanda_incident",
    "resolve_servicenow_incident",
    "resolved_by_email",
    "response_incident_tag",
    "retrieval_count",
    "send_closure_code",
    "show_ui_action_button_to_incident",
    "show_ui_action_button_to_incident_timeline",
    "update_fields",
];

/// Where the headers want the ticket to go, and with which credentials.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Destination {
    pub servicenow_url: Option<String>,
    pub username: Option<Secret>,
    pub password: Option<Secret>,
    /// A BigPanda user API key for writing back.
    pub api_key: Option<Secret>,
    /// `oauthUrl`, `oauthClientId` and the like, in lower case without the prefix `oauth`.
    pub oauth: BTreeMap<String, Secret>,
}

impl Destination {
    /// Whether the headers left destination and credentials alone.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The headers of a share by class.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Layers {
    pub overrides: Overrides,
    pub destination: Destination,
}

/// Sorts headers into classes. Those that don't begin with `x-bp-` are passed over.
pub fn layers<'h>(headers: impl IntoIterator<Item = (&'h str, &'h [u8])>) -> Result<Layers, Unusable> {
    let mut layers = Layers::default();
    let mut seen: Vec<String> = Vec::new();
    for (name, value) in headers {
        if !name.get(..5).is_some_and(|prefix| prefix.eq_ignore_ascii_case("x-bp-")) {
            continue;
        }
        let name = name.to_ascii_lowercase();
        if seen.contains(&name) {
            layers.ignore(format!("the header `{name}` came twice; the first value holds"));
            continue;
        }
        if value.len() > MAX_VALUE {
            layers.ignore(format!("the header `{name}` is longer than 8 KiB and was ignored"));
        } else {
            let Ok(value) = std::str::from_utf8(value) else { return Err(Unusable::Header { name }) };
            layers.take(&name, value.trim());
        }
        seen.push(name);
    }
    Ok(layers)
}

impl Layers {
    fn ignore(&mut self, sentence: String) {
        self.overrides.ignored.push(sentence);
    }

    fn take(&mut self, name: &str, value: &str) {
        if let Some(setting) = name.strip_prefix("x-bp-config-") {
            self.setting(name, setting, value);
        } else if let Some(field) = name.strip_prefix("x-bp-field-") {
            if is_column(field) {
                self.overrides.fields.insert(field.to_owned(), value.to_owned());
            } else {
                self.ignore(format!("the header `{name}` names no ServiceNow column and was ignored"));
            }
        } else if name == "x-bp-mapping-fields" {
            self.mapping(name, value);
        } else if name == "x-bp-api-key" {
            self.destination.api_key = Some(value.into());
        } else {
            self.ignore(format!("the header `{name}` is not understood and was ignored"));
        }
    }

    fn setting(&mut self, header: &str, name: &str, value: &str) {
        match name {
            "servicenowurl" => self.destination.servicenow_url = Some(value.to_owned()),
            "servicenowusername" => self.destination.username = Some(value.into()),
            "servicenowpassword" => self.destination.password = Some(value.into()),
            _ => {
                if let Some(part) = name.strip_prefix("oauth") {
                    self.destination.oauth.insert(part.to_owned(), value.into());
                } else if names_a_secret_or_address(name) {
                    self.ignore(format!(
                        "the header `{header}` was ignored: a share does not change addresses or credentials"
                    ));
                } else {
                    let setting = WORDS.iter().find(|words| same_name(words, name)).map_or(name, |words| words);
                    self.overrides.settings.insert(setting.to_owned(), value.to_owned());
                }
            }
        }
    }

    fn mapping(&mut self, header: &str, value: &str) {
        for pair in value.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
            match pair.split_once('=').map(|(from, to)| (from.trim(), to.trim())) {
                Some((from, to)) if !from.is_empty() && is_column(to) => {
                    self.overrides.mapping.push((from.to_owned(), to.to_owned()));
                }
                Some(_) | None => self.ignore(format!(
                    "the pair `{pair}` of the header `{header}` was ignored; it should read `bigpanda_field=servicenow_field`"
                )),
            }
        }
    }
}

/// Values of such headers must not be stored with the share, whatever they are for.
fn names_a_secret_or_address(name: &str) -> bool {
    ["password", "secret", "token", "apikey", "appkey", "endpoint", "url"].iter().any(|word| name.contains(word))
}

/// Whether a snake_case name and a lower-cased camelCase one are the same words.
fn same_name(snake: &str, lower: &str) -> bool {
    snake.bytes().filter(|byte| *byte != b'_').eq(lower.bytes().filter(|byte| *byte != b'_' && *byte != b'-'))
}

/// ServiceNow's column names: lower-case letters, digits and underscores, at most 80 of them.
fn is_column(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    (1..=80).contains(&name.len()) && name.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(headers: &[(&str, &str)]) -> Layers {
        layers(headers.iter().map(|(name, value)| (*name, value.as_bytes()))).unwrap()
    }

    #[test]
    fn behaviour_headers_match_in_any_case_and_get_our_names() {
        let Layers { overrides, destination } = sorted(&[
            ("X-BP-Config-updateFields", "state, priority"),
            ("x-bp-config-responseincidenttag", "snow_link"),
            ("x-bp-field-Assignment_Group", "IT Security"),
            ("x-bp-mapping-fields", "service=u_service, tier = u_tier"),
            ("content-type", "application/json"),
        ]);
        assert_eq!(overrides.settings["update_fields"], "state, priority");
        assert_eq!(overrides.settings["response_incident_tag"], "snow_link");
        assert_eq!(overrides.fields["assignment_group"], "IT Security");
        assert_eq!(overrides.mapping, [("service".into(), "u_service".into()), ("tier".into(), "u_tier".into())]);
        assert_eq!(overrides.ignored, Vec::<String>::new());
        assert!(destination.is_empty());
    }

    #[test]
    fn destination_and_credentials_are_kept_apart_and_never_print() {
        let layers = sorted(&[
            ("x-bp-config-servicenowUrl", "https://acme.service-now.com"),
            ("x-bp-config-servicenowUsername", "planted-user"),
            ("x-bp-config-servicenowPassword", "planted-password"),
            ("x-bp-config-oauthClientSecret", "planted-client"),
            ("x-bp-api-key", "planted-key"),
        ]);
        assert_eq!(layers.overrides, Overrides::default());
        assert_eq!(layers.destination.servicenow_url.as_deref(), Some("https://acme.service-now.com"));
        assert_eq!(layers.destination.oauth["clientsecret"].expose(), "planted-client");
        assert!(!format!("{layers:?}").contains("planted"), "{layers:?}");
    }

    #[test]
    fn a_useless_header_is_ignored_with_a_sentence() {
        let long = "x".repeat(MAX_VALUE + 1);
        let layers = sorted(&[
            ("x-bp-config-updateFields", "state"),
            ("X-Bp-Config-UpdateFields", "priority"),
            ("x-bp-config-primaryAlert", &long),
            ("x-bp-config-ansibleURL", "http://x"),
            ("x-bp-config-retrievalEndpoint", "http://x"),
            ("x-bp-config-ansibleApiToken", "planted"),
            ("x-bp-mapping-fields", "a=b, nonsense, =c"),
            ("x-bp-field-drop table", "x"),
            ("x-bp-app-key", "not for us"),
        ]);
        assert_eq!(layers.overrides.settings["update_fields"], "state");
        assert_eq!(layers.overrides.mapping, [("a".to_owned(), "b".to_owned())]);
        insta::assert_snapshot!(layers.overrides.ignored.join("\n"), @r#"
        the header `x-bp-config-updatefields` came twice; the first value holds
        the header `x-bp-config-primaryalert` is longer than 8 KiB and was ignored
        the header `x-bp-config-ansibleurl` was ignored: a share does not change addresses or credentials
        the header `x-bp-config-retrievalendpoint` was ignored: a share does not change addresses or credentials
        the header `x-bp-config-ansibleapitoken` was ignored: a share does not change addresses or credentials
        the pair `nonsense` of the header `x-bp-mapping-fields` was ignored; it should read `bigpanda_field=servicenow_field`
        the pair `=c` of the header `x-bp-mapping-fields` was ignored; it should read `bigpanda_field=servicenow_field`
        the header `x-bp-field-drop table` names no ServiceNow column and was ignored
        the header `x-bp-app-key` is not understood and was ignored
        "#);
    }

    #[test]
    fn a_header_that_is_not_text_is_an_error() {
        let error = layers([("x-bp-field-u_name", &b"\xff\xfe"[..])]).unwrap_err();
        assert_eq!(error.to_string(), "the header `x-bp-field-u_name` is not text");
        assert!(layers([("x-other", &b"\xff\xfe"[..])]).is_ok());
    }

    #[test]
    fn a_name_that_nobody_documents_is_passed_on_for_the_configuration_to_judge() {
        let layers = sorted(&[("X-BP-Config-colourOfTheSky", "blue")]);
        assert_eq!(layers.overrides.settings["colourofthesky"], "blue");
        assert_eq!(layers.overrides.ignored, Vec::<String>::new());
    }

    #[test]
    fn every_documented_setting_is_reached_by_its_camel_case_name() {
        for words in WORDS {
            let camel: String = words.split('_').enumerate().map(|(index, word)| capital(index, word)).collect();
            let layers = sorted(&[(&format!("x-bp-config-{camel}"), "value")]);
            assert_eq!(layers.overrides.settings.get(*words).map(String::as_str), Some("value"), "{camel}");
        }
    }

    fn capital(index: usize, word: &str) -> String {
        if index == 0 { word.to_owned() } else { format!("{}{}", word[..1].to_uppercase(), &word[1..]) }
    }
}
