//! The language of the criteria: what one says, what it looks at, and how values compare.

use std::cmp::Ordering;

use tandem_guest::event::Alert;
use tandem_guest::{Answer, Error, Status, wildcard};

/// One criterion.
#[derive(Debug)]
pub(crate) enum Criterion<'c> {
    /// `field=pattern`: alerts that match come first.
    Equal { field: Field<'c>, pattern: &'c str },
    /// `field` or `-field`.
    Sorted { field: Field<'c>, descending: bool },
}

/// What a criterion looks at.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Field<'c> {
    Id,
    Status,
    Active,
    Start,
    End,
    Changed,
    Updated,
    Description,
    SourceSystem,
    PrimaryProperty,
    Primary,
    SecondaryProperty,
    Secondary,
    Tag(&'c str),
}

/// Attributes under the names of both of BigPanda's dialects.
const ATTRIBUTES: [(&str, Field<'static>); 17] = [
    ("id", Field::Id),
    ("status", Field::Status),
    ("active", Field::Active),
    ("start", Field::Start),
    ("startedOn", Field::Start),
    ("end", Field::End),
    ("endedOn", Field::End),
    ("changed_at", Field::Changed),
    ("changedOn", Field::Changed),
    ("updated_at", Field::Updated),
    ("updatedOn", Field::Updated),
    ("description", Field::Description),
    ("source_system", Field::SourceSystem),
    ("primary_property", Field::PrimaryProperty),
    ("primary", Field::Primary),
    ("secondary_property", Field::SecondaryProperty),
    ("secondary", Field::Secondary),
];

impl<'c> Criterion<'c> {
    /// Reads the list. What cannot be read is named by its place.
    pub(crate) fn parse(list: &'c str) -> Answer<Vec<Self>> {
        let mut criteria = Vec::with_capacity(4);
        for (index, text) in list.split(',').map(str::trim).enumerate() {
            let wrong = |what: &str| {
                Error::InvalidConfig(format!(
                    "primary_alert: criterion {}, `{text}`, {what}; write field=value, field or -field, such as \
                     `status=critical, startedOn`",
                    index + 1
                ))
            };
            let (name, pattern) = match text.split_once('=') {
                Some((name, pattern)) => (name.trim(), Some(pattern.trim())),
                None => (text, None),
            };
            let (name, descending) = match name.strip_prefix('-') {
                Some(name) => (name.trim_start(), true),
                None => (name, false),
            };
            if name.is_empty() {
                return Err(wrong("names no field"));
            }
            let field = Field::named(name);
            criteria.push(match pattern {
                None => Self::Sorted { field, descending },
                Some("") => return Err(wrong("has no value after `=`")),
                Some(_) if descending => return Err(wrong("both compares and sorts")),
                Some(pattern) => Self::Equal { field, pattern },
            });
        }
        Ok(criteria)
    }
}

impl<'c> Field<'c> {
    fn named(name: &'c str) -> Self {
        let attribute = ATTRIBUTES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        attribute.map_or_else(|| Self::Tag(name.strip_prefix("tags.").unwrap_or(name)), |(_, field)| *field)
    }

    /// Its value for an alert.
    pub(crate) fn of<'a>(&self, alert: &Alert<'a>) -> Value<'a> {
        let time = |seconds: Option<i64>| seconds.map_or(Value::Missing, Value::Time);
        let text = |text: &'a str| if text.is_empty() { Value::Missing } else { Value::Text(text) };
        match self {
            Self::Id => text(alert.id()),
            Self::Status => Value::Status(alert.status()),
            Self::Active => text(if alert.is_active() { "true" } else { "false" }),
            Self::Start => time(alert.start()),
            Self::End => time(alert.end()),
            Self::Changed => time(alert.changed()),
            Self::Updated => time(alert.updated()),
            Self::Description => text(alert.description()),
            Self::SourceSystem => text(alert.source_system()),
            Self::PrimaryProperty => text(alert.primary_property()),
            Self::SecondaryProperty => text(alert.secondary_property()),
            Self::Primary => text(alert.primary_value().unwrap_or_default()),
            Self::Secondary => text(alert.tag(alert.secondary_property()).unwrap_or_default()),
            Self::Tag(name) => text(alert.tag(name).unwrap_or_default()),
        }
    }
}

/// A value of an alert.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Value<'a> {
    Missing,
    /// Epoch seconds.
    Time(i64),
    Status(Status),
    Text(&'a str),
}

impl Value<'_> {
    /// Whether it is what the pattern says, in any case; `*` stands for anything.
    pub(crate) fn matches(&self, pattern: &str) -> bool {
        match self {
            Self::Missing => false,
            Self::Time(seconds) => wildcard::fits(pattern, &seconds.to_string()),
            Self::Status(status) => wildcard::fits(pattern, status.as_str()),
            Self::Text(text) => wildcard::fits(pattern, text),
        }
    }

    /// Numbers in their order, then texts in theirs regardless of case; a missing value last either way.
    pub(crate) fn compare(&self, other: &Self, descending: bool) -> Ordering {
        let order = match (self, other) {
            (Self::Missing, Self::Missing) => return Ordering::Equal,
            (Self::Missing, _) => return Ordering::Greater,
            (_, Self::Missing) => return Ordering::Less,
            (Self::Time(one), Self::Time(two)) => one.cmp(two),
            (Self::Status(one), Self::Status(two)) => one.cmp(two),
            _ => match (self.number(), other.number()) {
                (Some(one), Some(two)) => one.total_cmp(&two),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (None, None) => folded(self.text()).cmp(folded(other.text())),
            },
        };
        if descending { order.reverse() } else { order }
    }

    fn text(&self) -> &str {
        if let Self::Text(text) = self { text } else { "" }
    }

    fn number(&self) -> Option<f64> {
        self.text().parse().ok().filter(|number: &f64| number.is_finite())
    }
}

fn folded(text: &str) -> impl Iterator<Item = char> {
    text.chars().flat_map(char::to_lowercase)
}
