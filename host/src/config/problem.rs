//! What is wrong with the configuration, told so that an operator can put it right: a sentence, the place, the remedy.
//!
//! A problem never shows the value of a secret: the lines of a file that it quotes are masked first. All problems of
//! a configuration are found in one pass; `cli::report` prints them through [`Problem::render`].

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceSpan};

use super::mask::mask;
use super::tree::{Origin, Source};

/// Code of what is allowed and should be changed all the same.
pub(super) const UNWISE: &str = "config.unwise";

/// One thing that is wrong, or (as a warning) unwise.
#[derive(Debug, Clone)]
pub struct Problem {
    code: &'static str,
    message: String,
    hint: Option<String>,
    place: Option<Place>,
}

#[derive(Debug, Clone)]
struct Place {
    source: Arc<Source>,
    at: Range<usize>,
    label: &'static str,
}

impl Problem {
    pub(super) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: None, place: None }
    }

    #[must_use]
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Points at where the value was said. What came from elsewhere than a file is named in the message.
    #[must_use]
    pub(super) fn at(mut self, origin: &Origin, label: &'static str) -> Self {
        match origin {
            Origin::File { source, at } => {
                self.place = Some(Place { source: source.clone(), at: at.clone(), label });
            }
            Origin::Environment(name) => self.message = format!("{} (environment variable {name})", self.message),
            Origin::Flag(key) => self.message = format!("{} (--set {key})", self.message),
            // Whoever is told of a header is told its name anyway.
            Origin::Header(_) | Origin::Default => {}
        }
        self
    }

    #[must_use]
    pub(super) fn at_span(mut self, source: &Arc<Source>, at: Range<usize>, label: &'static str) -> Self {
        self.place = Some(Place { source: source.clone(), at, label });
        self
    }

    /// Stable word-code such as `config.unknown-key`.
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// What is wrong, without place and remedy.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The remedy.
    pub fn remedy(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// File, line and column, 1-based, when it is in a file.
    pub fn location(&self) -> Option<(String, usize, usize)> {
        let place = self.place.as_ref()?;
        let before = place.source.text.get(..place.at.start)?;
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        Some((place.source.name.clone(), line, column))
    }

    /// Whether both point at one place in one file for one reason.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        match (&self.place, &other.place) {
            // One mistake under [defaults] shows in every integration; several keys may be missing in one table.
            (Some(a), Some(b)) => {
                let told = self.code != "config.required" || self.message == other.message;
                told && self.code == other.code && a.source.name == b.source.name && a.at == b.at
            }
            (None, None) => self.code == other.code && self.message == other.message,
            (Some(_), None) | (None, Some(_)) => false,
        }
    }

    /// The problem with the line of the file and a caret under it.
    pub fn render(&self, colour: bool) -> String {
        let theme = if colour { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
        let handler = GraphicalReportHandler::new_themed(theme)
            .with_context_lines(1)
            .with_links(false)
            .with_width(110)
            .without_syntax_highlighting();
        let mut text = String::new();
        let quoted = Quoted { problem: self, text: self.place.as_ref().map(quote) };
        if handler.render_report(&mut text, &quoted).is_err() {
            self.message.clone_into(&mut text);
        }
        text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
    }
}

fn quote(place: &Place) -> NamedSource<String> {
    NamedSource::new(place.source.name.clone(), mask(&place.source.text))
}

/// A problem beside the text that it may quote.
#[derive(Debug)]
struct Quoted<'a> {
    problem: &'a Problem,
    text: Option<NamedSource<String>>,
}

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problem.message)
    }
}

impl std::error::Error for Quoted<'_> {}

impl miette::Diagnostic for Quoted<'_> {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.problem.code))
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(if self.problem.code == UNWISE { miette::Severity::Warning } else { miette::Severity::Error })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.problem.hint.as_ref().map(|hint| Box::new(hint) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        self.text.as_ref().map(|text| text as &dyn miette::SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let place = self.problem.place.as_ref()?;
        let first_line =
            place.source.text.get(place.at.clone()).map_or(0, |text| text.find('\n').unwrap_or(text.len()));
        let span = SourceSpan::from((place.at.start, first_line.max(1)));
        Some(Box::new(std::iter::once(LabeledSpan::new_with_span(Some(place.label.to_owned()), span))))
    }
}
