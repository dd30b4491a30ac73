//! Settings that travel, integrations that end, stores that are copied and brought forward: the commands as typed.

use std::path::Path;
use std::process::Output;

use crate::support::{World, incident, tandem};

const SECRETS: [(&str, &str); 4] =
    [("A_KEY", "swordfish-1"), ("A_APP", "swordfish-2"), ("A_PW", "swordfish-3"), ("A_TOKEN", "swordfish-0123456789")];

fn configuration(url: &str, more: &str) -> String {
    format!(
        r#"
[integration.acme.bigpanda]
api_key = {{ env = "A_KEY" }}
app_key = {{ env = "A_APP" }}
[integration.acme.servicenow]
url = "{url}"
username = "bigpanda"
password = {{ env = "A_PW" }}
[integration.acme.webhook]
token = {{ env = "A_TOKEN" }}
{more}
"#
    )
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn talk(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn write(directory: &Path, text: &str) {
    std::fs::write(directory.join("tandem.toml"), text).unwrap();
}

#[test]
fn settings_travel_without_secrets_and_addresses_and_never_overwrite_them() {
    let (trial, production) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let more = "[defaults.retry]\nattempts = 4\n[integration.acme.incidents]\nupdate_fields = [\"urgency\"]\n\
                reopen_window = \"45m\"\n[server]\nlisten = \"127.0.0.1:7999\"\n[plugins.config.mine]\nteam = \"edge\"\n\
                api_token = \"swordfish-4\"\n";
    write(trial.path(), &configuration("https://acme-test.service-now.com", more));
    let exported = tandem(trial.path(), &SECRETS, &["config", "export"]);
    insta::assert_snapshot!(out(&exported), @r#"
    # Settings of Tandem, without secrets and without what belongs to one place.
    [defaults.retry]
    attempts = 4

    [integration.acme.incidents]
    reopen_window = "45m"
    update_fields = ["urgency"]

    [plugins.config.mine]
    team = "edge"
    "#);
    assert!(!out(&exported).contains("swordfish"));

    let there = configuration("https://acme.service-now.com", "");
    write(production.path(), &there);
    let smuggled = format!("{}\n[integration.acme.servicenow]\nurl = \"https://evil.test\"\n", out(&exported));
    std::fs::write(production.path().join("export.toml"), smuggled).unwrap();
    let dry = tandem(production.path(), &SECRETS, &["config", "import", "export.toml", "--dry-run"]);
    assert_eq!(dry.status.code(), Some(0), "{}", talk(&dry));
    assert!(!production.path().join("conf.d").exists(), "a dry run wrote");
    let imported = tandem(production.path(), &SECRETS, &["config", "import", "export.toml"]);
    insta::assert_snapshot!(format!("{}---\n{}", out(&imported), talk(&imported)), @r#"
    defaults.retry.attempts = 4
    integration.acme.incidents.reopen_window = "45m"
    integration.acme.incidents.update_fields = ["urgency"]
    integration.acme.retry.attempts = 4
    plugins.config.mine.team = "edge"
    ---
    left as it is here: integration.acme.servicenow.url
    5 settings differ; a running host takes them up when it is restarted (conf.d/90-imported.toml)
    "#);
    let again = tandem(production.path(), &SECRETS, &["config", "import", "export.toml"]);
    assert_eq!((again.status.code(), out(&again).as_str()), (Some(0), ""), "{}", talk(&again));
    assert_eq!(std::fs::read_to_string(production.path().join("tandem.toml")).unwrap(), there);
    let shown = tandem(production.path(), &SECRETS, &["config", "show", "integration.acme.servicenow.url"]);
    assert_eq!(out(&shown), "integration.acme.servicenow.url = \"https://acme.service-now.com\"\n");

    std::fs::write(production.path().join("bad.toml"), "[integration.acme.retry]\nattempts = 0\n").unwrap();
    let refused = tandem(production.path(), &SECRETS, &["config", "import", "bad.toml", "--replace"]);
    assert_eq!(refused.status.code(), Some(78));
    insta::assert_snapshot!(talk(&refused), @r#"
    config.value

      × `integration.acme.retry.attempts` is `0`, which is out of range, 1 to 100
       ╭─[bad.toml, without what stays here:2:12]
     1 │ [integration.acme.retry]
     2 │ attempts = 0
       ·            ┬
       ·            ╰── here
       ╰────
      help: write a whole number from 1 to 100

    error: bad.toml was not imported: the configuration has a problem
    "#);
    let shown = tandem(production.path(), &SECRETS, &["config", "show", "integration.acme.retry.attempts"]);
    assert_eq!(out(&shown), "integration.acme.retry.attempts = 4\n", "what was refused stayed");

    // Another import would take the place of the first.
    std::fs::write(production.path().join("other.toml"), "[integration.acme.retry]\nattempts = 3\n").unwrap();
    let refused = tandem(production.path(), &SECRETS, &["config", "import", "other.toml"]);
    assert_eq!(refused.status.code(), Some(1));
    insta::assert_snapshot!(talk(&refused), @r#"
    error: conf.d/90-imported.toml holds an earlier import, which would be lost

    hint: add --replace to let this one take its place, or rename the file to keep both; --dry-run compares
    [import.exists]
    "#);
    let file = production.path().join("conf.d/90-imported.toml");
    let first = std::fs::read_to_string(&file).unwrap();
    let dry = tandem(production.path(), &SECRETS, &["config", "import", "other.toml", "--dry-run"]);
    insta::assert_snapshot!(format!("{}---\n{}", out(&dry), talk(&dry)), @r#"
    defaults.retry.attempts = 6
    integration.acme.incidents.reopen_window = "30m"
    integration.acme.incidents.update_fields = []
    integration.acme.retry.attempts = 3
    plugins.config.mine.team is not set any more
    ---
    5 settings differ; nothing was written (conf.d/90-imported.toml holds an earlier import: --replace)
    "#);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), first);
    let replaced = tandem(production.path(), &SECRETS, &["config", "import", "other.toml", "--replace"]);
    assert_eq!(replaced.status.code(), Some(0), "{}", talk(&replaced));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "[integration.acme.retry]\nattempts = 3\n");
}

#[test]
fn old_names_are_brought_forward_and_the_file_as_it_was_is_kept() {
    let directory = tempfile::tempdir().unwrap();
    let old = configuration(
        "https://acme.service-now.com",
        "[integration.acme.incidents]\nresolve_bigpanda = false # ours\n",
    );
    write(directory.path(), &old);
    assert_eq!(tandem(directory.path(), &SECRETS, &["check"]).status.code(), Some(78));
    let dry = tandem(directory.path(), &SECRETS, &["migrate", "--dry-run"]);
    assert_eq!(std::fs::read_to_string(directory.path().join("tandem.toml")).unwrap(), old);
    insta::assert_snapshot!(out(&dry), @r#"
    tandem.toml, line 12: resolve_bigpanda is now resolve_bigpanda_incident
    a copy of the file would be kept in tandem.toml.before-migration
    the store is looked at once the configuration is migrated
    "#);
    let done = tandem(directory.path(), &SECRETS, &["migrate"]);
    insta::assert_snapshot!(out(&done).replace(directory.path().to_str().unwrap(), "."), @r#"
    tandem.toml, line 12: resolve_bigpanda is now resolve_bigpanda_incident
    a copy of the file was kept in tandem.toml.before-migration
    there is no store at ./tandem.db yet; the host's first start makes it
    "#);
    assert_eq!(std::fs::read_to_string(directory.path().join("tandem.toml.before-migration")).unwrap(), old);
    assert_eq!(tandem(directory.path(), &SECRETS, &["check"]).status.code(), Some(0));
}

async fn run(world: &World, arguments: &[&str]) -> Output {
    let (directory, file) = (world.directory().to_owned(), world.written());
    let arguments: Vec<String> = arguments.iter().map(|text| (*text).to_owned()).collect();
    let run = move || {
        let config = ["--config", file.to_str().unwrap()];
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).chain(config).collect();
        tandem(&directory, &[], &arguments)
    };
    tokio::task::spawn_blocking(run).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_integration_is_stopped_drained_and_may_then_be_removed() {
    let mut world = World::running().await;
    let (first, body) = incident(1);
    assert_eq!(world.share(&body).await.unwrap().status, 202);
    world.until_told(&first).await;
    let refused = run(&world, &["integration", "remove", "acme"]).await;
    assert!(talk(&refused).starts_with("error: shares of acme are still let in"), "{}", talk(&refused));

    let drained = run(&world, &["integration", "drain", "acme", "--timeout", "20"]).await;
    assert_eq!(out(&drained), "acme has nothing queued; dead letters: 0\n", "{}", talk(&drained));
    let (_, body) = incident(2);
    let answer = world.share(&body).await.unwrap();
    assert_eq!(answer.status, 503);
    assert!(answer.body.contains("web.stopped"), "{}", answer.body);
    let listed = out(&run(&world, &["integration", "list"]).await);
    assert!(listed.lines().nth(1).unwrap().starts_with("acme  stopped  0       0"), "{listed}");
    let removed = out(&run(&world, &["integration", "remove", "acme"]).await);
    assert!(removed.starts_with("acme may be removed: nothing is queued, and shares are kept out\n"), "{removed}");

    run(&world, &["integration", "start", "acme"]).await;
    assert_eq!(world.share(&body).await.unwrap().status, 202);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_keeps_an_integration_from_being_removed() {
    let mut world = World::running().await;
    world.sim.set_servicenow_up(false);
    assert_eq!(world.share(&incident(1).1).await.unwrap().status, 202);
    let drained = run(&world, &["integration", "drain", "acme", "--timeout", "2"]).await;
    assert_ne!(drained.status.code(), Some(0));
    assert!(talk(&drained).contains("acme still has 1 request queued"), "{}", talk(&drained));
    let refused = run(&world, &["integration", "remove", "acme"]).await;
    assert!(talk(&refused).contains("acme has 1 request queued"), "{}", talk(&refused));
    world.stop().await;
    let refused = run(&world, &["integration", "drain", "acme"]).await;
    assert!(talk(&refused).contains("no host runs, so nothing is delivered"), "{}", talk(&refused));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_restored_and_what_came_after_it_is_reconciled() {
    let mut world = World::running().await;
    let (first, body) = incident(1);
    assert_eq!(world.share(&body).await.unwrap().status, 202);
    world.until_told(&first).await;
    let copy = world.directory().join("copy.db");
    let made = run(&world, &["backup", copy.to_str().unwrap()]).await;
    assert_eq!(made.status.code(), Some(0), "{}", talk(&made));
    assert_eq!(run(&world, &["backup", copy.to_str().unwrap()]).await.status.code(), Some(1), "overwrote a backup");
    let (second, later) = incident(2);
    assert_eq!(world.share(&later).await.unwrap().status, 202);
    world.until_told(&second).await;
    world.stop().await;

    for end in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(world.directory().join(format!("tandem.db{end}")));
    }
    std::fs::copy(&copy, world.directory().join("tandem.db")).unwrap();
    let reconciled = run(&world, &["adopt", "--ours", "--apply"]).await;
    assert_eq!(
        out(&reconciled),
        "1 links made, 1 were there already; no ticket was changed\n",
        "{}",
        talk(&reconciled)
    );
    assert!(world.start(&[]).await, "{}", world.log());
    let mut update = later.clone();
    update["metadata"]["event_type"] = "incident#severity_changed".into();
    update["incident"]["changedOn"] = 1_767_300_000.into();
    assert_eq!(world.share(&update).await.unwrap().status, 202);
    world.until("the update went to its ticket", |world| world.sim.servicenow_requests().total("PATCH", "") > 0).await;
    assert_eq!(world.sim.ticket_count(), 2, "a second ticket was made");
    world.stop().await;
}

#[test]
fn the_update_set_is_for_the_table_and_the_addresses_that_are_configured() {
    let directory = tempfile::tempdir().unwrap();
    let more = "[integration.acme.incidents]\nretrieval_endpoint = \"https://tandem.acme.example/integrations/acme/retrieve\"\n";
    let text =
        configuration("https://acme.service-now.com", more).replace("username", "table = \"u_outage\"\nusername");
    write(directory.path(), &text);
    let refused = tandem(directory.path(), &SECRETS, &["servicenow", "update-set"]);
    assert_eq!(refused.status.code(), Some(78));
    insta::assert_snapshot!(talk(&refused), @r#"
    error: of the integration acme only one of the two addresses is set

    hint: set both incidents.retrieval_endpoint and incidents.callback_endpoint, or neither
    [update-set.addresses]
    "#);
    let more =
        "callback_endpoint = \"https://tandem.acme.example/integrations/acme/callback\"\nshow_incident_button = true\n";
    write(directory.path(), &(text + more));
    let written = tandem(directory.path(), &SECRETS, &["servicenow", "update-set", "--out", "set.xml"]);
    assert_eq!(out(&written), "set.xml\n", "{}", talk(&written));
    let file = std::fs::read_to_string(directory.path().join("set.xml")).unwrap();
    let again = tandem(directory.path(), &SECRETS, &["servicenow", "update-set", "--out", "set.xml"]);
    assert_eq!((again.status.code(), talk(&again).lines().next()), (Some(1), Some("error: set.xml is there already")));
    let forced = tandem(directory.path(), &SECRETS, &["servicenow", "update-set", "--out", "set.xml", "--force"]);
    assert_eq!(forced.status.code(), Some(0));
    let document = roxmltree::Document::parse(&file).unwrap();
    let payloads: Vec<&str> =
        document.descendants().filter(|node| node.has_tag_name("payload")).map(|node| node.text().unwrap()).collect();
    let with =
        |texts: &[&str]| payloads.iter().filter(|payload| texts.iter().all(|text| payload.contains(text))).count();
    assert_eq!(with(&["<sys_dictionary", "<name>u_outage</name>"]), 12);
    assert_eq!(with(&["<sys_ui_action", "<table>u_outage</table>"]), 2);
    assert_eq!(with(&["tandem.show_incident_button", "<value>true</value>"]), 1);
    assert_eq!(
        with(&["tandem.pull.callback_url", "<value>https://tandem.acme.example/integrations/acme/callback</value>"]),
        1
    );
    assert_eq!(with(&["<sysauto_script", "<active>true</active>"]), 1);
    assert!(!file.contains("swordfish"));
}
