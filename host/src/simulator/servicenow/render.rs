//! Writes records as JSON in every combination of `sysparm_display_value`, links and field lists.
//!
//! Called by the routes. Holds always: every value is a string, or an object for references and display modes; an
//! empty one is `""`.

use std::collections::HashSet;

use super::dictionary::Kind;
use super::filter::Path;
use super::row::{Row, Value};
use super::schema::{Class, Column};
use super::world::World;
use crate::simulator::http::Params;
use crate::simulator::{calendar, json};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Show {
    Value,
    Display,
    All,
}

/// Which fields of a record are written, and how.
#[derive(Debug)]
pub(crate) struct View<'a> {
    show: Show,
    links: bool,
    base: &'a str,
    /// Key with quotes and colon, and where its value comes from. `None`: all columns of the table.
    fields: Option<Vec<(Vec<u8>, Path)>>,
}

impl<'a> View<'a> {
    pub(crate) fn from_params(world: &World, class: &Class, params: &Params<'_>, base: &'a str) -> Self {
        let show = match params.get("sysparm_display_value") {
            Some(text) if text.eq_ignore_ascii_case("true") => Show::Display,
            Some(text) if text.eq_ignore_ascii_case("all") => Show::All,
            _ => Show::Value,
        };
        let fields = params.filled("sysparm_fields").map(|list| {
            let mut seen = HashSet::new();
            list.split(',')
                .map(str::trim)
                .filter(|name| seen.insert(*name))
                .filter_map(|name| {
                    let mut key = Vec::with_capacity(name.len() + 3);
                    json::string(&mut key, name);
                    key.push(b':');
                    Some((key, Path::resolve(world, class, name)?))
                })
                .collect()
        });
        Self { show, links: !params.flag("sysparm_exclude_reference_link"), base, fields }
    }

    /// Appends one record as a JSON object.
    pub(crate) fn record(&self, out: &mut Vec<u8>, world: &World, class: &Class, row: &Row, hidden: &HashSet<String>) {
        out.push(b'{');
        let start = out.len();
        match &self.fields {
            Some(fields) => {
                for (key, path) in fields {
                    match path.follow(world, row) {
                        Some((_, column)) if hidden.contains(&*column.name) => {}
                        Some((row, column)) => {
                            separate(out, start);
                            out.extend_from_slice(key);
                            self.field(out, world, row, column);
                        }
                        None => {
                            separate(out, start);
                            out.extend_from_slice(key);
                            self.nothing(out);
                        }
                    }
                }
            }
            None => {
                for column in world.schema.columns_of(class) {
                    if hidden.is_empty() || !hidden.contains(&*column.name) {
                        separate(out, start);
                        out.extend_from_slice(&column.key);
                        self.field(out, world, row, column);
                    }
                }
            }
        }
        out.push(b'}');
    }

    fn nothing(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(match self.show {
            Show::Value | Show::Display => b"\"\"".as_slice(),
            Show::All => b"{\"display_value\":\"\",\"value\":\"\"}",
        });
    }

    fn field(&self, out: &mut Vec<u8>, world: &World, row: &Row, column: &Column) {
        let value = match column.kind {
            Kind::Journal | Kind::JournalList | Kind::Password => Value::EMPTY,
            Kind::Text
            | Kind::Integer
            | Kind::Boolean
            | Kind::Reference
            | Kind::DateTime
            | Kind::Date
            | Kind::Duration
            | Kind::Guid
            | Kind::ClassName => world.value(row, column),
        };
        let link = self.links && column.kind == Kind::Reference && !value.is_empty();
        match self.show {
            Show::Value if !link => write_value(out, value),
            Show::Value => {
                out.push(b'{');
                self.link(out, column, value);
                out.extend_from_slice(b",\"value\":");
                write_value(out, value);
                out.push(b'}');
            }
            Show::Display if !link => json::string(out, &world.display(row, column)),
            Show::Display => {
                out.extend_from_slice(b"{\"display_value\":");
                json::string(out, &world.display(row, column));
                out.push(b',');
                self.link(out, column, value);
                out.push(b'}');
            }
            Show::All => {
                out.extend_from_slice(b"{\"display_value\":");
                json::string(out, &world.display(row, column));
                if link {
                    out.push(b',');
                    self.link(out, column, value);
                }
                out.extend_from_slice(b",\"value\":");
                write_value(out, value);
                out.push(b'}');
            }
        }
    }

    fn link(&self, out: &mut Vec<u8>, column: &Column, value: Value<'_>) {
        out.extend_from_slice(b"\"link\":\"");
        json::escaped(out, self.base);
        out.extend_from_slice(b"/api/now/table/");
        out.extend_from_slice(column.reference.as_bytes());
        out.push(b'/');
        json::escaped(out, &value.text());
        out.push(b'"');
    }
}

fn separate(out: &mut Vec<u8>, start: usize) {
    if out.len() > start {
        out.push(b',');
    }
}

fn write_value(out: &mut Vec<u8>, value: Value<'_>) {
    match value {
        Value::Text(text) => json::string(out, text),
        Value::Time(at) => {
            out.push(b'"');
            calendar::write_stamp(out, at);
            out.push(b'"');
        }
        Value::Number(number) => {
            out.push(b'"');
            json::number(out, i64::from(number));
            out.push(b'"');
        }
        Value::Id(id) => {
            out.push(b'"');
            id.write(out);
            out.push(b'"');
        }
    }
}
