//! A secret as a type: it never prints, and reading it is an explicit call.
//!
//! Not an encryption: the text lies in memory as it is. It has no serialisation, so that it cannot slip into a
//! stored row, an export or an answer. Equality is for settings; comparing a credential that a stranger sent
//! is `web`'s job, in constant time.

use std::fmt;

use serde::{Deserialize, Deserializer};

/// What a secret shows instead of itself.
pub const MASK: &str = "********";

/// A value that is kept out of every text. `Debug` and `Display` print [`MASK`].
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret<T = String>(T);

impl<T> Secret<T> {
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself. Never pass it to a log, an error or an answer.
    pub fn expose(&self) -> &T {
        &self.0
    }
}

impl Secret<String> {
    /// Whether there is nothing to keep secret.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

impl<T> fmt::Display for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

impl From<&str> for Secret<String> {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<String> for Secret<String> {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Secret<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_never_prints() {
        #[derive(Debug)]
        struct Holder {
            #[expect(dead_code, reason = "only printed")]
            password: Secret,
        }
        let holder = Holder { password: Secret::from("hunter2") };
        assert_eq!(format!("{holder:?} {}", Secret::from("hunter2")), "Holder { password: ******** } ********");
    }

    #[test]
    fn a_secret_reads_from_configuration_and_yields_its_value_on_request() {
        let secret: Secret = serde_json::from_str("\"hunter2\"").unwrap();
        assert_eq!(secret.expose(), "hunter2");
        assert!(Secret::<String>::default().is_empty());
    }
}
