//! Spans for export: what they are called, and how one that begins elsewhere in this process joins the trace.
//!
//! A span is made by `tracing::info_span!(target: TRACES, …)` and is never a part of a log line. Without export the
//! target is disabled, so that making one costs a look at a flag. Attributes have the names of log fields. Whoever
//! makes a span puts ids, names and codes into it: no text that a plugin, a person or one of the two sides wrote.

use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, TraceContextExt as _};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

/// The target of everything that is exported.
pub const TRACES: &str = "tandem::traces";

/// A span as others refer to it. Keeping one keeps no span open.
#[derive(Debug, Clone, PartialEq)]
pub struct Place(SpanContext);

impl Place {
    /// `None`: the span is not exported.
    pub fn of(span: &Span) -> Option<Self> {
        if span.is_disabled() {
            return None;
        }
        let context = span.context().span().span_context().clone();
        context.is_valid().then_some(Self(context))
    }

    /// Makes a span that has just begun a part of what happened here.
    pub fn leads_to(self, span: &Span) {
        // A span that nobody exports has no parent either.
        let _ = span.set_parent(Context::new().with_remote_span_context(self.0));
    }

    /// Notes that this has to do with a span too, which belongs to another trace.
    pub fn concerns(self, span: &Span) {
        span.add_link(self.0);
    }
}

/// Whether spans are exported.
pub fn are_exported() -> bool {
    tracing::enabled!(target: TRACES, tracing::Level::INFO)
}

/// Ends a span as failed, for the reason that the code names.
pub fn failed(span: &Span, code: &str) {
    span.record("error.code", code);
    span.record("otel.status_code", "ERROR");
    span.record("otel.status_description", code);
}
