//! Taking the original's settings over: what the file says afterwards, what is told, and that no secret is in either.

use std::path::Path;
use std::process::Output;

use crate::support::tandem;

fn init(directory: &Path, export: &str) -> Output {
    tandem(directory, &[], &["init", "--name", "acme", "--from-servicenow", export])
}

fn talk(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn written(directory: &Path) -> String {
    let text = std::fs::read_to_string(directory.join("tandem.toml")).unwrap();
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.collect::<Vec<_>>().join("\n")
}

const XML: &str = include_str!("../exports/sys_properties.xml");

#[test]
fn an_export_of_the_original_becomes_a_configuration_that_holds() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("export.xml"), XML).unwrap();
    let done = init(directory.path(), "export.xml");
    assert_eq!(done.status.code(), Some(0), "{}", talk(&done));
    let told = talk(&done);
    let told = told.split("wrote ").next().unwrap();
    insta::assert_snapshot!(told, @r#"
    from the original's properties:
      x_bip_panda.apiKey                    → bigpanda.api_key, from the environment variable ACME_BIGPANDA_API_KEY; its value is not in the file
      x_bip_panda.bearerToken               left out: nothing asks for `bigpanda.bearer_token`
      x_bip_panda.incidentsAppKey           → bigpanda.app_key, from the environment variable ACME_BIGPANDA_APP_KEY; its value is not in the file
      x_bip_panda.changesAppKey             left out: Tandem sends no change requests to BigPanda
      x_bip_panda.incidentsActive           left out: it switches the original; here incidents are handled unless you say otherwise
      x_bip_panda.incidentsAssignmentGroup  → incidents.assignment_group = 'Network & "Edge" Operations'
      x_bip_panda.callerIdEmail             left out: it is `bigpanda@acme`, which is not an e-mail address
      x_bip_panda.openedByEmail             → incidents.opened_by_email = "bigpanda@acme.example"
      x_bip_panda.primaryAlert              → incidents.primary_alert = "status=critical, startedOn"
      x_bip_panda.descriptionAlertTags      → incidents.description_alert_tags = ["host", "check", "cmdb_ci"]
      x_bip_panda.maxAlertsInDescription    → incidents.max_alerts_in_description = 20
      x_bip_panda.resolvedByEmail           left out: it is empty, so the default holds
      x_bip_panda.resolveBigPandaIncident   → incidents.resolve_bigpanda_incident = false
      x_bip_panda.reopenServiceNow          → incidents.reopen_resolved = true
      x_bip_panda.reopenWindow              → incidents.reopen_window = "45m"
      x_bip_panda.updateFields              → incidents.update_fields = ["short_description", "description", "urgency"]
      x_bip_panda.retrievalCount            left out: its value is not a whole number
      x_bip_panda.retrievalEndpoint         left out: it leads to BigPanda; here the instance asks this host, and the update set says where
      x_bip_panda.incidentTagMapping        → incidents.tag_mapping = [{ tag = "owner_team", field = "u_owner_team", direction = "both" }, { tag = "site", field = "location", direction = "to-servicenow" }]
      x_bip_panda.telemetryEnabled          left out: here it exports traces by OpenTelemetry; switch it on when the endpoint takes those
      x_bip_panda.telemetryEndpoint         → telemetry.endpoint = "https://otel.acme.example/v1"
      x_bip_panda.logging.verbosity         left out: nothing here has this meaning
      glide.servlet.uri                     → servicenow.url = "https://acme.service-now.com"
      properties of other applications, passed over: 1
    before this host takes its first share, switch the original off: two integrations make two tickets of one incident
    "#);
    insta::assert_snapshot!(written(directory.path()), @r#"
    [server]
    listen = "127.0.0.1:7700"
    admin_listen = "127.0.0.1:7701"
    [store]
    path = "tandem.db"
    [integration.acme.bigpanda]
    api_url = "https://api.bigpanda.io"
    api_key = { env = "ACME_BIGPANDA_API_KEY" }
    app_key = { env = "ACME_BIGPANDA_APP_KEY" }
    environment_id = ""
    [integration.acme.servicenow]
    url = "https://acme.service-now.com"
    username = "bigpanda"
    password = { env = "ACME_SERVICENOW_PASSWORD" }
    [integration.acme.webhook]
    token = { file = "webhook.token" }
    [integration.acme.incidents]
    assignment_group = 'Network & "Edge" Operations'
    opened_by_email = "bigpanda@acme.example"
    primary_alert = "status=critical, startedOn"
    description_alert_tags = ["host", "check", "cmdb_ci"]
    max_alerts_in_description = 20
    resolve_bigpanda_incident = false
    reopen_resolved = true
    reopen_window = "45m"
    update_fields = ["short_description", "description", "urgency"]
    tag_mapping = [{ tag = "owner_team", field = "u_owner_team", direction = "both" }, { tag = "site", field = "location", direction = "to-servicenow" }]
    [telemetry]
    endpoint = "https://otel.acme.example/v1"
    [integration.acme.sync]
    servicenow_query = "correlation_idSTARTSWITHbigpanda:^ORx_bip_panda_bigpanda_idISNOTEMPTY"
    "#);
    assert!(!told.contains("swordfish") && !written(directory.path()).contains("swordfish"));

    let secrets = ["ACME_BIGPANDA_API_KEY", "ACME_BIGPANDA_APP_KEY", "ACME_SERVICENOW_PASSWORD"];
    let secrets = secrets.map(|name| (name, "value"));
    let environment = "integration.acme.bigpanda.environment_id=63bd568809cb331300ff0001";
    let checked = tandem(directory.path(), &secrets, &["check", "--deny-warnings", "--set", environment]);
    assert_eq!(checked.status.code(), Some(0), "{}", talk(&checked));

    let next = talk(&done).split("next:").nth(1).unwrap().to_owned();
    insta::assert_snapshot!(next, @r#"

    1. put your instance's address and user, and BigPanda's environment, into ./tandem.toml
    2. set ACME_BIGPANDA_API_KEY, ACME_BIGPANDA_APP_KEY and ACME_SERVICENOW_PASSWORD for the host
    3. tandem check --config ./tandem.toml, and tandem doctor --config ./tandem.toml, which looks at both sides
    4. tandem servicenow update-set --config ./tandem.toml --out tandem-update-set.xml, for an administrator to import
    5. tandem adopt --config ./tandem.toml shows which tickets of the original would be taken over
    6. pause AutoShare, switch the original off, and when tandem doctor ends with 0:
       tandem adopt --config ./tandem.toml --apply
    7. tandem run --config ./tandem.toml
    8. let BigPanda share with https://<this host>/integrations/acme/share
       and the header Authorization: Bearer <what is in ./webhook.token>
    "#);
    let text = std::fs::read_to_string(directory.path().join("tandem.toml")).unwrap();
    for key in ["assignment_group", "primary_alert", "update_fields", "tag_mapping"] {
        let lines = text.lines().filter(|line| line.trim_start_matches("# ").starts_with(&format!("{key} = ")));
        assert_eq!(lines.count(), 1, "{key} stands there as an example too:\n{text}");
    }
}

#[test]
fn an_original_that_was_switched_off_already_switches_nothing_off_here() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("export.csv"), "name;value\nx_bip_panda.incidentsActive;false\n").unwrap();
    let done = init(directory.path(), "export.csv");
    assert_eq!(done.status.code(), Some(0), "{}", talk(&done));
    assert!(talk(&done).contains("x_bip_panda.incidentsActive  left out: it switches the original"), "{}", talk(&done));
    assert!(!written(directory.path()).contains("active = false"));
}

#[test]
fn the_same_as_csv_leads_to_the_same_file() {
    let from_xml = tempfile::tempdir().unwrap();
    std::fs::write(from_xml.path().join("export.xml"), XML).unwrap();
    init(from_xml.path(), "export.xml");

    let document = roxmltree::Document::parse(XML).unwrap();
    let mut csv = csv::Writer::from_writer(Vec::new());
    csv.write_record(["sys_id", "value", "name"]).unwrap();
    for row in document.descendants().filter(|node| node.has_tag_name("sys_properties")) {
        let child = |name: &str| row.children().find(|node| node.has_tag_name(name)).unwrap().text().unwrap_or("");
        csv.write_record(["x", child("value"), child("name")]).unwrap();
    }
    let from_csv = tempfile::tempdir().unwrap();
    std::fs::write(from_csv.path().join("export.csv"), csv.into_inner().unwrap()).unwrap();
    init(from_csv.path(), "export.csv");
    assert_eq!(written(from_csv.path()), written(from_xml.path()));
}

#[test]
fn a_file_that_is_no_export_is_refused_and_nothing_is_written() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("users.csv"), "user_name,email\nabel.tuter,abel.tuter@example.com\n").unwrap();
    std::fs::write(directory.path().join("other.csv"), "name,value\nglide.buildname,Yokohama\n").unwrap();
    let refused = init(directory.path(), "users.csv");
    assert_eq!(refused.status.code(), Some(1));
    insta::assert_snapshot!(talk(&refused), @r#"
    error: users.csv is no export of system properties: its first line names no column `name`

    hint: in ServiceNow open sys_properties.list, filter by `Name starts with x_bip_panda`, and export the list as XML
    [init.export]
    "#);
    let refused = init(directory.path(), "other.csv");
    insta::assert_snapshot!(talk(&refused).lines().next().unwrap(), @"error: other.csv is no export of system properties: none of its 1 properties begins with x_bip_panda");
    let missing = init(directory.path(), "missing.xml");
    insta::assert_snapshot!(talk(&missing), @r#"
    error: missing.xml cannot be read
    caused by: No such file or directory (os error 2)
    "#);
    assert!(!directory.path().join("tandem.toml").exists());
}
