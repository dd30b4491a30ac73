//! Reads a record out of a request body: names and texts, whatever JSON types the caller used.
//!
//! Not the meaning of the fields. Called by the table and import routes. Holds always: of a list or of `records` only
//! the first record counts, as on the platform; text is borrowed from the body where JSON allows it.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// The fields of one record in the order sent.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Fields<'a>(pub(crate) Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'a> Fields<'a> {
    /// `None` when the body is not a JSON object (or a list that starts with one).
    pub(crate) fn parse(body: &'a [u8]) -> Option<Self> {
        serde_json::from_slice::<Record<'a>>(body).ok().map(|record| Self(record.0))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, text)| (name.as_ref(), text.as_ref()))
    }
}

struct Record<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'de> Deserialize<'de> for Record<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RecordVisitor)
    }
}

struct RecordVisitor;

impl<'de> Visitor<'de> for RecordVisitor {
    type Value = Record<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a record")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = Vec::with_capacity(16);
        while let Some(Text(name)) = map.next_key()? {
            if name == "records" {
                if let Inner::Record(record) = map.next_value()? {
                    while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                    return Ok(record);
                }
            } else {
                let Text(text) = map.next_value()?;
                fields.push((name, text));
            }
        }
        Ok(Record(fields))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let first = list.next_element::<Record<'de>>()?;
        while list.next_element::<IgnoredAny>()?.is_some() {}
        first.ok_or_else(|| A::Error::custom("no record in the list"))
    }
}

/// A member named `records`: a list of records, or an ordinary value that is dropped.
enum Inner<'a> {
    Record(Record<'a>),
    Other,
}

impl<'de> Deserialize<'de> for Inner<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InnerVisitor;
        impl<'de> Visitor<'de> for InnerVisitor {
            type Value = Inner<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of records")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Self::Value, A::Error> {
                RecordVisitor.visit_seq(list).map(Inner::Record)
            }
            fn visit_str<E: Error>(self, _: &str) -> Result<Self::Value, E> {
                Ok(Inner::Other)
            }
            fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
                Ok(Inner::Other)
            }
        }
        deserializer.deserialize_any(InnerVisitor)
    }
}

/// Any JSON value as the text that the platform would store.
pub(crate) struct Text<'a>(pub(crate) Cow<'a, str>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Text(Cow::Owned(text.to_owned())))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Text(Cow::Borrowed(if value { "true" } else { "false" })))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Text(Cow::Owned(value.to_string())))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Text(Cow::Owned(value.to_string())))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Text(Cow::Owned(value.to_string())))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Text(Cow::Borrowed("")))
    }

    /// `{"value": …}` or `{"display_value": …}`, as a caller sends back what it has read.
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut value, mut display) = (None, None);
        while let Some(Text(name)) = map.next_key()? {
            match name.as_ref() {
                "value" => value = Some(map.next_value::<Text<'de>>()?.0),
                "display_value" => display = Some(map.next_value::<Text<'de>>()?.0),
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(Text(value.or(display).unwrap_or_default()))
    }

    /// A list becomes comma-separated text.
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut parts = Vec::new();
        while let Some(Text(part)) = list.next_element()? {
            parts.push(part);
        }
        Ok(Text(Cow::Owned(parts.join(","))))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn read(body: &str) -> Option<Vec<(String, String)>> {
        Fields::parse(body.as_bytes())
            .map(|fields| fields.iter().map(|(name, text)| (name.to_owned(), text.to_owned())).collect())
    }

    #[test]
    fn values_of_any_json_type_become_text() {
        let fields =
            read(r#"{"a":"x\ny","b":3,"c":true,"d":null,"e":{"link":"l","value":"v"},"f":["1",2],"g":1.5}"#).unwrap();
        let texts: Vec<&str> = fields.iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!(texts, ["x\ny", "3", "true", "", "v", "1,2", "1.5"]);
    }

    #[test]
    fn only_the_first_record_of_a_list_counts() {
        let expected = vec![("a".to_owned(), "1".to_owned())];
        assert_eq!(read(r#"[{"a":1},{"a":2}]"#).unwrap(), expected);
        assert_eq!(read(r#"{"records":[{"a":1},{"a":2}]}"#).unwrap(), expected);
    }

    #[test]
    fn anything_else_is_not_a_record() {
        for body in ["", "7", "\"a\"", "[]", "{\"a\":", "[3]"] {
            assert!(read(body).is_none(), "{body}");
        }
    }
}
