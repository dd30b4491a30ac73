//! The original's incident tag mapping, which is JSON, as rows of `tag_mapping`.
//!
//! Exports name the columns and the directions differently, so both are known by what they speak of. A row that says no
//! direction goes to ServiceNow: that writes nothing into BigPanda.

use serde_json::{Map, Value as Json};
use toml::{Table, Value};

use super::takeover::plain;

/// Words for one side, as they stand in names of columns and in directions.
const BIGPANDA: [&str; 2] = ["bigpanda", "bp"];
const SERVICENOW: [&str; 3] = ["servicenow", "snow", "sn"];

/// A list of rows, the same under one name, or an object of tag and field.
pub(super) fn read(value: &str) -> Option<Value> {
    let rows = match serde_json::from_str(value).ok()? {
        Json::Array(rows) => rows,
        Json::Object(object) => {
            let Some(rows) = only_list(&object) else {
                let rows = object.iter().map(|(tag, field)| row(tag, field.as_str()?, "to-servicenow"));
                return rows.collect::<Option<Vec<_>>>().map(Value::Array);
            };
            rows.clone()
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => return None,
    };
    let rows = rows.iter().map(|row| from_columns(row.as_object()?));
    rows.collect::<Option<Vec<_>>>().map(Value::Array)
}

fn only_list(object: &Map<String, Json>) -> Option<&Vec<Json>> {
    let mut values = object.values();
    let list = values.next()?.as_array()?;
    values.next().is_none().then_some(list)
}

fn from_columns(columns: &Map<String, Json>) -> Option<Value> {
    let column = |wanted: &dyn Fn(&str) -> bool| {
        let found = columns.iter().find(|(name, _)| wanted(&plain(name)));
        found.and_then(|(_, value)| value.as_str()).map(str::trim)
    };
    let is_direction = |name: &str| name.contains("direction") || name.contains("sync");
    let of = |name: &str, side: &[&str]| !is_direction(name) && side.iter().any(|word| name.contains(word));
    let tag = column(&|name| name.contains("tag")).or_else(|| column(&|name| of(name, &BIGPANDA)))?;
    let field = column(&|name| !of(name, &BIGPANDA) && (name.contains("field") || name.contains("column")))
        .or_else(|| column(&|name| of(name, &SERVICENOW)))?;
    let said = column(&is_direction);
    let direction = said.map_or(Some("to-servicenow"), direction)?;
    row(tag, field, direction)
}

fn row(tag: &str, field: &str, direction: &str) -> Option<Value> {
    let cells = [("tag", tag), ("field", field), ("direction", direction)];
    let filled = cells.iter().all(|(_, text)| !text.is_empty());
    filled.then(|| Value::Table(Table::from_iter(cells.map(|(name, text)| (name.to_owned(), Value::from(text))))))
}

/// By the order in which the sides are named; one alone is where it leads, unless it says `from`.
fn direction(said: &str) -> Option<&'static str> {
    let said = plain(said);
    let both = ["both", "bidirectional", "twoway"].iter().any(|word| said.contains(word)) || said == "bi";
    if both {
        return Some("both");
    }
    let place = |side: &[&str]| side.iter().filter_map(|word| said.find(word)).min();
    let from = said.starts_with("from");
    Some(match (place(&BIGPANDA), place(&SERVICENOW)) {
        (Some(bigpanda), Some(servicenow)) if bigpanda < servicenow => "to-servicenow",
        (Some(_), Some(_)) => "to-bigpanda",
        (None, Some(_)) if from => "to-bigpanda",
        (None, Some(_)) => "to-servicenow",
        (Some(_), None) if from => "to-servicenow",
        (Some(_), None) => "to-bigpanda",
        (None, None) => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(json: &str) -> Option<Vec<[String; 3]>> {
        let value = read(json)?;
        let row = |row: &Value| ["tag", "field", "direction"].map(|name| row[name].as_str().unwrap().to_owned());
        Some(value.as_array().unwrap().iter().map(row).collect())
    }

    #[test]
    fn rows_are_read_under_the_names_that_exports_give_them() {
        let wanted = |direction: &str| Some(vec![["team", "u_team", direction].map(str::to_owned)]);
        for (json, direction) in [
            (r#"[{"bigpanda_tag":"team","servicenow_field":"u_team","direction":"both"}]"#, "both"),
            (r#"[{"bigpandaField":"team","snowField":"u_team","direction":"BigPanda → ServiceNow"}]"#, "to-servicenow"),
            (r#"[{"tag":"team","column":"u_team","syncDirection":"SNOW_TO_BP"}]"#, "to-bigpanda"),
            (r#"[{"BigPanda":"team","ServiceNow":"u_team","Direction":"Bi-directional"}]"#, "both"),
            (r#"[{"tag":"team","field":"u_team"}]"#, "to-servicenow"),
            (r#"{"mappings":[{"tag":"team","field":"u_team","direction":"to BigPanda"}]}"#, "to-bigpanda"),
            (r#"{"team":"u_team"}"#, "to-servicenow"),
        ] {
            assert_eq!(rows(json), wanted(direction), "{json}");
        }
    }

    #[test]
    fn what_cannot_be_understood_is_not_guessed() {
        for json in [
            "team=u_team",
            "7",
            r#"["team"]"#,
            r#"[{"tag":"team"}]"#,
            r#"[{"tag":"team","field":""}]"#,
            r#"[{"tag":"team","field":"u_team","direction":"sideways"}]"#,
            r#"{"team":7}"#,
        ] {
            assert_eq!(rows(json), None, "{json}");
        }
    }
}
