//! A command dies while it writes a file: what lies in the file's place is whole, and the command can be repeated.

use std::os::unix::process::ExitStatusExt as _;
use std::process::Output;

use tandem::steps::Step;

use super::crash_at;
use crate::support::{World, incident, tandem};

fn killed(output: &Output) -> bool {
    output.status.signal() == Some(9)
}

fn talk(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
pub(super) async fn dying_inside_a_backup_leaves_no_half_of_one() {
    let mut world = World::running().await;
    let (id, share) = incident(1);
    assert_eq!(world.share(&share).await.unwrap().status, 202);
    world.until_told(&id).await;
    let (directory, config) = (world.directory().to_owned(), world.written());
    let backup = |environment: &[(&str, &str)]| {
        tandem(&directory, environment, &["backup", "copy.db", "--config", config.to_str().unwrap()])
    };
    let died = backup(&[("TANDEM_CRASH_AT", &crash_at(Step::Copied, 1))]);
    assert!(killed(&died), "{}", talk(&died));
    assert!(!directory.join("copy.db").exists(), "half of a copy is where a whole one is looked for");
    let done = backup(&[]);
    assert_eq!(done.status.code(), Some(0), "{}", talk(&done));
    let copy = rusqlite::Connection::open(directory.join("copy.db")).unwrap();
    let said: String = copy.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    let links: u32 = copy.query_row("SELECT count(*) FROM links", [], |row| row.get(0)).unwrap();
    assert_eq!((said.as_str(), links), ("ok", 1));
    let left: Vec<_> = std::fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().ends_with(".part")), "{left:?}");
    world.stop().await;
}

const SECRETS: [(&str, &str); 4] =
    [("A_KEY", "swordfish-1"), ("A_APP", "swordfish-2"), ("A_PW", "swordfish-3"), ("A_TOKEN", "swordfish-0123456789")];

const CONFIGURATION: &str = r#"
[integration.acme.bigpanda]
api_key = { env = "A_KEY" }
app_key = { env = "A_APP" }
[integration.acme.servicenow]
url = "https://acme.service-now.com"
username = "bigpanda"
password = { env = "A_PW" }
[integration.acme.webhook]
token = { env = "A_TOKEN" }
"#;

#[test]
pub(super) fn dying_while_a_file_is_replaced_leaves_the_old_one() {
    let directory = tempfile::tempdir().unwrap();
    let at = crash_at(Step::Written, 1);
    let dying: Vec<(&str, &str)> = SECRETS.into_iter().chain([("TANDEM_CRASH_AT", at.as_str())]).collect();
    let read = |name: &str| std::fs::read_to_string(directory.path().join(name)).unwrap();
    let run = |environment: &[(&str, &str)], arguments: &[&str]| tandem(directory.path(), environment, arguments);
    let import = |attempts: u32, environment: &[(&str, &str)]| {
        let text = format!("[integration.acme.retry]\nattempts = {attempts}\n");
        std::fs::write(directory.path().join("export.toml"), text).unwrap();
        run(environment, &["config", "import", "--replace", "export.toml"])
    };
    std::fs::write(directory.path().join("tandem.toml"), CONFIGURATION).unwrap();
    let first = import(4, &SECRETS);
    assert_eq!(first.status.code(), Some(0), "{}", talk(&first));
    let died = import(5, &dying);
    assert!(killed(&died), "{}", talk(&died));
    assert!(read("conf.d/90-imported.toml").contains("attempts = 4"));
    let shown = run(&SECRETS, &["config", "show", "integration.acme.retry.attempts"]);
    assert_eq!(String::from_utf8_lossy(&shown.stdout), "integration.acme.retry.attempts = 4\n");
    import(5, &SECRETS);
    assert!(read("conf.d/90-imported.toml").contains("attempts = 5"));

    let old = format!("{CONFIGURATION}[integration.acme.incidents]\nresolve_bigpanda = false\n");
    std::fs::write(directory.path().join("tandem.toml"), &old).unwrap();
    let died = run(&dying, &["migrate"]);
    assert!(killed(&died), "{}", talk(&died));
    assert_eq!(read("tandem.toml"), old);
    let done = run(&SECRETS, &["migrate"]);
    assert_eq!(done.status.code(), Some(0), "{}", talk(&done));
    assert!(read("tandem.toml").contains("resolve_bigpanda_incident"));
}
