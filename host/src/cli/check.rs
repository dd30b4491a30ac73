//! `tandem check`: judges the configuration without using the network.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{Exit, Source, output, report};
use crate::config::{Auth, Error, Loaded, Problem, Reach};

#[derive(Debug, Clone, Copy, clap::Args)]
pub(super) struct Args {
    /// Print the findings as JSON
    #[arg(long)]
    json: bool,
    /// End with 78 after warnings too
    #[arg(long)]
    deny_warnings: bool,
}

pub(super) fn run(source: &Source, args: Args) -> anyhow::Result<Exit> {
    match source.load() {
        Ok(loaded) => {
            if args.json {
                let warnings: Vec<Value> = loaded.warnings.iter().map(to_json).collect();
                output::json(&json!({ "valid": true, "problems": [], "warnings": warnings }))?;
            } else {
                for warning in &loaded.warnings {
                    output::talk(&format!("{}\n", warning.render(report::colour())));
                }
                output::data(&summary(&loaded))?;
            }
            let denied = args.deny_warnings && !loaded.warnings.is_empty();
            Ok(if denied { Exit::Configuration } else { Exit::Success })
        }
        Err(error) if args.json => {
            let Some(Error { problems }) = error.downcast_ref() else { return Err(error) };
            let problems: Vec<Value> = problems.iter().map(to_json).collect();
            output::json(&json!({ "valid": false, "problems": problems, "warnings": [] }))?;
            Ok(Exit::Configuration)
        }
        Err(error) => Err(error),
    }
}

fn to_json(problem: &Problem) -> Value {
    let mut value = json!({ "code": problem.code(), "message": problem.message(), "hint": problem.remedy() });
    if let (Some((file, line, column)), Some(object)) = (problem.location(), value.as_object_mut()) {
        object.insert("file".to_owned(), json!(file));
        object.insert("line".to_owned(), json!(line));
        object.insert("column".to_owned(), json!(column));
    }
    value
}

fn summary(loaded: &Loaded) -> String {
    let files = if loaded.files.is_empty() { "no file".to_owned() } else { loaded.files.join(", ") };
    let mut text = format!("the configuration holds (read: {files})\n");
    for one in &loaded.config.integrations {
        let (url, auth) = match &one.servicenow.reach {
            Reach::Called { url, auth } => {
                let auth = match auth {
                    Auth::Basic { .. } => "Basic",
                    Auth::Password { .. } => "OAuth, grant password",
                    Auth::ClientCredentials { .. } => "OAuth, grant client-credentials",
                };
                (url.as_str().trim_end_matches('/'), auth)
            }
            Reach::Pulls => ("a ServiceNow that pulls", "on-premises"),
        };
        let active = if one.settings.active { "" } else { ", not active" };
        let _ = writeln!(
            text,
            "  {}: {} → {url}, table {} ({auth}{active})",
            one.name,
            one.bigpanda.api_url.as_str().trim_end_matches('/'),
            one.servicenow.table
        );
    }
    text
}
