//! Turns the original's system properties into settings of ours, with a line about each.
//!
//! Every value passes the same check as one in a configuration file: what fails it is left out with the reason. The
//! value of a secret goes nowhere; neither does that of a property whose meaning is unknown.

use std::collections::BTreeSet;
use std::path::PathBuf;

use toml::Value;

use super::super::layers::Inputs;
use super::super::load;
use super::super::names::canonical;
use super::export::Property;
use super::{ELSEWHERE, Form, ORIGINALS, Original, SCOPE, mapping};
use crate::domain::id::IntegrationName;

/// A line for a configuration file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Such as `integration.acme.incidents`.
    pub section: String,
    pub key: String,
    /// As TOML writes it.
    pub value: String,
}

/// What became of one property.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    pub property: String,
    pub fate: Fate,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// The setting, as it stands in the file.
    Taken(String),
    /// The setting, and the environment variable that is to hold the secret.
    Secret {
        setting: String,
        variable: String,
    },
    LeftOut(String),
}

/// What an export says in our words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Takeover {
    pub lines: Vec<Line>,
    pub told: Vec<Told>,
    /// Properties of other applications, which were passed over.
    pub foreign: usize,
}

/// Our tickets and the original's.
const POLLED: &str = "correlation_idSTARTSWITHbigpanda:^ORx_bip_panda_bigpanda_idISNOTEMPTY";

/// Secrets that the file of a new integration refers to anyway.
const ASKED_FOR: [&str; 2] = ["api_key", "app_key"];

pub fn take_over(properties: &[Property], integration: &IntegrationName) -> Takeover {
    let mut takeover = Takeover::default();
    let mut seen = BTreeSet::new();
    for property in properties {
        let fate = if property.name == "glide.servlet.uri" {
            address(property, integration, &mut takeover)
        } else if let Some(rest) = in_scope(&property.name) {
            match meaning(rest) {
                Some(original) if !seen.insert(original.key) => {
                    Fate::LeftOut("it comes twice; the first holds".to_owned())
                }
                Some(original) => take(original, &property.value, integration, &mut takeover),
                None => Fate::LeftOut(why_not(rest)),
            }
        } else {
            takeover.foreign += 1;
            continue;
        };
        takeover.told.push(Told { property: property.name.clone(), fate });
    }
    // Tickets that are taken over from it are known by its column, and polls have to find them.
    if !takeover.told.is_empty() {
        let (section, key) = (format!("integration.{integration}.sync"), "servicenow_query".to_owned());
        takeover.lines.push(Line { section, key, value: format!("\"{POLLED}\"") });
    }
    takeover
}

fn in_scope(name: &str) -> Option<&str> {
    let (scope, rest) = name.split_at_checked(SCOPE.len())?;
    if scope.eq_ignore_ascii_case(SCOPE) { rest.strip_prefix('.') } else { None }
}

/// Letters and digits, in lower case.
pub(super) fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

/// The setting that a property means: by its known name, by the label, or by our own name for it; with or without the
/// name of the module in front.
fn meaning(rest: &str) -> Option<&'static Original> {
    let whole = plain(rest);
    let known = |name: &str| {
        ORIGINALS.iter().find(|one| one.property.is_some_and(|property| plain(property) == name)).or_else(|| {
            let ours = ORIGINALS.iter().map(|one| last(one.key));
            let ours = canonical(name, &ours);
            ORIGINALS.iter().find(|one| plain(one.label) == name || ours == Some(last(one.key)))
        })
    };
    known(&whole).or_else(|| {
        let without = ["incidents", "incident"].iter().find_map(|module| whole.strip_prefix(module))?;
        known(without)
    })
}

fn last(key: &str) -> &str {
    key.rsplit_once('.').map_or(key, |(_, name)| name)
}

fn why_not(rest: &str) -> String {
    let whole = plain(rest);
    let known = ELSEWHERE.iter().find(|(_, names, _)| names.iter().any(|name| whole.starts_with(&plain(name))));
    known.map_or_else(|| "nothing here has this meaning".to_owned(), |(_, _, why)| (*why).to_owned())
}

/// The instance's own address.
fn address(property: &Property, integration: &IntegrationName, takeover: &mut Takeover) -> Fate {
    let url = property.value.trim().trim_end_matches('/');
    let line = Line {
        section: format!("integration.{integration}.servicenow"),
        key: "url".to_owned(),
        value: Value::from(url).to_string(),
    };
    put(line, integration, takeover)
}

fn take(original: &Original, value: &str, integration: &IntegrationName, takeover: &mut Takeover) -> Fate {
    let key = last(original.key).to_owned();
    let section = original.key.rsplit_once('.').map_or("", |(section, _)| section);
    let section = match section.strip_prefix("defaults.") {
        Some(rest) => format!("integration.{integration}.{rest}"),
        None => section.to_owned(),
    };
    let value = value.trim();
    if original.key == "defaults.incidents.active" {
        // On the way over the original is switched off, and what comes after it must not be.
        return Fate::LeftOut(
            "it switches the original; here incidents are handled unless you say otherwise".to_owned(),
        );
    }
    if key.ends_with("_endpoint") && section.ends_with(".incidents") {
        return Fate::LeftOut(
            "it leads to BigPanda; here the instance asks this host, and the update set says where".to_owned(),
        );
    }
    if original.key == "telemetry.enabled" {
        return Fate::LeftOut(
            "here it exports traces by OpenTelemetry; switch it on when the endpoint takes those".to_owned(),
        );
    }
    if original.form == Form::Secret {
        let variable = format!("{integration}_bigpanda_{key}").to_uppercase().replace('-', "_");
        let setting = format!("{}.{key}", without_name(&section, integration));
        if ASKED_FOR.contains(&key.as_str()) {
            takeover.lines.push(Line { section, key, value: format!("{{ env = \"{variable}\" }}") });
            return Fate::Secret { setting, variable };
        }
        return Fate::LeftOut(format!("nothing asks for `{setting}`"));
    }
    if value.is_empty() {
        return Fate::LeftOut("it is empty, so the default holds".to_owned());
    }
    match convert(original.form, value) {
        Ok(value) => put(Line { section, key, value: value.to_string() }, integration, takeover),
        Err(reason) => Fate::LeftOut(reason.to_owned()),
    }
}

fn convert(form: Form, value: &str) -> Result<Value, &'static str> {
    let number = || value.parse::<u32>().map_err(|_| "its value is not a whole number");
    Ok(match form {
        Form::Text | Form::Secret => Value::from(value),
        Form::Switch => match value.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Value::from(true),
            "false" | "0" | "no" | "off" => Value::from(false),
            _ => return Err("its value is neither true nor false"),
        },
        Form::Number => Value::from(number()?),
        Form::Minutes => Value::from(format!("{}m", number()?)),
        Form::Seconds => Value::from(format!("{}s", number()?)),
        Form::List => Value::from(value.split(',').map(str::trim).filter(|text| !text.is_empty()).collect::<Vec<_>>()),
        Form::Mapping => mapping::read(value).ok_or("its rows cannot be read; write them as `tag_mapping`")?,
    })
}

/// Keeps a line that the configuration's own check accepts.
fn put(line: Line, integration: &IntegrationName, takeover: &mut Takeover) -> Fate {
    let setting = format!("{}.{}", line.section, line.key);
    let judged = takeover.lines.iter().chain([&line]).filter(|line| !line.value.contains("env ="));
    let set = judged.map(|line| format!("{}.{}={}", line.section, line.key, bare(&line.value)));
    let inputs = Inputs { set: set.collect(), directory: PathBuf::from("/nonexistent"), ..Inputs::default() };
    // Whatever else such an integration lacks is asked for by the file that is written.
    let found = load(&inputs).err().and_then(|error| {
        let about = |problem: &&crate::config::Problem| {
            problem.code() != "config.required" && problem.message().contains(&setting)
        };
        error.problems.iter().find(about).map(|problem| problem.message().to_owned())
    });
    if let Some(reason) = found {
        let reason = reason.replacen(&format!("`{setting}`"), "it", 1);
        return Fate::LeftOut(reason.split(" (--set").next().unwrap_or_default().to_owned());
    }
    let taken = format!("{}.{} = {}", without_name(&line.section, integration), line.key, line.value);
    takeover.lines.push(line);
    Fate::Taken(taken)
}

/// A flag takes a text without quotes.
fn bare(value: &str) -> String {
    match value.parse::<Value>() {
        Ok(Value::String(text)) => text,
        Ok(_) | Err(_) => value.to_owned(),
    }
}

fn without_name<'a>(section: &'a str, integration: &IntegrationName) -> &'a str {
    section.strip_prefix(&format!("integration.{integration}.")).unwrap_or(section)
}
