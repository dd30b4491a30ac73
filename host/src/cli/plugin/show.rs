//! Plugins in words for a person.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::Value;

use crate::cli::output;
use crate::domain::fault::{Fault as _, chain};
use crate::domain::patch::{Hook, Op, Reopening};
use crate::plugin::{About, Checked, Limits, LoadError, PluginStatus, Problem, Source, Status};

// Writing to a string can't fail, so the results of `write!` are dropped throughout.

pub(super) fn list(status: &Status) -> String {
    let head = ["ID", "VERSION", "STATE", "FROM", "PHASE", "ASKED", "FAILED", "HOOKS"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    for plugin in &status.plugins {
        let about = plugin.about.as_ref();
        let of = |read: &dyn Fn(&About) -> String| about.map_or_else(|| "-".to_owned(), read);
        rows.push(vec![
            plugin.id.clone(),
            of(&|about| about.version.clone()),
            plugin.state.as_str().to_owned(),
            from(&plugin.source),
            of(&|about| about.phase.clone()),
            of(&|about| about.asked.to_string()),
            of(&|about| about.failed.to_string()),
            of(&|about| hooks(&about.hooks)),
        ]);
    }
    let mut text = output::table(&rows);
    let _ = writeln!(text, "\ngeneration {}, directory {}", status.generation, status.directory.display());
    for plugin in &status.plugins {
        if let Some(Problem { code, message, hint }) = &plugin.problem {
            let _ = writeln!(text, "\n{} ({}): {message} [{code}]", plugin.id, from(&plugin.source));
            if let Some(hint) = hint {
                let _ = writeln!(text, "  hint: {hint}");
            }
        }
    }
    text
}

fn from(source: &Source) -> String {
    match source {
        Source::Bundled => "bundled".to_owned(),
        Source::File(path) => path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned()),
    }
}

fn hooks(hooks: &[Hook]) -> String {
    hooks.iter().map(|hook| hook.as_str()).collect::<Vec<_>>().join(", ")
}

pub(super) fn detail(plugin: &PluginStatus) -> String {
    let mut text = format!("{} is {}\n", plugin.id, plugin.state.as_str());
    let place = match &plugin.source {
        Source::Bundled => "part of this binary".to_owned(),
        Source::File(path) => path.display().to_string(),
    };
    let _ = writeln!(text, "  from         {place}");
    if let Some(about) = &plugin.about {
        describe(&mut text, about);
        let _ = writeln!(text, "  asked        {} times, failed {} times", about.asked, about.failed);
        if let Some(failure) = &about.last_failure {
            let _ = writeln!(
                text,
                "  last failure {}: {} [{}]; in its place: {}",
                failure.hook.as_str(),
                failure.message,
                failure.code,
                serde_json::to_value(failure.stood_in).ok().as_ref().and_then(Value::as_str).unwrap_or_default()
            );
            for frame in &failure.frames {
                let _ = writeln!(text, "                 at {frame}");
            }
        }
    }
    if let Some(Problem { code, message, hint }) = &plugin.problem {
        let _ = writeln!(text, "  problem      {message} [{code}]");
        if let Some(hint) = hint {
            let _ = writeln!(text, "  hint         {hint}");
        }
    }
    text
}

fn describe(text: &mut String, about: &About) {
    let _ = writeln!(text, "  version      {} ({})", about.version, about.digest.short());
    if !about.description.is_empty() {
        let _ = writeln!(text, "  says         {}", about.description);
    }
    if let Some(sdk) = &about.sdk {
        let _ = writeln!(text, "  built with   tandem-guest {sdk}");
    }
    let _ = writeln!(text, "  size         {} KiB", about.bytes.div_ceil(1024));
    let _ = writeln!(text, "  hooks        {}", hooks(&about.hooks));
    let _ = writeln!(text, "  order        phase {}, priority {}", about.phase, about.priority);
    if !about.grants.is_empty() {
        let _ = writeln!(text, "  grants       {}", about.grants.join(", "));
    }
    limits(text, &about.limits);
    if let Some(config) = &about.config {
        settings(text, config);
    }
}

fn limits(text: &mut String, limits: &Limits) {
    let size = |bytes: usize| {
        if bytes >= 1 << 20 { format!("{} MiB", bytes >> 20) } else { format!("{} KiB", bytes.div_ceil(1 << 10)) }
    };
    let lines = [
        format!(
            "memory {}, stack {}, {} ms for each hook",
            size(limits.memory),
            size(limits.stack),
            limits.deadline.as_millis()
        ),
        format!(
            "answer {}, {} operations, {} characters a note",
            size(limits.output),
            limits.operations,
            limits.note_characters
        ),
        format!("{} calls of the host, {} each", limits.host_calls, size(limits.host_call_bytes)),
        format!("{} log lines, {} together", limits.log_lines, size(limits.log_bytes)),
        format!(
            "file {}, {} functions of {} each, {} handles",
            size(limits.artefact),
            limits.functions,
            size(limits.function_bytes),
            limits.handles
        ),
    ];
    for (place, line) in lines.iter().enumerate() {
        let label = if place == 0 { "limits" } else { "" };
        let _ = writeln!(text, "  {label:<12} {line}");
    }
}

fn settings(text: &mut String, schema: &Value) {
    let properties = schema.get("properties").and_then(Value::as_object);
    for (place, (name, rules)) in properties.into_iter().flatten().enumerate() {
        let label = if place == 0 { "settings" } else { "" };
        let kind = rules.get("type").map_or_else(|| "any".to_owned(), |kind| kind.to_string().replace('"', ""));
        let _ = write!(text, "  {label:<12} {name} ({kind})");
        for (rule, word) in [("default", "default"), ("enum", "one of"), ("minimum", "from"), ("maximum", "up to")] {
            if let Some(value) = rules.get(rule) {
                let _ = write!(text, ", {word} {value}");
            }
        }
        if let Some(says) = rules.get("description").and_then(Value::as_str) {
            let _ = write!(text, ": {says}");
        }
        text.push('\n');
    }
}

pub(super) fn checked(file: &Path, checked: &Checked) -> String {
    let mut text = format!("{}: a host takes it as {}\n", file.display(), checked.id);
    describe(&mut text, &checked.about);
    let _ = writeln!(text, "  asked about a sample incident and its ticket it answers:");
    for proposal in &checked.proposals {
        let _ = writeln!(text, "    {}: {}", proposal.origin.hook.as_str(), operation(&proposal.op));
    }
    if let Some(reopening) = &checked.reopening {
        let (what, why) = match reopening {
            Reopening::Reopen { note, .. } => ("reopen", note),
            Reopening::Create { note, .. } => ("create anew", note),
            Reopening::Leave { reason, .. } => ("leave", reason),
        };
        let _ = writeln!(text, "    reopen: {what} ({why})");
    }
    if let Some(comment) = &checked.closing_comment {
        let _ = writeln!(text, "    closure: comment {:?}", comment.text);
    }
    for settled in &checked.settlements {
        let reason = settled.reason.as_deref().unwrap_or("no reason given");
        let _ = writeln!(text, "    conflict: {:?} ({reason})", settled.value);
    }
    if checked.says_nothing() {
        let _ = writeln!(text, "    nothing");
    }
    for failure in &checked.failures {
        let _ = writeln!(text, "  it fails on {}: {} [{}]", failure.hook.as_str(), failure.message, failure.code);
        for frame in &failure.frames {
            let _ = writeln!(text, "    at {frame}");
        }
        if let Some(hint) = &failure.hint {
            let _ = writeln!(text, "  hint: {hint}");
        }
    }
    text
}

fn operation(op: &Op) -> String {
    match op {
        Op::Set { field, value } => format!("{field} = {value:?}"),
        Op::Append { field, value } => format!("{field} += {value:?}"),
        Op::Unset { field } => format!("{field} is emptied"),
        Op::SetReference(reference) => {
            format!("{} = the {} whose {} is {:?}", reference.field, reference.table, reference.by, reference.value)
        }
        Op::AddNote { journal, text } => format!("{} += {text:?}", journal.field()),
    }
}

pub(super) fn refused(file: &Path, error: &LoadError) -> String {
    let mut text = format!("{}: a host refuses it: {} [{}]\n", file.display(), chain(error).join(": "), error.code());
    if let Some(hint) = error.hint() {
        let _ = writeln!(text, "  hint: {hint}");
    }
    text
}
