//! What an operator is told of both sides, and that nothing is changed by asking.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Output;

use serde_json::Value;
use tandem::simulator::{Config, Handle, Simulator};

use crate::support::tandem;

fn configure(directory: &Path, sim: &Handle, more: &str) {
    let access = sim.access();
    let text = format!(
        r#"
[server]
admin_listen = "127.0.0.1:1"
[integration.acme.bigpanda]
api_url = "{}"
api_key = "{}"
app_key = "{}"
environment_id = "{}"
[integration.acme.servicenow]
url = "{}"
username = "{}"
password = "{}"
[integration.acme.webhook]
token = "0123456789abcdef0123"
{more}
"#,
        access.bigpanda.url,
        access.bigpanda.api_key,
        access.bigpanda.app_key,
        access.bigpanda.environment_id,
        access.servicenow.url,
        access.servicenow.user,
        access.servicenow.password,
    );
    std::fs::write(directory.join("tandem.toml"), text).unwrap();
}

async fn doctor(directory: &Path, arguments: &[&str]) -> Output {
    let (directory, arguments) = (directory.to_owned(), [&["doctor"], arguments].concat());
    let arguments: Vec<String> = arguments.into_iter().map(str::to_owned).collect();
    let run = move || tandem(&directory, &[], &arguments.iter().map(String::as_str).collect::<Vec<_>>());
    tokio::task::spawn_blocking(run).await.unwrap()
}

/// Code → level and sentence, of the integration.
async fn findings(directory: &Path, arguments: &[&str]) -> BTreeMap<String, (String, String)> {
    let output = doctor(directory, &[arguments, &["--json"]].concat()).await;
    let chapters: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    let chapter = chapters.iter().find(|chapter| chapter["about"] == "acme").unwrap();
    let text = |finding: &Value, key: &str| finding[key].as_str().unwrap().to_owned();
    let all = chapter["findings"].as_array().unwrap().iter();
    all.map(|finding| (text(finding, "code"), (text(finding, "level"), text(finding, "sentence")))).collect()
}

async fn world(config: Config) -> (Handle, tempfile::TempDir) {
    let sim = Simulator::start(config).await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    configure(directory.path(), &sim, "");
    (sim, directory)
}

#[tokio::test(flavor = "multi_thread")]
async fn two_sides_in_order_are_told_so() {
    let (sim, directory) = world(Config::default()).await;
    let output = doctor(directory.path(), &[]).await;
    let told = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{told}");
    let access = sim.access();
    let told = told.replace(&access.bigpanda.url, "BIGPANDA").replace(&access.servicenow.url, "SERVICENOW");
    let sides = told.split("\nacme\n").nth(1).unwrap();
    insta::assert_snapshot!(sides, @r#"
      ok    SERVICENOW answers and knows the credentials [servicenow.reach]
      ok    ServiceNow's clock agrees with this machine's [servicenow.clock]
      ok    the table incident can be read [servicenow.read]
      ok    the integration user's time zone is UTC [servicenow.time-zone]
      ok    the instance runs Australia (glide-australia-02-11-2026__patch1.zip) [servicenow.release]
      ok    the columns that the sync needs are in incident [servicenow.columns]
      ok    the columns u_bp_* are in incident [servicenow.bigpanda-columns]
      ok    incident has the closure codes that the settings name [servicenow.close-code]
      ok    BigPanda's own application is not in this instance [servicenow.original]
      ok    BIGPANDA answers and knows the API key [bigpanda.reach]
      ok    BigPanda's clock agrees with this machine's [bigpanda.clock]
      ok    the environment All Incidents is there [bigpanda.environment]
      ok    the tag servicenow_link is there, of the type Text [bigpanda.tag]
    14 ok, 1 to look at, 0 wrong
    "#);
    let writes = sim.servicenow_requests().requests().into_iter().filter(|request| request.method != "GET").count();
    assert_eq!(writes, 0, "asking changed something");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_side_that_does_nothing_is_told_with_the_way_out() {
    let (sim, directory) = world(Config::default()).await;
    configure(directory.path(), &sim, "[integration.acme.incidents]\nactive = false");
    let file = directory.path().join("tandem.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let without: String =
        text.lines().filter(|line| !line.starts_with("environment_id")).collect::<Vec<_>>().join("\n");
    std::fs::write(&file, without).unwrap();
    let output = doctor(directory.path(), &[]).await;
    let told = String::from_utf8(output.stdout).unwrap();
    let sides = told.split("\nacme\n").nth(1).unwrap();
    let warnings: Vec<&str> = sides.lines().filter(|line| line.starts_with("  warn") || line.contains("→")).collect();
    insta::assert_snapshot!(warnings.join("\n"), @r#"
    warn  incidents are switched off: every share is answered 503, and no ticket is made [incidents.active]
          → take `incidents.active = false` out of the configuration, unless it is meant
    warn  bigpanda.environment_id is not set: BigPanda is not polled, and an incident whose share names no environment gets no tag and no comment [bigpanda.environment]
          → write the id of one that shows all incidents into bigpanda.environment_id; there are 63bd568809cb331300ff0001 (All Incidents)
    "#);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_original_beside_us_is_a_failure_until_it_is_switched_off() {
    let (sim, directory) = world(Config { original: true, ..Config::default() }).await;
    let output = doctor(directory.path(), &[]).await;
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8(output.stdout).unwrap();
    let original =
        told.lines().skip_while(|line| !line.contains("BigPanda's own")).take(5).collect::<Vec<_>>().join("\n");
    insta::assert_snapshot!(original, @r#"
    fail  BigPanda's own application 2.9.4 (from the Store) is installed here, and its incidents module is active [servicenow.original]
          → set x_bip_panda.incidentsActive to false before this host takes shares, or each incident gets two tickets
    fail  the original's scheduled job Retrieve Incidents is active [servicenow.original-job]
          → open Scheduled Jobs, Retrieve Incidents, and clear Active
    ok    incident has x_bip_panda_bigpanda_id: `tandem adopt` takes over the tickets that the original made [servicenow.original-tickets]
    "#);

    for (table, name, field) in
        [("sys_properties", "x_bip_panda.incidentsActive", "value"), ("sysauto_script", "Retrieve Incidents", "active")]
    {
        let row = sim.records(table).into_iter().find(|row| row.fields["name"] == name).unwrap();
        assert!(sim.edit_record(table, &row.sys_id, "admin", &[(field, "false")]).unwrap());
    }
    let found = findings(directory.path(), &[]).await;
    assert_eq!((found["servicenow.original"].0.as_str(), found["servicenow.original-job"].0.as_str()), ("ok", "ok"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_settings_name_and_the_instance_lacks_is_found() {
    let (sim, directory) = world(Config { bigpanda_columns: false, ..Config::default() }).await;
    let more = r#"
[integration.acme.incidents]
assignment_group = "Nobody at all"
close_code = "Solved (Permanently)"
update_fields = ["urgency", "u_nothing"]
response_incident_tag = "priority"
"#;
    configure(directory.path(), &sim, more);
    let found = findings(directory.path(), &[]).await;
    let told: Vec<String> = [
        "servicenow.close-code",
        "servicenow.fields",
        "servicenow.bigpanda-columns",
        "servicenow.reference",
        "bigpanda.tag",
    ]
    .map(|code| format!("{} {}", found[code].0, found[code].1))
    .to_vec();
    insta::assert_snapshot!(told.join("\n"), @r#"
    fail incident has no closure code Solved (Permanently), so tickets could not be resolved
    fail incident lacks u_nothing
    warn incident lacks u_bp_active_alerts_count, u_bp_alerts_count, u_bp_alerts_statuses, u_bp_environment, u_bp_environment_id, u_bp_event_type, u_bp_incident_id, u_bp_incident_status, u_bp_incident_url, u_bp_preview_url, u_bp_sender, u_bp_timeline_url
    warn incidents.assignment_group names no record of sys_user_group, so assignment_group would stay empty
    fail the tag priority is of the type Priority, and only Text tags are written
    "#);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_user_may_not_see_is_not_taken_for_absent() {
    let (sim, directory) = world(Config { original: true, ..Config::default() }).await;
    sim.bulk("incident", 1, &BTreeMap::new()).unwrap();
    let hidden =
        ["sys_dictionary", "sys_properties", "sys_scope", "sys_store_app", "sysauto_script", "sys_choice", "sys_user"];
    sim.configure(|settings| settings.unreadable_tables.extend(hidden.map(str::to_owned)));
    let found = findings(directory.path(), &[]).await;
    for code in ["servicenow.original", "servicenow.original-job", "servicenow.release", "servicenow.close-code"] {
        assert_eq!(found[code].0, "warn", "{code}: {}", found[code].1);
    }
    assert_eq!(found["servicenow.time-zone"].0, "warn");
    // A ticket shows its columns where the dictionary is hidden.
    assert_eq!(found["servicenow.columns"].0, "ok");
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_that_are_refused_and_clocks_that_differ_are_told() {
    let (sim, directory) = world(Config::default()).await;
    sim.servicenow_clock().skew(-90_000);
    let found = findings(directory.path(), &["--set", "integration.acme.bigpanda.api_key=wrong"]).await;
    assert_eq!(found["servicenow.clock"].0, "warn");
    assert_eq!(found["bigpanda.credentials"].0, "fail");
    let found = findings(directory.path(), &["--set", "integration.acme.servicenow.password=wrong"]).await;
    assert_eq!(found["servicenow.credentials"].0, "fail");
    assert!(!found.contains_key("servicenow.columns"), "asked on in vain");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_write_that_is_tried_changes_nothing() {
    let (sim, directory) = world(Config::default()).await;
    let ours = BTreeMap::from([("correlation_display".to_owned(), "BigPanda".to_owned())]);
    assert_eq!(findings(directory.path(), &["--write-check"]).await["servicenow.write"].0, "warn");
    sim.bulk("incident", 1, &ours).unwrap();
    let before = sim.tickets();
    assert_eq!(findings(directory.path(), &["--write-check"]).await["servicenow.write"].0, "ok");
    assert_eq!(sim.tickets()[0].fields, before[0].fields);
    assert_eq!(sim.servicenow_requests().requests().iter().filter(|request| request.method == "PATCH").count(), 1);
}
