//! `tandem init --from-servicenow`: reads the export, puts its settings into the file, and tells what became of each.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Context as _;

use crate::cli::report::Told;
use crate::config::original::export;
use crate::config::original::takeover::{Fate, Line, Takeover, take_over};
use crate::domain::fault::Class;
use crate::domain::id::IntegrationName;

/// An export is far smaller; a larger file is surely another one.
const MAX_FILE: u64 = 16 << 20;

pub(super) fn read(path: &Path, integration: &IntegrationName) -> anyhow::Result<Takeover> {
    let shown = path.display();
    let refused = |reason: String| {
        Told::new(Class::Input, "init.export", format!("{shown} is no export of system properties: {reason}")).hint(
            "in ServiceNow open sys_properties.list, filter by `Name starts with x_bip_panda`, and export the list as XML",
        )
    };
    let size = std::fs::metadata(path).with_context(|| format!("{shown} cannot be read"))?.len();
    if size > MAX_FILE {
        return Err(refused(format!("it has {size} bytes")).into());
    }
    let bytes = std::fs::read(path).with_context(|| format!("{shown} cannot be read"))?;
    let properties = export::read(&bytes).map_err(|error| refused(error.to_string()))?;
    let taken = take_over(&properties, integration);
    if taken.told.is_empty() {
        let count = taken.foreign;
        return Err(refused(format!("none of its {count} properties begins with x_bip_panda")).into());
    }
    Ok(taken)
}

/// Puts the settings where they belong in the text of a configuration file.
pub(super) fn fill(text: &mut String, taken: &Takeover) {
    for line in &taken.lines {
        put(text, line);
    }
}

fn put(text: &mut String, line: &Line) {
    let Line { section, key, value } = line;
    let said = format!("{key} = {value}");
    let header = format!("[{section}]");
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let Some(start) = lines.iter().position(|line| *line == header) else {
        let _ = write!(text, "\n{header}\n{said}\n");
        return;
    };
    let within = |line: &String| !line.starts_with('[');
    let end = start + 1 + lines.iter().skip(start + 1).take_while(|line| within(line)).count();
    // An example gives way to what is set, so that the key stands there once.
    let same =
        |line: &String| line.split_once(" = ").is_some_and(|(name, _)| name.strip_prefix("# ").unwrap_or(name) == key);
    let place = lines.iter().take(end).skip(start).position(same).map(|found| start + found);
    if let Some(old) = place.and_then(|place| lines.get_mut(place)) {
        *old = said;
    } else {
        // Below what is set, above the examples.
        let is_set = |line: &String| line.contains(" = ") && !line.starts_with('#');
        let set = lines.iter().take(end).skip(start + 1).rposition(is_set);
        lines.insert(set.map_or(start + 1, |last| start + 2 + last), said);
    }
    *text = lines.join("\n");
    text.push('\n');
}

/// A line for each property.
pub(super) fn tell(taken: &Takeover) -> String {
    let width = taken.told.iter().map(|told| told.property.chars().count()).max().unwrap_or(0);
    let mut text = String::from("from the original's properties:\n");
    for told in &taken.told {
        let fate = match &told.fate {
            Fate::Taken(setting) => format!("→ {setting}"),
            Fate::Secret { setting, variable } => {
                format!("→ {setting}, from the environment variable {variable}; its value is not in the file")
            }
            Fate::LeftOut(reason) => format!("left out: {reason}"),
        };
        let _ = writeln!(text, "  {:width$}  {fate}", told.property);
    }
    if taken.foreign > 0 {
        let _ = writeln!(text, "  properties of other applications, passed over: {}", taken.foreign);
    }
    text.push_str(
        "before this host takes its first share, switch the original off: two integrations make two tickets of one incident",
    );
    text
}
