//! Certificates that are expired, another host's, or nobody's: nothing is sent, and what is wrong is told.
//!
//! Which authorities a client trusts is a matter of the process, so each client here runs in one of its own: this test
//! binary, called with the authority of the tests and told whom to ask.

use std::path::Path;
use std::process::Command;

use tandem::domain::outcome::Outcome;
use tandem::servicenow::{Api, Client, Credentials, Settings};

use super::{clock, field, split};
use crate::support::secure::{Authority, Site, self_signed};

const CREATED: &str = "HTTP/1.1 201 Created\r\ncontent-type: application/json\r\ncontent-length: 69\r\nconnection: close\r\n\r\n\
     {\"result\":{\"sys_id\":\"9d385017c611228701d22104cc95c371\",\"number\":\"1\"}}";

/// Not a test by itself: the client's side of the tests below.
#[tokio::test]
async fn a_client_in_a_process_of_its_own() {
    let Ok(url) = std::env::var("TANDEM_TEST_ASKS") else { return };
    let credentials = Credentials::Basic { user: "bot".to_owned(), password: "hunter2hunter2".into() };
    let client = Client::new(Settings::new(url.parse().unwrap(), credentials), clock()).unwrap();
    let told = match client.create("incident", &[field("short_description", "x")]).await {
        Outcome::Applied(_) => "applied".to_owned(),
        outcome => {
            let (kind, failure) = split(outcome);
            let hint = failure.hint.unwrap_or_default();
            format!("{kind} | {} | {} | {} | {hint}", failure.code, failure.summary, failure.detail.unwrap_or_default())
        }
    };
    println!("\ntold: {told}");
}

async fn asked(site: &Site, authority: &Path) -> String {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["clients::tls::a_client_in_a_process_of_its_own", "--exact", "--nocapture"]);
    command.env("SSL_CERT_FILE", authority).env_remove("SSL_CERT_DIR");
    command.env("TANDEM_TEST_ASKS", format!("https://localhost:{}", site.address.port()));
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let told = text.lines().find_map(|line| line.strip_prefix("told: "));
    told.unwrap_or_else(|| panic!("{text}{}", String::from_utf8_lossy(&output.stderr))).to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_that_does_not_hold_is_refused_and_nothing_is_sent() {
    let directory = tempfile::tempdir().unwrap();
    let authority = Authority::new("an authority of the tests");
    let file = authority.pem(directory.path());
    let sound = Site::new(authority.signs("localhost", 2999), CREATED).await;
    assert_eq!(asked(&sound, &file).await, "applied");
    assert_eq!(sound.requests().len(), 1);

    let common = "not applied | transport.tls | ServiceNow could not agree with us on a secure connection | ";
    let hint = " | check its certificate, and the machine's certificate authorities when it comes from a private one";
    for (acceptor, what) in [
        (authority.signs("localhost", 2020), "certificate expired"),
        (authority.signs("other.example", 2999), "certificate not valid for name \"localhost\""),
        (self_signed("localhost"), "UnknownIssuer"),
        (Authority::new("another one").signs("localhost", 2999), "UnknownIssuer"),
    ] {
        let site = Site::new(acceptor, CREATED).await;
        let told = asked(&site, &file).await;
        assert!(told.starts_with(common) && told.ends_with(hint) && told.contains(what), "{what}: {told}");
        assert_eq!(site.requests(), Vec::<String>::new(), "{what}");
    }
}
