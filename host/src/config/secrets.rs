//! Where a secret comes from: the environment, a file, or (with a warning) the configuration itself.
//!
//! A secret's value never enters a message.

use super::read::Section;
use super::tree::{Node, Origin, Value};
use crate::domain::secret::Secret;

/// Largest file that can hold a secret; a larger one is surely another file.
const MAX_FILE: u64 = 64 << 10;

const REMEDY: &str = "write { env = \"NAME\" } or { file = \"path\" }";

impl Section<'_> {
    /// A secret; the empty one counts as not set.
    pub(super) fn secret(&self, key: &'static str) -> Option<Secret<String>> {
        let dotted = self.dotted(key);
        self.context.secret(&dotted);
        self.kind(key, || "secret".to_owned());
        let node = self.node(key)?;
        let text = match &node.value {
            Value::Text(text) => {
                if !text.is_empty() {
                    self.warn_of_plain(key, &node.origin);
                }
                text.clone()
            }
            Value::Table(_) => self.referred(key, node)?,
            Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Moment(_) | Value::List(_) => {
                self.refuse(key, &format!("is {}, and has to be a secret", node.value.kind()), REMEDY);
                return None;
            }
        };
        let text = text.trim();
        if text.chars().any(char::is_control) {
            self.refuse(key, "contains a control character inside", "put exactly the secret there, on one line");
            return None;
        }
        (!text.is_empty()).then(|| Secret::from(text))
    }

    fn warn_of_plain(&self, key: &'static str, origin: &Origin) {
        match origin {
            Origin::File { .. } => {
                self.warn(key, "stands in the configuration file as plain text", REMEDY);
            }
            Origin::Flag(_) => {
                self.warn(key, "was given on the command line, where every user of the machine sees it", REMEDY);
            }
            Origin::Default | Origin::Environment(_) | Origin::Header(_) => {}
        }
    }

    /// What `{ env = … }` or `{ file = … }` refers to.
    fn referred(&self, key: &'static str, node: &Node) -> Option<String> {
        let text_of = |name| match node.get(name).map(|node| &node.value) {
            Some(Value::Text(text)) => Some(text.as_str()),
            Some(
                Value::Integer(_)
                | Value::Float(_)
                | Value::Boolean(_)
                | Value::Moment(_)
                | Value::List(_)
                | Value::Table(_),
            )
            | None => None,
        };
        let only = matches!(&node.value, Value::Table(table) if table.len() == 1);
        match (text_of("env"), text_of("file")) {
            (Some(name), None) if only => {
                let value = self.context.environment.get(name).filter(|value| !value.trim().is_empty());
                if value.is_none() {
                    let reason = format!("refers to the environment variable {name}, which is not set");
                    self.refuse(key, &reason, &format!("set {name} for the host, or refer to another variable"));
                }
                value.cloned()
            }
            (None, Some(path)) if only => self.content_of(key, path, &node.origin),
            _ => {
                self.refuse(key, "is a table that refers to nothing", REMEDY);
                None
            }
        }
    }

    fn content_of(&self, key: &'static str, path: &str, origin: &Origin) -> Option<String> {
        let (base, from) = if origin.is_text() {
            (self.context.working, "the working directory")
        } else {
            (self.context.base, "the directory of tandem.toml")
        };
        let shown = path;
        let path = base.join(path);
        let read = || -> Result<String, String> {
            let size = std::fs::metadata(&path).map_err(|error| error.to_string())?.len();
            if size > MAX_FILE {
                return Err(format!("it has {size} bytes"));
            }
            std::fs::read_to_string(&path).map_err(|error| error.to_string())
        };
        match read() {
            Ok(text) if text.trim().is_empty() => {
                self.refuse(key, &format!("refers to the file {shown}, which is empty"), "put the secret into it");
                None
            }
            Ok(text) => Some(text),
            Err(reason) => {
                let reason = format!("refers to the file {shown}, which cannot be read: {reason}");
                let remedy = format!("let there be a file that the host's user can read; the path counts from {from}");
                self.refuse(key, &reason, &remedy);
                None
            }
        }
    }
}
