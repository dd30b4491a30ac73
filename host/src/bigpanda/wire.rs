//! BigPanda's JSON as the client sends and reads it, and nothing of what it means. Incidents are `dialect`.

use http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::transport::Explained;

#[derive(Serialize)]
pub(super) struct Callback<'a> {
    pub(super) event_type: &'a str,
    pub(super) incident_id: &'a str,
    pub(super) app_key: &'a str,
}

#[derive(Serialize)]
pub(super) struct Comment<'a> {
    pub(super) comment: &'a str,
}

/// Plural where a comment's is singular.
#[derive(Serialize)]
pub(super) struct Resolve<'a> {
    pub(super) comments: &'a str,
}

#[derive(Serialize)]
pub(super) struct TagValue<'a> {
    pub(super) tag_value: &'a str,
}

/// A new tag definition.
#[derive(Serialize)]
pub(super) struct NewDefinition<'a> {
    pub(super) name: &'a str,
    pub(super) description: &'a str,
    #[serde(rename = "type")]
    pub(super) kind: &'a str,
}

/// A tag definition. Its id is derived from the name in ways that differ, so it is always looked up.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Definition {
    pub(super) id: String,
    pub(super) name: String,
    #[serde(rename = "type", default)]
    pub(super) kind: String,
    #[serde(default = "yes")]
    pub(super) active: bool,
}

fn yes() -> bool {
    true
}

#[derive(Debug, Deserialize)]
pub(super) struct Activity {
    #[serde(default)]
    pub(super) id: String,
    #[serde(default, rename = "type")]
    pub(super) kind: String,
    #[serde(default)]
    pub(super) timestamp: i64,
    #[serde(default)]
    pub(super) created_by: Option<String>,
    #[serde(default)]
    pub(super) params: Params,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Params {
    #[serde(default)]
    pub(super) comment: Option<String>,
    #[serde(default)]
    pub(super) source_incidents: Vec<String>,
    #[serde(default)]
    pub(super) source_incident: Option<String>,
    #[serde(default)]
    pub(super) destination_incident: Option<String>,
}

/// A list, bare or in an envelope: documents and observed answers differ.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Listed<T> {
    Bare(Vec<T>),
    Items { items: Vec<T> },
    Data { data: Vec<T> },
}

impl<T> Listed<T> {
    pub(super) fn into_items(self) -> Vec<T> {
        match self {
            Self::Bare(items) | Self::Items { items } | Self::Data { data: items } => items,
        }
    }
}

/// `{"status", "errors": [..]}`, or `{"statusCode", "error", "message"}` on newer routes.
#[derive(Deserialize)]
struct Problem {
    #[serde(default)]
    errors: Vec<serde_json::Value>,
    #[serde(default)]
    error: Option<String>,
    #[serde(default)]
    message: Option<String>,
}

/// What an error's body says, and what to do about it where that is known.
pub(super) fn explain(status: StatusCode, body: &[u8]) -> Explained {
    let mut said = Vec::new();
    if let Ok(Problem { errors, error, message }) = serde_json::from_slice::<Problem>(body) {
        said.extend(errors.iter().map(|error| error.as_str().map_or_else(|| error.to_string(), str::to_owned)));
        said.extend(error);
        said.extend(message);
    }
    let detail = (!said.is_empty()).then(|| said.join(": "));
    let hint = match status {
        StatusCode::UNAUTHORIZED => Some("check the user API key (it begins with BPU)"),
        StatusCode::FORBIDDEN => Some("give the API key's role full access to incidents"),
        StatusCode::NOT_FOUND => {
            Some("check the environment id and the region: a wrong region answers as if the incident did not exist")
        }
        _ => None,
    };
    Explained { detail, hint: hint.map(str::to_owned) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_go_out_as_documented() {
        let bodies = [
            serde_json::to_string(&Callback { event_type: "incident#new", incident_id: "65f1", app_key: "0123" })
                .unwrap(),
            serde_json::to_string(&Comment { comment: "a" }).unwrap(),
            serde_json::to_string(&TagValue { tag_value: "error" }).unwrap(),
            serde_json::to_string(&NewDefinition { name: "servicenow_link", description: "", kind: "Text" }).unwrap(),
        ];
        insta::assert_snapshot!(bodies.join("\n"), @r#"
        {"event_type":"incident#new","incident_id":"65f1","app_key":"0123"}
        {"comment":"a"}
        {"tag_value":"error"}
        {"name":"servicenow_link","description":"","type":"Text"}
        "#);
    }

    #[test]
    fn lists_are_read_bare_and_in_an_envelope() {
        for text in [r#"[{"id":"a","name":"A","type":"Text"}]"#, r#"{"items":[{"id":"a","name":"A"}],"total":1}"#] {
            let items = serde_json::from_str::<Listed<Definition>>(text).unwrap().into_items();
            assert!(items[0].active && items[0].id == "a");
        }
    }

    #[test]
    fn both_error_envelopes_are_explained() {
        let said = |status: u16, body: &str| explain(StatusCode::from_u16(status).unwrap(), body.as_bytes()).detail;
        assert_eq!(
            said(404, r#"{"status":404,"errors":["Route GET:/x is not found"]}"#).unwrap(),
            "Route GET:/x is not found"
        );
        assert_eq!(said(403, r#"{"statusCode":403,"error":"Forbidden","message":"no"}"#).unwrap(), "Forbidden: no");
        assert_eq!(said(500, "oops"), None);
    }
}
