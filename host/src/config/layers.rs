//! Gathers what was said, layer by layer, and lays the layers on top of each other.
//!
//! From low to high: the defaults inside the binary, tandem.toml, conf.d/*.toml beside it in order of their names,
//! `TANDEM__SECTION__KEY` in the environment, `--set key=value`. Nothing is judged here but the form.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::problem::Problem;
use super::tree::{Node, Origin, Source, Value, parse, parse_value};

/// The lowest layer.
pub const DEFAULTS: &str = include_str!("../../config.default.toml");

/// Name of the file that is looked for in the working directory when none is named.
pub const FILE: &str = "tandem.toml";

/// A file is far smaller; a larger one is surely another file.
const MAX_FILE: u64 = 4 << 20;

/// How variables of the environment begin that set something.
pub const PREFIX: &str = "TANDEM__";

/// What the layers are gathered from.
#[derive(Debug, Clone, Default)]
pub struct Inputs {
    /// The file that the operator named; it has to exist. `None`: [`FILE`], if there is one.
    pub file: Option<PathBuf>,
    /// The process's environment.
    pub environment: BTreeMap<String, String>,
    /// `key=value` from the command line.
    pub set: Vec<String>,
    /// Working directory.
    pub directory: PathBuf,
    /// A fragment of `conf.d` that is judged as if it lay there.
    pub draft: Option<Draft>,
}

/// A fragment that is not written yet.
#[derive(Debug, Clone)]
pub struct Draft {
    /// Its name in `conf.d`; it stands for a file of that name.
    pub file: String,
    /// What problems call it.
    pub shown: String,
    pub text: String,
}

/// The merged tree, and what was wrong with the form.
pub(super) struct Gathered {
    pub(super) tree: Node,
    pub(super) defaults: Node,
    /// Directory of tandem.toml.
    pub(super) base: PathBuf,
    /// Files that were read, for people.
    pub(super) files: Vec<String>,
    pub(super) problems: Vec<Problem>,
}

pub(super) fn gather(inputs: &Inputs) -> Gathered {
    let mut problems = Vec::new();
    let defaults = parse(DEFAULTS, None).unwrap_or_else(|malformed| {
        problems.extend(malformed.into_iter().map(|found| Problem::new("config.defaults", found.message)));
        Node::table()
    });
    let mut tree = defaults.clone();
    let named = inputs.file.clone().unwrap_or_else(|| PathBuf::from(FILE));
    let path = inputs.directory.join(&named);
    let base = path.parent().map_or_else(|| inputs.directory.clone(), Path::to_path_buf);

    let mut files = Vec::new();
    if inputs.file.is_some() || path.exists() {
        files.push((named.display().to_string(), path));
    }
    let mut drafted = fragments(&base, &named, &mut problems);
    if let Some(draft) = &inputs.draft {
        let path = base.join("conf.d").join(&draft.file);
        drafted.retain(|(_, other)| *other != path);
        let place = drafted.iter().position(|(_, other)| *other > path).unwrap_or(drafted.len());
        drafted.insert(place, (draft.shown.clone(), path));
    }
    files.extend(drafted);
    let mut names = Vec::new();
    for (name, path) in files {
        let draft = inputs.draft.as_ref().filter(|draft| path == base.join("conf.d").join(&draft.file));
        let text = match draft {
            Some(draft) => Some(draft.text.clone()),
            None => read_file(&name, &path, &mut problems),
        };
        if let Some(layer) = text.and_then(|text| parse_file(name.clone(), text, &mut problems)) {
            tree.merge(layer);
        }
        names.push(name);
    }
    from_environment(&inputs.environment, &mut tree, &mut problems);
    for setting in &inputs.set {
        from_flag(setting, &mut tree, &mut problems);
    }
    Gathered { tree, defaults, base, files: names, problems }
}

/// The files of `conf.d`, in order of their names.
fn fragments(base: &Path, named: &Path, problems: &mut Vec<Problem>) -> Vec<(String, PathBuf)> {
    let directory = base.join("conf.d");
    let Ok(entries) = std::fs::read_dir(&directory) else {
        if directory.is_dir() {
            let message = format!("the directory {} cannot be listed", directory.display());
            problems.push(Problem::new("config.unreadable", message).hint("let the host's user read it"));
        }
        return Vec::new();
    };
    let shown = named.parent().unwrap_or(Path::new("")).join("conf.d");
    let mut found: Vec<_> = entries
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .filter_map(|path| Some((shown.join(path.file_name()?).display().to_string(), path)))
        .collect();
    found.sort();
    found
}

fn read_file(name: &str, path: &Path, problems: &mut Vec<Problem>) -> Option<String> {
    let read = || -> std::io::Result<Vec<u8>> {
        if std::fs::metadata(path)?.len() > MAX_FILE {
            return Err(std::io::Error::other("it is larger than 4 MiB"));
        }
        std::fs::read(path)
    };
    let unreadable = |reason: String, hint: &str| {
        Problem::new("config.unreadable", format!("the file {name} cannot be read: {reason}")).hint(hint)
    };
    let bytes = read().map_err(|error| {
        let hint = if error.kind() == std::io::ErrorKind::NotFound {
            "check the path, or write a new file with `tandem init`"
        } else {
            "let the host's user read it"
        };
        problems.push(unreadable(error.to_string(), hint));
    });
    let text = String::from_utf8(bytes.ok()?).map_err(|error| {
        let line =
            error.as_bytes().iter().take(error.utf8_error().valid_up_to()).filter(|byte| **byte == b'\n').count();
        problems.push(unreadable(format!("line {} is not UTF-8", line + 1), "save it as UTF-8"));
    });
    text.ok()
}

fn parse_file(name: String, text: String, problems: &mut Vec<Problem>) -> Option<Node> {
    let source = Arc::new(Source { name, text });
    parse(&source.text, Some(&source))
        .map_err(|malformed| {
            for found in malformed {
                // The parser's second line says what it expected, which is the remedy.
                let (message, hint) =
                    found.message.split_once('\n').map_or((found.message.as_str(), None), |(a, b)| (a, Some(b)));
                let problem = Problem::new("config.syntax", format!("the file is not TOML: {message}"));
                let hint = match hint {
                    Some(hint) => hint.replace('\n', "; "),
                    None if message.contains("duplicate") => "write each key and each table once".to_owned(),
                    None => "texts stand in quotes, tables begin with [name]; toml.io describes the form".to_owned(),
                };
                let problem = problem.hint(hint);
                problems.push(problem.at_span(&source, found.at, "here"));
            }
        })
        .ok()
}

fn from_environment(environment: &BTreeMap<String, String>, tree: &mut Node, problems: &mut Vec<Problem>) {
    for (name, text) in environment {
        let Some(rest) = name.strip_prefix(PREFIX) else { continue };
        let mut path: Vec<String> = rest.split("__").map(str::to_ascii_lowercase).collect();
        if path.iter().any(String::is_empty) {
            let message = format!("the environment variable {name} names no setting");
            problems.push(Problem::new("config.unknown-key", message).hint("write TANDEM__SECTION__KEY"));
            continue;
        }
        hyphenate(&mut path);
        let free =
            path.first().is_some_and(|first| first == "plugins") && path.get(1).is_some_and(|key| key == "config");
        put(tree, &path, text, Origin::Environment(name.clone()), free);
    }
}

/// Names of integrations and ids of plugins have hyphens, which names of variables can't have.
fn hyphenate(path: &mut [String]) {
    let place = match (path.first().map(String::as_str), path.get(1).map(String::as_str)) {
        (Some("integration"), _) => 1,
        (Some("plugins"), Some("config" | "order")) => 2,
        _ => return,
    };
    if let Some(name) = path.get_mut(place) {
        *name = name.replace('_', "-");
    }
}

fn from_flag(setting: &str, tree: &mut Node, problems: &mut Vec<Problem>) {
    let Some((key, text)) = setting.split_once('=') else {
        // What was meant as a value may be a secret: it isn't shown.
        problems.push(
            Problem::new("config.flag", "a --set has no `=`")
                .hint("write --set section.key=value, such as --set log.level=debug"),
        );
        return;
    };
    let path: Vec<String> = key.trim().split('.').map(|part| part.trim().trim_matches('"').to_owned()).collect();
    if path.iter().any(String::is_empty) {
        let message = "a --set has no key before its `=`";
        problems.push(
            Problem::new("config.flag", message).hint("write --set section.key=value, such as --set log.level=debug"),
        );
        return;
    }
    let free = path.first().is_some_and(|first| first == "plugins") && path.get(1).is_some_and(|key| key == "config");
    put(tree, &path, text.trim(), Origin::Flag(key.trim().to_owned()), free);
}

/// Tables and lists are written as TOML writes them. Other text stays text: the section that reads it knows its type.
/// A plugin's own table has no section, so there everything that TOML can read is taken as TOML.
fn put(tree: &mut Node, path: &[String], text: &str, origin: Origin, free: bool) {
    let structured = text.starts_with(['{', '[']) || free;
    let node = if structured { parse_value(text, &origin) } else { None };
    let node = node.unwrap_or_else(|| Node::text(text.to_owned(), origin));
    // A whole table may be given at once; its keys were checked by nobody yet, and are by its section.
    debug_assert!(!matches!(&node.value, Value::Moment(_)) || free);
    tree.put(path, node);
}
