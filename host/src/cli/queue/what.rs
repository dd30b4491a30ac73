//! What `tandem queue` is told on its command line: requests and events by number, a plugin to try, a rate.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use anyhow::Context as _;

use crate::domain::id::{EventId, PluginId, RequestId};

/// One thing to decide about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum What {
    Request(RequestId),
    Event(EventId),
}

impl FromStr for What {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |digits: &str| {
            digits
                .parse::<i64>()
                .ok()
                .filter(|number| *number >= 0)
                .ok_or_else(|| "give a number such as 17 for a request, or e17 for a quarantined event".to_owned())
        };
        match text.strip_prefix('e') {
            Some(digits) => Ok(Self::Event(EventId(number(digits)?))),
            None => Ok(Self::Request(RequestId(number(text)?))),
        }
    }
}

/// A component, and the id of the plugin that it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct WithPlugin {
    id: PluginId,
    file: PathBuf,
}

impl FromStr for WithPlugin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (id, file) = text.split_once('=').ok_or("give it as ID=FILE.wasm, such as description=fixed.wasm")?;
        Ok(Self { id: PluginId::new(id).map_err(|error| error.to_string())?, file: file.into() })
    }
}

impl WithPlugin {
    /// The id as part of an address.
    pub(super) fn encoded(&self) -> String {
        url::form_urlencoded::byte_serialize(self.id.as_str().as_bytes()).collect()
    }

    pub(super) fn read(&self) -> anyhow::Result<Vec<u8>> {
        std::fs::read(&self.file).with_context(|| format!("{} cannot be read", self.file.display()))
    }
}

/// So many in each second, minute or hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rate {
    pub(super) count: u32,
    pub(super) per: Duration,
}

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "give it as 10/s, 30/m or 500/h".to_owned();
        let (count, unit) = text.split_once('/').ok_or_else(wrong)?;
        let per = match unit {
            "s" => Duration::from_secs(1),
            "m" => Duration::from_mins(1),
            "h" => Duration::from_hours(1),
            _ => return Err(wrong()),
        };
        let count = count.parse().ok().filter(|count| (1..=10_000).contains(count)).ok_or_else(wrong)?;
        Ok(Self { count, per })
    }
}

impl Rate {
    /// As in "10 a second".
    pub(super) fn words(self) -> String {
        let unit = match self.per.as_secs() {
            1 => "a second",
            60 => "a minute",
            _ => "an hour",
        };
        format!("{} {unit}", self.count)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_typed_is_read_or_refused_with_an_example() {
        assert_eq!("17".parse(), Ok(What::Request(RequestId(17))));
        assert_eq!("e17".parse(), Ok(What::Event(EventId(17))));
        for wrong in ["", "e", "-1", "17e", "all"] {
            assert!(wrong.parse::<What>().unwrap_err().contains("such as 17"), "{wrong}");
        }
        let with: WithPlugin = "description=a=b.wasm".parse().unwrap();
        assert_eq!((with.id.as_str(), with.file), ("description", PathBuf::from("a=b.wasm")));
        for wrong in ["fixed.wasm", "=fixed.wasm"] {
            assert!(wrong.parse::<WithPlugin>().is_err(), "{wrong}");
        }
        assert_eq!("30/m".parse(), Ok(Rate { count: 30, per: Duration::from_secs(60) }));
        for wrong in ["10", "0/s", "10/d", "/s", "-1/s", "1.5/s"] {
            assert!(wrong.parse::<Rate>().is_err(), "{wrong}");
        }
    }
}
