//! Logs, metrics and traces: where lines go, how numbers are called, and what is exported.
//!
//! One line per attempt, one per refusal; a failure is logged once, where it is handled. Fields have dotted names and
//! the same name everywhere: `integration`, `incident.id`, `ticket.number`, `request.key`, `request.operation`,
//! `request.attempt`, `plugin.id`, `plugin.digest`, `plugin.hook`, `error.code`, `http.status`, `milliseconds`. Never
//! bodies, tokens or e-mail addresses. Labels of metrics are bounded: no ids, no texts. Spans have the names of log fields
//! too, and never become lines.

mod export;
pub mod traces;

use std::io::IsTerminal as _;

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::layer::{Layer, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Registry, fmt, registry};

pub use self::export::Traces;
use crate::config::{Log, LogFormat, Telemetry};

/// Sends log lines to standard error, and traces to a collector where that is switched on. Does nothing when a
/// subscriber is installed already.
pub fn start(log: &Log, telemetry: &Telemetry) -> Traces {
    let endpoint = telemetry.endpoint.as_ref().filter(|_| telemetry.enabled);
    let (traces, layer, failure) = match endpoint.map(export::start) {
        None => (Traces::default(), None, None),
        Some(Ok((traces, layer))) => (traces, Some(layer), None),
        Some(Err(error)) => (Traces::default(), None, Some(error)),
    };
    let _ = match layer {
        // Said of the whole: what no line is made of costs nothing.
        None => registry().with(lines(log)).with(filter(log)).try_init(),
        Some(layer) => registry().with(lines(log).with_filter(filter(log))).with(layer).try_init(),
    };
    if let Some(error) = failure {
        tracing::error!(error.code = "telemetry.setup", "traces are not exported: {error:#}");
    }
    traces
}

fn lines(log: &Log) -> Box<dyn Layer<Registry> + Send + Sync> {
    // Colours are for a person's terminal, not for a file or a collector.
    let colours = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let lines = fmt::layer().with_writer(std::io::stderr).with_ansi(colours);
    match log.format {
        LogFormat::Text => lines.with_target(false).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    }
}

/// Spans are for export alone, whatever level was asked for.
fn filter(log: &Log) -> EnvFilter {
    let filter = EnvFilter::try_new(&log.level).unwrap_or_else(|_| EnvFilter::new("info"));
    match format!("{}=off", traces::TRACES).parse() {
        Ok(directive) => filter.add_directive(directive),
        Err(_) => filter,
    }
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
