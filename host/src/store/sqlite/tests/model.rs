//! The store against a model that is too simple to be wrong: lists, searched from front to back.
//!
//! Random work on a few links: whatever the model answers, the store has to answer, also after a crash.

use std::path::PathBuf;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError};

use super::samples::*;
use crate::domain::id::{EventId, Fence, LinkId, RequestId};
use crate::domain::request::Target;
use crate::domain::time::Timestamp;
use crate::store::sqlite::SqliteStore;
use crate::store::{
    Completion, Decided, Desk, Ended, EventClaim, EventEnd, Inbox, Outbox, RequestClaim, RequestEnd, RequestState,
    Retried, Room, TakenIn,
};

#[derive(Debug, Clone)]
enum Step {
    Accept {
        incident: usize,
        dedupe: usize,
        straight: bool,
    },
    ClaimEvents {
        links: usize,
    },
    /// Ends one of the claims that were ever given; `first_only` names only its first event.
    Decide {
        claim: usize,
        end: usize,
        first_only: bool,
        requests: Vec<(bool, i64)>,
        room: (bool, bool),
    },
    ClaimRequests {
        servicenow: bool,
        limit: usize,
    },
    Settle {
        claim: usize,
        end: usize,
        follow_up: bool,
        room: (bool, bool),
    },
    Retry {
        request: i64,
    },
    Discard {
        request: i64,
    },
    Wait {
        seconds: i64,
    },
    Crash,
}

fn step() -> impl Strategy<Value = Step> {
    let requests = prop::collection::vec((any::<bool>(), 0..60_i64), 0..3);
    prop_oneof![
        5 => (0..3_usize, 0..9_usize, any::<bool>()).prop_map(|(incident, dedupe, straight)| {
            Step::Accept { incident, dedupe, straight }
        }),
        4 => (1..3_usize).prop_map(|links| Step::ClaimEvents { links }),
        5 => (0..3_usize, 0..4_usize, any::<bool>(), requests, any::<(bool, bool)>()).prop_map(
            |(claim, end, first_only, requests, room)| Step::Decide { claim, end, first_only, requests, room }
        ),
        4 => (any::<bool>(), 1..3_usize).prop_map(|(servicenow, limit)| Step::ClaimRequests { servicenow, limit }),
        5 => (0..3_usize, 0..6_usize, any::<bool>(), any::<(bool, bool)>()).prop_map(
            |(claim, end, follow_up, room)| Step::Settle { claim, end, follow_up, room }
        ),
        1 => (1..9_i64).prop_map(|request| Step::Retry { request }),
        1 => (1..9_i64).prop_map(|request| Step::Discard { request }),
        3 => (1..150_i64).prop_map(|seconds| Step::Wait { seconds }),
        1 => Just(Step::Crash),
    ]
}

/// A claim as the model sees it.
#[derive(Debug, Clone, Copy)]
struct Lease {
    fence: Fence,
    until: Timestamp,
    held: bool,
}

#[derive(Debug)]
struct Event {
    id: EventId,
    link: LinkId,
    dedupe: usize,
    until: Timestamp,
    crashes: u32,
    claimed: bool,
    pending: bool,
}

#[derive(Debug)]
struct Row {
    id: RequestId,
    link: LinkId,
    target: Target,
    state: RequestState,
    due: Timestamp,
    attempts: u32,
    crashes: u32,
    uncertain: bool,
    lease: Option<Lease>,
}

impl Row {
    fn leased(&self) -> bool {
        self.lease.is_some_and(|lease| lease.held)
    }
}

#[derive(Debug, Default)]
struct Model {
    /// The claim of each link's events; the index is the link's number minus one.
    links: Vec<(usize, Option<Lease>)>,
    events: Vec<Event>,
    requests: Vec<Row>,
    quarantined: u64,
}

impl Model {
    fn expire(&mut self, now: Timestamp) {
        for (index, (_, claim)) in self.links.iter_mut().enumerate() {
            if let Some(lease) = claim.as_mut().filter(|lease| lease.held && lease.until <= now) {
                lease.held = false;
                let link = LinkId(index as i64 + 1);
                for event in self.events.iter_mut().filter(|event| event.link == link && event.claimed) {
                    event.crashes += 1;
                }
            }
        }
        for row in &mut self.requests {
            if let Some(lease) = row.lease.as_mut().filter(|lease| lease.held && lease.until <= now) {
                lease.held = false;
                row.crashes += 1;
                row.uncertain = true;
            }
        }
    }

    /// The links whose events can be claimed, oldest event first.
    fn claimable(&mut self, now: Timestamp) -> Vec<LinkId> {
        let mut links: Vec<(EventId, LinkId)> = Vec::new();
        for index in 0..self.links.len() {
            let link = LinkId(index as i64 + 1);
            let blocked = self.links[index].1.is_some_and(|lease| lease.held)
                || self
                    .requests
                    .iter()
                    .any(|row| row.link == link && row.target == Target::ServiceNow && row.state.is_live());
            let pending = || self.events.iter().filter(|event| event.link == link && event.pending);
            let (Some(first), false) = (pending().map(|event| event.id).min(), blocked) else { continue };
            if pending().any(|event| event.until <= now) {
                links.push((first, link));
            }
        }
        links.sort();
        links.into_iter().map(|(_, link)| link).collect()
    }

    /// The requests that can be claimed, longest due first.
    fn due(&self, target: Target, now: Timestamp) -> Vec<RequestId> {
        let lane = |link: LinkId| {
            self.requests.iter().filter(move |row| row.link == link && row.target == target && row.state.is_live())
        };
        let mut heads: Vec<&Row> = (1..=self.links.len() as i64)
            .filter(|link| !lane(LinkId(*link)).any(Row::leased))
            .filter_map(|link| lane(LinkId(link)).min_by_key(|row| row.id))
            .filter(|row| row.due <= now)
            .collect();
        heads.sort_by_key(|row| (row.due, row.id));
        heads.into_iter().map(|row| row.id).collect()
    }

    fn next_due(&self, now: Timestamp) -> Option<Timestamp> {
        let leases = self.links.iter().filter_map(|(_, lease)| *lease);
        let leases = leases.chain(self.requests.iter().filter_map(|row| row.lease));
        let leases = leases.filter(|lease| lease.held).map(|lease| lease.until);
        // Trying every moment at which something can change is slow and plainly right.
        let moments = self.requests.iter().map(|row| row.due).chain(self.events.iter().map(|event| event.until));
        let mut free = Self {
            links: self.links.clone(),
            events: self.events.iter().map(|event| Event { ..*event }).collect(),
            requests: self.requests.iter().map(|row| Row { ..*row }).collect(),
            quarantined: 0,
        };
        let mut work = |at: Timestamp| {
            let before = Timestamp(at.0 - 1);
            let events = free.claimable(at).len() > free.claimable(before).len();
            events
                || [Target::ServiceNow, Target::BigPanda]
                    .iter()
                    .any(|target| free.due(*target, at).len() > free.due(*target, before).len())
        };
        leases.chain(moments.filter(|at| work(*at))).filter(|at| *at > now).min()
    }

    fn put(&mut self, link: LinkId, target: Target, due: Timestamp) {
        let id = RequestId(self.requests.len() as i64 + 1);
        let state = RequestState::Ready;
        let (attempts, crashes, uncertain, lease) = (0, 0, false, None);
        self.requests.push(Row { id, link, target, state, due, attempts, crashes, uncertain, lease });
    }

    fn crash(&mut self) {
        let run_out = Lease { fence: Fence(0), until: Timestamp(i64::MIN), held: true };
        let leases = self.links.iter_mut().map(|(_, lease)| lease);
        for lease in leases.chain(self.requests.iter_mut().map(|row| &mut row.lease)) {
            *lease = lease.filter(|lease| lease.held).map(|_| run_out);
        }
        for event in &mut self.events {
            event.claimed &= self.links[event.link.0 as usize - 1].1.is_some();
        }
    }
}

struct World {
    path: PathBuf,
    store: Option<SqliteStore>,
    model: Model,
    now: Timestamp,
    event_claims: Vec<EventClaim>,
    request_claims: Vec<RequestClaim>,
    last_fence: Fence,
}

/// One of the last claims, so that most are current and some are not.
fn recent<T: Clone>(claims: &[T], back: usize) -> Option<T> {
    claims.len().checked_sub(1 + back).map(|index| claims[index].clone())
}

fn target(servicenow: bool) -> Target {
    if servicenow { Target::ServiceNow } else { Target::BigPanda }
}

impl World {
    fn store(&self) -> &SqliteStore {
        self.store.as_ref().unwrap()
    }

    fn rising(&mut self, fence: Fence) -> Result<(), TestCaseError> {
        prop_assert!(fence > self.last_fence, "fences only rise");
        self.last_fence = fence;
        Ok(())
    }

    async fn take(&mut self, step: Step) -> Result<(), TestCaseError> {
        let now = self.now;
        match step {
            Step::Accept { incident, dedupe, straight } => self.accept(incident, dedupe, straight).await?,
            Step::ClaimEvents { links } => self.claim_events(links).await?,
            Step::Decide { claim, end, first_only, requests, room } => {
                self.decide(claim, end, first_only, requests, room).await?;
            }
            Step::ClaimRequests { servicenow, limit } => self.claim_requests(target(servicenow), limit).await?,
            Step::Settle { claim, end, follow_up, room } => self.settle(claim, end, follow_up, room).await?,
            Step::Retry { request } => {
                self.model.expire(now);
                let row = self.model.requests.iter().find(|row| row.id.0 == request);
                let row = row.filter(|row| !matches!(row.state, RequestState::Done | RequestState::Discarded));
                // Every request to ServiceNow is a create here.
                let newer = row.filter(|row| row.state == RequestState::Dead && row.target == Target::ServiceNow);
                let newer = newer.and_then(|dead| {
                    let same = |row: &&Row| row.link == dead.link && row.target == dead.target;
                    let live = self.model.requests.iter().filter(same).filter(|row| row.state.is_live());
                    live.map(|row| row.id).max().filter(|id| *id > dead.id)
                });
                let expected = match (row, newer) {
                    (_, Some(by)) => Retried::Overtaken { by },
                    (Some(_), None) => Retried::Due,
                    (None, None) => Retried::Unknown,
                };
                let row = self.model.requests.iter_mut().find(|row| row.id.0 == request);
                if let Some(row) = row.filter(|_| expected == Retried::Due) {
                    (row.attempts, row.crashes) = (0, 0);
                    if !row.leased() {
                        row.due = now;
                        if row.state == RequestState::Dead {
                            row.lease = None;
                        }
                        if row.state != RequestState::Ready {
                            row.state = RequestState::Retry;
                        }
                    }
                }
                prop_assert_eq!(self.store().retry(RequestId(request), now).await.unwrap(), expected);
            }
            Step::Discard { request } => {
                self.model.expire(now);
                let row = self.model.requests.iter_mut().find(|row| row.id.0 == request && !row.leased());
                let row = row.filter(|row| !matches!(row.state, RequestState::Done | RequestState::Discarded));
                let expected = row.is_some();
                if let Some(row) = row {
                    row.state = RequestState::Discarded;
                }
                prop_assert_eq!(self.store().discard(RequestId(request), now).await.unwrap(), expected);
            }
            Step::Wait { seconds } => self.now = Timestamp(now.0 + seconds * 1000),
            Step::Crash => {
                self.store = None;
                self.store = Some(open(&self.path));
                self.model.crash();
            }
        }
        self.compare().await
    }

    /// What can be seen without changing anything.
    async fn compare(&self) -> Result<(), TestCaseError> {
        let depths = self.store().depths().await.unwrap();
        let model = &self.model;
        let pending = model.events.iter().filter(|event| event.pending).count();
        prop_assert_eq!(depths.events_pending, pending as u64);
        prop_assert_eq!(depths.events_quarantined, model.quarantined);
        prop_assert_eq!(depths.links, model.links.len() as u64);
        for (state, count) in depths.requests {
            let shown = |row: &&Row| if row.leased() { RequestState::Leased } else { row.state } == state;
            prop_assert_eq!(count, model.requests.iter().filter(shown).count() as u64, "{:?}", state);
        }
        prop_assert_eq!(self.store().next_due(self.now).await.unwrap(), model.next_due(self.now));
        Ok(())
    }

    async fn accept(&mut self, incident: usize, dedupe: usize, straight: bool) -> Result<(), TestCaseError> {
        let new = event(&format!("i{incident}"), &format!("d{dedupe}"), self.now);
        let body = new.body.clone();
        let TakenIn { accepted, claim } = self.store().take_in(new, straight.then_some(LEASE)).await.unwrap();
        let index = self.model.links.iter().position(|(known, _)| *known == incident).unwrap_or_else(|| {
            self.model.links.push((incident, None));
            self.model.links.len() - 1
        });
        let link = LinkId(index as i64 + 1);
        prop_assert_eq!(accepted.link, link);
        let known = self.model.events.iter().find(|event| event.link == link && event.dedupe == dedupe);
        let known = known.map(|event| event.id);
        prop_assert_eq!(accepted.duplicate, known.is_some());
        if let Some(known) = known {
            prop_assert_eq!(accepted.event, known);
        } else {
            let id = EventId(self.model.events.len() as i64 + 1);
            prop_assert_eq!(accepted.event, id);
            let (until, crashes, claimed, pending) = (Timestamp(0), 0, false, true);
            self.model.events.push(Event { id, link, dedupe, until, crashes, claimed, pending });
        }
        let unfinished = self.model.events.iter().filter(|event| event.link == link && event.pending).count()
            + self.model.requests.iter().filter(|row| row.link == link && row.state.is_live()).count();
        let handed = straight && known.is_none() && unfinished == 1 && self.model.links[index].1.is_none();
        prop_assert_eq!(claim.is_some(), handed);
        if let Some(claim) = claim {
            self.rising(claim.fence)?;
            self.model.links[index].1 = Some(Lease { fence: claim.fence, until: self.now.plus(LEASE), held: true });
            let event = self.model.events.last_mut().unwrap();
            event.claimed = true;
            prop_assert_eq!(claim.events.iter().map(|event| event.id).collect::<Vec<_>>(), [event.id]);
            prop_assert_eq!(&claim.events[0].body, &body);
            prop_assert_eq!((claim.link.id, claim.crashes, claim.unsettled), (link, 0, false));
            self.event_claims.push(claim);
        }
        Ok(())
    }

    /// What a completion hands over is what a claim would have given first.
    fn handed_over(
        &mut self,
        link: LinkId,
        (servicenow, bigpanda): (bool, bool),
        ended: Ended,
    ) -> Result<(), TestCaseError> {
        let mut claims = ended.claims.into_iter();
        for (target, room) in [(Target::ServiceNow, servicenow), (Target::BigPanda, bigpanda)] {
            let first = self.model.due(target, self.now).into_iter().next();
            let expected = first.filter(|id| room && self.model.requests[id.0 as usize - 1].link == link);
            if let Some(id) = expected {
                let claim = claims.next();
                prop_assert_eq!(claim.as_ref().map(|claim| claim.id), Some(id));
                self.claimed(claim.unwrap())?;
            }
        }
        prop_assert!(claims.next().is_none());
        let unleased = |target: Target| {
            let lane = |link: usize| {
                let of =
                    move |row: &&Row| row.link == LinkId(link as i64) && row.target == target && row.state.is_live();
                self.model.requests.iter().filter(of)
            };
            (1..=self.model.links.len()).any(|link| lane(link).next().is_some() && !lane(link).any(Row::leased))
        };
        let (waits, told) = (unleased(Target::ServiceNow), ended.waiting.servicenow);
        prop_assert_eq!(told, waits);
        prop_assert_eq!(ended.waiting.bigpanda, unleased(Target::BigPanda));
        let events = !self.model.claimable(Timestamp(i64::MAX)).is_empty();
        prop_assert_eq!(ended.waiting.events, events);
        Ok(())
    }

    async fn claim_events(&mut self, links: usize) -> Result<(), TestCaseError> {
        let claims = self.store().claim_events(links, LEASE, self.now).await.unwrap();
        self.model.expire(self.now);
        let expected: Vec<LinkId> = self.model.claimable(self.now).into_iter().take(links).collect();
        prop_assert_eq!(claims.iter().map(|claim| claim.link.id).collect::<Vec<_>>(), expected);
        for claim in claims {
            self.rising(claim.fence)?;
            let lease = Lease { fence: claim.fence, until: self.now.plus(LEASE), held: true };
            self.model.links[claim.link.id.0 as usize - 1].1 = Some(lease);
            let mut events = Vec::new();
            let mut crashes = 0;
            for event in self.model.events.iter_mut().filter(|event| event.link == claim.link.id && event.pending) {
                event.claimed = true;
                event.until = Timestamp(0);
                crashes = crashes.max(event.crashes);
                events.push(event.id);
            }
            prop_assert_eq!(claim.events.iter().map(|event| event.id).collect::<Vec<_>>(), events);
            prop_assert_eq!(claim.crashes, crashes);
            self.event_claims.push(claim);
        }
        Ok(())
    }

    async fn decide(
        &mut self,
        back: usize,
        end: usize,
        first_only: bool,
        requests: Vec<(bool, i64)>,
        room: (bool, bool),
    ) -> Result<(), TestCaseError> {
        let Some(claim) = recent(&self.event_claims, back) else { return Ok(()) };
        let until = self.now.plus(LEASE);
        let end = match end {
            0 => EventEnd::Hold { until, why: "later".to_owned() },
            1 => EventEnd::Quarantined { why: "poison".to_owned() },
            _ => EventEnd::Done { why: "decided".to_owned() },
        };
        let due = |wait: i64| Timestamp(self.now.0 + wait * 1000);
        let new = requests.iter().map(|(servicenow, wait)| new_request(target(*servicenow), "k", due(*wait))).collect();
        let mut decided = Decided { end: end.clone(), ..done(&claim, new, self.now) };
        if first_only {
            decided.events.truncate(1);
        }
        let named = decided.events.clone();
        let ended = self.store().conclude(decided, with(room)).await.unwrap();
        let completion = ended.completion;
        let current = &mut self.model.links[claim.link.id.0 as usize - 1].1;
        if current.is_none_or(|lease| lease.fence != claim.fence) {
            prop_assert_eq!(completion, Completion::Stale);
            return Ok(());
        }
        prop_assert_eq!(completion, Completion::Recorded);
        *current = None;
        for event in self.model.events.iter_mut().filter(|event| event.link == claim.link.id && event.claimed) {
            event.claimed = false;
            if named.contains(&event.id) {
                match end {
                    EventEnd::Hold { until, .. } => event.until = until,
                    EventEnd::Done { .. } => event.pending = false,
                    EventEnd::Quarantined { .. } => {
                        event.pending = false;
                        self.model.quarantined += 1;
                    }
                }
            }
        }
        for (servicenow, wait) in requests {
            self.model.put(claim.link.id, target(servicenow), Timestamp(self.now.0 + wait * 1000));
        }
        self.handed_over(claim.link.id, room, ended)
    }

    async fn claim_requests(&mut self, target: Target, limit: usize) -> Result<(), TestCaseError> {
        let claims = self.store().claim_requests(target, limit, LEASE, &[], self.now).await.unwrap();
        self.model.expire(self.now);
        let expected: Vec<RequestId> = self.model.due(target, self.now).into_iter().take(limit).collect();
        prop_assert_eq!(claims.iter().map(|claim| claim.id).collect::<Vec<_>>(), expected);
        for claim in claims {
            self.claimed(claim)?;
        }
        Ok(())
    }

    fn claimed(&mut self, claim: RequestClaim) -> Result<(), TestCaseError> {
        self.rising(claim.fence)?;
        let row = &mut self.model.requests[claim.id.0 as usize - 1];
        row.lease = Some(Lease { fence: claim.fence, until: self.now.plus(LEASE), held: true });
        prop_assert_eq!(claim.link.id, row.link);
        let seen = (claim.attempts, claim.crashes, claim.uncertain);
        prop_assert_eq!(seen, (row.attempts, row.crashes, row.uncertain));
        self.request_claims.push(claim);
        Ok(())
    }

    async fn settle(
        &mut self,
        back: usize,
        end: usize,
        follow_up: bool,
        room: (bool, bool),
    ) -> Result<(), TestCaseError> {
        let Some(claim) = recent(&self.request_claims, back) else { return Ok(()) };
        let failure = failure("f");
        let again = |state, counted, uncertain| {
            let due = Timestamp(self.now.0 + 60_000);
            RequestEnd::Again { due, state, failure: failure.clone(), counted, uncertain }
        };
        let end = match end {
            0 => again(RequestState::Retry, true, true),
            1 => again(RequestState::Retry, false, false),
            2 => again(RequestState::DeadPending, true, false),
            3 => RequestEnd::Dead { failure, uncertain: true },
            4 => RequestEnd::Parked { failure },
            _ => RequestEnd::Done,
        };
        let mut settled = super::samples::settle(claim.id, claim.fence, end.clone(), self.now);
        if follow_up {
            settled.follow_ups.push(new_request(Target::BigPanda, "f", self.now));
        }
        let ended = self.store().settle(settled, with(room)).await.unwrap();
        let completion = ended.completion;
        let row = &mut self.model.requests[claim.id.0 as usize - 1];
        let current = row.state.is_live() && row.lease.is_some_and(|lease| lease.fence == claim.fence);
        if !current {
            prop_assert_eq!(completion, Completion::Stale);
            return Ok(());
        }
        prop_assert_eq!(completion, Completion::Recorded);
        row.lease = None;
        match end {
            RequestEnd::Done => row.state = RequestState::Done,
            RequestEnd::Again { due, state, counted, uncertain, .. } => {
                (row.due, row.state, row.uncertain) = (due, state, uncertain);
                row.attempts += u32::from(counted);
            }
            RequestEnd::Dead { uncertain, .. } => {
                (row.state, row.uncertain) = (RequestState::Dead, uncertain);
                row.attempts += 1;
            }
            RequestEnd::Parked { .. } => row.state = RequestState::Dead,
        }
        let link = row.link;
        if follow_up {
            self.model.put(link, Target::BigPanda, self.now);
        }
        self.handed_over(link, room, ended)
    }
}

fn with((servicenow, bigpanda): (bool, bool)) -> Room {
    Room { servicenow, bigpanda, lease: LEASE }
}

proptest! {
    #![proptest_config(Config { cases: 96, max_shrink_iters: 400, failure_persistence: None, ..Config::default() })]

    #[test]
    fn the_store_does_what_the_model_does(steps in prop::collection::vec(step(), 1..80)) {
        let directory = directory();
        let path = directory.path().join("tandem.db");
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let mut world = World {
            store: Some(open(&path)),
            path,
            model: Model::default(),
            now: at(1_000),
            event_claims: Vec::new(),
            request_claims: Vec::new(),
            last_fence: Fence(0),
        };
        runtime.block_on(async {
            for step in steps {
                world.take(step).await?;
            }
            Ok::<(), TestCaseError>(())
        })?;
    }
}
