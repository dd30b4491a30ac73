//! `tandem run`: the host, until it is asked to stop.

use anyhow::Context as _;

use super::report::Told;
use super::{Exit, Source, block_on};
use crate::app::Ended;
use crate::config::Loaded;
use crate::domain::fault::Class;
use crate::{app, telemetry};

pub(super) fn run(source: &Source) -> anyhow::Result<Exit> {
    let Loaded { config, warnings, .. } = source.load().context("nothing was started")?;
    if config.integrations.is_empty() {
        return Err(Told::new(
            Class::Config,
            "config.empty",
            "no integration is configured, so there is nothing to do",
        )
        .hint("write an [integration.<name>] section; `tandem init` shows one")
        .into());
    }
    let traces = telemetry::start(&config.log, &config.telemetry);
    for warning in &warnings {
        let remedy = warning.remedy().unwrap_or_default();
        tracing::warn!(error.code = warning.code(), "{}; {remedy}", warning.message());
    }
    let ended = block_on(app::run(config));
    // Who asks twice does not want to wait for a collector.
    if ended.as_ref().is_ok_and(|ended| *ended == Ended::Orderly) {
        traces.stop();
    }
    ended.map(|_| Exit::Success)
}
