//! `tandem notify test`: sends a test notice to everybody whom the integrations name, from here and not from a host.

use std::sync::Arc;

use super::{Exit, Source, block_on, output};
use crate::app;
use crate::clock::{Clock, SystemClock};
use crate::domain::notice::Notice;

#[derive(Debug, Clone, clap::Subcommand)]
pub(super) enum Command {
    /// Send a test message to every chat and mailbox that is configured
    Test,
}

pub(super) fn run(source: &Source, command: Command) -> anyhow::Result<Exit> {
    match command {
        Command::Test => block_on(test(source)),
    }
}

async fn test(source: &Source) -> anyhow::Result<Exit> {
    let config = source.load()?.config;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let (mut told, mut failed) = (0, 0);
    for one in &config.integrations {
        let notice = Notice {
            integration: one.name.clone(),
            code: "notify.test".to_owned(),
            title: "this is a test".to_owned(),
            lines: vec![
                "Tandem will tell you here when a request failed for the last time, and when credentials are refused."
                    .to_owned(),
            ],
            incident: None,
            ticket: None,
        };
        for target in app::targets(&config, one, &clock)? {
            match target.send(&notice).await {
                Ok(()) => {
                    told += 1;
                    output::data(&format!("{}: {}: sent\n", one.name, target.name()))?;
                }
                Err(undelivered) => {
                    failed += 1;
                    let failure = undelivered.failure;
                    let detail = failure.detail.map(|detail| format!(": {detail}")).unwrap_or_default();
                    let hint = failure.hint.map(|hint| format!("\n  hint: {hint}")).unwrap_or_default();
                    let text = format!(
                        "{}: {}: FAILED: {}{detail} [{}]{hint}\n",
                        one.name,
                        target.name(),
                        failure.summary,
                        failure.code
                    );
                    output::data(&text)?;
                }
            }
        }
    }
    if told + failed == 0 {
        output::talk("nobody is to be told: set notify.webhook_url or notify.email_to of an integration");
        return Ok(Exit::Failure);
    }
    Ok(if failed == 0 { Exit::Success } else { Exit::Failure })
}
