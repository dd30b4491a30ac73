//! What the store costs by itself: accepts per second with shared and with single commits, and the processor time
//! of a ticket's whole way through it. `cargo bench --bench store [-- accept|cycle|memory]`.
//!
//! The loops stand for those of the sync, as in a backlog: claims are asked for when something may be there, and every
//! ticket goes through five writes: accept, claim, decide, claim, settle. What goes straight through has three.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a bench that fails is to stop")]

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tandem::clock::{Clock, SystemClock};
use tandem::domain::id::{EventId, IncidentId, IntegrationName, RequestKey, SysId};
use tandem::domain::link::{Link, LinkState};
use tandem::domain::request::{Cause, Extra, Operation, Request, Target};
use tandem::domain::share::ShareKind;
use tandem::domain::ticket::{FieldValue, TicketRef};
use tandem::domain::time::Timestamp;
use tandem::store::sqlite::{Options, SqliteStore};
use tandem::store::{
    Decided, EventClaim, EventEnd, Inbox, JournalNote, NewEvent, NewRequest, Outbox, RequestClaim, RequestEnd, Settled,
};
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinSet;

const BODY: usize = 22_000;
const LEASE: Duration = Duration::from_mins(2);

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let asked = |part: &str| wanted.is_empty() || wanted.iter().any(|word| word == part);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let page_bytes = number("PAGE", 4096) as u32;
    if asked("accept") {
        println!("accept, {BODY} byte bodies, page {page_bytes}");
        for commit_each in [true, false] {
            for clients in [1, 16, 64] {
                let options = Options { commit_each, page_bytes };
                runtime.block_on(accept(&options, clients));
            }
        }
    }
    if asked("cycle") {
        let options = Options { page_bytes, ..Options::default() };
        runtime.block_on(cycle(&options, number("TICKETS", 20_000), number("CLIENTS", 64)));
    }
    if asked("memory") {
        let options = Options { page_bytes, ..Options::default() };
        runtime.block_on(memory(&options));
    }
}

fn number(name: &str, default: usize) -> usize {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn open(directory: &Path, options: &Options) -> Arc<SqliteStore> {
    Arc::new(SqliteStore::open(&directory.join("bench.db"), options).unwrap())
}

/// Beside the build, because the system's directory for temporary files may be memory.
fn directory() -> tempfile::TempDir {
    tempfile::tempdir_in(std::env::var("BENCH_DIR").unwrap_or_else(|_| ".".to_owned())).unwrap()
}

async fn accept(options: &Options, clients: usize) {
    let directory = directory();
    let store = open(directory.path(), options);
    let clock = Arc::new(SystemClock::new());
    let total = if options.commit_each { 1_500 } else { 1_500 * clients.min(12) };
    let next = Arc::new(AtomicUsize::new(0));
    let mut tasks = JoinSet::new();
    let (start, cpu) = (clock.elapsed(), cpu());
    for _ in 0..clients {
        let (store, clock, next) = (store.clone(), clock.clone(), next.clone());
        tasks.spawn(async move {
            let mut times = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= total {
                    return times;
                }
                let begun = clock.elapsed();
                store.accept(event(number, clock.now())).await.unwrap();
                times.push(clock.elapsed().saturating_sub(begun));
            }
        });
    }
    let mut times: Vec<Duration> = tasks.join_all().await.into_iter().flatten().collect();
    let took = clock.elapsed().saturating_sub(start).as_secs_f64();
    times.sort();
    let at = |share: f64| times.get(((total - 1) as f64 * share) as usize).unwrap().as_secs_f64() * 1000.0;
    println!(
        "  {} {clients:>3} clients  {:>7.0}/s  p50 {:>6.2} ms  p99 {:>6.2} ms  cpu {:>5.0} us each",
        if options.commit_each { "one commit each" } else { "shared commits " },
        total as f64 / took,
        at(0.5),
        at(0.99),
        cpu_since(cpu) / total as f64 * 1e6,
    );
}

async fn cycle(options: &Options, tickets: usize, clients: usize) {
    let directory = directory();
    let store = open(directory.path(), options);
    let clock = SystemClock::new();
    let (start, cpu) = (clock.elapsed(), cpu());
    run(&store, 0, tickets, clients).await;
    let took = clock.elapsed().saturating_sub(start).as_secs_f64();
    println!(
        "cycle, {clients} clients: {:.0} tickets/s, cpu {:.0} us per ticket, {:.1} kB on disk each, rss {} MiB",
        tickets as f64 / took,
        cpu_since(cpu) / tickets as f64 * 1e6,
        size(directory.path()) / tickets as f64 / 1000.0,
        rss() / 1024
    );
}

async fn memory(options: &Options) {
    let directory = directory();
    let store = open(directory.path(), options);
    run(&store, 0, 1_000, 32).await;
    let few = rss();
    run(&store, 1_000, 99_000, 32).await;
    println!("memory: rss {few} kB at 1,000 links, {} kB at 100,000 links", rss());
    // The tasks of the run were told to end; each lets go of the store when it does.
    while Arc::strong_count(&store) > 1 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    drop(store);
    let clock = SystemClock::new();
    let begun = clock.elapsed();
    let store = open(directory.path(), options);
    println!("open at 100,000 links: {:.1} ms", clock.elapsed().saturating_sub(begun).as_secs_f64() * 1000.0);
    drop(store);
}

/// Takes tickets from share to confirmation, with as many shares at a time as there are clients.
async fn run(store: &Arc<SqliteStore>, first: usize, tickets: usize, clients: usize) {
    let clock = Arc::new(SystemClock::new());
    let (events, requests, done) = (Arc::new(Notify::new()), Arc::new(Notify::new()), Arc::new(Semaphore::new(0)));
    let room = Arc::new(Semaphore::new(clients));
    let intake = {
        let (store, clock, events, requests) = (store.clone(), clock.clone(), events.clone(), requests.clone());
        tokio::spawn(async move {
            loop {
                let claims = store.claim_events(32, LEASE, clock.now()).await.unwrap();
                if claims.is_empty() {
                    events.notified().await;
                }
                for claim in claims {
                    let (store, requests, now) = (store.clone(), requests.clone(), clock.now());
                    tokio::spawn(async move {
                        store.decided(decided(claim, now)).await.unwrap();
                        requests.notify_one();
                    });
                }
            }
        })
    };
    let deliver = {
        let (store, clock, requests) = (store.clone(), clock.clone(), requests.clone());
        let (done, room) = (done.clone(), room.clone());
        tokio::spawn(async move {
            loop {
                let claims = store.claim_requests(Target::ServiceNow, 32, LEASE, &[], clock.now()).await.unwrap();
                if claims.is_empty() {
                    requests.notified().await;
                }
                for claim in claims {
                    let (store, done, room, now) = (store.clone(), done.clone(), room.clone(), clock.now());
                    tokio::spawn(async move {
                        store.settled(settled(claim, now)).await.unwrap();
                        done.add_permits(1);
                        room.add_permits(1);
                    });
                }
            }
        })
    };
    for number in first..first + tickets {
        room.acquire().await.unwrap().forget();
        let (store, events, now) = (store.clone(), events.clone(), clock.now());
        tokio::spawn(async move {
            store.accept(event(number, now)).await.unwrap();
            events.notify_one();
        });
    }
    done.acquire_many(tickets as u32).await.unwrap().forget();
    intake.abort();
    deliver.abort();
}

fn event(number: usize, now: Timestamp) -> NewEvent {
    NewEvent {
        occasion: tandem::domain::event::Occasion::Shared,
        integration: IntegrationName::new("acme").unwrap(),
        incident: IncidentId::new(&format!("{number:024x}")).unwrap(),
        environment: None,
        dedupe: format!("{:064x}", number.wrapping_mul(0x9e37_79b9_7f4a_7c15)),
        revision: 1,
        received: now,
        body: body(number).into(),
    }
}

/// As repetitive as a share: the same names with every alert, values that differ.
fn body(number: usize) -> Vec<u8> {
    let mut body = Vec::with_capacity(BODY + 200);
    for tag in 0.. {
        if body.len() >= BODY {
            break;
        }
        let value = (number * 1_000 + tag).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        body.extend(
            format!(r#"{{"name":"tag_{}","value":"the value {value:016x} as in the wild"}},"#, tag % 10).bytes(),
        );
    }
    body.truncate(BODY);
    body
}

fn decided(claim: EventClaim, now: Timestamp) -> Decided {
    let EventClaim { link, fence, events, .. } = claim;
    let events: Vec<EventId> = events.into_iter().map(|event| event.id).collect();
    let fields = (0..20).map(|index| FieldValue { field: format!("u_field_{index}"), value: "v".repeat(350) });
    let operation = Operation::CreateTicket {
        table: "incident".to_owned(),
        correlation_id: link.correlation_id(),
        fields: fields.collect(),
        references: Vec::new(),
    };
    let cause = Cause { kind: ShareKind::New, environment: None, response_tag: "servicenow_link".to_owned() };
    let key = RequestKey::new(&format!("key-{}", link.id)).unwrap();
    let request = Request { key, operation, cause, lineage: Vec::new(), generation: 1, extra: Extra::default() };
    let requests = vec![NewRequest { request, due: now, event: events.first().copied() }];
    let notes = (0..2).map(|_| note("decided by the bench, in a sentence of some length"));
    let end = EventEnd::Done { why: String::new() };
    Decided { link, fence, events, end, requests, notes: notes.collect(), now }
}

fn settled(claim: RequestClaim, now: Timestamp) -> Settled {
    let written = (0..20).map(|index| (format!("u_field_{index}"), "0123456789abcdef".to_owned()));
    let number = format!("INC{:07}", claim.link.id.0);
    let link = Link {
        state: LinkState::Open,
        ticket: Some(TicketRef {
            sys_id: SysId::new(&format!("{:032x}", claim.link.id.0)).unwrap(),
            url: format!("https://servicenow.example/nav_to.do?uri=incident.do?sys_id={number}"),
            number,
        }),
        written: written.collect(),
        ..claim.link
    };
    Settled {
        id: claim.id,
        fence: claim.fence,
        end: RequestEnd::Done,
        link: Some(link),
        follow_ups: Vec::new(),
        notes: vec![note("ticket INC0000001 created")],
        took: Duration::from_millis(30),
        now,
    }
}

fn note(text: &str) -> JournalNote {
    JournalNote { kind: "share.decided".to_owned(), text: text.to_owned() }
}

fn size(directory: &Path) -> f64 {
    fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().metadata().unwrap().len()).sum::<u64>() as f64
}

/// Processor time of this process so far, in seconds.
fn cpu() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<f64> = stat
        .rsplit(')')
        .next()
        .unwrap()
        .split_whitespace()
        .skip(11)
        .take(2)
        .map(|text| text.parse().unwrap())
        .collect();
    fields.iter().sum::<f64>() / 100.0
}

fn cpu_since(start: f64) -> f64 {
    cpu() - start
}

/// Resident memory, in kilobytes.
fn rss() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
