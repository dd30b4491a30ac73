//! Every setting on one page: what it takes, its default, its other names, and what it is for.
//!
//! Nothing is written twice: help and default come from `config.default.toml`, the type from the pass that reads it,
//! names by rule, the original's names from [`original`](super::original). `host/SETTINGS.md` is this page, and a test
//! fails when it isn't.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use super::layers::DEFAULTS;
use super::names::variable;
use super::original::{ELSEWHERE, ORIGINALS, SCOPE};
use super::overrides::{header_of, may_come_with_a_share};
use super::read::Context;
use super::tree::{Node, parse};
use super::{decide, tree};

/// One setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// As it stands in `config.default.toml`, such as `defaults.retry.attempts`.
    pub key: String,
    /// What it takes, in words.
    pub kind: String,
    /// As TOML writes it.
    pub default: String,
    pub help: String,
    /// Header of a share that says the same, where one may.
    pub header: Option<String>,
}

impl Setting {
    /// Where an operator writes it: below `[integration.<name>]` or `[defaults]`, or in a section of the host.
    fn section(&self) -> &str {
        self.key.rsplit_once('.').map_or("", |(section, _)| section)
    }

    fn name(&self) -> &str {
        self.key.rsplit_once('.').map_or(self.key.as_str(), |(_, name)| name)
    }

    fn variable(&self) -> String {
        match self.key.strip_prefix("defaults.") {
            Some(rest) => variable(&format!("integration.<name>.{rest}")),
            None => variable(&self.key),
        }
    }
}

/// Every setting, in the order of `config.default.toml`.
pub fn settings() -> Vec<Setting> {
    let kinds = kinds();
    let mut section = "";
    let mut comment: Vec<&str> = Vec::new();
    let mut settings = Vec::new();
    for line in DEFAULTS.lines() {
        if let Some(text) = line.strip_prefix('#') {
            comment.push(text.trim());
        } else if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']');
            comment.clear();
        } else if let Some((name, default)) = line.split_once(" = ") {
            let key = format!("{section}.{name}");
            settings.push(Setting {
                kind: kinds.get(&key).cloned().unwrap_or_default(),
                default: default.to_owned(),
                help: comment.join(" "),
                header: (section == "defaults.incidents" && may_come_with_a_share(name)).then(|| header_of(name)),
                key,
            });
            comment.clear();
        } else {
            comment.clear();
        }
    }
    settings
}

/// What each key takes, as the reading pass finds it in the defaults.
fn kinds() -> BTreeMap<String, String> {
    let (environment, nowhere) = (BTreeMap::new(), Path::new(""));
    let defaults: Node = parse(DEFAULTS, None).unwrap_or_else(|_| tree::Node::table());
    let context = Context::new(&environment, nowhere, nowhere, &defaults).describing();
    decide(&context, &defaults);
    context.into_kinds()
}

const HEAD: &str = "\
# Settings

Every setting with its default. This page is printed by `tandem config reference`; `config.default.toml` has the same in
the form of a configuration file, and `tandem config show --origin` says what holds and who said it.

A setting of an integration stands under `[integration.<name>.…]`, or under `[defaults.…]` for all of them. Every setting
can come from the environment too, and most under `incidents` from the headers of a share, where one is named. In names of
environment variables, `<NAME>` is the integration's name in upper case with `_` for `-`. A secret is `{ env = \"NAME\" }`,
`{ file = \"path\" }` or text; an empty text means: not set.
";

/// The page, as Markdown.
pub fn page() -> String {
    let mut page = HEAD.to_owned();
    let settings = settings();
    let mut section = "";
    for setting in &settings {
        if setting.section() != section {
            section = setting.section();
            let shown = match section.strip_prefix("defaults.") {
                Some(rest) => format!("integration.<name>.{rest}"),
                None => section.to_owned(),
            };
            let _ = write!(page, "\n## `[{shown}]`\n");
        }
        entry(&mut page, setting);
    }
    page.push_str(FREE);
    of_the_original(&mut page);
    page
}

fn entry(page: &mut String, setting: &Setting) {
    let Setting { kind, default, help, .. } = setting;
    let _ = write!(page, "\n- **`{}`** ({kind}; default `{default}`): {help}\n", setting.name());
    let mut names = vec![format!("`{}`", setting.variable())];
    names.extend(setting.header.as_ref().map(|header| format!("`{header}`")));
    names.extend(
        ORIGINALS
            .iter()
            .filter(|original| original.key == setting.key)
            .map(|original| format!("the original's *{}*", original.label)),
    );
    let _ = writeln!(page, "  — {}", names.join(" · "));
}

/// Tables whose keys are the operator's own.
const FREE: &str = "
## `[plugins.config.<id>]`, `[plugins.order.<id>]`, `[plugins.grants]`

A plugin's own settings, checked by the plugin; its place in the chain, `{ phase = \"map\", priority = 100 }`; and what it
may import that reaches outside of the event, `<id> = [\"raw-share\"]`.
";

fn of_the_original(page: &mut String) {
    page.push_str(
        "
## Settings of BigPanda's ServiceNow application

Where the names of its system properties are publicly known they stand beside its labels. `tandem init --from-servicenow`
reads an export of them.

| its label | its property | here |
|---|---|---|
",
    );
    for original in ORIGINALS {
        let property = original.property.map_or_else(String::new, |name| format!("`{SCOPE}.{name}`"));
        let _ = writeln!(page, "| {} | {property} | `{}` |", original.label, ours(original.key));
    }
    page.push_str("\nNot here:\n\n| its setting | why |\n|---|---|\n");
    for (what, _, why) in ELSEWHERE {
        let _ = writeln!(page, "| {what} | {why} |");
    }
}

/// A key without `defaults`, as it is spoken of.
fn ours(key: &str) -> &str {
    key.strip_prefix("defaults.").unwrap_or(key)
}
