//! The Aggregate API: counts and sums, grouped or not.
//!
//! Called by the router. Holds always: the count is the one that a list of the same query would have.

use std::collections::BTreeMap;

use http::{Method, StatusCode};
use serde_json::{Map, Value as Json, json};

use super::State;
use super::error::ApiError;
use super::filter::Path;
use super::row::Row;
use super::table::{self, Call};
use crate::simulator::http::Reply;

pub(crate) fn answer(call: &Call<'_>, state: &State, name: &str) -> Result<Reply, ApiError> {
    if call.request.method != Method::GET {
        return Err(ApiError::method_not_supported());
    }
    let class = state.world.schema.table(name).ok_or_else(|| ApiError::invalid_table(name))?;
    let query = table::wanted(&state.world, class, call.params);
    let page = table::selected(call, state, class, &query, (0, usize::MAX))?;
    let heap = state.world.heap(class.heap).ok_or_else(ApiError::no_resource)?;
    let rows: Vec<&Row> = if table::readable(state, class, call.caller) {
        page.rows.iter().filter_map(|no| heap.get(*no)).collect()
    } else {
        Vec::new()
    };
    let groups: Vec<String> = match call.params.filled("sysparm_group_by") {
        Some(list) => list.split(',').map(|name| name.trim().to_owned()).collect(),
        None => query.group_by,
    };
    let paths: Vec<(&str, Path)> =
        groups.iter().filter_map(|name| Some((name.as_str(), Path::resolve(&state.world, class, name)?))).collect();
    if paths.is_empty() {
        return Ok(Reply::json(StatusCode::OK, &json!({ "result": { "stats": stats(call, state, class, &rows) } })));
    }
    let display = call.params.get("sysparm_display_value").unwrap_or("false");
    let mut grouped: BTreeMap<Vec<(String, String)>, Vec<&Row>> = BTreeMap::new();
    for row in rows {
        let key = paths
            .iter()
            .map(|(_, path)| match path.follow(&state.world, row) {
                Some((row, column)) => {
                    (state.world.value(row, column).text().into_owned(), state.world.display(row, column).into_owned())
                }
                None => Default::default(),
            })
            .collect();
        grouped.entry(key).or_default().push(row);
    }
    let result: Vec<Json> = grouped
        .into_iter()
        .map(|(key, rows)| {
            let fields: Vec<Json> = paths
                .iter()
                .zip(key)
                .map(|((name, _), (value, shown))| match display {
                    "true" => json!({ "field": name, "value": shown }),
                    "all" => json!({ "field": name, "value": value, "display_value": shown }),
                    _ => json!({ "field": name, "value": value }),
                })
                .collect();
            json!({ "stats": stats(call, state, class, &rows), "groupby_fields": fields })
        })
        .collect();
    Ok(Reply::json(StatusCode::OK, &json!({ "result": result })))
}

fn stats(call: &Call<'_>, state: &State, class: &super::schema::Class, rows: &[&Row]) -> Map<String, Json> {
    let mut out = Map::new();
    if call.params.flag("sysparm_count") {
        out.insert("count".to_owned(), json!(rows.len().to_string()));
    }
    for (parameter, name) in [
        ("sysparm_sum_fields", "sum"),
        ("sysparm_avg_fields", "avg"),
        ("sysparm_min_fields", "min"),
        ("sysparm_max_fields", "max"),
    ] {
        let Some(list) = call.params.filled(parameter) else { continue };
        let mut results = Map::new();
        for field in list.split(',').map(str::trim) {
            let Some(path) = Path::resolve(&state.world, class, field) else { continue };
            let values: Vec<String> = rows
                .iter()
                .filter_map(|row| path.follow(&state.world, row))
                .map(|(row, column)| state.world.value(row, column).text().into_owned())
                .filter(|text| !text.is_empty())
                .collect();
            results.insert(field.to_owned(), json!(aggregate(name, &values)));
        }
        out.insert(name.to_owned(), Json::Object(results));
    }
    out
}

fn aggregate(name: &str, values: &[String]) -> String {
    let numbers: Vec<f64> = values.iter().filter_map(|text| text.parse().ok()).collect();
    let sum: f64 = numbers.iter().sum();
    match name {
        "sum" => number(sum),
        "avg" if numbers.is_empty() => String::new(),
        "avg" => format!("{:.4}", sum / numbers.len() as f64),
        "min" if numbers.is_empty() => values.iter().min().cloned().unwrap_or_default(),
        "max" if numbers.is_empty() => values.iter().max().cloned().unwrap_or_default(),
        "min" => number(numbers.iter().copied().fold(f64::INFINITY, f64::min)),
        _ => number(numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max)),
    }
}

fn number(value: f64) -> String {
    if value.fract() == 0.0 { format!("{value:.0}") } else { value.to_string() }
}
