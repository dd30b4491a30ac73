//! Reading JSON that two vendors' dialects and every customer compose differently, without losing speed.
//!
//! A value is found, missing, or odd (of a kind that its place has no use for). Nothing fails here but broken JSON;
//! whether an odd value matters is for `convert` to say. Texts are borrowed from the body. Not a general JSON
//! library: only `dialect` uses it.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// What stands at a place in the body.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum Found<T> {
    /// No such key, `null`, or an empty text where a text says nothing.
    #[default]
    Missing,
    Value(T),
    /// Something of another kind, such as "a list".
    Odd(&'static str),
}

impl<T> Found<T> {
    pub(super) fn is_missing(&self) -> bool {
        matches!(self, Self::Missing)
    }
}

/// A kind of value that can be taken from some kinds of JSON and is odd in others.
pub(super) trait Take<'de>: Sized {
    fn text(_: Cow<'de, str>) -> Found<Self> {
        Found::Odd("a text")
    }
    fn integer(_: i64) -> Found<Self> {
        Found::Odd("a number")
    }
    fn float(_: f64) -> Found<Self> {
        Found::Odd("a number")
    }
    fn boolean(_: bool) -> Found<Self> {
        Found::Odd("true or false")
    }
    fn map<A: MapAccess<'de>>(mut map: A) -> Result<Found<Self>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Found::Odd("an object"))
    }
    fn list<A: SeqAccess<'de>>(mut list: A) -> Result<Found<Self>, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Found::Odd("a list"))
    }
}

struct Taker<T>(PhantomData<T>);

impl<'de, T: Take<'de>> Visitor<'de> for Taker<T> {
    type Value = Found<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }
    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Found<T>, E> {
        Ok(T::text(Cow::Borrowed(text)))
    }
    fn visit_str<E>(self, text: &str) -> Result<Found<T>, E> {
        Ok(T::text(Cow::Owned(text.to_owned())))
    }
    fn visit_i64<E>(self, number: i64) -> Result<Found<T>, E> {
        Ok(T::integer(number))
    }
    fn visit_u64<E>(self, number: u64) -> Result<Found<T>, E> {
        Ok(i64::try_from(number).map_or_else(|_| T::float(number as f64), T::integer))
    }
    fn visit_f64<E>(self, number: f64) -> Result<Found<T>, E> {
        Ok(T::float(number))
    }
    fn visit_bool<E>(self, flag: bool) -> Result<Found<T>, E> {
        Ok(T::boolean(flag))
    }
    fn visit_unit<E>(self) -> Result<Found<T>, E> {
        Ok(Found::Missing)
    }
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Found<T>, A::Error> {
        T::map(map)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Found<T>, A::Error> {
        T::list(list)
    }
}

impl<'de, T: Take<'de>> Deserialize<'de> for Found<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Taker(PhantomData))
    }
}

/// A text. Numbers and truth values are taken as they are written.
pub(super) type Text<'de> = Cow<'de, str>;

impl<'de> Take<'de> for Text<'de> {
    fn text(text: Cow<'de, str>) -> Found<Self> {
        if text.is_empty() { Found::Missing } else { Found::Value(text) }
    }
    fn integer(number: i64) -> Found<Self> {
        Found::Value(Cow::Owned(number.to_string()))
    }
    fn float(number: f64) -> Found<Self> {
        Found::Value(Cow::Owned(number.to_string()))
    }
    fn boolean(flag: bool) -> Found<Self> {
        Found::Value(Cow::Borrowed(if flag { "true" } else { "false" }))
    }
}

/// A tag's value: like [`Text`], but an empty one counts, and a list becomes one text joined by `|` as BigPanda's
/// console shows it.
#[derive(Debug)]
pub(super) struct TagText<'de>(pub(super) Cow<'de, str>);

impl<'de> Take<'de> for TagText<'de> {
    fn text(text: Cow<'de, str>) -> Found<Self> {
        Found::Value(Self(text))
    }
    fn integer(number: i64) -> Found<Self> {
        Found::Value(Self(Cow::Owned(number.to_string())))
    }
    fn float(number: f64) -> Found<Self> {
        Found::Value(Self(Cow::Owned(number.to_string())))
    }
    fn boolean(flag: bool) -> Found<Self> {
        Found::Value(Self(Cow::Borrowed(if flag { "true" } else { "false" })))
    }
    fn list<A: SeqAccess<'de>>(mut list: A) -> Result<Found<Self>, A::Error> {
        let mut joined = String::new();
        let mut odd = None;
        while let Some(item) = list.next_element::<Found<Text<'de>>>()? {
            match item {
                Found::Value(text) => {
                    if !joined.is_empty() {
                        joined.push('|');
                    }
                    joined.push_str(&text);
                }
                Found::Missing => {}
                Found::Odd(_) => odd = Some("a list of other things than texts"),
            }
        }
        Ok(odd.map_or(Found::Value(Self(Cow::Owned(joined))), Found::Odd))
    }
}

/// A truth value, also as text or as 0 and 1.
impl<'de> Take<'de> for bool {
    fn boolean(flag: bool) -> Found<Self> {
        Found::Value(flag)
    }
    fn integer(number: i64) -> Found<Self> {
        match number {
            0 => Found::Value(false),
            1 => Found::Value(true),
            _ => Found::Odd("a number"),
        }
    }
    fn text(text: Cow<'de, str>) -> Found<Self> {
        if text.is_empty() {
            Found::Missing
        } else if text.eq_ignore_ascii_case("true") {
            Found::Value(true)
        } else if text.eq_ignore_ascii_case("false") {
            Found::Value(false)
        } else {
            Found::Odd("a text")
        }
    }
}

/// A moment in epoch seconds, also as text, with a fraction, in milliseconds or as an ISO 8601 text. Zero says
/// nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment(pub(super) i64);

/// A number of this size is milliseconds: as seconds it would lie beyond the year 5000.
const MILLISECONDS_FROM: i64 = 100_000_000_000;

impl<'de> Take<'de> for Moment {
    fn integer(number: i64) -> Found<Self> {
        match number {
            0 => Found::Missing,
            MILLISECONDS_FROM.. => Found::Value(Self(number.div_euclid(1000))),
            _ => Found::Value(Self(number)),
        }
    }
    fn float(number: f64) -> Found<Self> {
        if number.is_finite() { Self::integer(number.floor() as i64) } else { Found::Odd("a number") }
    }
    fn text(text: Cow<'de, str>) -> Found<Self> {
        let text = text.trim();
        if text.is_empty() {
            return Found::Missing;
        }
        if let Ok(number) = text.parse::<i64>() {
            return Self::integer(number);
        }
        if let Ok(number) = text.parse::<f64>() {
            return Self::float(number);
        }
        text.parse::<jiff::Timestamp>()
            .map_or(Found::Odd("a text that is no time"), |at| Found::Value(Self(at.as_second())))
    }
}

/// A list; an object in its place counts as the list of its values.
impl<'de, T: Take<'de>> Take<'de> for Vec<Found<T>> {
    fn list<A: SeqAccess<'de>>(mut list: A) -> Result<Found<Self>, A::Error> {
        let mut items = Self::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Found::Value(items))
    }
    fn map<A: MapAccess<'de>>(mut map: A) -> Result<Found<Self>, A::Error> {
        let mut items = Self::new();
        while let Some((IgnoredAny, item)) = map.next_entry()? {
            items.push(item);
        }
        Ok(Found::Value(items))
    }
}

impl<'de, T: Take<'de>> Take<'de> for Box<T> {
    fn text(text: Cow<'de, str>) -> Found<Self> {
        boxed(T::text(text))
    }
    fn integer(number: i64) -> Found<Self> {
        boxed(T::integer(number))
    }
    fn float(number: f64) -> Found<Self> {
        boxed(T::float(number))
    }
    fn boolean(flag: bool) -> Found<Self> {
        boxed(T::boolean(flag))
    }
    fn map<A: MapAccess<'de>>(map: A) -> Result<Found<Self>, A::Error> {
        T::map(map).map(boxed)
    }
    fn list<A: SeqAccess<'de>>(list: A) -> Result<Found<Self>, A::Error> {
        T::list(list).map(boxed)
    }
}

fn boxed<T>(found: Found<T>) -> Found<Box<T>> {
    match found {
        Found::Missing => Found::Missing,
        Found::Value(value) => Found::Value(Box::new(value)),
        Found::Odd(kind) => Found::Odd(kind),
    }
}

/// A key, borrowed where the body has no escape in it.
pub(super) struct Key<'de>(pub(super) Cow<'de, str>);

struct KeyVisitor;

impl<'de> Visitor<'de> for KeyVisitor {
    type Value = Key<'de>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }
    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Key<'de>, E> {
        Ok(Key(Cow::Borrowed(text)))
    }
    fn visit_str<E>(self, text: &str) -> Result<Key<'de>, E> {
        Ok(Key(Cow::Owned(text.to_owned())))
    }
}

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(KeyVisitor)
    }
}

/// An object with named places. A place may have several names; the first that says something wins, and unknown
/// names are passed over. `text into <place>` makes a bare text stand for the object.
macro_rules! object {
    (
        $(#[$doc:meta])* $name:ident $(, text into $text:ident)?;
        $($field:ident: $type:ty = $first:literal $(| $more:literal)*;)*
    ) => {
        $(#[$doc])*
        #[derive(Debug, Default)]
        pub(super) struct $name<'de> {
            $(pub(super) $field: Found<$type>,)*
            pub(super) borrows: PhantomData<&'de str>,
        }

        impl<'de> $name<'de> {
            /// Takes the value of `key` if there is a free place for it.
            pub(super) fn place<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<bool, A::Error> {
                match key {
                    $($first $(| $more)* if self.$field.is_missing() => self.$field = map.next_value()?,)*
                    _ => return Ok(false),
                }
                Ok(true)
            }
        }

        impl<'de> Take<'de> for $name<'de> {
            $(fn text(text: Cow<'de, str>) -> Found<Self> {
                match Take::text(text) {
                    Found::Missing => Found::Missing,
                    found => Found::Value(Self { $text: found, ..Self::default() }),
                }
            })?

            fn map<A: MapAccess<'de>>(mut map: A) -> Result<Found<Self>, A::Error> {
                let mut taken = Self::default();
                while let Some(Key(key)) = map.next_key()? {
                    if !taken.place(&key, &mut map)? {
                        map.next_value::<IgnoredAny>()?;
                    }
                }
                Ok(Found::Value(taken))
            }
        }
    };
}
pub(super) use object;
