//! A share's headers, from the names that BigPanda documents to the settings that hold for that share.

use std::path::PathBuf;

use tandem::bigpanda::share::layers;
use tandem::config::{Inputs, Integration, load};

fn acme() -> Integration {
    let set = [
        "bigpanda.api_key=a",
        "bigpanda.app_key=b",
        "servicenow.url=https://acme.service-now.com",
        "servicenow.username=bigpanda",
        "servicenow.password=c",
        "webhook.token=0123456789abcdef",
    ];
    let set = set.map(|setting| format!("integration.acme.{setting}")).to_vec();
    let inputs = Inputs { set, directory: PathBuf::from("/nowhere"), ..Inputs::default() };
    load(&inputs).unwrap().config.integrations.remove(0)
}

#[test]
fn every_option_of_the_original_application_can_be_set_by_its_header() {
    let headers = [
        ("assignmentGroup", "Network"),
        ("callerIdEmail", "caller@acme.example"),
        ("openedByEmail", "opener@acme.example"),
        ("resolvedByEmail", "resolver@acme.example"),
        ("cmdbCiField", "hostname"),
        ("primaryAlert", "status=warning, -startedOn"),
        ("priorityInShortDescription", "true"),
        ("aiaInShortDescription", "true"),
        ("aiaInDescription", "true"),
        ("descriptionIncidentTags", "owner, site"),
        ("descriptionAlertTags", "check"),
        ("maxAlertsInDescription", "3"),
        ("addBigpandaLinksToDescription", "false"),
        ("addDescriptionToWorkNotes", "true"),
        ("resolveServicenowIncident", "false"),
        ("resolveBigpandaIncident", "false"),
        ("sendClosureCode", "true"),
        ("reopenResolved", "false"),
        ("reopenWindow", "1h"),
        ("commentsToServicenow", "comments"),
        ("notesToBigpanda", "both"),
        ("closeCode", "Known error"),
        ("closeCodeMapping", "[{ tag = \"cause\", value = \"*\", close_code = \"User error\" }]"),
        ("closeNotes", "Over at {end}."),
        ("updateFields", "urgency,impact"),
        ("responseIncidentTag", "snow_link"),
        ("incidentTagMapping", "[{ tag = \"site\", field = \"u_site\", direction = \"both\" }]"),
    ];
    let names = headers.map(|(name, value)| (format!("X-BP-Config-{name}"), value));
    let sorted = layers(names.iter().map(|(name, value)| (name.as_str(), value.as_bytes()))).unwrap();
    assert_eq!(sorted.overrides.ignored, Vec::<String>::new());
    let acme = acme();
    let (settings, ignored) = acme.with_overrides(&sorted.overrides);
    assert_eq!(ignored, Vec::<String>::new());

    let before = serde_json::to_value(&*acme.settings).unwrap();
    let after = serde_json::to_value(&*settings).unwrap();
    let same: Vec<_> = before.as_object().unwrap().iter().filter(|(key, value)| after[*key] == **value).collect();
    let untouched: Vec<_> = same.iter().map(|(key, _)| key.as_str()).collect();
    let not_by_shares =
        ["active", "mandatory_on_resolve", "priority_tag", "show_incident_button", "show_timeline_button"];
    assert_eq!(untouched, not_by_shares, "a header had no effect");
    assert_eq!(settings.update_fields, ["urgency", "impact"]);
    assert_eq!(settings.tag_mapping[0].field, "u_site");
}
