//! Logs and metrics: where lines go, how numbers are called.
//!
//! One line per attempt, one per refusal; a failure is logged once, where it is handled. Fields have dotted names and
//! the same name everywhere: `integration`, `incident.id`, `ticket.number`, `request.key`, `request.operation`,
//! `request.attempt`, `plugin.id`, `plugin.digest`, `plugin.hook`, `error.code`, `http.status`, `milliseconds`. Never
//! bodies, tokens or e-mail addresses. Labels of metrics are bounded: no ids, no texts.

use std::io::IsTerminal as _;

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;

use crate::config::{Log, LogFormat};

/// Sends log lines to standard error. Does nothing when a subscriber is installed already.
pub fn start_logs(log: &Log) {
    let filter = EnvFilter::try_new(&log.level).unwrap_or_else(|_| EnvFilter::new("info"));
    // Colours are for a person's terminal, not for a file or a collector.
    let colours = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(colours);
    let _ = match log.format {
        LogFormat::Text => lines.with_target(false).try_init(),
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
    };
}

/// Seconds, from half a millisecond to a minute.
const BUCKETS: &[f64] =
    &[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];

/// Installs the recorder of this process and describes what it records. The handle renders Prometheus' text format.
/// `None`: another recorder is installed already (several hosts in one process, in tests).
pub fn start_metrics() -> Option<PrometheusHandle> {
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), BUCKETS)
        .ok()?
        .install_recorder()
        .ok()?;
    describe_counter!("tandem_webhook_requests_total", "Shares by result and HTTP status of the answer");
    describe_counter!("tandem_foreign_destinations_total", "Shares refused because they name another ServiceNow");
    describe_counter!("tandem_attempts_total", "Attempts by target, operation and outcome");
    describe_histogram!("tandem_attempt_seconds", Unit::Seconds, "Duration of one attempt");
    describe_histogram!("tandem_request_age_seconds", Unit::Seconds, "Time from sealing to settling");
    describe_counter!("tandem_stale_completions_total", "Completions that came after their lease");
    describe_counter!("tandem_reconciled_total", "Creates that a look-up found to be applied already");
    describe_counter!("tandem_references_unresolved_total", "References that named nothing, by table");
    describe_counter!("tandem_plugin_failures_total", "Failures of plugins, by plugin and code");
    describe_counter!("tandem_notices_total", "Messages to operators by outcome: sent, failed, dropped");
    describe_gauge!("tandem_inbox_events", "Events in the inbox by state");
    describe_gauge!("tandem_outbox_requests", "Requests in the outbox by state");
    describe_gauge!("tandem_queue_oldest_seconds", Unit::Seconds, "Age of the oldest unfinished event or request");
    describe_gauge!("tandem_links", "Links between incidents and tickets");
    describe_gauge!("tandem_build_info", "Always 1; the version is a label");
    metrics::gauge!("tandem_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    Some(handle)
}
