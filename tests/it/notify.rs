//! Operators are told: by a real host, to a real chat and a real mail server.

use std::process::Command;
use std::time::Duration;

use tandem::simulator::{Action, Fault};

use crate::support::receivers::Receiver;
use crate::support::secure::{Authority, self_signed};
use crate::support::{World, incident};

fn settings(chat: &Receiver, mail: &Receiver, security: &str) -> String {
    format!(
        r#"
attempts = 1
[integration.acme.notify]
webhook_url = "http://{}/services/T000/B000/planted-path"
email_to = ["noc@acme.example", "boss@acme.example"]
[notify]
interval = "2s"
[notify.smtp]
host = "127.0.0.1"
port = {}
security = "{security}"
username = "tandem"
password = "planted-password"
from = "tandem@acme.example"
"#,
        chat.address,
        mail.address.port()
    )
}

/// Quoted-printable text with its soft line ends undone, as far as these tests need it.
fn unfolded(mail: &str) -> String {
    mail.replace("=\r\n", "").replace("=3D", "=")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_makes_two_messages_and_not_twenty() {
    let (chat, mail) = (Receiver::chat(200).await, Receiver::mail("235 welcome").await);
    let mut world = World::new().await.configured(&settings(&chat, &mail, "none"));
    world.sim.servicenow_faults().add(Fault::new(Action::status(500)));
    assert!(world.start(&[]).await, "{}", world.log());
    for number in 0..20 {
        assert_eq!(world.share(&incident(number).1).await.unwrap().status, 202);
    }
    world.until("both were told twice", |_| chat.messages().len() == 2 && mail.messages().len() == 2).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!((chat.messages().len(), mail.messages().len()), (2, 2), "nothing more to tell");

    let [first, second] = chat.messages().try_into().unwrap();
    assert!(first.starts_with("POST /services/T000/B000/planted-path HTTP/1.1"), "{first}");
    let text = |message: &str| -> String {
        let body = message.split_once("\n\n").unwrap_or_else(|| message.split_once("\r\n\n").unwrap()).1;
        serde_json::from_str::<serde_json::Value>(body).unwrap()["text"].as_str().unwrap().to_owned()
    };
    let first = text(&first);
    assert!(
        first.starts_with("*Tandem acme: a request failed for the last time*\nCreating the ticket failed: "),
        "{first}"
    );
    assert!(first.contains("tandem queue list") && first.contains("Incident 65f1c2a9e0b7d4001"), "{first}");
    let second = text(&second);
    assert!(second.starts_with("*Tandem acme: a request failed for the last time (19 times within 2 s)*"), "{second}");

    let first = unfolded(&mail.messages()[0]);
    for part in [
        "MAIL FROM:<tandem@acme.example>",
        "RCPT TO:<noc@acme.example>",
        "RCPT TO:<boss@acme.example>",
        "Subject: [Tandem] acme: a request failed for the last time\r\n",
        "Auto-Submitted: auto-generated",
        "Creating the ticket failed: ServiceNow answered 500",
        "Integration: acme",
    ] {
        assert!(first.contains(part), "{part} is missing in\n{first}");
    }
    let metrics = world.admin("/metrics").await.body;
    assert!(metrics.contains("tandem_notices_total{outcome=\"sent\"} 4"), "{metrics}");
    let log = world.log();
    assert!(!log.contains("planted"), "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_is_refused_for_good_is_told_at_once() {
    let (chat, mail) = (Receiver::chat(200).await, Receiver::mail("235 welcome").await);
    let settings = settings(&chat, &mail, "none").replace("attempts = 1", "attempts = 6").replace("\"2s\"", "\"15m\"");
    let mut world = World::new().await.configured(&settings);
    world.sim.servicenow_faults().add(Fault { method: Some("POST".to_owned()), ..Fault::new(Action::status(403)) });
    assert!(world.start(&[]).await, "{}", world.log());
    assert_eq!(world.share(&incident(1).1).await.unwrap().status, 202);
    world.until("it was told", |_| !chat.messages().is_empty() && !mail.messages().is_empty()).await;
    let told = &chat.messages()[0];
    assert!(told.contains("a request failed and is not tried again") && told.contains("tandem queue show"), "{told}");
    assert!(mail.messages()[0].contains("a request failed and is not tried again"), "{:?}", mail.messages());
    assert!(world.stop().await.success());
    assert_eq!(chat.messages().len(), 1, "{:?}", chat.messages());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refused_credentials_are_told_once() {
    let (chat, mail) = (Receiver::chat(200).await, Receiver::mail("235 welcome").await);
    let settings = settings(&chat, &mail, "none").replace("\"2s\"", "\"15m\"");
    let mut world = World::new().await.configured(&settings);
    world.sim.servicenow_faults().add(Fault::new(Action::status(401)));
    assert!(world.start(&[]).await, "{}", world.log());
    for number in 0..5 {
        assert_eq!(world.share(&incident(number).1).await.unwrap().status, 202);
    }
    world.until("it was told", |_| !chat.messages().is_empty() && !mail.messages().is_empty()).await;
    assert!(chat.messages()[0].contains("ServiceNow refuses our credentials"), "{:?}", chat.messages());
    // What was gathered in the meantime is told when the host stops.
    assert!(world.stop().await.success());
    assert!(chat.messages().len() <= 2, "{:?}", chat.messages());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_tries_every_target_and_says_what_is_wrong() {
    let said = |world: &World| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tandem"));
        command.args(["notify", "test", "--config"]).arg(world.written());
        let output = command.output().unwrap();
        let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(!text.contains("planted"), "{text}");
        (output.status.code().unwrap(), text)
    };
    let (chat, mail) = (Receiver::chat(200).await, Receiver::mail("235 welcome").await);
    let world = World::new().await.configured(&settings(&chat, &mail, "none"));
    let (code, text) = said(&world);
    assert_eq!(code, 0, "{text}");
    assert_eq!(
        text,
        format!(
            "acme: chat at 127.0.0.1: sent\nacme: mail to noc@acme.example, boss@acme.example over 127.0.0.1: sent\n"
        )
    );
    assert!(chat.messages()[0].contains("this is a test") && mail.messages()[0].contains("this is a test"));

    let (chat, mail) = (Receiver::chat(404).await, Receiver::mail("535 no such password: planted-password").await);
    let world = World::new().await.configured(&settings(&chat, &mail, "none"));
    let (code, refused) = said(&world);
    assert_eq!(code, 1, "{refused}");
    let world = World::new().await.configured(&settings(&chat, &mail, "starttls"));
    let (code, insecure) = said(&world);
    assert_eq!(code, 1, "{insecure}");
    assert!(mail.messages().is_empty(), "nothing goes out in the clear");
    let insecure = insecure.lines().skip_while(|line| !line.contains("mail to")).collect::<Vec<_>>().join("\n");
    insta::assert_snapshot!(format!("{refused}\n{insecure}"), @r#"
    acme: chat at 127.0.0.1: FAILED: the chat answered 404 Not Found: ok [notify.missing]
      hint: check `notify.webhook_url` of the integration
    acme: mail to noc@acme.example, boss@acme.example over 127.0.0.1: FAILED: the mail server 127.0.0.1 did not take the message: permanent error (535): no such password: ******** [notify.mail]
      hint: check `notify.smtp` and `email_to`

    acme: mail to noc@acme.example, boss@acme.example over 127.0.0.1: FAILED: the mail server 127.0.0.1 could not be spoken to: internal client error: STARTTLS is not supported on this server [notify.mail]
      hint: check `notify.smtp` and `email_to`
    "#);

    let (code, text) = said(&World::new().await);
    assert_eq!(
        (code, text.as_str()),
        (1, "nobody is to be told: set notify.webhook_url or notify.email_to of an integration\n")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mail_goes_over_tls_to_a_server_whose_certificate_holds_and_to_no_other() {
    let directory = tempfile::tempdir().unwrap();
    let authority = Authority::new("an authority of the tests");
    let file = authority.pem(directory.path());
    let said = async |mail: &Receiver, security: &str| {
        let chat = Receiver::chat(200).await;
        let world = World::new().await.configured(&settings(&chat, mail, security));
        let mut command = Command::new(env!("CARGO_BIN_EXE_tandem"));
        command.args(["notify", "test", "--config"]).arg(world.written());
        command.env("SSL_CERT_FILE", &file).env_remove("SSL_CERT_DIR");
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
    };
    for security in ["tls", "starttls"] {
        let server = async |acceptor| match security {
            "tls" => Receiver::mail_tls(acceptor).await,
            _ => Receiver::mail_starttls(acceptor).await,
        };
        let mail = server(authority.signs("127.0.0.1", 2999)).await;
        let told = said(&mail, security).await;
        assert!(told.contains("over 127.0.0.1: sent"), "{security}: {told}");
        let kept = mail.messages();
        assert!(kept.len() == 1 && kept[0].contains("AUTH PLAIN") && kept[0].contains("this is a test"), "{kept:?}");

        for (acceptor, what) in [
            (authority.signs("127.0.0.1", 2020), "expired"),
            (authority.signs("other.example", 2999), "not valid for name"),
            (self_signed("127.0.0.1"), "UnknownIssuer"),
        ] {
            let mail = server(acceptor).await;
            let told = said(&mail, security).await;
            assert!(told.contains("over 127.0.0.1: FAILED") && told.contains(what), "{security}, {what}: {told}");
            assert!(told.contains("hint: check `notify.smtp`"), "{told}");
            assert!(mail.messages().is_empty(), "{security}, {what}: something was sent");
        }
    }
}
