//! Panics: it counts on a tag that no alert has.

use tandem_guest::{Answer, Event, NoConfig, Plugin, ShortDescription, Text};

struct Panics;

impl Plugin for Panics {
    type Config = NoConfig;
}

impl ShortDescription for Panics {
    #[expect(clippy::expect_used, reason = "what happens then is the test")]
    fn short_description(event: &Event, _: &NoConfig) -> Answer<Text> {
        let rack = event.alerts().find_map(|alert| alert.tag("rack")).expect("every alert has a rack");
        Ok(Text::new(rack))
    }
}

tandem_guest::export!(Panics: ShortDescription);
