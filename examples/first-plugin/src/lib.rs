//! Puts the service first in the short description, and gives the ticket to the team that looks after it.

use std::collections::BTreeMap;

use serde::Deserialize;
use tandem_guest::{Answer, Error, Event, Fields, Patch, Plugin, ShortDescription, Text};

/// `[plugins.config.service-first]` of `tandem.toml`.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Config {
    teams: BTreeMap<String, String>,
}

struct ServiceFirst;

impl Plugin for ServiceFirst {
    type Config = Config;
}

impl ShortDescription for ServiceFirst {
    fn short_description(event: &Event, _: &Config) -> Answer<Text> {
        let alert = event.primary_alert().ok_or_else(|| Error::skip("there is no alert"))?;
        // Who skips leaves the line to the plugins before, here to the bundled one.
        let service = alert.tag("service").ok_or_else(|| Error::skip("the alert names no service"))?;
        let what = alert.tag("check").unwrap_or("trouble");
        let host = alert.primary_value().unwrap_or("an unknown host");
        Ok(Text::new(format!("{service}: {what} on {host} ({})", alert.status().as_str())).on_update())
    }
}

impl Fields for ServiceFirst {
    fn fields(event: &Event, config: &Config) -> Answer<Patch> {
        let mut patch = Patch::new();
        let service = event.primary_alert().and_then(|alert| alert.tag("service"));
        if let Some((service, team)) = service.and_then(|service| config.teams.get_key_value(service)) {
            patch
                .reference("assignment_group", "sys_user_group", "name", team)
                .because(format!("{team} looks after {service}"));
        }
        Ok(patch)
    }
}

tandem_guest::export!(ServiceFirst: ShortDescription, Fields);

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tandem_guest::Status;
    use tandem_guest::test::{Sample, SampleAlert};

    use super::*;

    fn sample() -> Sample {
        let alert = SampleAlert::new("a-1", Status::Critical).with_tag("host", "db-1").with_tag("check", "disk full");
        Sample::new("inc-1").with_alert(alert).with_primary_alert(0)
    }

    #[test]
    fn the_service_comes_first() {
        let mut sample = sample();
        sample.incident.alerts[0] = sample.incident.alerts[0].clone().with_tag("service", "payments");
        let line = sample.run(ServiceFirst::short_description).unwrap();
        assert_eq!(line.text, "payments: disk full on db-1 (critical)");
    }

    #[test]
    fn without_a_service_the_line_is_left_to_others() {
        assert!(matches!(sample().run(ServiceFirst::short_description), Err(Error::Skip(_))));
    }

    #[test]
    fn the_ticket_goes_to_the_team_of_the_service() {
        let mut sample = sample().with_settings(json!({ "teams": { "payments": "Payments SRE" } }));
        assert!(sample.run(ServiceFirst::fields).unwrap().is_empty());
        sample.incident.alerts[0] = sample.incident.alerts[0].clone().with_tag("service", "payments");
        let patch = sample.run(ServiceFirst::fields).unwrap();
        assert_eq!(patch.operations()[0].reason.as_deref(), Some("Payments SRE looks after payments"));
    }
}
