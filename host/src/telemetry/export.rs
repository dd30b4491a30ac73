//! Export of traces by OpenTelemetry: OTLP over HTTP, as protobuf, from a queue that nobody waits for.
//!
//! The exporter has a thread and a runtime of its own, so that neither a slow collector nor a stopping host meets the
//! sync. What does not fit into the queue, or cannot be delivered, is dropped: one warning in five minutes says so.
//! Nothing but spans with the target [`TRACES`] comes here, so the exporter's own calls are never traced.

use std::fmt::Debug;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use http::header::{ACCEPT, HeaderValue};
use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{Protocol, RetryPolicy, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracerProvider};
use tracing::Subscriber;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::registry::LookupSpan;
use url::Url;

use super::traces::TRACES;
use crate::clock::{Clock, SystemClock};
use crate::transport::{Content, Http, Settings};

/// Spans that wait at most; further ones are dropped.
const QUEUE: usize = 2048;
/// Spans of one call.
const BATCH: usize = 512;
/// Longest time that a span waits for others.
const GATHER: Duration = Duration::from_secs(2);
/// Longest time for one call.
const CALL: Duration = Duration::from_secs(5);
/// Longest time that a stopping host waits for what is left.
const FLUSH: Duration = Duration::from_secs(3);
/// Failures within this time of one that was told are not told.
const SILENCE: Duration = Duration::from_mins(5);

/// The traces of this process on their way out.
#[must_use = "what waits is lost unless it is stopped"]
#[derive(Debug, Default)]
pub struct Traces {
    provider: Option<SdkTracerProvider>,
}

impl Traces {
    /// Sends what waits, for three seconds at most.
    pub fn stop(self) {
        if let Some(provider) = self.provider {
            // Why something could not be sent was told when it failed.
            let _ = provider.shutdown_with_timeout(FLUSH);
        }
    }
}

/// The exporter, and the layer that hands spans to it.
pub(super) fn start<S>(endpoint: &Url) -> anyhow::Result<(Traces, impl Layer<S> + use<S>)>
where
    S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
{
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(Sender::new(SystemClock::new())?)
        .with_retry_policy(RetryPolicy::disabled())
        .with_endpoint(of_traces(endpoint).as_str())
        .with_protocol(Protocol::HttpBinary)
        .with_timeout(CALL)
        .build()?;
    let batches = BatchConfigBuilder::default()
        .with_max_queue_size(QUEUE)
        .with_max_export_batch_size(BATCH)
        .with_scheduled_delay(GATHER)
        .build();
    let provider = SdkTracerProvider::builder()
        .with_span_processor(BatchSpanProcessor::builder(exporter).with_batch_config(batches).build())
        .with_sampler(Sampler::AlwaysOn)
        .with_resource(
            Resource::builder_empty()
                .with_service_name("tandem")
                .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
                .build(),
        )
        .build();
    let layer = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("tandem"))
        .with_location(false)
        .with_threads(false)
        .with_tracked_inactivity(false)
        .with_level(false)
        .with_target(false)
        .with_context_activation(false)
        .with_error_events_to_status(false)
        .with_error_events_to_exceptions(false)
        .with_error_records_to_exceptions(false)
        .with_error_fields_to_exceptions(false)
        .with_filter(Targets::new().with_target(TRACES, LevelFilter::INFO));
    Ok((Traces { provider: Some(provider) }, layer))
}

/// Where traces go below the address of a collector. An address that says so already is left as it is.
fn of_traces(endpoint: &Url) -> Url {
    let mut url = endpoint.clone();
    let path = endpoint.path().trim_end_matches('/');
    if !path.ends_with("/v1/traces") {
        url.set_path(&format!("{path}/v1/traces"));
    }
    url
}

/// Calls the collector, from the exporter's thread.
#[derive(Debug)]
struct Sender<C> {
    http: Http,
    runtime: tokio::runtime::Runtime,
    clock: C,
    /// When a failure was told last.
    told: Mutex<Option<Duration>>,
}

impl<C: Clock> Sender<C> {
    fn new(clock: C) -> anyhow::Result<Self> {
        let settings =
            Settings { connect_timeout: CALL, idle_timeout: CALL, total_timeout: CALL, ..Settings::default() };
        // Connections live on between calls, so somebody has to look after them then.
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .max_blocking_threads(1)
            .thread_name("traces")
            .enable_all()
            .build()?;
        Ok(Self { http: Http::new(&settings)?, runtime, clock, told: Mutex::new(None) })
    }

    fn send(&self, mut request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        request.headers_mut().insert(ACCEPT, HeaderValue::from_static("application/x-protobuf"));
        let answer = match self.runtime.block_on(self.http.pass(request)) {
            Ok(answer) => answer,
            Err(trouble) => {
                self.tell(trouble.what, None);
                return Err(trouble.what.into());
            }
        };
        if !answer.status.is_success() {
            self.tell("refused them", Some(answer.status.as_u16()));
        }
        let body = match answer.body {
            Content::Whole(bytes) => bytes,
            Content::Broken(_) | Content::TooLarge => Bytes::new(),
        };
        Ok(Response::builder().status(answer.status).body(body)?)
    }

    fn tell(&self, why: &str, status: Option<u16>) {
        if self.may_tell() {
            tracing::warn!(
                error.code = "telemetry.export",
                http.status = status,
                "traces cannot be exported and are dropped: `telemetry.endpoint` {why}"
            );
        }
    }

    fn may_tell(&self) -> bool {
        let now = self.clock.elapsed();
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let may = told.is_none_or(|last| now.saturating_sub(last) >= SILENCE);
        if may {
            *told = Some(now);
        }
        may
    }
}

#[async_trait]
impl<C: Clock + Debug> HttpClient for Sender<C> {
    /// The exporter waits for its calls on a thread where nothing else runs.
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        self.send(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use crate::domain::time::Timestamp;

    #[test]
    fn traces_have_a_path_of_their_own() {
        let path = |endpoint: &str| of_traces(&Url::parse(endpoint).unwrap()).to_string();
        assert_eq!(path("http://localhost:4318"), "http://localhost:4318/v1/traces");
        assert_eq!(path("http://localhost:4318/"), "http://localhost:4318/v1/traces");
        assert_eq!(path("https://otel.example/here/"), "https://otel.example/here/v1/traces");
        assert_eq!(path("https://otel.example/v1/traces"), "https://otel.example/v1/traces");
    }

    #[test]
    fn a_failing_collector_is_told_of_once_in_five_minutes() {
        let clock = ManualClock::new(Timestamp(0));
        let sender = Sender::new(clock.clone()).unwrap();
        assert!(sender.may_tell());
        clock.advance(Duration::from_secs(299));
        assert!(!sender.may_tell());
        clock.advance(Duration::from_secs(1));
        assert!(sender.may_tell());
        assert!(!sender.may_tell());
    }
}
