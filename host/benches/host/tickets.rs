//! End to end: share in, durable, plugins, ticket created, by the real binary on one processor.
//!
//! The host keeps everything that it does in production: every commit is synced, every value passes the bundled plugins
//! in fresh instances. A ticket counts when the simulated ServiceNow has it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::load::{Shares, fire};
use crate::report::{Report, at};
use crate::rig::{PATH, Plan, Rig, TOKEN};
use crate::shape::{body, placeholder};

const CONNECTIONS: usize = 64;
pub(crate) const QUIET: &str = "[integration.acme.follow_ups]\ncallback = false\ntag = false\ncomment = false\n";

pub(crate) async fn run() {
    let shares = Arc::new(Shares::new(PATH, TOKEN, &placeholder(), &body(20)));
    let heading = format!("20 alerts, {} bytes each, host on one processor, every commit synced", shares.size());
    let mut report = Report::new("tickets", &heading);
    {
        let mut rig = Rig::start(Plan { pinned: true, settings: QUIET.to_owned(), ..Plan::default() }).await;
        let cold = rig.ready_in.as_secs_f64() * 1000.0;
        rig.restart().await;
        let warm = rig.ready_in.as_secs_f64() * 1000.0;
        report.row(
            &format!("start-up       {warm:>7.0} ms to ready, {cold:.0} ms when plugins have to be compiled"),
            json!({ "what": "start-up", "warm_ms": warm, "cold_ms": cold }),
        );
        calm(&mut report, &rig, &shares).await;
        flood(&mut report, &rig, &shares, 10_000..20_000).await;
    }
    {
        let rig = Rig::start(Plan { pinned: true, settings: QUIET.to_owned(), ..Plan::default() }).await;
        flood(&mut report, &rig, &shares, 0..1_000).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        let (few, _) = rig.memory();
        // On a machine that is busy elsewhere the whole bench still has to end.
        let started = Instant::now();
        let mut links = 1_000;
        while links < 100_000 && started.elapsed() < Duration::from_mins(3) {
            flood(&mut report, &rig, &shares, links..links + 9_900).await;
            links += 9_900;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        let (many, peak) = rig.memory();
        report.row(
            &format!(
                "memory         {few:>7.1} MiB at 1,000 links, {many:.1} MiB at {links}, {peak:.1} MiB at the peak"
            ),
            json!({ "what": "memory", "mib_at_1000": few, "links": links, "mib": many, "peak_mib": peak }),
        );
    }
    whole(&mut report, &shares).await;
    report.end();
}

/// A hundred shares a second: how long a ticket takes.
async fn calm(report: &mut Report, rig: &Rig, shares: &Arc<Shares>) {
    const COUNT: usize = 2_000;
    fire(rig.public, shares, 0..100, 4, Some(100.0)).await;
    rig.until("the first tickets", |sim| sim.ticket_count() == 100).await;
    let cpu = rig.cpu();
    // Shares are ten milliseconds apart and tickets take less, so the n-th ticket is that of the n-th share.
    let (fired, made) = std::thread::scope(|scope| {
        let watch = scope.spawn(|| {
            let mut made = Vec::with_capacity(COUNT);
            while made.len() < COUNT {
                let now = Instant::now();
                made.resize(rig.sim.ticket_count().saturating_sub(100).max(made.len()), now);
                std::thread::sleep(Duration::from_micros(200));
            }
            made
        });
        let fire = fire(rig.public, shares, 100..100 + COUNT, 8, Some(100.0));
        let fired = tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(fire));
        (fired, watch.join().unwrap())
    });
    assert!(fired.all_accepted(), "{:?}", fired.statuses);
    let cpu = (rig.cpu() - cpu) / COUNT as f64 * 1000.0;
    let took: Vec<f64> =
        fired.sent.values().zip(&made).map(|(sent, made)| made.duration_since(*sent).as_secs_f64() * 1000.0).collect();
    let (p50, p99, worst) = (at(&took, 0.5), at(&took, 0.99), at(&took, 1.0));
    let (answer50, answer99) = (at(&fired.latencies, 0.5), at(&fired.latencies, 0.99));
    report.row(
        &format!(
            "100 a second   ticket after p50 {p50:.2} ms, p99 {p99:.2} ms, worst {worst:.1} ms; 202 after p50 {answer50:.2} ms, p99 {answer99:.2} ms; {cpu:.2} CPU s per 1,000"
        ),
        json!({ "what": "calm", "p50_ms": p50, "p99_ms": p99, "worst_ms": worst, "accept_p50_ms": answer50,
            "accept_p99_ms": answer99, "cpu_s_per_1000": cpu }),
    );
}

/// What came of as many shares as the host takes.
pub(crate) struct Flooded {
    /// Tickets a second.
    pub(crate) rate: f64,
    /// Processor seconds for 1,000 tickets.
    pub(crate) cpu: f64,
    /// Milliseconds within which 99 of 100 shares were answered.
    pub(crate) accept99: f64,
}

/// Shares as fast as the host takes them, until each has its ticket.
pub(crate) async fn flooded(rig: &Rig, shares: &Arc<Shares>, numbers: std::ops::Range<usize>) -> Flooded {
    let count = numbers.len();
    let before = rig.sim.ticket_count();
    let (cpu, started) = (rig.cpu(), Instant::now());
    let fired = fire(rig.public, shares, numbers, CONNECTIONS, None).await;
    assert!(fired.all_accepted(), "{:?}", fired.statuses);
    rig.until("a ticket for each share", |sim| sim.ticket_count() >= before + count).await;
    let took = started.elapsed().as_secs_f64();
    assert_eq!(rig.sim.ticket_count(), before + count, "one ticket for each incident");
    Flooded {
        rate: count as f64 / took,
        cpu: (rig.cpu() - cpu) / count as f64 * 1000.0,
        accept99: at(&fired.latencies, 0.99),
    }
}

async fn flood(report: &mut Report, rig: &Rig, shares: &Arc<Shares>, numbers: std::ops::Range<usize>) {
    let count = numbers.len();
    let Flooded { rate, cpu, accept99 } = flooded(rig, shares, numbers).await;
    let busy = cpu * rate / 10.0;
    let (_, peak) = rig.memory();
    report.row(
        &format!(
            "saturation     {rate:>7.0} tickets/s over {count}, {cpu:.2} CPU s per 1,000 ({busy:.0} % of the processor), peak {peak:.1} MiB, 202 p99 {accept99:.1} ms"
        ),
        json!({ "what": "flood", "tickets": count, "per_s": rate, "cpu_s_per_1000": cpu, "busy_percent": busy,
            "peak_mib": peak, "accept_p99_ms": accept99 }),
    );
}

/// With callback, link tag and comment for each ticket.
async fn whole(report: &mut Report, shares: &Arc<Shares>) {
    const COUNT: usize = 6_000;
    let rig = Rig::start(Plan { pinned: true, ..Plan::default() }).await;
    fire(rig.public, shares, 0..200, 8, None).await;
    let told = |sim: &tandem::simulator::Handle| {
        let done = |path| sim.bigpanda_requests().total("POST", path) as usize;
        done("/resources/v2.1/outbound/callback").min(done("/resources/v2.0/environments").div_euclid(2))
    };
    rig.until("the first are told", |sim| told(sim) >= 200).await;
    let (cpu, started) = (rig.cpu(), Instant::now());
    let fired = fire(rig.public, shares, 200..200 + COUNT, CONNECTIONS, None).await;
    assert!(fired.all_accepted(), "{:?}", fired.statuses);
    rig.until("all are told", |sim| told(sim) >= 200 + COUNT).await;
    let took = started.elapsed().as_secs_f64();
    let cpu = rig.cpu() - cpu;
    let (rate, each, busy) = (COUNT as f64 / took, cpu / COUNT as f64 * 1000.0, cpu / took * 100.0);
    let (_, peak) = rig.memory();
    report.row(
        &format!(
            "with follow-ups {rate:>6.0} tickets/s with callback, tag and comment, {each:.2} CPU s per 1,000 ({busy:.0} % of the processor), peak {peak:.1} MiB"
        ),
        json!({ "what": "whole", "tickets": COUNT, "per_s": rate, "cpu_s_per_1000": each, "busy_percent": busy, "peak_mib": peak }),
    );
}
