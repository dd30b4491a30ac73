//! The configuration by itself: defaults, layers, origins, overrides.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use super::*;
use crate::domain::share::Overrides;

const ENOUGH: &str = r#"
[integration.acme.bigpanda]
api_key = { env = "BP_KEY" }
app_key = { env = "BP_APP" }
[integration.acme.servicenow]
url = "https://acme.service-now.com"
username = "bigpanda"
password = { env = "SN_PASSWORD" }
[integration.acme.webhook]
token = { env = "HOOK_TOKEN" }
"#;

fn environment() -> BTreeMap<String, String> {
    ["BP_KEY", "BP_APP", "SN_PASSWORD"]
        .iter()
        .map(|name| ((*name).to_owned(), format!("canary-{name}")))
        .chain([("HOOK_TOKEN".to_owned(), "canary-0123456789abcdef".to_owned())])
        .collect()
}

/// Loads a file's text with further environment and flags.
fn load_text(text: &str, more: &[(&str, &str)], set: &[&str]) -> Result<Loaded, Error> {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join(FILE), text).unwrap();
    let mut environment = environment();
    environment.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    load(&Inputs {
        environment,
        set: set.iter().map(|text| (*text).to_owned()).collect(),
        directory: directory.path().to_path_buf(),
        ..Inputs::default()
    })
}

fn messages(error: &Error) -> Vec<String> {
    error.problems.iter().map(|problem| problem.message().to_owned()).collect()
}

#[test]
fn the_defaults_alone_are_a_complete_configuration() {
    let directory = tempfile::tempdir().unwrap();
    let loaded = load(&Inputs { directory: directory.path().to_path_buf(), ..Inputs::default() }).unwrap();
    assert!(loaded.config.integrations.is_empty());
    assert_eq!(loaded.config.server.listen.to_string(), "127.0.0.1:7700");
    assert_eq!(loaded.config.server.body_limit, 1 << 20);
    assert_eq!(loaded.config.plugins.limits.deadline, Duration::from_millis(50));
    assert!(loaded.resolved.settings().iter().all(Shown::is_default));
}

#[test]
fn every_default_has_a_comment_above_it() {
    let lines: Vec<&str> = DEFAULTS.lines().collect();
    for (place, line) in lines.iter().enumerate() {
        if line.contains(" = ") && !line.starts_with('#') {
            assert!(lines[place - 1].starts_with("# "), "`{line}` has no comment");
        }
    }
}

#[test]
fn an_integration_inherits_the_defaults_and_overrides_them() {
    let text = format!("{ENOUGH}\n[defaults.retry]\nattempts = 4\n[integration.acme.retry]\nspacing = \"1m\"\n");
    let config = load_text(&text, &[], &[]).unwrap().config;
    let acme = &config.integrations[0];
    assert_eq!(acme.name.as_str(), "acme");
    assert_eq!((acme.retry.attempts, acme.retry.spacing), (4, Duration::from_mins(1)));
    assert_eq!(acme.retry.within_attempt, [Duration::from_secs(1), Duration::from_secs(5)]);
    assert_eq!(acme.servicenow.hosts, ["acme.service-now.com"]);
    assert_eq!(acme.bigpanda.api_key.as_ref().unwrap().expose(), "canary-BP_KEY");
    assert_eq!(acme.settings.reopen_window, Duration::from_mins(30));
    assert_eq!(acme.settings.response_incident_tag, "servicenow_link");
}

#[test]
fn each_layer_wins_over_the_one_below_and_is_named_as_origin() {
    let text = format!("{ENOUGH}\n[log]\nlevel = \"warn\"\n[server]\nbody_limit = \"2 MiB\"\n");
    let environment = [
        ("TANDEM__LOG__LEVEL", "debug"),
        ("TANDEM__SERVER__BODY_LIMIT", "3 MiB"),
        ("TANDEM__INTEGRATION__ACME__RETRY__ATTEMPTS", "2"),
        ("TANDEM__INTEGRATION__ACME__INCIDENTS__UPDATE_FIELDS", "urgency, impact"),
    ];
    let loaded = load_text(&text, &environment, &["log.level=trace"]).unwrap();
    assert_eq!(loaded.config.log.level, "trace");
    assert_eq!(loaded.config.server.body_limit, 3 << 20);
    assert_eq!(loaded.config.integrations[0].retry.attempts, 2);
    assert_eq!(loaded.config.integrations[0].settings.update_fields, ["urgency", "impact"]);
    let origin = |key: &str| {
        let shown = loaded.resolved.settings().iter().find(|shown| shown.key == key);
        shown.unwrap_or_else(|| panic!("{key} is not shown")).origin.clone()
    };
    assert_eq!(origin("log.level"), "--set log.level");
    assert_eq!(origin("server.body_limit"), "environment TANDEM__SERVER__BODY_LIMIT");
    assert_eq!(origin("integration.acme.servicenow.username"), "tandem.toml:7");
    assert_eq!(origin("integration.acme.servicenow.table"), "default");
}

#[test]
fn fragments_are_read_in_order_of_their_names_above_the_file() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join(FILE), "[log]\nlevel = \"warn\"\nformat = \"json\"\n").unwrap();
    std::fs::create_dir(directory.path().join("conf.d")).unwrap();
    std::fs::write(directory.path().join("conf.d/20.toml"), "[log]\nlevel = \"debug\"\n").unwrap();
    std::fs::write(directory.path().join("conf.d/10.toml"), "[log]\nlevel = \"error\"\n").unwrap();
    std::fs::write(directory.path().join("conf.d/30.toml~"), "not read").unwrap();
    let loaded = load(&Inputs { directory: directory.path().to_path_buf(), ..Inputs::default() }).unwrap();
    assert_eq!((loaded.config.log.level.as_str(), loaded.config.log.format), ("debug", LogFormat::Json));
    assert_eq!(loaded.files, ["tandem.toml", "conf.d/10.toml", "conf.d/20.toml"]);
}

#[test]
fn an_integration_may_live_in_the_environment_alone() {
    let prefix = "TANDEM__INTEGRATION__ACME_PROD__";
    let environment: BTreeMap<String, String> = [
        ("SERVICENOW__URL", "https://acme.service-now.com"),
        ("SERVICENOW__USERNAME", "bigpanda"),
        ("SERVICENOW__PASSWORD", "canary-1"),
        ("BIGPANDA__API_KEY", "canary-2"),
        ("BIGPANDA__APP_KEY", "canary-3"),
        ("BIGPANDA__ENVIRONMENT_ID", "63bd568809cb331300ff0001"),
        ("WEBHOOK__TOKEN", "canary-0123456789abcdef"),
        ("INCIDENTS__TAG_MAPPING", "[{ tag = \"owner\", field = \"u_owner\", direction = \"both\" }]"),
    ]
    .iter()
    .map(|(name, value)| (format!("{prefix}{name}"), (*value).to_owned()))
    .collect();
    let loaded = load(&Inputs { environment, directory: PathBuf::from("/"), ..Inputs::default() }).unwrap();
    let acme = &loaded.config.integrations[0];
    assert_eq!(acme.name.as_str(), "acme-prod");
    assert_eq!(acme.settings.tag_mapping[0].field, "u_owner");
    assert!(loaded.warnings.is_empty(), "{:?}", loaded.warnings);
}

#[test]
fn relative_paths_count_from_the_file_that_says_them_or_from_the_working_directory() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::create_dir(directory.path().join("etc")).unwrap();
    std::fs::write(directory.path().join("etc/tandem.toml"), "[store]\npath = \"queue.db\"\n").unwrap();
    let inputs = Inputs {
        file: Some(PathBuf::from("etc/tandem.toml")),
        set: vec!["plugins.directory=mine".to_owned()],
        directory: directory.path().to_path_buf(),
        ..Inputs::default()
    };
    let config = load(&inputs).unwrap().config;
    assert_eq!(config.store.path, directory.path().join("etc/queue.db"));
    assert_eq!(config.plugins.directory, directory.path().join("mine"));
}

#[test]
fn all_problems_are_found_at_once_and_in_order() {
    let text = "[server]\nlisten = \"here\"\n[lgo]\nlevel = \"info\"\n[integration.acme.servicenow]\nurl = \"acme\"\n";
    let error = load_text(text, &[("TANDEM__LOG__LEVLE", "info")], &["nonsense"]).unwrap_err();
    insta::assert_snapshot!(messages(&error).join("\n"), @r#"
    a --set has no `=`
    `log.levle` is not a setting (environment variable TANDEM__LOG__LEVLE)
    `server.listen` is `here`, which is not an address with a port
    `lgo` is not a section
    `integration.acme.bigpanda.api_key` is not set
    `integration.acme.bigpanda.app_key` is not set
    `integration.acme.webhook.token` is not set
    `integration.acme.servicenow.username` is not set
    `integration.acme.servicenow.password` is not set
    `integration.acme.servicenow.url` is `acme`, which has no https:// in front
    "#);
}

#[test]
fn an_instance_that_pulls_needs_no_address_and_no_credentials() {
    let text = "[integration.inner]\nmode = \"on-premises\"\n[integration.inner.follow_ups]\ncallback = false\ntag = false\n\
                comment = false\n[integration.inner.webhook]\ntoken = \"0123456789abcdef\"\n";
    let inner = load_text(text, &[], &[]).unwrap().config.integrations.remove(0);
    assert!(inner.is_on_premises());
    assert_eq!((inner.servicenow.url(), inner.servicenow.table.as_str()), (None, "incident"));
    let error = load_text(text, &[], &["integration.inner.mode=cloud"]).unwrap_err();
    assert!(messages(&error).iter().any(|message| message.contains("servicenow.url")), "{:?}", messages(&error));
    let error = load_text(text, &[], &["integration.inner.mode=on-prem"]).unwrap_err();
    insta::assert_snapshot!(messages(&error).join("\n"), @r#"
    `integration.inner.mode` is `on-prem`, which is not one of the choices (did you mean "on-premises"?) (--set integration.inner.mode)
    "#);
}

#[test]
fn a_secret_never_reaches_what_is_shown() {
    let text = ENOUGH.replace("{ env = \"SN_PASSWORD\" }", "\"canary-plain\"");
    let loaded = load_text(&text, &[("TANDEM__SERVER__ADMIN_TOKEN", "canary-admin-token")], &[]).unwrap();
    let shown = format!("{:?}\n{:?}", loaded.resolved, loaded.config);
    assert!(!shown.contains("canary"), "{shown}");
    assert!(shown.contains(crate::domain::secret::MASK));
    let json =
        loaded.config.integrations[0].plugin_json(&loaded.config.integrations[0].settings, &Overrides::default());
    assert!(!json.contains("canary"), "{json}");
    let warning = loaded.warnings.iter().map(|warning| warning.render(false)).collect::<String>();
    assert!(warning.contains("plain text") && !warning.contains("canary"), "{warning}");
}

#[test]
fn plugins_see_the_settings_as_json_with_what_headers_ask_for() {
    let loaded = load_text(ENOUGH, &[], &["integration.acme.incidents.assignment_group=Network"]).unwrap();
    let acme = &loaded.config.integrations[0];
    let share = Overrides {
        fields: BTreeMap::from([("category".to_owned(), "network".to_owned())]),
        mapping: vec![("host".to_owned(), "u_host".to_owned())],
        ..Overrides::default()
    };
    let json: serde_json::Value = serde_json::from_str(&acme.plugin_json(&acme.settings, &share)).unwrap();
    assert_eq!(json["assignment_group"], "Network");
    assert_eq!(json["caller_email"], serde_json::Value::Null);
    assert_eq!(json["table"], "incident");
    assert_eq!(json["header_fields"]["category"], "network");
    assert_eq!(json["header_mapping"][0][1], "u_host");
    assert_eq!(json["reopen_window"], 1800);
}

#[test]
fn headers_override_the_settings_and_bad_ones_are_ignored_with_a_sentence() {
    let loaded = load_text(ENOUGH, &[], &[]).unwrap();
    let acme = &loaded.config.integrations[0];
    let settings = [
        ("update_fields", "urgency,impact"),
        ("response_incident_tag", "snow"),
        ("resolve_servicenow_incident", "false"),
        ("max_alerts_in_description", "many"),
        ("reopen_window", "a while"),
        ("assignement_group", "Network"),
        ("colour", "blue"),
        ("active", "false"),
        ("calleremail", "nobody"),
    ];
    let share = Overrides {
        settings: settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        ..Overrides::default()
    };
    let (settings, ignored) = acme.with_overrides(&share);
    assert_eq!(settings.update_fields, ["urgency", "impact"]);
    assert_eq!(settings.response_incident_tag, "snow");
    assert!(!settings.resolve_servicenow_incident);
    assert_eq!(settings.max_alerts_in_description, acme.settings.max_alerts_in_description);
    assert_eq!(settings.assignment_group, None);
    insta::assert_snapshot!(ignored.join("\n"), @r#"
    The header x-bp-config-active was ignored: only the configuration says this.
    The header x-bp-config-assignementGroup was ignored: it names no setting. Did you mean x-bp-config-assignmentGroup?
    The header x-bp-config-callerEmail was ignored: its value is `nobody`, which is not an e-mail address; write an e-mail address such as "ops@acme.example".
    The header x-bp-config-colour was ignored: it names no setting.
    The header x-bp-config-maxAlertsInDescription was ignored: its value is `many`, which is not a whole number; write a whole number from 0 to 300.
    The header x-bp-config-reopenWindow was ignored: its value is `a while`, which has no number before `a while`; write a duration from 0s to 30d, such as "15m" or "1h 30m".
    "#);
    assert_eq!(acme.with_overrides(&Overrides::default()).1, Vec::<String>::new());
}

#[test]
fn the_window_of_reopening_may_come_in_minutes_as_the_original_counts() {
    let loaded = load_text(ENOUGH, &[], &[]).unwrap();
    let settings = BTreeMap::from([("reopen_window".to_owned(), "45".to_owned())]);
    let (settings, ignored) =
        loaded.config.integrations[0].with_overrides(&Overrides { settings, ..Overrides::default() });
    assert_eq!((settings.reopen_window, ignored.len()), (Duration::from_mins(45), 0));
}

#[test]
fn the_page_of_settings_is_as_this_program_prints_it() {
    let page = include_str!("../../SETTINGS.md");
    assert!(page == reference::page(), "run `tandem config reference > host/SETTINGS.md`");
}

#[test]
fn every_setting_of_the_original_leads_to_one_that_exists() {
    let settings = reference::settings();
    for original in original::ORIGINALS {
        let known = settings.iter().filter(|setting| setting.key == original.key).count();
        assert_eq!(known, 1, "{} of the original leads to `{}`", original.label, original.key);
    }
    for setting in &settings {
        assert!(!setting.kind.is_empty(), "`{}` is read by nobody", setting.key);
    }
}
