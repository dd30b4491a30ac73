//! Never answers: it waits for a status that cannot change while it waits.

use tandem_guest::{Answer, Event, NoConfig, Plugin, ShortDescription, Status, Text};

struct Loops;

impl Plugin for Loops {
    type Config = NoConfig;
}

impl ShortDescription for Loops {
    fn short_description(event: &Event, _: &NoConfig) -> Answer<Text> {
        while event.incident().status() != Status::Ok {
            std::hint::black_box(event);
        }
        Ok(Text::new("resolved at last"))
    }
}

tandem_guest::export!(Loops: ShortDescription);
