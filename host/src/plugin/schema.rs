//! Settings against a plugin's schema: the part of JSON Schema that settings need, bounded in size.
//!
//! Keywords: `type`, `enum`, `minimum`, `maximum`, `minLength`, `maxLength`, `minItems`, `maxItems`, `items`,
//! `properties`, `required`, `additionalProperties` (true or false), and the speaking ones `title`, `description`,
//! `default`, `examples`. A schema with another keyword is refused when the plugin is loaded: a rule that isn't
//! checked would be worse than none. Patterns are left out because they can be made to take for ever.
#![allow(
    clippy::wildcard_enum_match_arm,
    clippy::match_wildcard_for_single_variants,
    reason = "matches enums of other crates"
)]

use serde_json::{Map, Value};

/// Nesting of a schema or of a value.
const DEEPEST: usize = 8;
/// Rules of a whole schema.
const MOST_RULES: usize = 1_000;

const TYPES: [&str; 7] = ["null", "boolean", "integer", "number", "string", "array", "object"];

/// Whether the schema itself can be used.
pub(super) fn check_schema(schema: &Value) -> Result<(), String> {
    let mut rules = 0;
    check_rule(schema, 0, &mut rules)
}

fn check_rule(schema: &Value, depth: usize, rules: &mut usize) -> Result<(), String> {
    *rules += 1;
    if depth > DEEPEST || *rules > MOST_RULES {
        return Err(format!("it is deeper than {DEEPEST} levels or has more than {MOST_RULES} rules"));
    }
    let Value::Object(schema) = schema else { return Err("a rule is no object".into()) };
    for (keyword, value) in schema {
        let fits = match keyword.as_str() {
            "type" => types(value).is_some_and(|types| types.iter().all(|name| TYPES.contains(name))),
            "enum" => value.is_array(),
            "minimum" | "maximum" => value.is_number(),
            "minLength" | "maxLength" | "minItems" | "maxItems" => value.is_u64(),
            "additionalProperties" => value.is_boolean(),
            "required" => value.as_array().is_some_and(|names| names.iter().all(Value::is_string)),
            "items" => {
                check_rule(value, depth + 1, rules)?;
                true
            }
            "properties" => {
                let Value::Object(properties) = value else { return Err("`properties` is no object".into()) };
                for rule in properties.values() {
                    check_rule(rule, depth + 1, rules)?;
                }
                true
            }
            "title" | "description" | "default" | "examples" => true,
            other => return Err(format!("the keyword `{}` is not known", other.escape_debug())),
        };
        if !fits {
            return Err(format!("`{keyword}` has the wrong form"));
        }
    }
    Ok(())
}

/// One type or a list of them.
fn types(value: &Value) -> Option<Vec<&str>> {
    match value {
        Value::String(name) => Some(vec![name]),
        Value::Array(names) => names.iter().map(Value::as_str).collect(),
        _ => None,
    }
}

/// Whether a value keeps the rules; the first breach as a sentence that names the place.
pub(super) fn check(schema: &Value, value: &Value) -> Result<(), String> {
    check_value(schema, value, "", 0)
}

fn check_value(schema: &Value, value: &Value, place: &str, depth: usize) -> Result<(), String> {
    let Some(rules) = schema.as_object() else { return Ok(()) };
    if depth > DEEPEST {
        return Err(format!("{} is nested too deeply", named(place)));
    }
    if let Some(types) = rules.get("type").and_then(types)
        && !types.iter().any(|name| is(value, name))
    {
        return Err(format!("{} is {}, not {}", named(place), article(kind(value)), either(&types)));
    }
    if let Some(Value::Array(choices)) = rules.get("enum")
        && !choices.contains(value)
    {
        let choices = choices.iter().map(Value::to_string).collect::<Vec<_>>().join(", ");
        return Err(format!("{} is {value}; it can be {choices}", named(place)));
    }
    match value {
        Value::Number(number) => {
            let number = number.as_f64().unwrap_or_default();
            let rule = |keyword| rules.get(keyword).and_then(Value::as_f64);
            between(place, number, rule("minimum"), rule("maximum"), "")
        }
        Value::String(text) => {
            let rule = |keyword| rules.get(keyword).and_then(Value::as_f64);
            let length = text.chars().count() as f64;
            between(place, length, rule("minLength"), rule("maxLength"), " characters long")
        }
        Value::Array(items) => check_items(rules, items, place, depth),
        Value::Object(members) => check_members(rules, members, place, depth),
        Value::Null | Value::Bool(_) => Ok(()),
    }
}

fn check_items(rules: &Map<String, Value>, items: &[Value], place: &str, depth: usize) -> Result<(), String> {
    let rule = |keyword| rules.get(keyword).and_then(Value::as_f64);
    between(place, items.len() as f64, rule("minItems"), rule("maxItems"), " items long")?;
    let Some(schema) = rules.get("items") else { return Ok(()) };
    for (index, item) in items.iter().enumerate() {
        check_value(schema, item, &format!("{place}[{index}]"), depth + 1)?;
    }
    Ok(())
}

fn check_members(
    rules: &Map<String, Value>,
    members: &Map<String, Value>,
    place: &str,
    depth: usize,
) -> Result<(), String> {
    let inside = |name: &str| if place.is_empty() { name.to_owned() } else { format!("{place}.{name}") };
    let properties = rules.get("properties").and_then(Value::as_object);
    let closed = rules.get("additionalProperties") == Some(&Value::Bool(false));
    for (name, value) in members {
        match properties.and_then(|properties| properties.get(name)) {
            Some(schema) => check_value(schema, value, &inside(name), depth + 1)?,
            None if closed => return Err(format!("there is no setting {}", named(&inside(name)))),
            None => {}
        }
    }
    let required = rules.get("required").and_then(Value::as_array);
    let missing = required.into_iter().flatten().filter_map(Value::as_str).find(|name| !members.contains_key(*name));
    match missing {
        Some(name) => Err(format!("{} is missing", named(&inside(name)))),
        None => Ok(()),
    }
}

fn between(place: &str, number: f64, least: Option<f64>, most: Option<f64>, unit: &str) -> Result<(), String> {
    if let Some(least) = least.filter(|least| number < *least) {
        return Err(format!("{} is {number}{unit}; it must be at least {least}", named(place)));
    }
    if let Some(most) = most.filter(|most| number > *most) {
        return Err(format!("{} is {number}{unit}; it can be at most {most}", named(place)));
    }
    Ok(())
}

fn named(place: &str) -> String {
    if place.is_empty() { "the whole".into() } else { format!("`{place}`") }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn is(value: &Value, name: &str) -> bool {
    kind(value) == name || (name == "number" && value.is_number())
}

fn article(name: &str) -> String {
    match name {
        "null" => "null".into(),
        "integer" | "array" | "object" => format!("an {name}"),
        _ => format!("a {name}"),
    }
}

fn either(names: &[&str]) -> String {
    names.iter().map(|name| article(name)).collect::<Vec<_>>().join(" or ")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    fn schema() -> Value {
        json!({
            "type": "object", "additionalProperties": false, "required": ["mode"],
            "properties": {
                "mode": { "type": "string", "enum": ["fast", "slow"] },
                "limit": { "type": ["integer", "null"], "minimum": 1, "maximum": 10 },
                "words": { "type": "array", "items": { "type": "string", "maxLength": 3 } }
            }
        })
    }

    #[test]
    fn values_that_keep_the_rules_pass() {
        assert_eq!(check_schema(&schema()), Ok(()));
        for value in [json!({ "mode": "fast" }), json!({ "mode": "slow", "limit": null, "words": ["äöü"] })] {
            assert_eq!(check(&schema(), &value), Ok(()));
        }
    }

    #[test]
    fn a_breach_names_the_place_and_the_rule() {
        let said = |value| check(&schema(), &value).unwrap_err();
        insta::assert_snapshot!(
            [
                said(json!({})),
                said(json!({ "mode": "hasty" })),
                said(json!({ "mode": 5 })),
                said(json!({ "mode": "fast", "limit": 0 })),
                said(json!({ "mode": "fast", "limit": 1.5 })),
                said(json!({ "mode": "fast", "limit": 11 })),
                said(json!({ "mode": "fast", "words": ["abc", "abcd"] })),
                said(json!({ "mode": "fast", "colour": "red" })),
            ]
            .join("\n"),
            @r#"
        `mode` is missing
        `mode` is "hasty"; it can be "fast", "slow"
        `mode` is an integer, not a string
        `limit` is 0; it must be at least 1
        `limit` is a number, not an integer or null
        `limit` is 11; it can be at most 10
        `words[1]` is 4 characters long; it can be at most 3
        there is no setting `colour`
        "#
        );
    }

    #[test]
    fn a_schema_that_asks_for_more_than_is_checked_is_refused() {
        let deep = (0..20).fold(json!({ "type": "string" }), |inner, _| json!({ "type": "array", "items": inner }));
        let many: Map<String, Value> = (0..2_000).map(|n| (format!("s{n}"), json!({}))).collect();
        for bad in
            [json!({ "pattern": "(a+)+" }), json!({ "type": "text" }), json!(5), deep, json!({ "properties": many })]
        {
            assert!(check_schema(&bad).is_err());
        }
    }
}
