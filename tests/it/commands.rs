//! The commands as an operator types them: exit codes, what goes to which stream, and that no secret goes to either.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Output;

use serde_json::{Value, json};
use tandem::simulator::{Action, Fault};

use crate::support::plugins::{component, relabelled};
use crate::support::{World, incident, tandem};

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn talk(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

const SECRETS: [(&str, &str); 3] = [
    ("ACME_BIGPANDA_API_KEY", "swordfish-1"),
    ("ACME_BIGPANDA_APP_KEY", "swordfish-2"),
    ("ACME_SERVICENOW_PASSWORD", "swordfish-3"),
];

#[test]
fn what_init_writes_holds_once_the_secrets_are_there() {
    let directory = tempfile::tempdir().unwrap();
    let written = tandem(directory.path(), &[], &["init"]);
    assert_eq!((code(&written), out(&written).as_str()), (0, "./tandem.toml\n./webhook.token\n"));
    let token = std::fs::read_to_string(directory.path().join("webhook.token")).unwrap();
    assert!(token.trim().len() >= 32);
    assert!(!talk(&written).contains(token.trim()), "the token is printed");
    let mode = std::fs::metadata(directory.path().join("webhook.token")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    let without = tandem(directory.path(), &[], &["check"]);
    assert_eq!(code(&without), 78);
    assert_eq!(talk(&without).matches("refers to the environment variable").count(), 3, "{}", talk(&without));
    let with = tandem(directory.path(), &SECRETS, &["check", "--deny-warnings"]);
    assert_eq!(code(&with), 78);
    insta::assert_snapshot!(talk(&with), @r#"
    config.unwise

      ⚠ `integration.acme.bigpanda.environment_id` is not set, so BigPanda is not polled, and an incident whose
      │ share names no environment gets no tag and no comment
      help: set it to the id of an environment that shows all incidents; `tandem doctor` lists them
    "#);
    let environment = "integration.acme.bigpanda.environment_id=63bd568809cb331300ff0001";
    let with = tandem(directory.path(), &SECRETS, &["check", "--deny-warnings", "--set", environment]);
    assert_eq!(code(&with), 0, "{}", talk(&with));
    insta::assert_snapshot!(out(&with), @r#"
    the configuration holds (read: tandem.toml)
      acme: https://api.bigpanda.io → https://acme.service-now.com, table incident (Basic)
    "#);
}

#[test]
fn init_overwrites_nothing_unless_told_to() {
    let directory = tempfile::tempdir().unwrap();
    assert_eq!(code(&tandem(directory.path(), &[], &["init", "etc", "--name", "globex-prod"])), 0);
    let file = directory.path().join("etc/tandem.toml");
    let before = std::fs::read_to_string(&file).unwrap();
    assert!(
        before.contains("[integration.globex-prod.servicenow]") && before.contains("GLOBEX_PROD_SERVICENOW_PASSWORD")
    );
    std::fs::write(&file, "# mine").unwrap();
    let refused = tandem(directory.path(), &[], &["init", "etc"]);
    assert_eq!(code(&refused), 1);
    insta::assert_snapshot!(talk(&refused), @r#"
    error: etc/tandem.toml is there already

    hint: use --force to overwrite it, or name another directory
    [init.exists]
    "#);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "# mine");
    assert_eq!(code(&tandem(directory.path(), &[], &["init", "etc", "--force"])), 0);
    assert_ne!(std::fs::read_to_string(&file).unwrap(), "# mine");
}

#[test]
fn config_show_names_origins_and_masks_secrets() {
    let directory = tempfile::tempdir().unwrap();
    assert_eq!(code(&tandem(directory.path(), &[], &["init"])), 0);
    let environment: Vec<_> = SECRETS.into_iter().chain([("TANDEM__LOG__LEVEL", "debug")]).collect();
    let set = ["--set", "integration.acme.servicenow.password=swordfish-4", "--set", "server.admin_token=swordfish-5"];
    let arguments = [&["config", "show", "--origin", "--changed"], &set[..]].concat();
    let shown = tandem(directory.path(), &environment, &arguments);
    assert_eq!(code(&shown), 0, "{}", talk(&shown));
    insta::assert_snapshot!(out(&shown), @r#"
    integration.acme.bigpanda.api_key = {"env":"ACME_BIGPANDA_API_KEY"}  # tandem.toml:19
    integration.acme.bigpanda.api_url = "https://api.bigpanda.io"        # tandem.toml:17
    integration.acme.bigpanda.app_key = {"env":"ACME_BIGPANDA_APP_KEY"}  # tandem.toml:21
    integration.acme.bigpanda.environment_id = ""                        # tandem.toml:23
    integration.acme.servicenow.password = "********"                    # --set integration.acme.servicenow.password
    integration.acme.servicenow.url = "https://acme.service-now.com"     # tandem.toml:26
    integration.acme.servicenow.username = "bigpanda"                    # tandem.toml:27
    integration.acme.webhook.token = {"file":"webhook.token"}            # tandem.toml:33
    log.level = "debug"                                                  # environment TANDEM__LOG__LEVEL
    server.admin_listen = "127.0.0.1:7701"                               # tandem.toml:8
    server.admin_token = "********"                                      # --set server.admin_token
    server.listen = "127.0.0.1:7700"                                     # tandem.toml:6
    store.path = "tandem.db"                                             # tandem.toml:11
    "#);
    let whole = tandem(directory.path(), &environment, &[&["config", "show", "--json"], &set[..]].concat());
    assert!(!out(&whole).contains("swordfish") && !out(&shown).contains("swordfish"));
    let settings: Value = serde_json::from_str(&out(&whole)).unwrap();
    assert!(settings.as_array().unwrap().len() > 100);
}

#[test]
fn check_as_json_is_for_machines() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("tandem.toml"), "[log]\nlevle = \"info\"\n").unwrap();
    let checked = tandem(directory.path(), &[], &["check", "--json"]);
    assert_eq!((code(&checked), talk(&checked).as_str()), (78, ""));
    insta::assert_snapshot!(out(&checked), @r#"
    {
      "problems": [
        {
          "code": "config.unknown-key",
          "column": 1,
          "file": "tandem.toml",
          "hint": "did you mean `level`?",
          "line": 2,
          "message": "`log.levle` is not a setting"
        }
      ],
      "valid": false,
      "warnings": []
    }
    "#);
}

#[test]
fn a_host_without_integrations_does_not_start() {
    let directory = tempfile::tempdir().unwrap();
    let refused = tandem(directory.path(), &[], &["run"]);
    assert_eq!(code(&refused), 78);
    insta::assert_snapshot!(talk(&refused), @r#"
    no configuration was found: there is no tandem.toml in this directory, so the built-in defaults hold; --config FILE names one
    error: no integration is configured, so there is nothing to do

    hint: write an [integration.<name>] section; `tandem init` shows one
    [config.empty]
    "#);
}

#[test]
fn the_queue_of_nowhere_says_so() {
    let directory = tempfile::tempdir().unwrap();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let asked = tandem(directory.path(), &[("TANDEM__SERVER__ADMIN_LISTEN", &free)], &["queue", "list"]);
    assert_eq!(code(&asked), 69);
    let told = talk(&asked).replace(&free, "<address>").replace(&directory.path().display().to_string(), "<directory>");
    insta::assert_snapshot!(told, @r#"
    error: no host answers at http://<address>, and there is no store at <directory>/tandem.db

    hint: start the host, or name its configuration with --config
    [queue.nowhere]
    "#);
}

#[test]
fn where_nothing_is_configured_it_is_said_so() {
    let directory = tempfile::tempdir().unwrap();
    for command in [&["check"][..], &["queue", "list"]] {
        let told = talk(&tandem(directory.path(), &[], command));
        assert!(told.starts_with("no configuration was found: there is no tandem.toml in this directory"), "{told}");
    }
    let set = talk(&tandem(directory.path(), &[], &["check", "--set", "log.level=debug"]));
    assert!(!set.contains("no configuration was found"), "{set}");
}

#[test]
fn a_key_that_is_none_is_not_shown() {
    let directory = tempfile::tempdir().unwrap();
    let none = tandem(directory.path(), &[], &["config", "show", "nope.prefix"]);
    assert_eq!((code(&none), out(&none).as_str()), (1, ""));
    assert!(talk(&none).contains("error: no setting begins with nope.prefix\n\nhint: "), "{}", talk(&none));
    let unchanged = tandem(directory.path(), &[], &["config", "show", "server", "--changed"]);
    assert_eq!(code(&unchanged), 0, "what is there and has its default is no mistake");
}

#[test]
fn a_directory_of_plugins_that_is_none_is_warned_of() {
    let directory = tempfile::tempdir().unwrap();
    let told = |arguments: &[&str]| talk(&tandem(directory.path(), &[], arguments));
    let missing = told(&["check", "--set", "plugins.directory=plugin"]);
    assert!(missing.contains("/plugin, which is no directory, so only the bundled plugins run"), "{missing}");
    assert!(!told(&["check"]).contains("plugins.directory"), "nobody named the default's");
    std::fs::create_dir(directory.path().join("plugin")).unwrap();
    assert!(!told(&["check", "--set", "plugins.directory=plugin"]).contains("plugins.directory"));
}

#[tokio::test]
async fn a_port_that_is_taken_is_another_matter_than_an_address_that_is_none() {
    let world = World::new().await;
    world.written();
    let run = |address: &str| {
        tandem(
            world.directory(),
            &[],
            &["run", "--set", &format!("server.listen={address}"), "--set", "log.level=error"],
        )
    };
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let busy = run(&taken.local_addr().unwrap().to_string());
    assert!(code(&busy) == 69 && talk(&busy).contains("hint: another program has the port"), "{}", talk(&busy));
    let elsewhere = run("192.0.2.1:7700");
    assert!(code(&elsewhere) == 78 && talk(&elsewhere).contains("hint: this machine has no such address"));
}

#[test]
fn completions_and_help_know_every_command() {
    let directory = tempfile::tempdir().unwrap();
    let help = out(&tandem(directory.path(), &[], &["--help"]));
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = tandem(directory.path(), &[], &["completions", shell]);
        assert_eq!(code(&script), 0);
        for command in ["init", "run", "demo", "simulate", "check", "queue", "plugin", "config", "completions"] {
            assert!(out(&script).contains(command), "{shell} does not know {command}");
            assert!(help.lines().any(|line| line.trim_start().starts_with(command)), "no help for {command}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_queue_is_shown_and_decided_about_with_and_without_a_host() {
    let mut world = World::new().await.configured("attempts = 1");
    world.sim.servicenow_faults().add(Fault::new(Action::status(403)));
    assert!(world.start(&[]).await, "{}", world.log());
    let (id, share) = incident(1);
    assert_eq!(world.share(&share).await.unwrap().status, 202);
    let ask = |arguments: &[&str]| {
        let mut all = vec!["queue"];
        all.extend_from_slice(arguments);
        tandem(world.directory(), &[], &all)
    };
    world.until("a dead letter is listed", |_| out(&ask(&["list"])).contains("dead")).await;
    let listed: Value = serde_json::from_str(&out(&ask(&["list", "--state", "dead", "--json"]))).unwrap();
    let request = listed.as_array().unwrap().first().expect("a dead letter").clone();
    assert_eq!((&request["incident"], &request["operation"]), (&id.as_str().into(), &"create-ticket".into()));
    let number = request["id"].to_string();

    let shown = ask(&["show", &number]);
    assert!(out(&shown).contains("create-ticket → servicenow") && out(&shown).contains("attempts"), "{}", out(&shown));
    assert_eq!(code(&ask(&["show", "4711"])), 1);
    assert_eq!(code(&ask(&["discard", "4711"])), 1);
    let event = ask(&["show", "e3"]);
    assert!(code(&event) == 1 && talk(&event).starts_with("error: no event e3 is quarantined\n"), "{}", talk(&event));
    for arguments in [&["list"][..], &["list", "--quarantined"], &["retry", "--all"], &["discard", "--all"]] {
        let nobody = ask(&[arguments, &["--integration", "nope"]].concat());
        assert_eq!(code(&nobody), 1);
        assert!(talk(&nobody).contains("no integration nope\n\nhint: there are: acme\n"), "{}", talk(&nobody));
    }

    // What was broken is mended, and the operator says so.
    world.sim.servicenow_faults().clear();
    let dry = ask(&["retry", "--all", "--dry-run"]);
    let rows = "  servicenow.refused  1\n";
    assert_eq!((code(&dry), out(&dry)), (0, format!("1 dead letter would go back into the queue, due now\n{rows}")));
    let other = ask(&["retry", "--all", "--reason", "servicenow.gone"]);
    assert_eq!(
        (code(&other), talk(&other).as_str()),
        (0, "no dead letter failed for servicenow.gone\n  1 failed for servicenow.refused\n")
    );
    assert_eq!(code(&ask(&["retry", "--all", "--rate", "many"])), 2);
    assert_eq!(code(&ask(&["retry", &number, "--rate", "1/s"])), 2, "one needs no rate");
    let retried = ask(&["retry", "--all", "--integration", "acme", "--rate", "5/m", "--json"]);
    let told: Value = serde_json::from_str(&out(&retried)).unwrap();
    assert_eq!((&told["requests"], &told["reasons"][0][1], &told["overtaken"]), (&1.into(), &1.into(), &0.into()));
    world.until_told(&id).await;

    world.until("nothing waits", |_| talk(&ask(&["list"])) == "nothing waits\n").await;

    // What is not worth a ticket is put aside for good.
    world.sim.servicenow_faults().add(Fault::new(Action::status(403)));
    let (unwanted, share) = incident(2);
    assert_eq!(world.share(&share).await.unwrap().status, 202);
    let dead = || serde_json::from_str::<Value>(&out(&ask(&["list", "--state", "dead", "--json"]))).unwrap();
    world.until("another dead letter", |_| dead().as_array().is_some_and(|all| all.len() == 1)).await;
    let number = dead()[0]["id"].to_string();
    world.sim.servicenow_faults().clear();
    let dry = ask(&["discard", "--all", "--integration", "acme"]);
    assert!(code(&dry) == 0 && out(&dry).contains("create-ticket"), "{}", out(&dry));
    assert_eq!(
        talk(&dry),
        "nothing was changed; with --yes 1 dead letter would be given up, and what it holds is lost\n"
    );
    assert_eq!(dead()[0]["id"].to_string(), number, "a dry run gave it up");
    let discarded = ask(&["discard", "--all", "--yes"]);
    assert_eq!((code(&discarded), out(&discarded)), (0, format!("request {number} is given up\n")));
    assert_eq!(dead(), serde_json::json!([]));
    assert_eq!(code(&ask(&["discard", &number])), 1);
    assert_eq!(world.sim.tickets_of(&format!("bigpanda:{unwanted}")).len(), 0);
    world.until("BigPanda knows", |_| talk(&ask(&["list"])) == "nothing waits\n").await;

    // Without a host, the same is read from the store's file.
    world.stop().await;
    let finished = tandem(world.directory(), &[], &["queue", "list", "--state", "done", "--json"]);
    let finished: Value = serde_json::from_str(&out(&finished)).unwrap();
    assert!(finished.as_array().unwrap().iter().any(|row| row["id"] == request["id"]), "{finished}");
    let nothing = tandem(world.directory(), &[], &["queue", "list"]);
    assert_eq!((code(&nothing), out(&nothing).as_str(), talk(&nothing).as_str()), (0, "", "nothing waits\n"));
}

/// What people see of a file's digest.
fn short_digest(file: &str) -> String {
    use sha2::Digest as _;
    let digest = sha2::Sha256::digest(std::fs::read(file).unwrap());
    digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_letter_is_tried_with_another_plugin_that_nobody_else_gets() {
    let mut world = World::new().await;
    world.sim.servicenow_faults().add(Fault { method: Some("POST".to_owned()), ..Fault::new(Action::status(403)) });
    assert!(world.start(&[]).await, "{}", world.log());
    let (id, mut share) = incident(1);
    share["incident"]["incident_tags"].as_array_mut().unwrap().push(json!({ "tag_id": "mood", "tag_value": "panic" }));
    assert_eq!(world.share(&share).await.unwrap().status, 202);
    let ask = |arguments: &[&str]| {
        let mut all = vec!["queue"];
        all.extend_from_slice(arguments);
        tandem(world.directory(), &[], &all)
    };
    let dead = || serde_json::from_str::<Value>(&out(&ask(&["list", "--state", "dead", "--json"]))).unwrap();
    world.until("a dead letter", |_| dead().as_array().is_some_and(|all| all.len() == 1)).await;
    let number = dead()[0]["id"].to_string();
    world.sim.servicenow_faults().clear();

    // Whatever is wrong with the plugin is said, and changes nothing.
    let file = |name: &str, bytes: &[u8]| {
        let path = world.directory().join(name);
        std::fs::write(&path, bytes).unwrap();
        path.display().to_string()
    };
    let job = std::fs::read(component("job")).unwrap();
    let with = |id: &str, file: &str| ask(&["retry", &number, "--with-plugin", &format!("{id}={file}")]);
    let moody = file("moody.wasm", &std::fs::read(component("moody")).unwrap());
    let refusals = [
        with("short-description", &file("text.wasm", b"no component")),
        with("short-description", &file("job.wasm", &job)),
        with("moody", &moody),
    ];
    let refusals: Vec<String> = refusals.iter().map(|refused| format!("{} {}", code(refused), talk(refused))).collect();
    let digest = &short_digest(&moody);
    insta::assert_snapshot!(refusals.join("\n").replace(digest, "<digest>"), @r#"
    1 error: the host refused: the component cannot be used: it is something else, not a WebAssembly component

    hint: Build it with `tandem plugin build DIR`.
    [plugin.format]

    1 error: the host refused: the component cannot be used: it is the plugin `job`, and was given as `short-description`

    hint: Give it as `job=FILE`.
    [plugin.id]

    1 error: the host refused: moody 0.1.0 (<digest>) failed: it panicked: in a bad mood about gate (tests/components/moody/src/lib.rs:70)

    hint: Tell the plugin's author; until then another version or the bundled plugin can stand in.
    [redo.plugin-failed]
    "#);
    assert_eq!(dead()[0]["id"].to_string(), number);

    let mended = relabelled(&job, |about| {
        about["id"] = "description".into();
        about["version"] = "9.9.9".into();
    });
    let tried = with("description", &file("mended.wasm", &mended));
    assert_eq!(code(&tried), 0, "{}", talk(&tried));
    let told = out(&tried);
    assert!(told.starts_with(&format!("request {number} was sealed again with description 9.9.9 (")), "{told}");
    assert!(told.contains("\n  description") && told.contains("Resolved priority: P"), "{told}");
    world.until_told(&id).await;
    let ticket = &world.sim.tickets_of(&format!("bigpanda:{id}"))[0];
    assert!(ticket.get("description").contains("\npriority: P2\n"), "{}", ticket.get("description"));
    let shown = out(&ask(&["show", &number]));
    assert!(shown.contains("was sealed again with description 9.9.9"), "{shown}");
    let (next, share) = incident(2);
    assert_eq!(world.share(&share).await.unwrap().status, 202);
    world.until_told(&next).await;
    let ticket = &world.sim.tickets_of(&format!("bigpanda:{next}"))[0];
    assert!(!ticket.get("description").contains("\npriority: P2\n"), "it is installed for nobody");

    let nobody = ask(&["list", "--quarantined"]);
    assert_eq!((code(&nobody), talk(&nobody).as_str()), (0, "nothing is quarantined\n"));
    assert_eq!(code(&ask(&["retry", "e1"])), 1);
    world.stop().await;
    let alone =
        tandem(world.directory(), &[], &["queue", "retry", &number, "--with-plugin", &format!("moody={moody}")]);
    assert_eq!(code(&alone), 69);
    assert!(talk(&alone).contains("[queue.no-host]"), "{}", talk(&alone));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn logs_hold_no_secret_no_body_and_no_address_of_a_person() {
    let mut world = World::new().await;
    assert!(world.start(&[("TANDEM__LOG__LEVEL", "trace"), ("TANDEM__LOG__FORMAT", "json")]).await);
    let (id, mut share) = incident(1);
    share["incident"]["alerts"][0]["description"] = "swordfish in a body".into();
    share["metadata"]["sender"] = "planted.person@acme.example".into();
    let headers = [
        ("x-bp-config-servicenowPassword", "swordfish-in-a-header"),
        ("x-bp-config-oauthClientSecret", "swordfish-in-a-header"),
        ("x-bp-api-key", "swordfish-in-a-header"),
        ("x-bp-config-callerIdEmail", "planted.person@acme.example"),
    ];
    assert_eq!(world.share_with(&share, &headers).await.unwrap().status, 202);
    world.until_told(&id).await;
    assert_eq!(world.share_with(&serde_json::json!({ "swordfish": 1 }), &headers).await.unwrap().status, 400);
    let access = world.sim.access();
    world.stop().await;
    let log = world.log();
    assert!(log.contains(&id) && log.lines().count() > 10, "there is hardly a log:\n{log}");
    let planted = [
        "swordfish",
        "planted.person",
        crate::support::TOKEN,
        access.bigpanda.api_key.as_str(),
        access.servicenow.password.as_str(),
    ];
    for secret in planted {
        let line = log.lines().find(|line| line.contains(secret));
        assert!(line.is_none(), "the log holds `{secret}`: {line:?}");
    }
}
