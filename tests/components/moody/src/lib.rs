//! Behaves as its setting `mood` says, or without one as the incident's tag `mood` does: well, or badly in one of many
//! ways. The setting `only` keeps the mood to one hook.
#![allow(
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    clippy::match_wildcard_for_single_variants,
    clippy::unwrap_used,
    clippy::indexing_slicing
)]

use serde::Deserialize;
use serde::de::IntoDeserializer as _;
use serde::de::value::Error as Unread;
use tandem_guest::{
    Answer, Body, Choice, Description, Error, Event, Fields, Gate, Journal, Patch, Plugin, PrimaryAlert,
    ShortDescription, Text, Verdict, clock, log, random,
};

#[derive(Default, Deserialize)]
#[serde(default)]
struct Config {
    mood: Option<Mood>,
    only: Option<String>,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Mood {
    #[default]
    Well,
    Skip,
    Panic,
    Loop,
    Memory,
    Recursion,
    Calls,
    LogFlood,
    BigOutput,
    ManyOperations,
    LongNote,
    Forbidden,
    NoSuchAlert,
    Transient,
    Stop,
    Hold,
    /// Shows what it was given.
    Telling,
    /// Answers with what was proposed before, and a mark.
    Wrapping,
}

struct Moody;

impl Plugin for Moody {
    type Config = Config;
}

impl Config {
    /// The mood in which this hook finds the plugin, after what no answer can come from.
    fn on(&self, event: &Event, hook: &str) -> Answer<Mood> {
        if self.only.as_deref().is_some_and(|only| only != hook) {
            return Ok(Mood::Well);
        }
        let tagged = || {
            let tag = event.incident_tag("mood")?;
            Mood::deserialize(tag.into_deserializer()).map_err(|_: Unread| ()).ok()
        };
        match self.mood.or_else(tagged).unwrap_or_default() {
            Mood::Skip => Err(Error::skip("not in the mood")),
            Mood::Panic => panic!("in a bad mood\nabout {hook}"),
            Mood::Loop => loop {
                std::hint::black_box(());
            },
            Mood::Memory => {
                let mut hoard = Vec::new();
                loop {
                    hoard.push(std::hint::black_box(vec![1_u8; 1 << 20]));
                }
            }
            Mood::Recursion => Ok(if deeper(1) == 0 { Mood::Skip } else { Mood::Well }),
            Mood::Calls => {
                for _ in 0..20_000 {
                    std::hint::black_box(clock::now());
                }
                Ok(Mood::Well)
            }
            Mood::LogFlood => {
                for line in 0..1_000 {
                    log::warn(&format!("line {line} of a flood\u{1b}[31m"));
                }
                Ok(Mood::Well)
            }
            Mood::Transient => Err(Error::Transient("the moon is in the wrong house".into())),
            mood => Ok(mood),
        }
    }
}

#[expect(unconditional_recursion, reason = "that is the mood")]
fn deeper(depth: u64) -> u64 {
    std::hint::black_box(deeper(std::hint::black_box(depth + 1)) + 1)
}

impl Gate for Moody {
    fn gate(event: &Event, config: &Config) -> Answer<Verdict> {
        Ok(match config.on(event, "gate")? {
            Mood::Stop => Verdict::Skip("enough for today".into()),
            Mood::Hold => Verdict::Hold(tandem_guest::Hold { until: clock::now() + 1_000, reason: "later".into() }),
            _ => Verdict::Proceed,
        })
    }
}

impl PrimaryAlert for Moody {
    fn primary_alert(event: &Event, config: &Config) -> Answer<Choice> {
        Ok(match config.on(event, "primary-alert")? {
            Mood::NoSuchAlert => Choice::of(999),
            _ => Choice { alert: event.alerts().len().checked_sub(1), reason: Some("the last".into()) },
        })
    }
}

impl ShortDescription for Moody {
    fn short_description(event: &Event, config: &Config) -> Answer<Text> {
        let primary = event.primary_alert().map_or("none", |alert| alert.id());
        Ok(match config.on(event, "short-description")? {
            Mood::BigOutput => Text::new("x".repeat(300 << 10)),
            Mood::Telling => Text::new(format!("{} {primary} {} {}", clock::now(), random::next(), random::next())),
            Mood::Wrapping => {
                Text::new(format!("[{}]", event.proposed().value("short_description").unwrap_or("nothing")))
            }
            _ => Text::new(format!("moody about {primary}")).on_update().because("it is what it is"),
        })
    }
}

impl Description for Moody {
    fn description(event: &Event, config: &Config) -> Answer<Body> {
        Ok(match config.on(event, "description")? {
            Mood::LongNote => Body::new("short").with_work_note("n".repeat(5_000)),
            _ => Body::new(format!("{} alerts", event.alerts().len())),
        })
    }
}

impl Fields for Moody {
    fn fields(event: &Event, config: &Config) -> Answer<Patch> {
        let mut patch = Patch::new();
        match config.on(event, "fields")? {
            Mood::Forbidden => {
                patch.set("urgency", "1");
                patch.set("forbidden", "x");
                patch.set("impact", "2");
            }
            Mood::ManyOperations => {
                for number in 0..600 {
                    patch.set(format!("u_{number}"), "x");
                }
            }
            _ => {
                patch.set("category", "moody").on_update();
                patch.reference("assignment_group", "sys_user_group", "name", "Database").because("by setting");
                patch.note(Journal::Comments, "hello");
            }
        }
        Ok(patch)
    }
}

tandem_guest::export!(Moody: Gate, PrimaryAlert, ShortDescription, Description, Fields);
