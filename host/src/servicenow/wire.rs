//! ServiceNow's JSON as it goes over the wire, and nothing of what it means.

use std::fmt;

use http::StatusCode;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::domain::ticket::FieldValue;
use crate::transport::Explained;

/// Fields as the object that a write sends.
pub(super) struct Fields<'a>(pub(super) &'a [FieldValue]);

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for FieldValue { field, value } in self.0 {
            map.serialize_entry(field, value)?;
        }
        map.end()
    }
}

/// The answer to a write or to a read of one record. A transaction that was cancelled while its answer was being
/// written has both a result and an error.
#[derive(Debug, Deserialize)]
pub(super) struct One {
    #[serde(default)]
    pub(super) result: Option<Row>,
    #[serde(default)]
    pub(super) error: Option<IgnoredAny>,
}

/// The answer to a query.
#[derive(Debug, Deserialize)]
pub(super) struct Many {
    #[serde(default)]
    pub(super) result: Option<Vec<Row>>,
    #[serde(default)]
    pub(super) error: Option<IgnoredAny>,
}

/// A record: columns with their actual values.
#[derive(Debug, Default)]
pub(super) struct Row(Vec<(String, String)>);

impl Row {
    pub(super) fn get(&self, column: &str) -> Option<&str> {
        self.0.iter().find(|(name, _)| name == column).map(|(_, value)| value.as_str())
    }

    pub(super) fn into_cells(self) -> impl Iterator<Item = (String, String)> {
        self.0.into_iter()
    }
}

impl<'de> Deserialize<'de> for Row {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Columns;
        impl<'de> Visitor<'de> for Columns {
            type Value = Row;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a record")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Row, A::Error> {
                let mut row = Row::default();
                while let Some((name, Cell(value))) = map.next_entry()? {
                    row.0.push((name, value));
                }
                Ok(row)
            }
        }
        deserializer.deserialize_map(Columns)
    }
}

/// The actual value of a column: a text, or the `value` of a reference or display object.
struct Cell(String);

impl<'de> Deserialize<'de> for Cell {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Value;
        impl<'de> Visitor<'de> for Value {
            type Value = Cell;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a column's value")
            }
            fn visit_str<E>(self, text: &str) -> Result<Cell, E> {
                Ok(Cell(text.to_owned()))
            }
            fn visit_string<E>(self, text: String) -> Result<Cell, E> {
                Ok(Cell(text))
            }
            fn visit_unit<E>(self) -> Result<Cell, E> {
                Ok(Cell(String::new()))
            }
            fn visit_bool<E>(self, flag: bool) -> Result<Cell, E> {
                Ok(Cell(flag.to_string()))
            }
            fn visit_i64<E>(self, number: i64) -> Result<Cell, E> {
                Ok(Cell(number.to_string()))
            }
            fn visit_u64<E>(self, number: u64) -> Result<Cell, E> {
                Ok(Cell(number.to_string()))
            }
            fn visit_f64<E>(self, number: f64) -> Result<Cell, E> {
                Ok(Cell(number.to_string()))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Cell, A::Error> {
                let mut found = Cell(String::new());
                while let Some(key) = map.next_key::<String>()? {
                    if key == "value" {
                        found = map.next_value()?;
                    } else {
                        map.next_value::<IgnoredAny>()?;
                    }
                }
                Ok(found)
            }
        }
        deserializer.deserialize_any(Value)
    }
}

/// The answer of the token endpoint.
#[derive(Deserialize)]
pub(super) struct TokenAnswer {
    pub(super) access_token: String,
    #[serde(default)]
    pub(super) refresh_token: Option<String>,
    /// Seconds, as a number or a text.
    #[serde(default)]
    expires_in: Option<serde_json::Value>,
}

impl TokenAnswer {
    /// Seconds that the token lives; half an hour where the answer doesn't say.
    pub(super) fn lifetime(&self) -> u64 {
        let said =
            self.expires_in.as_ref().and_then(|value| value.as_u64().or_else(|| value.as_str()?.trim().parse().ok()));
        said.unwrap_or(1800)
    }
}

/// Both shapes of an error: `{"error": {"message", "detail"}}` and OAuth's `{"error", "error_description"}`.
#[derive(Deserialize)]
struct Problem {
    error: Complaint,
    #[serde(default)]
    error_description: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Complaint {
    Word(String),
    Table {
        #[serde(default)]
        message: Option<String>,
        #[serde(default)]
        detail: Option<String>,
    },
}

/// What an error's body says, and what to do about it where that is known.
pub(super) fn explain(status: StatusCode, body: &[u8]) -> Explained {
    let texts = match serde_json::from_slice::<Problem>(body) {
        Ok(Problem { error: Complaint::Word(word), error_description }) => [Some(word), error_description],
        Ok(Problem { error: Complaint::Table { message, detail }, .. }) => [message, detail],
        Err(_) => [None, None],
    };
    let detail = match texts.map(|text| text.filter(|text| !text.is_empty())) {
        // The detail often begins with the message.
        [Some(message), Some(detail)] if !detail.starts_with(&message) => Some(format!("{message}: {detail}")),
        [message, detail] => detail.or(message),
    };
    let contains = |part: &str| detail.as_ref().is_some_and(|text| text.contains(part));
    let hint = if status == StatusCode::UNAUTHORIZED {
        Some(
            "check user and password; new instances also restrict Basic authentication, then use OAuth or give the \
             user the role snc_basic_auth_api_access",
        )
    } else if contains("Data Policy Exception") {
        Some("a data policy makes these fields mandatory; let a plugin or the field mapping set them")
    } else if contains("aborted by Business Rule") {
        Some("a business rule of the instance refused the change; its owner has to say why")
    } else if contains("Invalid table") {
        Some("check the table's name in the configuration")
    } else if status == StatusCode::FORBIDDEN {
        Some("give the integration user the roles sn_incident_read and sn_incident_write, or itil")
    } else {
        None
    };
    Explained { detail, hint: hint.map(str::to_owned) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_go_out_as_one_object_of_texts() {
        let fields = [("short_description", "a \"b\""), ("urgency", "1")]
            .map(|(field, value)| FieldValue { field: field.to_owned(), value: value.to_owned() });
        assert_eq!(
            serde_json::to_string(&Fields(&fields)).unwrap(),
            r#"{"short_description":"a \"b\"","urgency":"1"}"#
        );
    }

    #[test]
    fn a_column_is_read_in_each_rendering() {
        let row: Row = serde_json::from_str(
            r#"{"a": "3", "b": {"link": "x", "value": "id"}, "c": {"display_value": "On Hold", "value": "3"}, "d": null, "e": true, "f": 7}"#,
        )
        .unwrap();
        let all: Vec<_> = ["a", "b", "c", "d", "e", "f", "g"].iter().map(|name| row.get(name)).collect();
        assert_eq!(all, [Some("3"), Some("id"), Some("3"), Some(""), Some("true"), Some("7"), None]);
    }

    #[test]
    fn an_error_is_explained_in_the_instances_own_words() {
        let said = |status: u16, body: &str| {
            let Explained { detail, hint } = explain(StatusCode::from_u16(status).unwrap(), body.as_bytes());
            format!("{} -> {}", detail.as_deref().unwrap_or("?"), hint.as_deref().unwrap_or("?"))
        };
        let lines = [
            said(
                403,
                r#"{"error":{"message":"Operation Failed","detail":"Data Policy Exception: The following fields are mandatory: Resolution code"},"status":"failure"}"#,
            ),
            said(
                403,
                r#"{"error":{"message":"Insufficient rights to query records","detail":null},"status":"failure"}"#,
            ),
            said(400, r#"{"error":{"message":"Invalid table incidnt","detail":null},"status":"failure"}"#),
            said(401, r#"{"error":"invalid_grant","error_description":"access_denied"}"#),
            said(500, "upstream failed"),
        ];
        insta::assert_snapshot!(lines.join("\n"), @r#"
        Operation Failed: Data Policy Exception: The following fields are mandatory: Resolution code -> a data policy makes these fields mandatory; let a plugin or the field mapping set them
        Insufficient rights to query records -> give the integration user the roles sn_incident_read and sn_incident_write, or itil
        Invalid table incidnt -> check the table's name in the configuration
        invalid_grant: access_denied -> check user and password; new instances also restrict Basic authentication, then use OAuth or give the user the role snc_basic_auth_api_access
        ? -> ?
        "#);
    }
}
