//! Settings: a JSON value as a packed table of nodes, read straight into an author's type through serde.
//!
//! A node has three words, in the order of the text: its kind and two more (`wit/README.md`). An object's
//! members follow it as key, value, key, value.

use std::fmt;

use serde::de::value::BorrowedStrDeserializer;
use serde::de::{self, DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Visitor};

use crate::table::{Row, Table};

/// Kinds of a node.
pub(crate) mod kind {
    pub(crate) const NULL: u32 = 0;
    pub(crate) const BOOL: u32 = 1;
    pub(crate) const SIGNED: u32 = 2;
    pub(crate) const UNSIGNED: u32 = 3;
    pub(crate) const FLOAT: u32 = 4;
    pub(crate) const TEXT: u32 = 5;
    pub(crate) const LIST: u32 = 6;
    pub(crate) const OBJECT: u32 = 7;
}

/// Why the settings are not what the plugin's type asks for.
#[derive(Debug)]
pub(crate) struct Mismatch(String);

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Mismatch {}

impl de::Error for Mismatch {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

/// Reads the whole tree. An empty table is an empty object.
pub(crate) fn read<'de, T: de::Deserialize<'de>>(table: &'de Table) -> Result<T, Mismatch> {
    if table.len() == 0 {
        return T::deserialize(de::value::MapDeserializer::<_, Mismatch>::new(std::iter::empty::<(&str, &str)>()));
    }
    T::deserialize(&mut Reader { table, next: 0 })
}

struct Reader<'de> {
    table: &'de Table,
    next: usize,
}

impl<'de> Reader<'de> {
    fn take(&mut self) -> Result<Row<'de>, Mismatch> {
        let row = self.table.row(self.next).ok_or_else(|| Mismatch("the settings end too early".into()))?;
        self.next += 1;
        Ok(row)
    }
}

impl<'de> Deserializer<'de> for &mut Reader<'de> {
    type Error = Mismatch;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        let node = self.take()?;
        match node.number(0) {
            kind::NULL => visitor.visit_unit(),
            kind::BOOL => visitor.visit_bool(node.number(1) != 0),
            kind::SIGNED => visitor.visit_i64(node.long(1).unwrap_or(0)),
            kind::UNSIGNED => visitor.visit_u64(node.long(1).unwrap_or(0) as u64),
            kind::FLOAT => visitor.visit_f64(f64::from_bits(node.long(1).unwrap_or(0) as u64)),
            kind::TEXT => visitor.visit_borrowed_str(node.text(1)),
            kind::LIST => visitor.visit_seq(Members { left: node.number(1), reader: self }),
            kind::OBJECT => visitor.visit_map(Members { left: node.number(1), reader: self }),
            other => {
                Err(Mismatch(format!("the settings hold a value of a kind that this plugin is too old for ({other})")))
            }
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        if self.table.row(self.next).is_some_and(|node| node.number(0) == kind::NULL) {
            self.next += 1;
            visitor.visit_none()
        } else {
            visitor.visit_some(self)
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        visitor.visit_newtype_struct(self)
    }

    /// A word alone is a variant without content, an object with one member is a variant with content, as in JSON.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        let node = self.take()?;
        match node.number(0) {
            kind::TEXT => visitor.visit_enum(node.text(1).into_deserializer()),
            kind::OBJECT if node.number(1) == 1 => visitor
                .visit_enum(de::value::MapAccessDeserializer::new(Members { left: node.number(1), reader: self })),
            _ => Err(Mismatch("expected a word, or an object with one member".into())),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        // A list or an object says in its third word how many nodes belong to it.
        let node = self.take()?;
        if matches!(node.number(0), kind::LIST | kind::OBJECT) {
            self.next += node.number(2) as usize;
        }
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq
        tuple tuple_struct map struct identifier
    }
}

/// What is left of a list or an object.
struct Members<'a, 'de> {
    reader: &'a mut Reader<'de>,
    left: u32,
}

impl<'de> SeqAccess<'de> for Members<'_, 'de> {
    type Error = Mismatch;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Mismatch> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        seed.deserialize(&mut *self.reader).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left as usize)
    }
}

impl<'de> MapAccess<'de> for Members<'_, 'de> {
    type Error = Mismatch;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Mismatch> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        let key = self.reader.take()?.text(1);
        seed.deserialize(BorrowedStrDeserializer::<Mismatch>::new(key)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Mismatch> {
        seed.deserialize(&mut *self.reader)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left as usize)
    }
}
