//! The smallest plugin: what it costs is what an instance costs.

use tandem_guest::{Answer, Event, NoConfig, Plugin, ShortDescription, Text};

struct Noop;

impl Plugin for Noop {
    type Config = NoConfig;
}

impl ShortDescription for Noop {
    fn short_description(_: &Event, _: &NoConfig) -> Answer<Text> {
        Ok(Text::new(""))
    }
}

tandem_guest::export!(Noop: ShortDescription);
