//! What a plugin costs: one job in a fresh instance per event, everything on, against the same job done natively.
//!
//! The job is that of `tests/components/job`: primary alert, short description, description and the closure map.
//! Native and plugin run in turn, batch by batch, so that a busy machine hits both. Starts from parsed structs, as
//! the host does. There is no column for a reused instance: an instance lives for one event, and the SDK counts on it
//! (its allocator never frees). What reusing could save at most is the no-op's column.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::many_single_char_names,
    clippy::wildcard_enum_match_arm,
    clippy::match_wildcard_for_single_variants
)]

#[path = "../../tests/it/support/plugins.rs"]
#[expect(dead_code, reason = "shared with the tests, which use more of it")]
mod plugins;
#[path = "support/report.rs"]
mod report;

use std::fmt::Write as _;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use tandem::domain::incident::{Alert, Incident, Status};
use tandem::domain::patch::{Hook, Op};
use tandem::plugin::Input;

use plugins::{Plugged, bundle, share};
use report::{Report, median};

const SIZES: [usize; 4] = [1, 20, 100, 500];
const TAGS: usize = 10;
const ROUNDS: usize = 15;
const JOB: &[Hook] = &[Hook::PrimaryAlert, Hook::ShortDescription, Hook::Description, Hook::Closure];
const NOOP: &[Hook] = &[Hook::ShortDescription];

/// What the job answers.
#[derive(Debug, PartialEq)]
struct Done {
    primary: Option<usize>,
    short: String,
    description: String,
    closure: Vec<(String, String)>,
}

/// The job on the host's own structs, written as the plugin is.
fn native(incident: &Incident, max_alerts: usize) -> Done {
    let rank = |status: Status| match status {
        Status::Critical => 0,
        Status::Warning => 1,
        Status::Unknown => 2,
        Status::Ok => 3,
    };
    let title = |status: Status| match status {
        Status::Critical => "Critical",
        Status::Warning => "Warning",
        Status::Unknown => "Unknown",
        Status::Ok => "Ok",
    };
    let key = |alert: &Alert| (rank(alert.status), alert.start.unwrap_or(i64::MAX));
    let best = incident
        .alerts
        .iter()
        .enumerate()
        .min_by(|(_, a), (_, b)| key(a).cmp(&key(b)).then_with(|| a.id.as_str().cmp(b.id.as_str())));
    let short = best.map_or_else(String::new, |(_, alert)| {
        let what = alert.primary_value().unwrap_or("unknown");
        format!("BigPanda Incident: {what} - {}", title(alert.status))
    });
    let mut text = String::with_capacity(4096);
    let count = |status| incident.alerts.iter().filter(|alert| alert.status == status).count();
    let _ = writeln!(
        text,
        "Alert Summary: {} Critical, {} Warning, {} Resolved",
        count(Status::Critical),
        count(Status::Warning),
        count(Status::Ok)
    );
    for tag in &incident.tags {
        let _ = writeln!(text, "{}: {}", tag.name, tag.value);
    }
    let total = incident.alerts.len();
    for (place, alert) in incident.alerts.iter().take(max_alerts).enumerate() {
        let _ = writeln!(text, "{:-<56}\nAlert: {} / {total}", "", place + 1);
        let _ = writeln!(text, "Status: {}\nSource: {}", title(alert.status), alert.source_system);
        for (name, value) in alert.tags.iter() {
            let _ = writeln!(text, "{name}: {value}");
        }
    }
    if total > max_alerts {
        let _ = writeln!(text, "… and {} more alerts", total - max_alerts);
    }
    let code = match incident.tag("resolution") {
        Some("auto") => "Resolved by caller",
        Some("workaround") => "Workaround provided",
        _ => "Solution provided",
    };
    let closure = vec![
        ("state".to_owned(), "6".to_owned()),
        ("close_code".to_owned(), code.to_owned()),
        ("close_notes".to_owned(), format!("{total} alerts resolved in BigPanda")),
    ];
    Done { primary: best.map(|(index, _)| index), short, description: text, closure }
}

fn by_plugin(plugged: &Plugged, input: Input) -> Done {
    let answer = plugged.host.transform_here(input);
    assert!(answer.failures.is_empty(), "{:?}", answer.failures);
    let mut done =
        Done { primary: answer.primary_alert, short: String::new(), description: String::new(), closure: Vec::new() };
    for proposal in answer.proposals {
        if let Op::Set { field, value } = proposal.op {
            match field.as_str() {
                "short_description" => done.short = value,
                "description" => done.description = value,
                _ => done.closure.push((field, value)),
            }
        }
    }
    done
}

/// Nanoseconds of one call, over a batch that takes some milliseconds.
#[expect(clippy::disallowed_methods, reason = "a bench measures")]
fn time<T>(batch: usize, mut call: impl FnMut() -> T) -> f64 {
    let start = Instant::now();
    for _ in 0..batch {
        black_box(call());
    }
    start.elapsed().as_nanos() as f64 / batch as f64
}

/// Fills a batch of about five milliseconds.
fn batch_of<T>(mut call: impl FnMut() -> T) -> usize {
    let once = time(20, &mut call).max(100.0);
    ((Duration::from_millis(5).as_nanos() as f64 / once) as usize).clamp(5, 20_000)
}

fn main() {
    let job = Plugged::start(&[bundle("job")]);
    let noop = Plugged::start(&[bundle("noop")]);
    let settings: Arc<str> = json!({ "max_alerts": 10 }).to_string().into();
    let heading = format!("µs, median of {ROUNDS} rounds\n  alerts × tags   native    fresh   ratio    noop   ratio");
    let mut report = Report::new("plugin_job", &heading);
    for alerts in SIZES {
        let share = Arc::new(share(alerts, TAGS));
        let input = |hooks| Input { settings: settings.clone(), hooks, ..plugins::input_of(share.clone()) };
        assert_eq!(native(&share.incident, 10), by_plugin(&job, input(JOB)), "both sides must do the same work");
        let run_native = || native(black_box(&share.incident), 10);
        let run_fresh = || job.host.transform_here(input(JOB));
        let run_noop = || noop.host.transform_here(input(NOOP));
        let (n, f, o) = (batch_of(run_native), batch_of(run_fresh), batch_of(run_noop));
        let mut times: [Vec<f64>; 3] = Default::default();
        let mut ratios: [Vec<f64>; 2] = Default::default();
        for _ in 0..ROUNDS {
            let (a, b, c) = (time(n, run_native), time(f, run_fresh), time(o, run_noop));
            times[0].push(a);
            times[1].push(b);
            times[2].push(c);
            ratios[0].push(b / a);
            ratios[1].push(c / a);
        }
        let [native, fresh, noop] = times.map(|times| median(&times) / 1000.0);
        let [ratio, idle] = ratios.map(|ratios| median(&ratios));
        report.row(
            &format!("{alerts:>6} × {TAGS:<4} {native:>8.2} {fresh:>8.2} {ratio:>7.2} {noop:>7.2} {idle:>7.2}"),
            json!({
                "alerts": alerts, "tags": TAGS, "native_us": native, "fresh_us": fresh, "fresh_ratio": ratio,
                "noop_us": noop, "noop_ratio": idle,
            }),
        );
    }
    report.end();
}
