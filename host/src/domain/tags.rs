//! The tags of one alert, in one text.
//!
//! An incident with twenty alerts has two hundred of them. As texts of their own they would cost more than anything else
//! that is done with a share: each is allocated, copied and freed again. Incident tags are few and change, so they stay
//! a list of [`Tag`].

use serde::{Deserialize, Serialize};

use super::incident::Tag;

/// Names and values in the order in which they came. Names may repeat.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<Tag>", into = "Vec<Tag>")]
pub struct Tags {
    /// A name, its value, the next name, …
    text: String,
    /// Where in the text each name and its value end.
    ends: Vec<[u32; 2]>,
}

/// Where a name and its value are in [`Tags::text`], in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub name: u32,
    pub value: u32,
    pub end: u32,
}

impl Tags {
    /// Room for so many tags with so many bytes of names and values.
    pub fn with_capacity(tags: usize, bytes: usize) -> Self {
        Self { text: String::with_capacity(bytes), ends: Vec::with_capacity(tags) }
    }

    /// Adds a tag. A share is much smaller than the four gigabytes that places reach.
    pub fn push(&mut self, name: &str, value: &str) {
        self.text.push_str(name);
        let name_end = self.text.len() as u32;
        self.text.push_str(value);
        self.ends.push([name_end, self.text.len() as u32]);
    }

    pub fn len(&self) -> usize {
        self.ends.len()
    }

    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// All names and values, one after the other.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Where each tag is in the text.
    pub fn places(&self) -> impl Iterator<Item = Place> + '_ {
        let mut begin = 0;
        self.ends.iter().map(move |[value, end]| {
            let place = Place { name: begin, value: *value, end: *end };
            begin = *end;
            place
        })
    }

    /// Names with their values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> + '_ {
        let part = |from: u32, to: u32| self.text.get(from as usize..to as usize).unwrap_or_default();
        self.places().map(move |Place { name, value, end }| (part(name, value), part(value, end)))
    }

    /// The value of the first tag of that name, in exact case.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }
}

impl FromIterator<Tag> for Tags {
    fn from_iter<I: IntoIterator<Item = Tag>>(all: I) -> Self {
        let mut tags = Self::default();
        for Tag { name, value } in all {
            tags.push(&name, &value);
        }
        tags
    }
}

impl From<Vec<Tag>> for Tags {
    fn from(all: Vec<Tag>) -> Self {
        all.into_iter().collect()
    }
}

impl From<Tags> for Vec<Tag> {
    fn from(tags: Tags) -> Self {
        tags.iter().map(|(name, value)| Tag { name: name.to_owned(), value: value.to_owned() }).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_put_in_comes_out_in_its_order(pairs in vec((any::<String>(), any::<String>()), 0..8)) {
            let mut tags = Tags::with_capacity(1, 1);
            for (name, value) in &pairs {
                tags.push(name, value);
            }
            let found: Vec<_> = tags.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
            prop_assert_eq!(&found, &pairs);
            prop_assert_eq!(tags.len(), pairs.len());
            for (name, _) in &pairs {
                let first = pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
                prop_assert_eq!(tags.get(name), first);
            }
            let list: Vec<Tag> = tags.clone().into();
            prop_assert_eq!(Tags::from(list), tags);
        }
    }
}
