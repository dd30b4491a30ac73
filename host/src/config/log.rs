//! `[log]` and `[telemetry]`.

use url::Url;

use super::read::Section;

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// A level, or directives as `tracing_subscriber::EnvFilter` reads them.
    pub level: String,
    pub format: LogFormat,
}

impl Log {
    pub(super) fn read(section: Section<'_>) -> Self {
        let remedy = "write error, warn, info, debug, trace or off, or directives such as \"info,tandem::sync=debug\"";
        let log = Self {
            level: section.parsed("level", remedy, directives).unwrap_or_default(),
            format: section
                .choice("format", &[("text", LogFormat::Text), ("json", LogFormat::Json)])
                .unwrap_or(LogFormat::Text),
        };
        section.finish();
        log
    }
}

fn directives(text: &str) -> Result<String, String> {
    const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
    for directive in text.split(',') {
        let (target, level) = directive.trim().rsplit_once('=').unwrap_or(("", directive.trim()));
        if !LEVELS.iter().any(|known| known.eq_ignore_ascii_case(level)) {
            return Err("names no level".to_owned());
        }
        if target.contains(char::is_whitespace) {
            return Err(format!("holds `{target}`, which is not a part of the program"));
        }
    }
    Ok(text.to_ascii_lowercase())
}

/// Export of traces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Telemetry {
    pub enabled: bool,
    /// The base of a collector that speaks OTLP over HTTP.
    pub endpoint: Option<Url>,
}

impl Telemetry {
    pub(super) fn read(section: Section<'_>) -> Self {
        let endpoint = section.url_such_as("endpoint", "http://localhost:4318");
        let telemetry = Self { enabled: section.switch("enabled"), endpoint };
        if telemetry.enabled && section.optional("endpoint").is_none() {
            section.refuse(
                "enabled",
                "is on, and there is no `telemetry.endpoint`",
                "set it to your collector's address, such as \"http://localhost:4318\", or switch the export off",
            );
        }
        section.finish();
        telemetry
    }
}
